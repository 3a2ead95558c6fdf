import { IP_PROTOCOL } from "./ipv4.ts";
import type { PacketView } from "./packet-view.ts";

/** Bounds of the table of IP fragments. */
export interface FragmentLimits {
  /** datagrams put together at once; default 256 */
  readonly maxDatagrams: number;
  /** bytes that all of them may take; default 4 MiB */
  readonly maxFragmentBytes: number;
  /**
   * How long after its first fragment a datagram may stay incomplete, in ms; default 1 s. A receiver waits for longer (60 s, RFC 8200 §4.5;
   * Linux 30 s, small stacks 3 s): what it forgets and replaces would else be completed here, out of what is not the same.
   */
  readonly fragmentTimeoutMs: number;
}

export const DEFAULT_FRAGMENT_LIMITS: FragmentLimits = {
  maxDatagrams: 256,
  maxFragmentBytes: 4 << 20,
  fragmentTimeoutMs: 1000,
};

/** Why a datagram in fragments is given up. */
export type FragmentRefusal =
  /** Fragments overlap and are no repetition. Receivers differ in which bytes they take: an evasion. RFC 5722 §4 */
  | "fragment-overlap"
  /** some fragments did not come in time */
  | "fragment-incomplete"
  /** the table was full, or the datagram was in too many pieces out of order */
  | "fragment-limit"
  /** a length that is no multiple of 8, two different ends, more than 65535 bytes, or (IPv6) headers that go on in a second fragment */
  | "fragment-malformed";

export type FragmentOutcome = "held" | "complete" | "refused";

interface Datagram {
  readonly version: 4 | 6;
  readonly sinceMs: number;
  /** source and destination, then the payload as far as it came */
  data: Buffer;
  /** parts of the payload that are there: start, end, start, end, … in order, not touching */
  runs: number[];
  /** payload bytes, once the last fragment was seen */
  total: number | undefined;
  /** upper-layer protocol, or next header, of the first fragment */
  protocol: number;
  /** bytes of the first fragment */
  firstBytes: number;
  /** it was whole, and is kept for its time to compare what comes once more: a second content may be that of the receiver */
  isDone: boolean;
  /** why what still comes of it is thrown away */
  refused: FragmentRefusal | undefined;
}

const MAX_PAYLOAD_BYTES = 65535;
const MAX_RUNS = 64;
const UNIT = 8;
const FIRST_BYTES = 2048;
const NO_BYTES = Buffer.alloc(0);
const addressBytes = (version: 4 | 6): number => (version === 4 ? 8 : 32);

/**
 * Puts IP fragments together. No guess: an exact repetition is passed over, any other overlap gives the datagram up, for IPv6 as
 * RFC 5722 demands, and for IPv4 because receivers differ in what they would make of it. What comes of a datagram that is whole is
 * compared with it, for as long as a datagram may take.
 * @see RFC 791 §3.2, RFC 815, RFC 8200 §4.5
 */
export class FragmentTable {
  readonly #limits: FragmentLimits;
  readonly #report: (reason: FragmentRefusal, datagram: Buffer, version: 4 | 6) => void;
  /** oldest first */
  readonly #table = new Map<string, Datagram>();
  #bytes = 0;

  /** `report` hears of each datagram that is given up, once; the buffer begins with source and destination. */
  constructor(limits: FragmentLimits, report: (reason: FragmentRefusal, datagram: Buffer, version: 4 | 6) => void) {
    this.#limits = limits;
    this.#report = report;
  }

  get datagrams(): number {
    return this.#table.size;
  }
  /** bytes that incomplete datagrams take */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Takes a located fragment. On "complete" the view tells the whole datagram: addresses, protocol (in IPv6 the header after the
   * fragment header) and payload.
   */
  add(view: PacketView, timeMs: number): FragmentOutcome {
    this.expire(timeMs);
    const version = view.ipVersion === 6 ? 6 : 4;
    const key = keyOf(view, version);
    const datagram = this.#table.get(key) ?? this.#begin(key, view, version, timeMs);
    if (datagram.refused !== undefined) return "refused";
    const refusal = datagram.isDone ? compare(datagram, view) : this.#take(datagram, view);
    if (refusal !== undefined) {
      this.#refuse(datagram, refusal);
      return "refused";
    }
    if (datagram.isDone || !isWhole(datagram)) return "held";
    if (datagram.protocol === IP_PROTOCOL.UDP) this.#forget(key, datagram);
    else datagram.isDone = true;
    present(view, datagram);
    return "complete";
  }

