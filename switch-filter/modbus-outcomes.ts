import { type Party, showValues, valuesInAnswer } from "#point/observe/modbus.ts";
import type { RegisterWrite } from "#point/observe/modbus-image.ts";
import { registersRead } from "#point/observe/modbus-registers.ts";
import type { Point } from "#point/point.ts";
import type { Outcome } from "#specs/decide/observation.ts";
import type { TagId } from "#specs/ids.ts";
import type { ModbusFrame, ModbusResponse } from "#wire/modbus/index.ts";
import type { ModbusContext } from "./modbus-judge.ts";
import { type Slot, tagsWritten } from "./modbus-slot.ts";

/** What became of the requests of one connection, for whoever learns from it: the history, the receipts, the image of the registers. */
export class ModbusOutcomes {
  readonly #point: Point;
  readonly #context: ModbusContext;
  readonly #party: Party;
  #nowMs = 0;

  constructor(context: ModbusContext) {
    this.#context = context;
    this.#point = context.point;
    this.#party = context.party;
  }

  /** @param write the registers that are being written from now on */
  forwarded(slot: Slot, write: RegisterWrite | undefined): void {
    for (const judged of slot.judged) this.#point.forwarded(judged);
    if (write === undefined) return;
    slot.write = write;
    this.#context.image.begin(write);
  }

  /** What was forwarded and never answered leaves its tags unknown: the server may have done it, and may still. */
  settle(slot: Slot, outcome: Outcome, words?: readonly number[]): void {
    for (const judged of slot.judged) this.#point.settle(judged, outcome);
    if (outcome === "forwarded") for (const tag of tagsWritten(slot.judged)) this.#point.sawTag(tag, Number.NaN);
    const { write } = slot;
    slot.write = undefined;
    if (write !== undefined) this.#context.image.end(write, words, this.#point.options.clock.now());
  }

  /** Whether the client may be told this. Only where a rule is about reports there is something to judge. */
  mayTell({ frame, request }: Slot, response: ModbusResponse): boolean {
    if (!this.#point.judgesReports) return true;
    return this.#point.mayTell(this.#party, valuesInAnswer(this.#context.tags, frame.unitId, request, response));
  }

  /** @param told false: the answer was withheld, and nothing is learned from what it shows */
  answered(slot: Slot, { unitId, pdu }: ModbusFrame, response: ModbusResponse, told: boolean): void {
    const succeeded = response.kind !== "exception";
    this.settle(slot, succeeded ? "answered-ok" : "answered-error", succeeded ? slot.words : undefined);
    if (!succeeded) return;
    const { tags, image } = this.#context;
    this.#nowMs = this.#point.options.clock.now();
    const read = registersRead(slot.request, response);
    if (read !== undefined) image.saw(unitId, read.address, read.words, slot.mark, this.#nowMs);
    if (!told) return;
    showValues(tags, unitId, slot.request, pdu, this.#see);
    this.#point.sawTags(this.#nowMs);
  }

  readonly #see = (tag: TagId, value: number): void => this.#point.sawTag(tag, value, this.#nowMs);
}
