import { between, random } from "#sim/random.ts";
import { buildTcpFrame, TCP_FLAG } from "#wire/packet/index.ts";
import { encodePcapHeader, encodePcapRecord } from "#wire/pcap/index.ts";

const START_MS = 1_750_000_000_000;
const ADDRESSES = 24;

export interface RandomTraffic {
  readonly bytes: Buffer;
  /** Lines of a phase file. */
  readonly marks: string;
  readonly exchanges: number;
}

export interface TrafficOptions {
  readonly seed: number;
  /** IPv6 addresses. */
  readonly v6?: boolean;
  /** Mask writes too: what one comes to cannot be judged where the register was not read a moment before. */
  readonly masks?: boolean;
  /** Nobody writes. */
  readonly readsOnly?: boolean;
}

interface Segment {
  readonly atMs: number;
  readonly frame: Buffer;
}

interface Server {
  readonly bits: Uint8Array;
  readonly words: Uint16Array;
}

/** Modbus of some clients and servers that nobody has thought of: every public function that touches a table, at times and with values drawn. */
export function randomTraffic({ seed, v6 = false, readsOnly = false, masks = false }: TrafficOptions): RandomTraffic {
  const rng = random(seed, "traffic");
  const whole = (below: number): number => Math.floor(rng() * below);
  const servers = Array.from({ length: 1 + whole(2) }, (): Server => {
    return { bits: new Uint8Array(ADDRESSES), words: Uint16Array.from({ length: ADDRESSES }, () => whole(65_536)) };
  });
  const segments: Segment[] = [];
  let exchanges = 0;
  const lengthMs = 600_000;
  const channels = Array.from({ length: 1 + whole(3) }, (_, client) =>
    servers.map((server, n) => ({ client, server, n })),
  ).flat();
  for (const { client, server, n } of channels) {
    const talk = new Connection(segments, addressOf(v6, 10 + client), addressOf(v6, 100 + n), 40_000 + client * 8 + n);
    const events: { atMs: number; pdu: () => readonly [Buffer, Buffer] }[] = [];
    for (let poll = whole(3); poll >= 0; poll -= 1) {
      const [fc, start, quantity] = [1 + whole(4), whole(8), 1 + whole(8)];
      const [periodMs, jitterMs] = [500 * (1 + whole(10)), between(rng, 0, 200)];
      for (let atMs = between(rng, 0, 5000); atMs < lengthMs; atMs += periodMs + between(rng, -jitterMs, jitterMs))
        events.push({ atMs, pdu: () => read(fc, start, quantity, server) });
    }
    const writes = readsOnly ? 0 : whole(60);
    for (let write = 0; write < writes; write += 1)
      events.push({ atMs: between(rng, 0, lengthMs), pdu: () => change(whole, masks, server) });
    for (const { atMs, pdu } of events.sort((a, b) => a.atMs - b.atMs)) {
      talk.exchange(atMs, between(rng, 1, 20), ...pdu());
      exchanges += 1;
    }
  }
  segments.sort((a, b) => a.atMs - b.atMs);
  const names = ["idle", "run", "clean"].slice(0, 1 + whole(3));
  const marks = Array.from(
    { length: names.length === 1 ? 1 : 8 },
    (_, n) => `+${Math.floor((n * lengthMs) / 8000)} ${names[n % names.length]}`,
  );
  return {
    bytes: Buffer.concat([
      encodePcapHeader(),
      ...segments.map(({ atMs, frame }) => encodePcapRecord(START_MS + atMs, frame)),
    ]),
    marks: `${marks.join("\n")}\n`,
    exchanges,
  };
}

function addressOf(v6: boolean, host: number): string {
  return v6 ? `fd00::${host.toString(16)}` : `10.0.0.${host}`;
}

function bytesOf(...words: readonly (readonly [value: number, size: 1 | 2])[]): Buffer {
  return Buffer.concat(words.map(([value, size]) => Buffer.from(size === 1 ? [value] : [value >> 8, value & 255])));
}

/** MODBUS AP V1.1b3 §6.1 to §6.4, written out by hand. */
function read(fc: number, start: number, quantity: number, { bits, words }: Server): readonly [Buffer, Buffer] {
  const ask = bytesOf([fc, 1], [start, 2], [quantity, 2]);
  if (fc > 2) {
    const values = [...words.subarray(start, start + quantity)].map((value) => [value, 2] as const);
    return [ask, bytesOf([fc, 1], [quantity * 2, 1], ...values)];
  }
  const data = Buffer.alloc(Math.ceil(quantity / 8));
  for (let n = 0; n < quantity; n += 1) if (bits[start + n] === 1) data[n >> 3] = (data[n >> 3] ?? 0) | (1 << (n & 7));
  return [ask, Buffer.concat([bytesOf([fc, 1], [data.length, 1]), data])];
}

