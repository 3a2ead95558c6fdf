import { afterEach, describe, expect, test, vi } from "vitest";
import { PhaseId } from "#specs/ids.ts";
import { err, ok } from "#specs/result.ts";
import { Gateway, LOOK_MS, RETRY_MS } from "#switch-filter/packet-filter/gateway.ts";
import type { Nft } from "#switch-filter/packet-filter/nft.ts";
import { planOf, ROUTED } from "./plan.ts";

const [NORMAL, SHUTDOWN] = [PhaseId("normal"), PhaseId("shutdown")];

describe("the packet filter follows the phase that is held", () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  test("from the start, at each change, and again after a ruleset that was not taken", async () => {
    vi.useFakeTimers();
    const applied: string[] = [];
    const said: string[] = [];
    let broken = false;
    let phase: PhaseId | null = null;
    const nft: Nft = async (args, input = "") => {
      if (args[0] === "list") return ok("");
      if (args[0] === "-f" && broken) return err("the disk is full");
      if (args[0] === "-f") applied.push(/"phase=(\S+)"/.exec(input)?.[1] ?? "");
      return ok("");
    };
    const held = () => (phase === null ? null : { phase, epoch: 1 });
    const gateway = await Gateway.open({ plan: planOf(ROUTED), nft, held, say: (says) => said.push(says) });
    expect(applied).toEqual(["-"]);
    await gateway.start();
    phase = NORMAL;
    await vi.advanceTimersByTimeAsync(LOOK_MS);
    expect(applied).toEqual(["-", "normal"]);
    await vi.advanceTimersByTimeAsync(20 * LOOK_MS);
    expect(applied).toEqual(["-", "normal"]);
    broken = true;
    phase = SHUTDOWN;
    await vi.advanceTimersByTimeAsync(LOOK_MS);
    expect(said).toEqual([expect.stringContaining("what was in force still is: the disk is full")]);
    broken = false;
    await vi.advanceTimersByTimeAsync(RETRY_MS);
    expect(applied).toEqual(["-", "normal", "shutdown"]);
    await gateway.close();
    phase = NORMAL;
    await vi.advanceTimersByTimeAsync(RETRY_MS);
    expect(applied).toEqual(["-", "normal", "shutdown"]);
  });

  test("and another bundle's plan from the next look on, unless nothing can be made of it", async () => {
    vi.useFakeTimers();
    const applied: string[] = [];
    const nft: Nft = async (args, input = "") => {
      if (args[0] === "-f") applied.push(input);
      return ok("");
    };
    const plan = planOf(ROUTED);
    const held = () => ({ phase: NORMAL, epoch: 1 });
    const gateway = await Gateway.open({ plan, nft, held, say: () => undefined });
    await gateway.start();
    const { devices } = plan.plant;
    const without = gateway.prepare({
      ...plan,
      plant: { ...plan.plant, devices: devices.filter(({ id }) => id !== "plc-1") },
    });
    expect(without).toEqual(err(expect.stringContaining("no packet filter can be made from the bundle")));
    await vi.advanceTimersByTimeAsync(3 * LOOK_MS);
    expect(applied).toHaveLength(1);
    const [flow] = plan.flows.links;
    const fewer = gateway.prepare({
      ...plan,
      flows: { ...plan.flows, links: plan.flows.links.filter((link) => link !== flow) },
    });
    expect(applied).toHaveLength(1);
    if (fewer.ok) fewer.value();
    await vi.advanceTimersByTimeAsync(3 * LOOK_MS);
    expect(applied).toHaveLength(2);
    expect(applied[1]).not.toBe(applied[0]);
    await gateway.close();
  });
});
