import type { Party } from "#point/observe/modbus.ts";
import type { Point } from "#point/point.ts";

/** What is said about an OPC UA connection, beside the receipts of its messages. */
export class UaNotices {
  readonly #point: Point;
  readonly #party: Party;

  constructor(point: Point, party: Party) {
    this.#point = point;
    this.#party = party;
  }

  /** The client sent what cannot be read. */
  malformed(says: string, withheld = true): void {
    const { sourceAddress } = this.#party;
    const then = withheld ? "was not forwarded" : "passed unjudged in monitor mode";
    this.#byClient("MALFORMED", "detection", `${sourceAddress}: ${says}; it ${then}`);
  }

  /** The server answered what cannot be read, or what nobody asked. */
  badAnswer(says: string): void {
    this.#point.notice({
      code: "MALFORMED",
      severity: "detection",
      locus: ["path-switch-plc"],
      source: this.#party.target,
      target: this.#party.sourceAddress,
      says: `answer of ${this.#party.target}: ${says}; it was withheld and the connection closed`,
    });
  }

  /** How a channel is secured, where that keeps this filter from looking into it, or from answering. */
  security(severity: "detection" | "info", says: string): void {
    this.#byClient("SECURITY_POLICY", severity, `${this.#party.sourceAddress} ${says}`);
  }

  #byClient(code: "MALFORMED" | "SECURITY_POLICY", severity: "detection" | "info", says: string): void {
    this.#point.notice({
      code,
      severity,
      locus: severity === "info" || this.#party.source !== undefined ? [] : ["unknown-device"],
      source: this.#party.source ?? this.#party.sourceAddress,
      target: this.#party.target,
      says,
    });
  }
}
