import type { Layer } from "#specs/decide/observation.ts";

/** What the layers can vouch for. Times are plant ms. */
export interface Vouched {
  /** Everything the layer saw before this has been judged and reported; -Infinity where none of its points is live. */
  judgedUpToMs(layer: Layer): number;
  /** Whether the layer saw everything around that time. False is `blind`, never evidence of absence. */
  saw(layer: Layer, atMs: number): boolean;
}

export interface CorrelateOptions {
  /** Plant ms by which stamps of the same command may differ between layers. */
  readonly skewMs: number;
  /** Plant ms within which two receipts may be of one command. */
  readonly windowMs: number;
  /** Receipts that may wait to be judged; beyond it they are judged with what is known. */
  readonly maxPending: number;
}

export const CORRELATE_DEFAULTS: CorrelateOptions = { skewMs: 200, windowMs: 1000, maxPending: 2000 };
