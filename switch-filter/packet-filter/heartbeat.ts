import { createHmac, timingSafeEqual } from "node:crypto";
import { type Static, Type } from "typebox";
import { Compile } from "typebox/compile";

/**
 * What two filters tell each other. Each heartbeat is signed with a key that only the two have, and answers the last one heard: one
 * that was recorded cannot be played back, neither to keep a dead filter's links from the other nor to make a living one yield.
 */

const Message = Type.Object(
  {
    name: Type.String({ pattern: "^[A-Za-z][A-Za-z0-9_.-]{0,63}$" }),
    priority: Type.Integer({ minimum: 0, maximum: 255 }),
    role: Type.Union([Type.Literal("active"), Type.Literal("standby"), Type.Literal("resigned")]),
    phase: Type.Union([Type.String({ maxLength: 128 }), Type.Null()]),
    epoch: Type.Union([Type.Integer({ minimum: 0 }), Type.Null()]),
    /** Of this run of the sender, and a count within it. */
    run: Type.String({ pattern: "^[0-9a-f]{16}$" }),
    seq: Type.Integer({ minimum: 0 }),
    /** Run and count of the last heartbeat heard from the other. */
    answers: Type.Union([
      Type.Object({ run: Type.String({ maxLength: 16 }), seq: Type.Integer({ minimum: 0 }) }),
      Type.Null(),
    ]),
  },
  { additionalProperties: false },
);

export type Heartbeat = Static<typeof Message>;
export type Heard = Pick<Heartbeat, "name" | "priority" | "role" | "epoch" | "phase">;

/** Largest datagram that is read, in bytes. */
export const MAX_HEARTBEAT_BYTES = 1024;
/** An answer to one of the last so many of our own is fresh. */
export const FRESH_BEATS = 10;
const MAC_BYTES = 32;
const schema = Compile(Message);

export function encodeHeartbeat(heartbeat: Heartbeat, key: Buffer): Buffer {
  const body = Buffer.from(JSON.stringify(heartbeat));
  return Buffer.concat([signature(body, key), body]);
}

/** undefined: not from whoever has the key, or no heartbeat. */
export function decodeHeartbeat(datagram: Buffer, key: Buffer): Heartbeat | undefined {
  if (datagram.length <= MAC_BYTES || datagram.length > MAX_HEARTBEAT_BYTES) return undefined;
  const body = datagram.subarray(MAC_BYTES);
  if (!timingSafeEqual(datagram.subarray(0, MAC_BYTES), signature(body, key))) return undefined;
  try {
    const value: unknown = JSON.parse(body.toString("utf8"));
    return schema.Check(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** The count of what is sent and heard: which heartbeats are fresh. Pure. */
export class Freshness {
  readonly run: string;
  #sent = 0;
  #heard: { readonly run: string; readonly seq: number } | undefined;

  /** @param run 16 hexadecimal digits that no earlier run had */
  constructor(run: string) {
    this.run = run;
  }

  /** The stamp of the next heartbeat. */
  next(): Pick<Heartbeat, "run" | "seq" | "answers"> {
    this.#sent += 1;
    return { run: this.run, seq: this.#sent, answers: this.#heard ?? null };
  }

  /** Whether it was made in answer to what was sent just now, and was not heard before. */
  hear({ run, seq, answers }: Heartbeat): boolean {
    if (run === this.run) return false;
    if (this.#heard?.run === run && seq <= this.#heard.seq) return false;
    // Whatever is newer is answered, so that the other can answer in turn; it is believed only if it has.
    this.#heard = { run, seq };
    return answers?.run === this.run && answers.seq <= this.#sent && this.#sent - answers.seq <= FRESH_BEATS;
  }
}

function signature(body: Buffer, key: Buffer): Buffer {
  return createHmac("sha256", key).update(body).digest();
}
