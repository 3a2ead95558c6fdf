import { exchange, type TakesBundles } from "#point/bundle-change.ts";
import type { PlantClock } from "#point/clock.ts";
import type { Bundle } from "#specs/bundle.ts";
import type { Mode } from "#specs/plant.ts";
import { err, ok } from "#specs/result.ts";
import { type GuardAddress, GuardPoint } from "./agent.ts";

export interface PlcGuardAgentOptions {
  readonly bundle: Bundle;
  /** The agent links of the PLCs, one bus point for each. */
  readonly guards: readonly GuardAddress[];
  /** Shown for a guard until it has said its own. */
  readonly mode: Mode;
  readonly clock: PlantClock;
  readonly bus: { readonly url: string; readonly password?: string };
  /** Source address of the links to the guards. */
  readonly localAddress?: string;
  readonly log?: (says: string) => void;
}

export interface PlcGuardAgent extends TakesBundles {
  close(): Promise<void>;
}

/** Real ms for which the `close` stage of a round waits for the scans of that round. */
const CLOSE_WAIT_MS = 1000;

/** Runs the agent of the guards: one process beside the PLCs that joins the bus for each of them. */
export async function runPlcGuardAgent(options: PlcGuardAgentOptions): Promise<PlcGuardAgent> {
  if (options.guards.length === 0) throw new Error("the guard agent has no PLC to look after; name at least one guard");
  const points: readonly GuardPoint[] = options.guards.map(
    (guard) => new GuardPoint({ ...options, guard, onTags: passOn(guard) }),
  );
  function passOn(from: GuardAddress) {
    return (atMs: number, tags: Readonly<Record<string, number>>): void => {
      for (const point of points) if (point.device !== from.device) point.passTags(atMs, tags);
    };
  }
  await Promise.all(points.map((point) => point.join()));
  options.clock.on("close", async (tick, atMs) => {
    await Promise.all(
      points.map(async (point) => {
        await point.reached(atMs, CLOSE_WAIT_MS);
        point.finished(tick);
      }),
    );
  });
  let { bundle } = options;
  return {
    takeBundle: (open) => {
      const answer = exchange(bundle, open, (next) => {
        const why = points.map((point) => point.whyNot(next)).find((says) => says !== undefined);
        if (why !== undefined) return err(why);
        return ok(() => {
          bundle = next;
          return " for the agent";
        });
      });
      for (const point of points) point.bundleOffered(answer, bundle);
      return answer;
    },
    close: async () => {
      await Promise.all(points.map((point) => point.close()));
    },
  };
}
