import type { Direction } from "#wire/packet/index.ts";

/** One HMI connection as the mirror shows it. Bytes of each direction come in order, each once. */
export interface Conversation {
  data(direction: Direction, bytes: Buffer, timeMs: number): void;
  /** Why nothing more of it can be read; undefined while it can. */
  readonly blind: string | undefined;
}
