/** What HEL and ACK agree on (OPC 10000-6 v1.05 §7.1.2.3, §7.1.2.4, §7.1.3). */
import { err, ok, type Result } from "#specs/result.ts";
import { type WireError, wireError } from "../wire-error.ts";
import type { Acknowledge, Hello } from "./uacp-messages.ts";

const SPEC = "OPC 10000-6 v1.05 §7.1.2.4";
const FIELD = { RECEIVE_BUFFER: 12, SEND_BUFFER: 16 } as const;

/** Bounds that a point in the middle wants for both directions; sizes in bytes. */
export interface ChannelBounds {
  readonly maxChunkBytes: number;
  readonly maxMessageBytes: number;
  readonly maxChunkCount: number;
}

/** Bounds of one direction after the negotiation. */
export interface NegotiatedBounds {
  readonly clientToServer: ChannelBounds;
  readonly serverToClient: ChannelBounds;
}

/** 0 says "no limit" on the wire; our bound stands in for it. */
function bounded(announced: number, bound: number): number {
  return announced === 0 ? bound : Math.min(announced, bound);
}

/** The HEL or ACK with every size lowered to `bounds`, for forwarding in place of the original. */
export function lowerSizes<T extends Acknowledge>(message: T, bounds: ChannelBounds): T {
  return {
    ...message,
    receiveBufferSize: Math.min(message.receiveBufferSize, bounds.maxChunkBytes),
    sendBufferSize: Math.min(message.sendBufferSize, bounds.maxChunkBytes),
    maxMessageSize: bounded(message.maxMessageSize, bounds.maxMessageBytes),
    maxChunkCount: bounded(message.maxChunkCount, bounds.maxChunkCount),
  };
}

/**
 * The bounds that an ACK leaves. The server's buffers are not larger than what the client asked for in the
 * opposite field (§7.1.2.4).
 */
export function negotiate(
  hello: Hello,
  acknowledge: Acknowledge,
  bounds: ChannelBounds,
): Result<NegotiatedBounds, WireError> {
  if (acknowledge.receiveBufferSize > hello.sendBufferSize)
    return err(wireError("UA_ENCODING", FIELD.RECEIVE_BUFFER, SPEC));
  if (acknowledge.sendBufferSize > hello.receiveBufferSize)
    return err(wireError("UA_ENCODING", FIELD.SEND_BUFFER, SPEC));
  return ok({
    clientToServer: {
      maxChunkBytes: Math.min(acknowledge.receiveBufferSize, bounds.maxChunkBytes),
      maxMessageBytes: bounded(acknowledge.maxMessageSize, bounds.maxMessageBytes),
      maxChunkCount: bounded(acknowledge.maxChunkCount, bounds.maxChunkCount),
    },
    serverToClient: {
      maxChunkBytes: Math.min(acknowledge.sendBufferSize, bounds.maxChunkBytes),
      maxMessageBytes: bounded(hello.maxMessageSize, bounds.maxMessageBytes),
      maxChunkCount: bounded(hello.maxChunkCount, bounds.maxChunkCount),
    },
  });
}
