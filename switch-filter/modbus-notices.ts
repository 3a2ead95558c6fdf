import type { Party } from "#point/observe/modbus.ts";
import type { Point } from "#point/point.ts";
import type { ReasonCode } from "#specs/decide/reasons.ts";

/** What one Modbus connection has to say beside its verdicts. */
export class ModbusNotices {
  readonly #point: Point;
  readonly #party: Party;

  constructor(point: Point, party: Party) {
    this.#point = point;
    this.#party = party;
  }

  /** The client sent what is no request. */
  client(code: ReasonCode, says: string): void {
    const { source, sourceAddress, target } = this.#party;
    this.#point.notice({
      code,
      severity: "detection",
      locus: source === undefined ? ["unknown-device"] : [],
      source: source ?? sourceAddress,
      target,
      says: `${sourceAddress}: ${says}`,
    });
  }

  /** The server sent what is no answer. */
  server(code: ReasonCode, says: string): void {
    const { sourceAddress, target } = this.#party;
    this.#point.notice({
      code,
      severity: "detection",
      locus: ["path-switch-plc"],
      source: target,
      target: sourceAddress,
      says: `answer of ${target}: ${says}`,
    });
  }
}