/** §6.5, §6.6, §6.11, §6.12, §6.16 and §6.17. */
function change(whole: (below: number) => number, masks: boolean, { bits, words }: Server): readonly [Buffer, Buffer] {
  const [at, value] = [whole(8), whole(2) === 0 ? whole(50) : whole(65_536)];
  switch (whole(masks ? 6 : 5)) {
    case 0: {
      const on = whole(2);
      bits[at] = on;
      const echo = bytesOf([5, 1], [at, 2], [on === 1 ? 0xff00 : 0, 2]);
      return [echo, echo];
    }
    case 1: {
      words[at] = value;
      const echo = bytesOf([6, 1], [at, 2], [value, 2]);
      return [echo, echo];
    }
    case 2: {
      const [count, on] = [1 + whole(6), whole(64)];
      for (let n = 0; n < count; n += 1) bits[at + n] = (on >> n) & 1;
      const head = bytesOf([15, 1], [at, 2], [count, 2]);
      return [Buffer.concat([head, bytesOf([1, 1], [on & ((1 << count) - 1), 1])]), head];
    }
    case 3: {
      const count = 1 + whole(5);
      const values = Array.from({ length: count }, (_, n) => [(value + n) & 0xffff, 2] as const);
      words.set(
        values.map(([word]) => word),
        at,
      );
      const head = bytesOf([16, 1], [at, 2], [count, 2]);
      return [Buffer.concat([head, bytesOf([count * 2, 1], ...values)]), head];
    }
    case 4: {
      words[at] = value;
      const ask = bytesOf([23, 1], [0, 2], [4, 2], [at, 2], [1, 2], [2, 1], [value, 2]);
      const told = [...words.subarray(0, 4)].map((word) => [word, 2] as const);
      return [ask, bytesOf([23, 1], [8, 1], ...told)];
    }
    default: {
      const [keep, set] = [0xff00, value & 0xff];
      words[at] = ((words[at] ?? 0) & keep) | (set & ~keep);
      const echo = bytesOf([22, 1], [at, 2], [keep, 2], [set, 2]);
      return [echo, echo];
    }
  }
}

class Connection {
  readonly #segments: Segment[];
  readonly #ends: { readonly client: string; readonly server: string; readonly port: number };
  #up = 1000;
  #down = 5000;
  #transaction = 0;
  #begun = false;
  #freeMs = 10;

  constructor(segments: Segment[], client: string, server: string, port: number) {
    this.#segments = segments;
    this.#ends = { client, server, port };
  }

  /** The client waits for the answer before it asks again. */
  exchange(wantedMs: number, tookMs: number, ask: Buffer, answer: Buffer): void {
    const atMs = Math.max(wantedMs, this.#freeMs);
    this.#freeMs = atMs + tookMs + 1;
    if (!this.#begun) {
      this.#begun = true;
      this.#say(atMs - 3, true, TCP_FLAG.SYN, Buffer.alloc(0));
      this.#say(atMs - 2, false, TCP_FLAG.SYN | TCP_FLAG.ACK, Buffer.alloc(0));
      this.#say(atMs - 1, true, TCP_FLAG.ACK, Buffer.alloc(0));
    }
    this.#transaction = (this.#transaction + 1) & 0xffff;
    const adu = (pdu: Buffer): Buffer =>
      Buffer.concat([bytesOf([this.#transaction, 2], [0, 2], [pdu.length + 1, 2], [1, 1]), pdu]);
    this.#say(atMs, true, TCP_FLAG.ACK | TCP_FLAG.PSH, adu(ask));
    this.#say(atMs + tookMs, false, TCP_FLAG.ACK | TCP_FLAG.PSH, adu(answer));
  }

  #say(atMs: number, up: boolean, flags: number, payload: Buffer): void {
    const { client, server, port } = this.#ends;
    const [seq, ack] = up ? [this.#up, this.#down] : [this.#down, this.#up];
    const frame = buildTcpFrame({
      ...{ srcMac: "02:00:00:00:00:01", dstMac: "02:00:00:00:00:02", flags, payload, seq },
      ack: (flags & TCP_FLAG.ACK) === 0 ? 0 : ack,
      ...(up
        ? { srcIp: client, dstIp: server, srcPort: port, dstPort: 502 }
        : { srcIp: server, dstIp: client, srcPort: 502, dstPort: port }),
    });
    const used = payload.length + ((flags & TCP_FLAG.SYN) === 0 ? 0 : 1);
    if (up) this.#up += used;
    else this.#down += used;
    this.#segments.push({ atMs, frame });
  }
}
