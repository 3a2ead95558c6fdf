import type { SeenFrame } from "./monitor.ts";

/** What a source of frames tells. It sees, or it says in one sentence why it does not. */
export interface FrameSink {
  /** Frames in the order of their capture. */
  frames(frames: readonly SeenFrame[]): void;
  /** Something came, so that the source sees; called once for each piece of it. */
  sees(): void;
  blind(says: string): void;
  /** So many frames were dropped before they came here. */
  dropped(frames: number, says: string): void;
  /** Nothing captured up to then is still under way. */
  quietUpTo(timeMs: number): void;
  /** The stream of frames broke; what comes next is another one. */
  interrupted(): void;
  /** Nothing more will come; says: what is wrong with the end. */
  ended(says: string | undefined): void;
}

export interface FrameSource {
  close(): Promise<void> | void;
}
