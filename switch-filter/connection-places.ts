import type { DeviceId } from "#specs/ids.ts";
import { err, ok, type Result } from "#specs/result.ts";

/** Connections on one listener: in all, and of one declared device. */
export interface PlaceLimits {
  readonly maxConnections: number;
  readonly maxPerDevice: number;
}

export const DEFAULT_PLACE_LIMITS: PlaceLimits = { maxConnections: 4096, maxPerDevice: 2048 };
/** Connections of one address that belongs to no declared device, and of all such addresses together. */
export const MAX_PER_UNDECLARED = 32;
export const MAX_UNDECLARED = 64;
/** Of few places in all, those that no device declares get a quarter at most. */
const UNDECLARED_SHARE = 4;
/** Each connection takes two file descriptors, its own and the one towards the server. */
const MOST = 65_535;

/**
 * Limits as they are written on the command line; undefined: not written there.
 *
 * @throws RangeError in one sentence
 */
export function readPlaceLimits(inAll: string | undefined, ofDevice: string | undefined): PlaceLimits {
  const maxConnections = readCount("--max-connections", inAll) ?? DEFAULT_PLACE_LIMITS.maxConnections;
  const asked = readCount("--max-connections-per-source", ofDevice);
  if (asked !== undefined && asked > maxConnections) {
    throw new RangeError(
      `--max-connections-per-source ${asked} is more than the ${maxConnections} of --max-connections`,
    );
  }
  return { maxConnections, maxPerDevice: asked ?? Math.min(DEFAULT_PLACE_LIMITS.maxPerDevice, maxConnections) };
}

function readCount(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const count = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (count < 1 || count > MOST) throw new RangeError(`${option} \`${text}\` is not a number from 1 to ${MOST}`);
  return count;
}

/** Who connects: a declared device, whichever of its addresses it uses, or an address that nobody declared. */
export interface Claimant {
  readonly device: DeviceId | undefined;
  readonly address: string;
}

/**
 * The places of one listener, taken and left in constant time.
 *
 * INVARIANT (places of the declared): addresses that nobody declared hold at most `maxUndeclared` places together, so that no number
 * of them keeps a declared device out.
 */
export class ConnectionPlaces {
  readonly #limits: PlaceLimits;
  readonly #maxUndeclared: number;
  /** By device, or by address. Nobody is kept who holds no place: at most `maxConnections` entries. */
  readonly #devices = new Map<DeviceId, number>();
  readonly #undeclared = new Map<string, number>();
  #ofUndeclared = 0;
  #taken = 0;

  constructor(limits: PlaceLimits = DEFAULT_PLACE_LIMITS) {
    this.#limits = limits;
    this.#maxUndeclared = Math.min(MAX_UNDECLARED, Math.floor(limits.maxConnections / UNDECLARED_SHARE));
  }

  get taken(): number {
    return this.#taken;
  }

  /** Those who hold a place, for the test that nobody is kept who holds none. */
  get holders(): number {
    return this.#devices.size + this.#undeclared.size;
  }

  /** @returns an error in one sentence: there is no place, and none was taken */
  take(who: Claimant): Result<void, string> {
    const { maxConnections, maxPerDevice } = this.#limits;
    if (this.#taken >= maxConnections) return err(`all ${maxConnections} connections here are taken`);
    const { device, address } = who;
    if (device !== undefined) {
      const held = this.#devices.get(device) ?? 0;
      if (held >= maxPerDevice) return err(`${device} has ${held} connections here`);
      this.#devices.set(device, held + 1);
    } else {
      const held = this.#undeclared.get(address) ?? 0;
      if (held >= MAX_PER_UNDECLARED) return err(`${address} has ${held} connections here`);
      if (this.#ofUndeclared >= this.#maxUndeclared) {
        return err(`addresses that no device declares have ${this.#ofUndeclared} connections here`);
      }
      this.#undeclared.set(address, held + 1);
      this.#ofUndeclared += 1;
    }
    this.#taken += 1;
    return ok(undefined);
  }

  /** Leaves a place that this claimant took. */
  leave({ device, address }: Claimant): void {
    const left = device === undefined ? leaveOne(this.#undeclared, address) : leaveOne(this.#devices, device);
    if (!left) throw new Error(`unreachable: ${device ?? address} leaves a place that it does not hold`);
    if (device === undefined) this.#ofUndeclared -= 1;
    this.#taken -= 1;
  }
}

function leaveOne<Key>(held: Map<Key, number>, key: Key): boolean {
  const count = held.get(key);
  if (count === undefined) return false;
  if (count === 1) held.delete(key);
  else held.set(key, count - 1);
  return true;
}
