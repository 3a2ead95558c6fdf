import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { OrderMessage, ReceiptMessage } from "#point/bus.ts";
import { Network, whyNoNetwork } from "../support/netns.ts";

// Phases change while an HMI commands, and the kernel hands what the mirror shows over up to a second late.

const why = whyNoNetwork("tcpdump", "tc");
const here = (file: string): string => fileURLToPath(new URL(file, import.meta.url));
const [HMI, PLC] = ["10.97.1.11", "10.97.2.1"];
/** The declared skew, and what lies between an order on the bus and in the monitor's hands. */
const NEAR_MS = 100 + 50;

type Heard = { readonly heardMs: number } & (
  | ({ readonly kind: "order" } & OrderMessage)
  | ({ readonly kind: "receipt" } & ReceiptMessage)
);

describe.skipIf(why !== undefined)(
  `phases change under a mirror port${why === undefined ? "" : ` (not run: ${why})`}`,
  () => {
    const folder = mkdtempSync(join(tmpdir(), "sekisho-late-"));
    const file = join(folder, "heard.jsonl");
    let network: Network;
    let led: ChildProcess;

    beforeAll(async () => {
      network = await Network.build(async (net) => {
        await net.host("hmi", "plc", "mon");
        await net.cable(
          { host: "hmi", device: "h0", address: `${HMI}/16` },
          { host: "plc", device: "p0", address: `${PLC}/16` },
        );
        await net.cable({ host: "mon", device: "m0" }, { host: "hmi", device: "h-mon" });
        await net.run("hmi", "tc", "qdisc", "add", "dev", "h0", "clsact");
        for (const direction of ["ingress", "egress"])
          await net.run(
            ...(["hmi", "tc", "filter", "add", "dev", "h0", direction, "protocol", "all", "u32"] as const),
            ...["match", "u32", "0", "0", "action", "mirred", "egress", "mirror", "dev", "h-mon"],
          );
      });
      const session = here("./namespaces-session.ts");
      await network.ready("plc", process.execPath, session, "server", "0.0.0.0", "502");
      led = await network.ready("mon", process.execPath, here("./namespaces-led-monitor.ts"), "m0", file, folder);
      await pause(1500);
    }, 30_000);
    afterAll(async () => {
      await network?.remove();
      rmSync(folder, { recursive: true, force: true });
    });

    async function change(): Promise<string> {
      const answered = once(led.stdout ?? led, "data");
      led.stdin?.write("\n");
      return String((await answered)[0]);
    }

    test("no command is denied by a phase that had not begun when it was sent, and none allowed by one that had ended", async () => {
      const args = [PLC, "502", HMI, "2", "80", "700"];
      const client = network.start("hmi", process.execPath, here("./namespaces-session.ts"), "client", ...args);
      const ended = once(client, "exit");
      await pause(1500);
      for (let n = 0; n < 3; n += 1) {
        expect(await change()).toMatch(/^200 /);
        await pause(1300);
      }
      await ended;
      await pause(2500);
      const gone = once(led, "exit");
      led.kill("SIGTERM");
      await gone;

      const heard = readFileSync(file, "utf8")
        .split("\n")
        .map((line): Heard => JSON.parse(line));
      const receipts = heard.flatMap((one) => (one.kind === "receipt" ? [one] : []));
      const orders = heard.flatMap((one) => (one.kind === "order" ? [one] : []));
      const began = orders
        .filter((one) => one.order === "window")
        .filter((one, n, all) => one.change !== all[n - 1]?.change);
      const took = orders.filter((one) => one.order === "take" && one.layer === "hmi");
      // What the switch layer is told next shows that the monitor has agreed.
      const answers = orders
        .filter((one) => one.order === "window" && one.layer === "switch")
        .filter((one, n, all) => one.change !== all[n - 1]?.change);
      expect([began.length, took.length, answers.length]).toEqual([3, 3, 3]);

      // stopped → normal → stopped → normal: while a change runs either of the two allows.
      const [b1, b2, b3] = began.map(({ heardMs }) => heardMs);
      const [t1, t2, t3] = took.map(({ heardMs }) => heardMs);
      const between = (from = 0, to = Number.POSITIVE_INFINITY) =>
        receipts.filter(({ atMs }) => atMs > from && atMs < to).map(({ verdict, phase }) => `${verdict} in ${phase}`);
      const only = (seen: readonly string[]) => [...new Set(seen)];
      expect(only(between(0, (b1 ?? 0) - NEAR_MS))).toEqual(["deny in stopped"]);
      expect(only(between(b1, t2)).filter((one) => one.startsWith("deny"))).toEqual([]);
      expect(only(between((t1 ?? 0) + NEAR_MS, (b2 ?? 0) - NEAR_MS))).toEqual(["allow in normal"]);
      expect(only(between((t2 ?? 0) + NEAR_MS, (b3 ?? 0) - NEAR_MS))).toEqual(["deny in stopped"]);
      expect(only(between(b3)).filter((one) => one.startsWith("deny"))).toEqual([]);
      expect(only(between((t3 ?? 0) + NEAR_MS))).toEqual(["allow in normal"]);

      // It was late: of the commands sent before a word of the coordinator, some were judged after it.
      const words = [...began, ...took].map(({ heardMs }) => heardMs);
      const late = receipts.filter(({ atMs, heardMs }) => words.some((at) => atMs < at && heardMs > at + 20));
      const delays = answers.map(({ heardMs }, n) => heardMs - (began[n]?.heardMs ?? 0));
      process.stdout.write(
        `${receipts.length} commands, ${late.length} of them judged after what was in force when they were sent; the monitor agreed after ${delays.join(", ")} ms\n`,
      );
      expect(late.length).toBeGreaterThan(20);
      // It agreed when everything from before the order had been judged, in less than the declared delay.
      for (const [n, { heardMs }] of answers.entries()) {
        const before = receipts.filter(({ atMs }) => atMs <= (began[n]?.heardMs ?? 0) - NEAR_MS);
        expect(before.filter((one) => one.heardMs > heardMs + 20)).toEqual([]);
        expect(heardMs - (began[n]?.heardMs ?? 0)).toBeLessThan(1600);
      }
    }, 60_000);
  },
);
