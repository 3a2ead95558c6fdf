import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { type AccessSwitch, type AccessSwitchOptions, runAccessSwitch } from "#sim/access-switch/access-switch.ts";
import type { Endpoint } from "#sim/address-plan.ts";
import {
  coilAddress,
  encodeFrame,
  encodeRequest,
  holdingRegisterAddress,
  transactionId,
  unitId,
} from "#wire/modbus/index.ts";
import { LINK_TYPE } from "#wire/packet/link-type.ts";
import { decodeLldpFrame } from "#wire/packet/lldp.ts";
import { decodeTcpFrame, type TcpFrame } from "#wire/packet/tcp-frame.ts";
import { PcapReader } from "#wire/pcap/index.ts";
import { hasTool } from "../../support/tools.ts";
import { closed, dial, type HandClock, handClock, type Listener, listenOn, receive, until } from "./support.ts";

const HMI = "127.250.1.11";
const LINK = "plc-1-modbus";

const write = encodeFrame(
  { transactionId: transactionId(7), unitId: unitId(1) },
  encodeRequest({
    kind: "write-single-register",
    functionCode: 6,
    address: holdingRegisterAddress(1),
    value: 200,
  }),
);

const toClose: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const end of toClose.splice(0).reverse()) await end();
});

interface Bench {
  readonly clock: HandClock;
  readonly uplink: Listener;
  readonly entry: Endpoint;
  readonly mirror: Endpoint;
  readonly patch: Endpoint;
  readonly running: AccessSwitch;
  readonly log: string[];
}

async function freePort(host: string): Promise<number> {
  const probe = await listenOn(host, () => undefined);
  await probe.close();
  return probe.at.port;
}

async function bench(onSocket: (socket: Socket) => void, options: Partial<AccessSwitchOptions> = {}): Promise<Bench> {
  const clock = handClock();
  const uplink = await listenOn("127.250.2.1", onSocket);
  const at = async (): Promise<Endpoint> => ({ host: "127.250.0.1", port: await freePort("127.250.0.1") });
  const [entry, mirror, patch] = [await at(), await at(), await at()];
  const log: string[] = [];
  const running = await runAccessSwitch({
    listeners: [{ link: LINK, listen: entry, uplink: uplink.at }],
    mirror,
    patch,
    clock,
    log: (says) => log.push(says),
    ...options,
  });
  toClose.push(uplink.close, running.close);
  return { clock, uplink, entry, mirror, patch, running, log };
}

interface Tapped {
  readonly frames: { readonly timeMs: number; readonly frame: Buffer }[];
  readonly raw: Buffer[];
  tcp(): readonly TcpFrame[];
}

async function tap(mirror: Endpoint): Promise<Tapped> {
  const socket = await dial(mirror);
  toClose.push(() => void socket.destroy());
  const reader = new PcapReader();
  const tapped: Tapped = {
    frames: [],
    raw: [],
    tcp: () =>
      tapped.frames.flatMap(({ frame }) => {
        const decoded = decodeTcpFrame(frame, LINK_TYPE.ETHERNET, { verifyChecksums: true });
        return decoded.ok && decoded.value.kind === "tcp" ? [decoded.value.frame] : [];
      }),
  };
  const header = new Promise<void>((resolve) => {
    socket.on("data", (chunk: Buffer) => {
      tapped.raw.push(chunk);
      for (const record of reader.push(chunk)) tapped.frames.push({ timeMs: record.timeMs, frame: record.frame });
      resolve();
    });
  });
  await header;
  return tapped;
}

const echo = (socket: Socket): void => void socket.on("data", (chunk) => socket.write(chunk));

/** The bytes of one direction, put together from the segments by sequence number. */
function stream(frames: readonly TcpFrame[], srcIp: string): Buffer {
  return Buffer.concat(frames.filter((frame) => frame.srcIp === srcIp).map((frame) => frame.payload));
}

