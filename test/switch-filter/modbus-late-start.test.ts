import { describe, expect, test } from "vitest";
import { systemClock } from "#point/clock.ts";
import { PhaseId } from "#specs/ids.ts";
import type { Mode } from "#specs/plant.ts";
import { type RunningFilter, runSwitchFilter } from "#switch-filter/main.ts";
import { waterTreatment } from "../support/plant.ts";
import { adu, RawClient } from "./raw-client.ts";
import { SERVER_MAKES } from "./servers.ts";

/** A filter that is started late, restarted, or waited for: what the source may not write is not written, by the server's own word. */
const READER = "127.253.1.90";
const DIRECT = "127.253.3.90";
const READ = "04 0000 0002";
const WRITE = "06 0001 1234";
const SETTLE_MS = 30;
const IDLE_MS = 2500;

describe.each(SERVER_MAKES.map((make, i) => ({ make, name: make.name, net: i })))("before $name", ({ make, net }) => {
  const FILTER = { host: `127.253.2.${net + 91}`, port: 15_100 + net };
  const PLC = { host: `127.253.3.${net + 91}`, port: 15_110 + net };
  const it = test.skipIf(!make.here);

  const start = (mode: Mode, clock = systemClock()): Promise<RunningFilter> =>
    runSwitchFilter({
      bundle: waterTreatment({ "test-1": [READER], "plc-1": [FILTER.host] }).bundle,
      listeners: [{ link: "hmi-plc1", listen: FILTER, upstream: PLC }],
      localAddress: `127.253.3.${net + 191}`,
      mode,
      clock,
      standalonePhase: PhaseId("normal"),
    });

  /** The register that is written at, as the server itself has it. */
  async function register(): Promise<string | undefined> {
    await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
    const direct = await RawClient.open(PLC, DIRECT);
    direct.say(adu(1, "03 0001 0001"));
    const [answer] = await direct.answers(1);
    direct.close();
    return answer?.slice(-4);
  }

  async function behind(work: () => Promise<void>): Promise<void> {
    const server = await make.start(PLC);
    try {
      await work();
    } finally {
      await server.stop();
    }
  }

  it("a connection that a filter without rules let in does not outlive it, and what was on its way is not sent later", async () => {
    await behind(async () => {
      const open = await start("off");
      const old = await RawClient.open(FILTER, READER);
      old.say(adu(1, "03 0001 0001"));
      await old.answers(1);
      await open.close();
      const enforcing = await start("enforce");
      old.say(adu(2, WRITE));
      await old.ended();
      expect(await register()).toBe("0000");
      const fresh = await RawClient.open(FILTER, READER);
      fresh.say(adu(1, WRITE));
      expect(await fresh.answers(1)).toEqual([adu(1, "86 01").toString("hex")]);
      expect(await register()).toBe("0000");
      fresh.close();
      await enforcing.close();
    });
  });

  it("a source that tries to connect all the time while the filter starts is judged from its first byte", async () => {
    await behind(async () => {
      const answers: string[] = [];
      let going = true;
      const insisting = (async () => {
        while (going) {
          const client = await RawClient.open(FILTER, READER);
          client.say(adu(1, WRITE));
          answers.push(...(await client.answers(1)));
          client.close();
        }
      })();
      const filter = await start("enforce");
      while (answers.length < 5) await new Promise((resolve) => setTimeout(resolve, 5));
      going = false;
      await insisting;
      expect(new Set(answers)).toEqual(new Set([adu(1, "86 01").toString("hex")]));
      expect(await register()).toBe("0000");
      await filter.close();
    });
  });

  it("a session that has been silent for longer than any time-out, then a write; and one that stops within it", async () => {
    await behind(async () => {
      const filter = await start("enforce");
      const idle = await RawClient.open(FILTER, READER);
      const within = await RawClient.open(FILTER, READER);
      idle.say(adu(1, READ));
      await idle.answers(1);
      within.say(adu(1, WRITE).subarray(0, 9));
      await new Promise((resolve) => setTimeout(resolve, IDLE_MS));
      idle.say(adu(2, WRITE));
      expect((await idle.answers(2))[1]).toBe(adu(2, "86 01").toString("hex"));
      within.say(adu(1, WRITE).subarray(9));
      expect(await within.answers(1)).toEqual([adu(1, "86 01").toString("hex")]);
      expect(await register()).toBe("0000");
      idle.close();
      within.close();
      await filter.close();
    });
  });
});