  /** Gives up what has waited too long. */
  expire(timeMs: number): void {
    for (const [key, datagram] of this.#table) {
      if (timeMs - datagram.sinceMs <= this.#limits.fragmentTimeoutMs) return;
      if (!datagram.isDone) this.#refuse(datagram, "fragment-incomplete");
      this.#forget(key, datagram);
    }
  }

  /** At the end of a capture: nothing more will come. */
  end(): void {
    for (const [key, datagram] of this.#table) {
      if (!datagram.isDone) this.#refuse(datagram, "fragment-incomplete");
      this.#forget(key, datagram);
    }
  }

  #begin(key: string, view: PacketView, version: 4 | 6, timeMs: number): Datagram {
    if (this.#table.size >= this.#limits.maxDatagrams) this.#forgetDone();
    const oldest = this.#table.size >= this.#limits.maxDatagrams ? this.#table.entries().next().value : undefined;
    if (oldest !== undefined) {
      this.#refuse(oldest[1], "fragment-limit");
      this.#forget(oldest[0], oldest[1]);
    }
    const data = Buffer.allocUnsafeSlow(addressBytes(version) + FIRST_BYTES);
    view.bytes.copy(data, 0, view.srcAt, view.srcAt + addressBytes(version));
    this.#bytes += data.length;
    const datagram: Datagram = {
      version,
      sinceMs: timeMs,
      data,
      runs: [],
      total: undefined,
      protocol: view.protocol,
      firstBytes: 0,
      isDone: false,
      refused: undefined,
    };
    this.#table.set(key, datagram);
    return datagram;
  }

  #take(datagram: Datagram, view: PacketView): FragmentRefusal | undefined {
    const start = view.fragmentOffset;
    const length = view.end - view.payloadAt;
    const end = start + length;
    if (length === 0 || end > MAX_PAYLOAD_BYTES || (view.moreFragments && length % UNIT !== 0))
      return "fragment-malformed";
    const { total } = datagram;
    if (view.moreFragments ? total !== undefined && end > total : total !== undefined && end !== total)
      return "fragment-malformed";
    if (!view.moreFragments) {
      if (end < (datagram.runs.at(-1) ?? 0)) return "fragment-malformed";
      datagram.total = end;
    }
    if (start === 0) {
      datagram.protocol = view.protocol;
      datagram.firstBytes = Math.max(datagram.firstBytes, length);
    }
    return this.#place(datagram, view, start, end);
  }

  #place(datagram: Datagram, view: PacketView, start: number, end: number): FragmentRefusal | undefined {
    const { runs } = datagram;
    const head = addressBytes(datagram.version);
    // The first run that ends behind `start`.
    let i = 0;
    while (i < runs.length && (runs[i + 1] ?? 0) <= start) i += 2;
    const runStart = runs[i];
    const runEnd = runs[i + 1];
    if (runStart !== undefined && runEnd !== undefined && runStart < end) {
      const isRepetition =
        runStart <= start &&
        end <= runEnd &&
        view.bytes.compare(datagram.data, head + start, head + end, view.payloadAt, view.end) === 0;
      return isRepetition ? undefined : "fragment-overlap";
    }
    if (!this.#grow(datagram, head + end)) return "fragment-limit";
    view.bytes.copy(datagram.data, head + start, view.payloadAt, view.end);
    const joinsBefore = i > 0 && runs[i - 1] === start;
    const joinsAfter = runStart === end;
    if (joinsBefore && joinsAfter) runs.splice(i - 1, 2);
    else if (joinsBefore) runs[i - 1] = end;
    else if (joinsAfter) runs[i] = start;
    else runs.splice(i, 0, start, end);
    return runs.length > 2 * MAX_RUNS ? "fragment-limit" : undefined;
  }

  #grow(datagram: Datagram, needed: number): boolean {
    const { data } = datagram;
    if (needed <= data.length) return true;
    const most = addressBytes(datagram.version) + MAX_PAYLOAD_BYTES;
    const size = Math.min(most, Math.max(needed, 2 * data.length));
    if (this.#bytes + size - data.length > this.#limits.maxFragmentBytes) this.#forgetDone();
    if (this.#bytes + size - data.length > this.#limits.maxFragmentBytes) return false;
    const grown = Buffer.allocUnsafeSlow(size);
    data.copy(grown);
    this.#bytes += size - data.length;
    datagram.data = grown;
    return true;
  }

  /** "…the reassembly MUST be abandoned; any constituent fragments, including those not yet received, MUST be discarded": the
   *  datagram stays in the table, without its bytes, until its time is over. RFC 5722 §4 */
  #refuse(datagram: Datagram, reason: FragmentRefusal): void {
    if (datagram.refused !== undefined) return;
    datagram.refused = reason;
    this.#report(reason, datagram.data, datagram.version);
    this.#bytes -= datagram.data.length;
    datagram.data = NO_BYTES;
    datagram.runs = [];
  }

  /** What is whole gives way to what may become so. */
  #forgetDone(): void {
    for (const [key, datagram] of this.#table) if (datagram.isDone) this.#forget(key, datagram);
  }

  #forget(key: string, datagram: Datagram): void {
    this.#bytes -= datagram.data.length;
    this.#table.delete(key);
  }
}

/** A fragment of a datagram that is whole: a repetition, or another content. */
function compare({ version, data, total = 0 }: Datagram, view: PacketView): FragmentRefusal | undefined {
  const at = addressBytes(version) + view.fragmentOffset;
  const end = at + view.end - view.payloadAt;
  const isWithin = end <= addressBytes(version) + total && view.moreFragments === end < addressBytes(version) + total;
  return isWithin && view.bytes.compare(data, at, end, view.payloadAt, view.end) === 0 ? undefined : "fragment-overlap";
}

function keyOf(view: PacketView, version: 4 | 6): string {
  const addresses = view.bytes.toString("latin1", view.srcAt, view.srcAt + addressBytes(version));
  // IPv4 tells datagrams of different protocols apart, IPv6 does not: RFC 791 §3.2, RFC 8200 §4.5.
  return version === 4 ? `${addresses}${view.identification} ${view.protocol}` : `${addresses}${view.identification}`;
}

function isWhole({ runs, total }: Datagram): boolean {
  return total !== undefined && runs.length === 2 && runs[0] === 0 && runs[1] === total;
}

function present(view: PacketView, datagram: Datagram): void {
  const head = addressBytes(datagram.version);
  view.bytes = datagram.data;
  view.srcAt = 0;
  view.dstAt = head / 2;
  view.payloadAt = head;
  view.end = head + (datagram.total ?? 0);
  view.protocol = datagram.protocol;
  view.isFragment = false;
  view.firstFragmentEnd = head + datagram.firstBytes;
}
