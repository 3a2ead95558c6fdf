import { ok, type Result } from "#specs/result.ts";
import { type ChannelBounds, lowerSizes, negotiate } from "#wire/opcua/negotiation.ts";
import {
  decodeAcknowledge,
  decodeHello,
  encodeAcknowledge,
  encodeHello,
  type Hello,
} from "#wire/opcua/uacp-messages.ts";
import type { WireError } from "#wire/wire-error.ts";
import { BOUNDS, type Direction } from "./opcua-direction.ts";

/** HEL and ACK: both sides are told sizes that this filter takes as well, and nothing larger is taken afterwards. */
export class UaGreeting {
  readonly #serverUrl: string;
  #hello: Hello | undefined;

  constructor(serverUrl: string) {
    this.#serverUrl = serverUrl;
  }

  /** The HEL for the server. */
  hello(frame: Buffer): Result<Buffer, WireError> {
    const hello = decodeHello(frame);
    if (!hello.ok) return hello;
    this.#hello = lowerSizes(hello.value, BOUNDS);
    return ok(encodeHello({ ...this.#hello, endpointUrl: this.#serverUrl }));
  }

  /** The ACK for the client; undefined: it answers no HEL. */
  acknowledge(frame: Buffer, up: Direction, down: Direction): Result<Buffer, WireError> | undefined {
    const acknowledge = decodeAcknowledge(frame);
    if (!acknowledge.ok) return acknowledge;
    if (this.#hello === undefined) return undefined;
    const bounds = negotiate(this.#hello, acknowledge.value, BOUNDS);
    if (!bounds.ok) return bounds;
    limit(up, bounds.value.clientToServer);
    limit(down, bounds.value.serverToClient);
    return ok(encodeAcknowledge(lowerSizes(acknowledge.value, BOUNDS)));
  }
}

function limit(direction: Direction, bounds: ChannelBounds): void {
  direction.bounds = bounds;
  direction.framer.lowerMaxChunkBytes(bounds.maxChunkBytes);
  direction.assembler.lower(bounds);
}