describe("relaying", () => {
  test("the uplink sees the client's own address, and bytes go both ways", async () => {
    const b = await bench(echo);
    const client = await dial(b.entry, HMI);
    client.write(write);
    expect(await receive(client, write.length)).toEqual(write);
    expect(b.uplink.from).toEqual([HMI]);
    expect(b.log).toEqual([]);
  });

  test("a half-close is passed on, and the answer still comes back", async () => {
    const b = await bench((socket) => {
      socket.resume();
      socket.on("end", () => socket.end("late"));
    });
    const client = await dial(b.entry, HMI);
    client.end("done");
    expect((await receive(client, 4)).toString()).toBe("late");
    await closed(client);
  });

  test("a reset is passed on, both ways", async () => {
    const b = await bench((socket) => socket.once("data", () => socket.resetAndDestroy()));
    const client = await dial(b.entry, HMI);
    client.write("x");
    await closed(client);
    const second = await dial(b.entry, HMI);
    await until(() => b.uplink.sockets.length === 2);
    second.resetAndDestroy();
    await until(() => b.uplink.sockets[1]?.destroyed === true);
  });

  test("an uplink that is not there resets the client and says so", async () => {
    const b = await bench(echo);
    await b.uplink.close();
    const client = await dial(b.entry, HMI);
    await closed(client);
    expect(b.log.join()).toContain("cannot be carried");
  });

  test("a slow server pauses the client instead of filling memory", async () => {
    const b = await bench((socket) => socket.pause());
    const client = await dial(b.entry, HMI);
    const chunk = Buffer.alloc(256 * 1024);
    let sent = 0;
    // Kernel buffers of both hops take some megabytes; without back-pressure all 64 would be taken.
    while (sent < 64 && client.write(chunk)) sent += 1;
    await new Promise((resolve) => setTimeout(resolve, 200));
    let drained = true;
    client.once("drain", () => {
      drained = true;
    });
    for (; sent < 64 && drained; sent += 1) {
      drained = client.write(chunk);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    expect(client.writableLength).toBeGreaterThan(0);
    b.uplink.sockets[0]?.resume();
    await until(() => client.writableLength === 0);
    client.destroy();
  });
});

describe("the mirror", () => {
  test("shows the client's address, the server's network address and plant time, with valid checksums", async () => {
    const b = await bench(echo);
    const tapped = await tap(b.mirror);
    const client = await dial(b.entry, HMI);
    const srcPort = client.localPort ?? 0;
    client.write(write);
    await receive(client, write.length);
    client.end();
    b.uplink.sockets[0]?.end();
    await closed(client);
    await until(() => tapped.tcp().filter((frame) => (frame.flags & 1) === 1).length === 2);
    const tcp = tapped.tcp();
    expect(tcp).toHaveLength(tapped.frames.length);
    expect(stream(tcp, HMI)).toEqual(write);
    expect(stream(tcp, b.uplink.at.host)).toEqual(write);
    expect(tcp[0]).toMatchObject({ srcIp: HMI, srcPort, dstIp: b.uplink.at.host, dstPort: b.uplink.at.port });
    expect(tapped.frames.map(({ timeMs }) => timeMs)).toEqual(tapped.frames.map(() => 1000));
  });

  test("is written to before the bytes go on", async () => {
    const b = await bench(echo);
    const tapped = await tap(b.mirror);
    const client = await dial(b.entry, HMI);
    const before = b.running.counts.frames;
    b.uplink.sockets[0]?.once("data", () => expect(b.running.counts.frames).toBeGreaterThan(before));
    client.write(write);
    await receive(client, write.length);
    await until(() => stream(tapped.tcp(), HMI).length === write.length);
    client.destroy();
  });

  test("long data is cut into segments of at most 1460 bytes", async () => {
    const b = await bench(echo);
    const tapped = await tap(b.mirror);
    const client = await dial(b.entry, HMI);
    const bytes = Buffer.from(Array.from({ length: 10_000 }, (_, i) => i % 251));
    client.write(bytes);
    await receive(client, bytes.length);
    await until(() => stream(tapped.tcp(), HMI).length === bytes.length);
    expect(stream(tapped.tcp(), HMI)).toEqual(bytes);
    expect(Math.max(...tapped.tcp().map((frame) => frame.payload.length))).toBe(1460);
    client.destroy();
  });

  test("announces plant time at the close of each round, and how many frames went before", async () => {
    const b = await bench(echo);
    const tapped = await tap(b.mirror);
    await b.clock.run("close", 1500);
    await b.clock.run("close", 2000);
    await until(() => tapped.frames.length === 2);
    const [first, second] = tapped.frames.map(({ frame }) => decodeLldpFrame(frame));
    expect(first).toMatchObject({ ok: true, value: { plantTimeMs: 1500, mirroredFrames: 0 } });
    expect(second).toMatchObject({ ok: true, value: { plantTimeMs: 2000, mirroredFrames: 1 } });
  });

  test("a reader that is too slow is dropped, and relaying goes on", async () => {
    const b = await bench(echo, { maxReaderBytes: 1024 * 1024 });
    const slow = await dial(b.mirror);
    slow.pause();
    const client = await dial(b.entry, HMI);
    client.resume();
    const chunk = Buffer.alloc(64 * 1024);
    let back = 0;
    client.on("data", (data) => {
      back += data.length;
    });
    for (let sent = 1; sent <= 400 && b.running.counts.dropped === 0; sent += 1) {
      client.write(chunk);
      await until(() => back >= sent * chunk.length);
    }
    expect(b.running.counts.dropped).toBe(1);
    client.write(write);
    const whole = back + write.length;
    await until(() => back >= whole);
    expect(b.log.join()).toContain("mirror reader was dropped");
    slow.destroy();
    client.destroy();
  });

  test.skipIf(!hasTool("tshark"))("tshark reads the operator's Modbus write from it", async () => {
    const b = await bench(echo);
    const tapped = await tap(b.mirror);
    const client = await dial(b.entry, HMI);
    client.write(write);
    await receive(client, write.length);
    const coil = encodeFrame(
      { transactionId: transactionId(8), unitId: unitId(1) },
      encodeRequest({ kind: "write-single-coil", functionCode: 5, address: coilAddress(4), on: true }),
    );
    client.write(coil);
    await receive(client, coil.length);
    await until(() => stream(tapped.tcp(), HMI).length === write.length + coil.length);
    client.destroy();
    const mirrored = Buffer.concat(tapped.raw);
    const lines = runTshark(mirrored, b.uplink.at.port, "modbus", [
      "ip.src",
      "ip.dst",
      "mbtcp.trans_id",
      "modbus.func_code",
    ]);
    expect(lines).toEqual([
      `${HMI}\t${b.uplink.at.host}\t7\t6`,
      `${b.uplink.at.host}\t${HMI}\t7\t6`,
      `${HMI}\t${b.uplink.at.host}\t8\t5`,
      `${b.uplink.at.host}\t${HMI}\t8\t5`,
    ]);
    // Nothing retransmitted, out of order or lost, and every checksum right.
    const odd = "tcp.analysis.flags || tcp.checksum.status == 0 || ip.checksum.status == 0";
    expect(runTshark(mirrored, b.uplink.at.port, odd, ["frame.number"])).toEqual([]);
  });
});

describe("the patch panel", () => {
  test("a patched link goes through another box; the mirror does not see it, and unpatching restores it", async () => {
    const b = await bench(echo);
    const tapped = await tap(b.mirror);
    const box = await listenOn("127.250.9.66", (socket) => socket.on("data", () => socket.write("box!")));
    toClose.push(box.close);
    const old = await dial(b.entry, HMI);
    await until(() => b.uplink.sockets.length === 1);

    expect(await ask(b.patch, { patch: { link: LINK, via: `${box.at.host}:${box.at.port}` } })).toEqual({
      patched: LINK,
      via: `${box.at.host}:${box.at.port}`,
    });
    await closed(old);
    const client = await dial(b.entry, HMI);
    client.write("?");
    expect((await receive(client, 4)).toString()).toBe("box!");
    expect(box.from).toEqual([HMI]);
    expect(tapped.tcp().every((frame) => frame.srcIp !== box.at.host && frame.dstIp !== box.at.host)).toBe(true);

    expect(await ask(b.patch, { unpatch: { link: LINK } })).toEqual({ patched: LINK, via: null });
    await closed(client);
    const again = await dial(b.entry, HMI);
    again.write("straight");
    expect((await receive(again, 8)).toString()).toBe("straight");
    again.destroy();
  });

  test.each([
    { name: "an unknown link", request: { patch: { link: "plc-9", via: "127.250.9.66:1" } } },
    { name: "no address", request: { patch: { link: LINK, via: "127.250.9.66" } } },
    { name: "port 65536", request: { patch: { link: LINK, via: "127.250.9.66:65536" } } },
    { name: "something else", request: { drop: LINK } },
  ])("refuses $name", async ({ request }) => {
    const b = await bench(echo);
    expect(await ask(b.patch, request)).toHaveProperty("error");
  });

  test("a line that is too long closes the connection", async () => {
    const b = await bench(echo);
    const socket = await dial(b.patch);
    socket.resume();
    socket.on("end", () => socket.end());
    socket.write("x".repeat(1025));
    await closed(socket);
  });
});

test("an address that is taken is named", async () => {
  const b = await bench(echo);
  const again = runAccessSwitch({
    listeners: [{ link: LINK, listen: b.entry, uplink: b.uplink.at }],
    mirror: { host: "127.250.0.1", port: 0 },
    patch: { host: "127.250.0.1", port: 0 },
    clock: b.clock,
  });
  await expect(again).rejects.toThrow(`${LINK} of the access switch cannot listen on ${b.entry.host}:${b.entry.port}`);
});

async function ask(panel: Endpoint, request: object): Promise<unknown> {
  const socket = await dial(panel);
  const answer = new Promise<string>((resolve) => socket.once("data", (chunk: Buffer) => resolve(chunk.toString())));
  socket.write(`${JSON.stringify(request)}\n`);
  const text = await answer;
  socket.destroy();
  return JSON.parse(text);
}

function runTshark(pcap: Buffer, port: number, filter: string, fields: readonly string[]): readonly string[] {
  const folder = mkdtempSync(join(tmpdir(), "sekisho-mirror-"));
  try {
    const file = join(folder, "mirror.pcap");
    writeFileSync(file, pcap);
    const checks = ["-o", "tcp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE", "-d", `tcp.port==${port},mbtcp`];
    const show = ["-Y", filter, "-T", "fields", ...fields.flatMap((field) => ["-e", field])];
    const text = execFileSync("tshark", ["-n", "-r", file, ...checks, ...show], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
    return text.split("\n").filter((line) => line !== "");
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
