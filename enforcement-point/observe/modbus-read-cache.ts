import type { Observation } from "#specs/decide/observation.ts";
import type { Party } from "./party.ts";

/** Reads that are remembered for each connection: an operator station asks for the same few blocks for ever. */
const MAX_READS_PER_PARTY = 128;

interface Remembered {
  readonly functionCode: number;
  readonly unit: number;
  readonly address: number;
  readonly quantity: number;
  readonly observed: readonly Observation[];
}

type Slots = (Remembered | undefined)[];

/**
 * What plain reads were observed to be, so that the same question of the same client is the same object again. Each read has one place,
 * by a few bits of what it asks for, and the later one takes it: what is kept is bounded, and gone with its connection.
 */
export class ReadCache {
  readonly #byParty = new WeakMap<Party, Slots>();
  /** Whoever asked last is mostly the one who asks now. */
  #party: Party | undefined;
  #slots: Slots = [];

  /** undefined: not asked before, or forgotten. */
  get(
    party: Party,
    functionCode: number,
    unit: number,
    address: number,
    quantity: number,
  ): readonly Observation[] | undefined {
    if (party !== this.#party) this.#turnTo(party);
    const found = this.#slots[placeOf(functionCode, unit, address, quantity)];
    return found !== undefined &&
      found.address === address &&
      found.quantity === quantity &&
      found.functionCode === functionCode &&
      found.unit === unit
      ? found.observed
      : undefined;
  }

  /** To be asked after `get` with the same arguments. */
  keep(
    party: Party,
    functionCode: number,
    unit: number,
    address: number,
    quantity: number,
    observed: readonly Observation[],
  ): void {
    if (party !== this.#party) this.#turnTo(party);
    this.#slots[placeOf(functionCode, unit, address, quantity)] = { functionCode, unit, address, quantity, observed };
  }

  #turnTo(party: Party): void {
    const slots = this.#byParty.get(party) ?? new Array<undefined>(MAX_READS_PER_PARTY).fill(undefined);
    this.#byParty.set(party, slots);
    this.#party = party;
    this.#slots = slots;
  }
}

function placeOf(functionCode: number, unit: number, address: number, quantity: number): number {
  const mixed = Math.imul(address, 0x9e37) ^ Math.imul(quantity, 0x85eb) ^ (unit << 4) ^ functionCode;
  return ((mixed >>> 7) ^ mixed) & (MAX_READS_PER_PARTY - 1);
}
