import type { Endpoint } from "#wire/packet/index.ts";
import { ascii } from "./ascii.ts";
import { BLOCK_BYTES, JsonBytes, type TakesBlock } from "./json-bytes.ts";
import type { Moment } from "./moments.ts";

/** Room that is left in a block when it is handed on: most lines are far shorter. */
const SPARE_BYTES = 1 << 14;
const NS_PER_S = 1_000_000_000;
const NS_PER_US = 1000;
/** Digits of the µs in a second, and of the ns in a µs. */
const US_DIGITS = 6;
const NS_DIGITS = 3;

const START = ascii('{"frame":');
const TIME = ascii(',"time":');
const END = ascii("}\n");
const ERROR = ascii(',"error":');
const SAYS = ascii(',"says":');

/** Protocol of a connection, as the lines name it. */
export type DecodedProtocol = "modbus" | "opcua";

/** One JSON line per message, in blocks of whole lines. */
export class Lines {
  readonly #json: JsonBytes;
  #count = 0;
  #errors = 0;
  /** the second of the line before, and how its time begins: most lines are of the same */
  #second = Number.NaN;
  #secondText: Uint8Array = TIME;

  constructor(take: TakesBlock) {
    this.#json = new JsonBytes(take);
  }

  /** Lines written. */
  get count(): number {
    return this.#count;
  }

  /** Lines that carry an error. */
  get errors(): number {
    return this.#errors;
  }

  /** Begins a line; the caller adds `,"key":value` and calls `end`. `head` is of {@link lineHead}. */
  begin({ number, seconds, nanoseconds }: Moment, head: Uint8Array): JsonBytes {
    const json = this.#json.raw(START).int(number);
    if (seconds < 0)
      return json
        .raw(TIME)
        .float(seconds + nanoseconds / NS_PER_S)
        .raw(head);
    if (seconds !== this.#second) {
      this.#second = seconds;
      this.#secondText = ascii(`,"time":${seconds}.`);
    }
    const us = (nanoseconds / NS_PER_US) | 0;
    json.raw(this.#secondText).digits(us, US_DIGITS);
    if (us * NS_PER_US !== nanoseconds) json.digits(nanoseconds - us * NS_PER_US, NS_DIGITS);
    return json.raw(head);
  }

  end(): void {
    this.#json.raw(END);
    this.#count += 1;
    if (this.#json.waiting > BLOCK_BYTES - SPARE_BYTES) this.#json.flush();
  }

  /** Adds why something is not decoded, and ends the line. */
  error(code: string, says: string): void {
    this.#errors += 1;
    this.#json.raw(ERROR).text(code).raw(SAYS).text(says);
    this.end();
  }

  flush(): void {
    this.#json.flush();
  }
}

/** What all messages of one direction of a connection have in common. */
export function lineHead(
  src: Endpoint,
  dst: Endpoint,
  protocol: DecodedProtocol,
  direction: "request" | "response",
): Uint8Array {
  const names = `,"src":${JSON.stringify(endpointText(src))},"dst":${JSON.stringify(endpointText(dst))}`;
  return ascii(`${names},"protocol":"${protocol}","direction":"${direction}"`);
}

/** `10.0.0.1:502`, `[2001:db8::1]:502`. */
export function endpointText({ ip, port }: Endpoint): string {
  return ip.includes(":") ? `[${ip}]:${port}` : `${ip}:${port}`;
}
