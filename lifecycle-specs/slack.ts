import type { Layer } from "./decide/observation.ts";
import type { Operation } from "./lifecycle.ts";

/** By how much more widely than the HMI layer a layer judges what is measured in time, plant ms. */
export interface Slack {
  /** Between two messages that go the same way: each is seen later by up to the skew for each layer between. */
  readonly messageMs: number;
  /** From an answer or a reading to a message: the one is seen earlier, the other later. */
  readonly answerMs: number;
}

const LAYERS_BELOW_HMI: Readonly<Record<Layer, number>> = { hmi: 0, switch: 1, plc: 2 };

/**
 * With this much, what one layer let through in time is not too early, or too late, at the next one down. Outputs are judged where they
 * are made, against readings of the same scan: they have none.
 */
export function slackOf(layer: Layer, skewMs: number, operation: Operation): Slack {
  const messageMs = operation === "output" ? 0 : LAYERS_BELOW_HMI[layer] * skewMs;
  return { messageMs, answerMs: 2 * messageMs };
}
