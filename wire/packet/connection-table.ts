import { Connection, type ConnectionState } from "./connection.ts";
import type { Flow, ReassemblyLimits } from "./flow.ts";
import type { HeldBudget } from "./held-segments.ts";
import { i32 } from "./octets.ts";
import type { PacketView } from "./packet-view.ts";

const FIRST_BUCKETS = 256;
const IPV6_BYTES = 16;

/** A list of connections, least recently active first. */
interface Line {
  oldest: Connection | undefined;
  newest: Connection | undefined;
}

/**
 * An address as a number of 32 bits, with a sign: itself in IPv4, folded in IPv6. Each step of the folding depends on the seed, or whoever
 * chooses his own addresses, of which IPv6 gives him 2^64, could choose thousands that fold into one number.
 */
function addressWord(view: PacketView, at: number, seed: number): number {
  const { bytes } = view;
  if (view.ipVersion === 4) return i32(bytes, at);
  let word = seed;
  for (let part = at; part < at + IPV6_BYTES; part += 4) {
    word = Math.imul(word ^ i32(bytes, part), 0x9e3779b1);
    word ^= word >>> 15;
  }
  return word;
}

/**
 * Connections by their addresses and ports, the same in both directions, and in order of their last frame. A hash table and linked
 * lists of its own: a million frames a second leave no time to build a text key, or to take an entry of a Map out and in again.
 */
export class ConnectionTable {
  readonly #limits: ReassemblyLimits;
  readonly #budget: HeldBudget;
  readonly #seed: number;
  readonly #lines: { readonly [state in ConnectionState]: Line } = {
    opening: { oldest: undefined, newest: undefined },
    open: { oldest: undefined, newest: undefined },
    closed: { oldest: undefined, newest: undefined },
  };
  #buckets: (Connection | undefined)[] = Array<Connection | undefined>(FIRST_BUCKETS).fill(undefined);
  #size = 0;

  /** `seed` keeps a sender from choosing addresses that all fall into one bucket; no answer depends on it. */
  constructor(limits: ReassemblyLimits, budget: HeldBudget, seed: number) {
    this.#limits = limits;
    this.#budget = budget;
    this.#seed = seed | 0;
  }

  get size(): number {
    return this.#size;
  }

  /** The connection of a frame; sets the words of its addresses, by which the rest is asked. */
  find(view: PacketView): Connection | undefined {
    view.srcWord = addressWord(view, view.srcAt, this.#seed);
    view.dstWord = addressWord(view, view.dstAt, this.#seed);
    const hash = this.#hash(view);
    let found = this.#buckets[hash & (this.#buckets.length - 1)];
    while (found !== undefined && !(found.hash === hash && found.owns(view))) found = found.nextInBucket;
    return found;
  }

  /** Adds a connection for the addresses of a frame that was looked up, in place of `known`, which has the same. */
  add(view: PacketView, flow: Flow, fromClient: boolean, known: Connection | undefined, timeMs: number): Connection {
    if (known !== undefined) this.remove(known);
    const { srcWord: src, dstWord: dst } = view;
    const size = view.ipVersion === 4 ? 4 : IPV6_BYTES;
    const addresses = Buffer.allocUnsafeSlow(2 * size);
    view.bytes.copy(addresses, fromClient ? 0 : size, view.srcAt, view.srcAt + size);
    view.bytes.copy(addresses, fromClient ? size : 0, view.dstAt, view.dstAt + size);
    const words = fromClient ? { clientWord: src, serverWord: dst } : { clientWord: dst, serverWord: src };
    const key = { addresses, ...words, hash: this.#hash(view) };
    const connection = new Connection(flow, key, this.#limits, this.#budget, timeMs);
    if (this.#size >= this.#buckets.length) this.#widen();
    this.#chain(connection);
    this.#append(connection);
    this.#size += 1;
    return connection;
  }

  remove(connection: Connection): void {
    const at = connection.hash & (this.#buckets.length - 1);
    let before: Connection | undefined;
    for (let c = this.#buckets[at]; c !== undefined; before = c, c = c.nextInBucket) {
      if (c !== connection) continue;
      if (before === undefined) this.#buckets[at] = c.nextInBucket;
      else before.nextInBucket = c.nextInBucket;
      break;
    }
    this.#unlink(connection);
    this.#size -= 1;
  }

  /** The connection had a frame just now. */
  touch(connection: Connection, timeMs: number): void {
    connection.lastSeenMs = timeMs;
    if (connection.newer === undefined) return;
    this.#unlink(connection);
    this.#append(connection);
  }

  setState(connection: Connection, state: ConnectionState): void {
    if (connection.state === state) return;
    this.#unlink(connection);
    connection.state = state;
    this.#append(connection);
  }

  /** The longest silent connection of a state. */
  oldest(state: ConnectionState): Connection | undefined {
    return this.#lines[state].oldest;
  }

  #hash({ srcWord, srcPort, dstWord, dstPort }: PacketView): number {
    return (this.#mix(srcWord, srcPort) + this.#mix(dstWord, dstPort)) | 0;
  }

  #mix(word: number, port: number): number {
    let h = Math.imul(word ^ this.#seed, 0x9e3779b1) ^ Math.imul(port + this.#seed, 0x85ebca6b);
    h = Math.imul(h ^ (h >>> 15), 0x2c1b3c6d);
    return h ^ (h >>> 13);
  }

  #chain(connection: Connection): void {
    const at = connection.hash & (this.#buckets.length - 1);
    connection.nextInBucket = this.#buckets[at];
    this.#buckets[at] = connection;
  }

  #widen(): void {
    const old = this.#buckets;
    this.#buckets = Array<Connection | undefined>(2 * old.length).fill(undefined);
    for (const first of old) {
      let next: Connection | undefined;
      for (let c = first; c !== undefined; c = next) {
        next = c.nextInBucket;
        this.#chain(c);
      }
    }
  }

  #unlink(connection: Connection): void {
    const line = this.#lines[connection.state];
    const { older, newer } = connection;
    if (older === undefined) line.oldest = newer;
    else older.newer = newer;
    if (newer === undefined) line.newest = older;
    else newer.older = older;
    connection.older = undefined;
    connection.newer = undefined;
  }

  #append(connection: Connection): void {
    const line = this.#lines[connection.state];
    connection.older = line.newest;
    if (line.newest === undefined) line.oldest = connection;
    else line.newest.newer = connection;
    line.newest = connection;
  }
}
