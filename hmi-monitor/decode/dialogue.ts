import { type Direction, type Flow, opposite } from "#wire/packet/index.ts";
import { WIRE_ERRORS, type WireError } from "#wire/wire-error.ts";
import { type DecodedProtocol, type Lines, lineHead } from "./lines.ts";
import type { Moment } from "./moments.ts";
import { type Cutter, StreamReader, type Whole } from "./stream-reader.ts";

/** What could not be made messages of, of all connections together. */
export interface Unread {
  /** bytes before the framing was known or after it was lost, and of messages that were never completed */
  bytes: number;
  /** requests that no answer was seen to */
  unanswered: number;
  /** answers to requests that were not seen */
  unsolicited: number;
  /** directions that found their framing, after it was lost or before it was known */
  resynchronised: number;
}

export function noneUnread(): Unread {
  return { bytes: 0, unanswered: 0, unsolicited: 0, resynchronised: 0 };
}

/** What one protocol makes of the messages of a connection: lines. */
export interface Interpreter<Message extends Whole> {
  readonly protocol: DecodedProtocol;
  /** Whether the first bytes that a client of TCP sends are a server's: OPC UA's ReverseHello. Directions are then those of the roles. */
  isFromServer(bytes: Buffer): boolean;
  cutter(direction: Direction): Cutter<Message>;
  /**
   * Writes the line of a segment that is, from its first byte to its last, one message of a plain form; false: it did nothing, and the
   * segment takes the long way. Whatever it writes is what the long way would write.
   */
  skim(up: boolean, segment: Buffer, head: Uint8Array, at: Moment): boolean;
  /** @param head the beginning of the message's line */
  message(direction: Direction, message: Message, head: Uint8Array, at: Moment): void;
  /** Bytes of bodies that wait for further parts of their message. */
  unfinished(direction: Direction): number;
  /** Bytes of a direction are missing: what was there of a message will not be completed. */
  lost(direction: Direction): void;
  /** Requests that still wait for their answers. */
  readonly waiting: number;
}

/** What {@link Dialogue} says itself, besides the wire errors of framings. */
export const DIALOGUE_ERRORS = {
  JOINED_LATE:
    "the capture begins within this connection, and these bytes are not whole messages; nothing is read until some are",
  TCP_GAP:
    "bytes are missing from the capture; nothing more of this direction is read until a segment is whole messages",
  TCP_OUT_OF_ORDER:
    "more bytes wait behind missing ones than are held; nothing more of this direction is read until a segment is whole messages",
  TCP_URGENT:
    "bytes are marked urgent, and receivers differ in which they keep; nothing more of this direction is read until a segment is whole messages",
  UNFINISHED: "the connection or the capture ends within a message",
} as const;

export type DialogueError = keyof typeof DIALOGUE_ERRORS;

interface Way<Message extends Whole> {
  readonly head: Uint8Array;
  /** where the roles are the other way round */
  readonly reversedHead: Uint8Array;
  readonly reader: StreamReader<Message>;
  /** It was said that bytes are not read. */
  told: boolean;
}

/** One TCP connection: bytes of each direction in order, each once, become messages, and each message a line. */
export class Dialogue<Message extends Whole> {
  readonly #interpreter: Interpreter<Message>;
  readonly #lines: Lines;
  readonly #unread: Unread;
  #up: Way<Message>;
  #down: Way<Message>;
  /** No byte was seen yet. */
  #fresh = true;
  /** The client of TCP is the server of the protocol. */
  #reversed = false;

  constructor(interpreter: Interpreter<Message>, flow: Flow, joinedLate: boolean, lines: Lines, unread: Unread) {
    const { client, server } = flow;
    const { protocol } = interpreter;
    this.#interpreter = interpreter;
    this.#lines = lines;
    this.#unread = unread;
    this.#up = {
      head: lineHead(client, server, protocol, "request"),
      reversedHead: lineHead(client, server, protocol, "response"),
      reader: new StreamReader(() => interpreter.cutter(this.#roleOf("client-to-server")), joinedLate),
      told: false,
    };
    this.#down = {
      head: lineHead(server, client, protocol, "response"),
      reversedHead: lineHead(server, client, protocol, "request"),
      reader: new StreamReader(() => interpreter.cutter(this.#roleOf("server-to-client")), joinedLate),
      told: false,
    };
  }

  data(tcp: Direction, bytes: Buffer, at: Moment): void {
    if (this.#fresh) this.#begin(tcp, bytes);
    const direction = this.#roleOf(tcp);
    const way = this.#wayOf(tcp);
    if (way.reader.atMessage && this.#interpreter.skim(direction === "client-to-server", bytes, way.head, at)) return;
    const cut = way.reader.push(bytes);
    const messages = cut.messages;
    for (let i = 0; i < messages.length; i += 1) {
      const message = messages[i];
      if (message !== undefined) this.#interpreter.message(direction, message, way.head, at);
    }
    if (cut.unread === 0 && !cut.found) return;
    this.#unread.bytes += cut.unread;
    if (cut.found) {
      this.#unread.resynchronised += 1;
      way.told = false;
    } else if (cut.lost !== undefined) this.#tell(way, cut.lost.code, sentenceOf(cut.lost), at);
    else if (!way.told) this.#tell(way, "JOINED_LATE", DIALOGUE_ERRORS.JOINED_LATE, at);
  }

  #begin(tcp: Direction, bytes: Buffer): void {
    this.#fresh = false;
    if (tcp === "server-to-client" || !this.#interpreter.isFromServer(bytes)) return;
    this.#reversed = true;
    this.#up = { ...this.#up, head: this.#up.reversedHead };
    this.#down = { ...this.#down, head: this.#down.reversedHead };
  }

  #roleOf(tcp: Direction): Direction {
    return this.#reversed ? opposite(tcp) : tcp;
  }

  #wayOf(tcp: Direction): Way<Message> {
    return tcp === "client-to-server" ? this.#up : this.#down;
  }

  /** Bytes of a direction that become no message any more. */
  #unfinished(tcp: Direction): number {
    return this.#wayOf(tcp).reader.lose() + this.#interpreter.unfinished(this.#roleOf(tcp));
  }

  /** Bytes of a direction are missing from the capture. */
  blind(tcp: Direction, code: DialogueError, at: Moment): void {
    const way = this.#wayOf(tcp);
    this.#unread.bytes += this.#unfinished(tcp);
    this.#interpreter.lost(this.#roleOf(tcp));
    if (!way.told) this.#tell(way, code, DIALOGUE_ERRORS[code], at);
  }

  /** Nothing more comes of either direction. */
  end(at: Moment): void {
    for (const tcp of ["client-to-server", "server-to-client"] as const) {
      const left = this.#unfinished(tcp);
      if (left === 0) continue;
      this.#unread.bytes += left;
      this.#tell(this.#wayOf(tcp), "UNFINISHED", `${DIALOGUE_ERRORS.UNFINISHED}, of which ${left} bytes are there`, at);
    }
    this.#unread.unanswered += this.#interpreter.waiting;
  }

  #tell(way: Way<Message>, code: string, says: string, at: Moment): void {
    way.told = true;
    this.#lines.begin(at, way.head);
    this.#lines.error(code, says);
  }
}

/** What was wrong, where and by which clause. */
export function sentenceOf(error: WireError): string {
  return `${WIRE_ERRORS[error.code]} (byte ${error.offset}; ${error.spec})`;
}
