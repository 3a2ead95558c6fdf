import type { Result } from "#specs/result.ts";
import { rewriteSequenceNumber } from "#wire/opcua/message-chunk.ts";
import { type Refusal, read, type UaChannel } from "./opcua-channel.ts";
import type { Direction } from "./opcua-direction.ts";
import type { SessionOutput } from "./session.ts";

/** Puts messages on the open channel, either way, under our own sequence numbers. */
export class UaSender {
  readonly #channel: UaChannel;
  readonly #up: Direction;
  readonly #output: SessionOutput;
  /** As the server has opened it; the token is that of the client's last message. */
  channelId = 0;
  tokenId = 0;

  constructor(channel: UaChannel, up: Direction, output: SessionOutput) {
    this.#channel = channel;
    this.#up = up;
    this.#output = output;
  }

  /** Whether a chunk came under the ids that it would be given here: then it needs another number and nothing else. */
  isAsSent({ channelId, tokenId }: { readonly channelId: number; readonly tokenId: number }): boolean {
    return channelId === this.channelId && tokenId === this.#channel.tokenFor(this.tokenId);
  }

  /** A whole message; a refusal where the receiver does not take one so large. */
  send(direction: Direction, requestId: number, body: Buffer): Refusal | undefined {
    const ids = { channelId: this.channelId, tokenId: this.#channel.tokenFor(this.tokenId) };
    const message = direction.chunksOf(ids, requestId, body, this.#channel.overheadBytes);
    if (!message.ok) return refusalOf(read(message));
    for (const chunk of message.value.chunks) this.#put(direction, chunk);
    return undefined;
  }

  /** One chunk as it came, but for its number. */
  renumbered(direction: Direction, chunk: Buffer): Refusal | undefined {
    const bytes = rewriteSequenceNumber(chunk, direction.next());
    if (!bytes.ok) return refusalOf(read(bytes));
    this.#put(direction, bytes.value);
    return undefined;
  }

  #put(direction: Direction, chunk: Buffer): void {
    if (direction === this.#up) this.#output.toServer(this.#channel.toServer(chunk));
    else this.#output.toClient(this.#channel.toClient(chunk));
  }
}

function refusalOf(result: Result<unknown, Refusal>): Refusal | undefined {
  return result.ok ? undefined : result.error;
}
