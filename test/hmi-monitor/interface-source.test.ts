import { connect, createServer } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import type { FrameSink } from "#hmi-monitor/frame-source.ts";
import { type InterfaceOptions, InterfaceSource } from "#hmi-monitor/interface-source.ts";
import type { SeenFrame } from "#hmi-monitor/monitor.ts";
import { hasTool, isRoot } from "../support/tools.ts";

/** A real capturing program, on the loopback interface, as a process of its own. */
const AT = "127.251.2.23";
const PORT = 15_241;

interface Told extends FrameSink {
  readonly seen: SeenFrame[];
  readonly says: string[];
  count: number;
}

function telling(): Told {
  const told: Told = {
    seen: [],
    says: [],
    count: 0,
    frames: (frames) => void told.seen.push(...frames),
    sees: () => {
      told.count += 1;
    },
    blind: (says) => void told.says.push(says),
    dropped: () => undefined,
    quietUpTo: () => undefined,
    interrupted: () => void told.says.push("interrupted"),
    ended: () => undefined,
  };
  return told;
}

let source: InterfaceSource | undefined;
afterEach(async () => {
  await source?.close();
  source = undefined;
});

function open(options: Partial<InterfaceOptions>): Told {
  const told = telling();
  source = new InterfaceSource({ interface: "lo", ports: [PORT], immediate: true, ...options }, told);
  return told;
}

test("an interface that is not there is said, and tried again", async () => {
  const told = open({ interface: "nosuch0" });
  await expect.poll(() => told.says.length, { timeout: 8000 }).toBeGreaterThanOrEqual(4);
  expect(new Set(told.says)).toEqual(
    new Set(["interrupted", expect.stringMatching(/^interface nosuch0 (does not exist|cannot be captured from)/)]),
  );
});

describe.skipIf(!isRoot())("as root", () => {
  test.each(["tcpdump", "dumpcap"] as const)("%s shows what is said to the ports, and ends with us", async (tool) => {
    if (!hasTool(tool)) return;
    const told = open({ tool });
    const server = createServer((socket) => socket.end("answer")).listen(PORT, AT);
    // The first connections may come before the program has the interface.
    await expect
      .poll(
        () => {
          connect(PORT, AT)
            .on("error", () => undefined)
            .resume();
          return told.seen.some(({ frame }) => frame.includes("answer"));
        },
        { timeout: 8000, interval: 200 },
      )
      .toBe(true);
    expect(told.count).toBeGreaterThan(0);
    expect(told.seen.every(({ linkType }) => linkType === 1)).toBe(true);
    await new Promise((resolve) => server.close(resolve));
    const before = told.says.length;
    await source?.close();
    expect(told.says.length).toBe(before);
  });
});
