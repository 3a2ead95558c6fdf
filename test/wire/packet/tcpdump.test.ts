import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { type AddressInfo, connect, createServer } from "node:net";
import { describe, expect, test } from "vitest";
import { type ChecksumRule, LINK_TYPE, TcpReassembler } from "#wire/packet/index.ts";
import { CaptureReader, type TimedFrame } from "#wire/pcap/index.ts";
import { hasTool, isRoot, toolPath } from "../../support/tools.ts";
import { delivered, outline } from "./conversation.ts";

// A capture by tcpdump of this process talking to itself: the kernel's own segments, whose checksums loopback never fills in.
const REQUEST = Buffer.from("request ".repeat(500));
const RESPONSE = Buffer.from("response ".repeat(3000));

interface Captured {
  readonly frames: readonly TimedFrame[];
  readonly port: number;
  readonly clientPort: number;
  readonly said: string | undefined;
}

/** Ends a capture once all that was sent is in it, or after five seconds. */
async function capture(device: "lo" | "any", host: "127.0.0.1" | "::1"): Promise<Captured> {
  const server = createServer((socket) => {
    let taken = 0;
    socket.on("end", () => socket.end());
    socket.on("data", (chunk) => {
      taken += chunk.length;
      if (taken === REQUEST.length) socket.end(RESPONSE);
    });
  });
  server.listen(0, host);
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const args = [
    "-i",
    device,
    "-U",
    "--immediate-mode",
    "-n",
    "-B",
    "8192",
    "-s",
    "262144",
    "-w",
    "-",
    `tcp port ${port}`,
  ];
  const tcpdump = spawn(toolPath("tcpdump"), args, { stdio: ["ignore", "pipe", "pipe"], timeout: 8000 });
  const reader = new CaptureReader();
  const frames: TimedFrame[] = [];
  let clientPort = 0;
  tcpdump.stdout.on("data", (chunk: Buffer) => frames.push(...reader.push(chunk)));
  try {
    await untilListening(tcpdump);
    // It says so a little before it does: connections that say nothing, until one is seen.
    for (let i = 0; i < 20 && frames.length === 0; i += 1) {
      await once(connect({ host, port }).end().resume(), "close");
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    const client = connect({ host, port });
    await once(client, "connect");
    clientPort = client.localPort ?? 0;
    client.write(REQUEST);
    client.resume();
    await once(client, "close");
    // Quiet for a while: all of it has come.
    const deadline = Date.now() + 5000;
    for (let before = -1; frames.length !== before && Date.now() < deadline; ) {
      before = frames.length;
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
  } finally {
    tcpdump.kill("SIGINT");
    if (tcpdump.exitCode === null) await once(tcpdump, "exit");
    server.close();
  }
  return { frames, port, clientPort, said: reader.end() };
}

async function untilListening(tcpdump: ChildProcess): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    tcpdump.stderr?.on("data", (text) => String(text).includes("listening on") && resolve());
    tcpdump.once("exit", () => reject(new Error("tcpdump ended before it listened")));
  });
}

function read({ frames, port, clientPort }: Captured, verifyChecksums: ChecksumRule) {
  const reassembler = new TcpReassembler({ verifyChecksums, serverPorts: [port] });
  const events = frames.flatMap((frame) => reassembler.push(frame.frame, frame.timeMs, frame));
  return { reassembler, events: events.filter((e) => e.kind === "skipped" || e.flow.client.port === clientPort) };
}

describe.skipIf(!isRoot() || !hasTool("tcpdump"))("live from tcpdump", () => {
  test.each([
    { device: "lo", host: "127.0.0.1", linkType: LINK_TYPE.ETHERNET },
    { device: "any", host: "127.0.0.1", linkType: LINK_TYPE.LINUX_SLL2 },
    { device: "any", host: "::1", linkType: LINK_TYPE.LINUX_SLL2 },
  ] as const)(
    "$device, $host: both directions, byte by byte",
    { timeout: 30_000 },
    async ({ device, host, linkType }) => {
      const captured = await capture(device, host);
      expect(captured.said).toBeUndefined();
      expect(new Set(captured.frames.map((frame) => frame.linkType))).toEqual(new Set([linkType]));
      const { events, reassembler } = read(captured, "auto");
      expect(delivered(events, "client-to-server")).toBe(REQUEST.toString());
      expect(delivered(events, "server-to-client")).toBe(RESPONSE.toString());
      expect(outline(events).filter((line) => !/^[<>] /.test(line))).toEqual(["open", "close fin"]);
      expect(events[0]).toMatchObject({ flow: { client: { ip: host }, server: { ip: host, port: captured.port } } });
      expect(reassembler.checksumNote).toContain("captured before the network card");
      expect(delivered(read(captured, false).events)).toBe(REQUEST.toString());
      // Held to their checksums, not one of them would count.
      expect(delivered(read(captured, true).events)).toBe("");
    },
  );
});
