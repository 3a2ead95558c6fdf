import { spawnSync } from "node:child_process";
import { afterEach, describe, expect, test } from "vitest";
import { listenersOf } from "#sim/address-plan.ts";
import { hasManyLoopbackAddresses } from "#sim/site/site.ts";
import { freeInstanceFrom, isAlive, isFree, PROCESSES, Site, until } from "../support/site.ts";

const GONE_WITHIN_MS = 6000;
/** Debian's, or another system-wide Node too old for the product: then the launcher is a process of its own. */
const OLD_NODE = ["/usr/bin/node", "/usr/local/bin/node"].find(isOldNode);

function isOldNode(path: string): boolean {
  const { stdout } = spawnSync(path, ["--version"], { encoding: "utf8" });
  const major = Number(/^v(\d+)\./.exec(stdout ?? "")?.[1] ?? Number.NaN);
  return major >= 18 && major < 24;
}

describe.skipIf(!(await hasManyLoopbackAddresses()))("stopping `sekisho up`", () => {
  let site: Site | undefined;
  afterEach(() => site?.discard());

  async function started(): Promise<Site> {
    site = new Site({ instance: await freeInstanceFrom(33) });
    await site.ready(60_000);
    return site;
  }

  async function nothingIsLeft(of: Site): Promise<void> {
    expect(of.left()).toEqual([]);
    // The system closes a process's sockets a little after its other files.
    for (const at of [of.page, ...listenersOf(of.plan)])
      await until(
        () => isFree(at),
        1000,
        () => `somebody listens on ${at.host}:${at.port}`,
      );
  }

  test.each(["SIGINT", "SIGTERM"] as const)(
    "%s ends every process within six seconds, with exit code 0",
    async (signal) => {
      const up = await started();
      const parts = PROCESSES.map((name) => up.pid(name));
      expect(up.left().length).toBeGreaterThanOrEqual(parts.length);
      const { code, ms } = await up.stop(signal);
      expect(code).toBe(0);
      expect(ms).toBeLessThan(GONE_WITHIN_MS);
      expect(up.stderr).toBe("");
      expect(parts.filter(isAlive)).toEqual([]);
      await nothingIsLeft(up);
    },
  );

  test("Ctrl-C, which reaches every process at once, is an ordinary end too", async () => {
    site = new Site({ instance: await freeInstanceFrom(33), group: true });
    const up = site;
    await up.ready(60_000);
    const { code, ms } = await up.interrupt();
    expect(code).toBe(0);
    expect(ms).toBeLessThan(GONE_WITHIN_MS);
    expect(up.stdout).not.toContain("has ended");
    expect(up.stderr).toBe("");
    await nothingIsLeft(up);
  });

  test("a signal while it is still starting leaves nothing either", async () => {
    site = new Site({ instance: await freeInstanceFrom(33) });
    const up = site;
    await until(
      () => up.left().length >= 2,
      20_000,
      () => "two parts have not been started",
    );
    const { code, ms } = await up.stop("SIGINT");
    expect(code).toBe(0);
    expect(ms).toBeLessThan(GONE_WITHIN_MS);
    await until(
      () => up.left().length === 0,
      GONE_WITHIN_MS,
      () => `${up.left()} are left`,
    );
    await nothingIsLeft(up);
  });

  test("when `up` itself is killed, its children end by themselves", async () => {
    const up = await started();
    const parts = PROCESSES.map((name) => up.pid(name));
    await up.stop("SIGKILL");
    const ms = await until(
      () => parts.every((pid) => !isAlive(pid)),
      GONE_WITHIN_MS,
      () => `${up.left()} are left`,
    );
    expect(ms).toBeLessThan(GONE_WITHIN_MS);
    await nothingIsLeft(up);
  });

  test.skipIf(OLD_NODE === undefined)(
    "when the launcher of an older Node is killed, everything behind it ends",
    async () => {
      site = new Site({ instance: await freeInstanceFrom(33), ...(OLD_NODE === undefined ? {} : { node: OLD_NODE }) });
      await site.ready(60_000);
      const parts = PROCESSES.map((name) => site?.pid(name) ?? 0);
      site.child.kill("SIGKILL");
      await until(
        () => parts.every((pid) => !isAlive(pid)),
        GONE_WITHIN_MS,
        () => `${site?.left()} are left`,
      );
      await nothingIsLeft(site);
    },
  );
});
