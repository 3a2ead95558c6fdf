import { STATUS_CODES } from "#wire/opcua/status-code.ts";
import { encodeErrorMessage } from "#wire/opcua/uacp-messages.ts";
import { describeWireError, type WireError } from "#wire/wire-error.ts";
import type { Refusal } from "./opcua-channel.ts";
import type { UaNotices } from "./opcua-notices.ts";
import type { SessionOutput } from "./session.ts";

/** The ways in which a connection ends from here, each with what is said about it. After the first, nothing passes. */
export class UaExits {
  readonly notices: UaNotices;
  readonly #output: SessionOutput;
  readonly #closed: () => void;
  #ended = false;

  /** `closed` is called once, before the client is told. */
  constructor(notices: UaNotices, output: SessionOutput, closed: () => void) {
    this.notices = notices;
    this.#output = output;
    this.#closed = closed;
  }

  get ended(): boolean {
    return this.#ended;
  }

  clientFault(error: WireError): void {
    this.refuse({ says: describeWireError(error), status: "BadTcpInternalError" });
  }

  /** The client did what it may not. */
  refuse({ says, status }: Refusal): void {
    this.notices.malformed(says);
    this.end({ says, status });
  }

  serverFault(error: WireError): void {
    this.badAnswer(describeWireError(error));
  }

  /** The server did. */
  badAnswer(says: string): void {
    this.notices.badAnswer(says);
    this.end({ says, status: "BadTcpInternalError" });
  }

  /** By an ERR message, which needs no keys (OPC 10000-6 v1.05 §7.1.2.5). */
  end({ says, status }: Refusal): void {
    if (this.#ended) return;
    this.closed();
    this.#output.toClient(encodeErrorMessage({ error: STATUS_CODES[status], reason: says }));
    this.#output.close(says);
  }

  /** A side has gone by itself. */
  closed(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#closed();
  }
}
