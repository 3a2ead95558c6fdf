import type { Socket } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { accessSwitchOf, runAccessSwitch } from "#sim/access-switch/access-switch.ts";
import { type AddressPlan, addressPlan, type Endpoint } from "#sim/address-plan.ts";
import type { AttackAction } from "#sim/attacks/attack-log.ts";
import { draw, toRaw } from "#sim/attacks/draw.ts";
import { runAttack } from "#sim/attacks/run-attack.ts";
import { watchClock } from "#sim/attacks/watch.ts";
import { encodeFrame, MbapFramer, transactionId, unitId } from "#wire/modbus/index.ts";
import { decodeTcpFrame } from "#wire/packet/tcp-frame.ts";
import { PcapReader } from "#wire/pcap/index.ts";
import { dial, handClock, listenOn, receive, until } from "../access-switch/support.ts";

const HMI = "127.250.1.11";
const ROGUE = "127.250.9.66";

const toClose: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const end of toClose.splice(0).reverse()) await end();
});

interface Request {
  readonly from: string;
  readonly unit: number;
  readonly hex: string;
}

/** Coils are on, registers hold 300. */
const READ_ANSWERS = new Map([
  [1, Buffer.from([1, 1, 1])],
  [3, Buffer.from([3, 2, 0x01, 0x2c])],
]);

/** A Modbus server that takes every write and keeps what it was asked. */
async function modbusServer(host: string, bit = 0) {
  const asked: Request[] = [];
  const listener = await listenOn(host, (socket: Socket) => {
    const framer = new MbapFramer();
    socket.on("end", () => socket.end());
    socket.on("data", (chunk: Buffer) => {
      for (const frame of framer.push(chunk)) {
        asked.push({ from: socket.remoteAddress ?? "", unit: frame.unitId, hex: frame.pdu.toString("hex") });
        const code = frame.pdu.readUInt8(0);
        const reply = READ_ANSWERS.get(code) ?? (code === 2 ? Buffer.from([2, 1, bit]) : frame.pdu.subarray(0, 5));
        socket.write(encodeFrame(frame, reply));
      }
    });
  });
  toClose.push(listener.close);
  return { at: listener.at, asked };
}

/** An address plan in a corner of loopback that nothing else uses; ports are free ones. */
async function plan(changes: { filter: AddressPlan["filter"] }): Promise<AddressPlan> {
  const free = async (): Promise<Endpoint> => {
    const probe = await listenOn("127.250.0.2", () => undefined);
    await probe.close();
    return probe.at;
  };
  return {
    ...addressPlan(99, false),
    hmi: HMI,
    rogue: ROGUE,
    access: { plc1: await free(), plc2: await free(), plc2Ua: await free() },
    mirror: await free(),
    patch: await free(),
    ...changes,
  };
}

async function world(backwash = 0) {
  const plc1 = await modbusServer("127.250.2.1");
  const plc2 = await modbusServer("127.250.2.2", backwash);
  const p = await plan({ filter: { plc1: plc1.at, plc2: plc2.at, plc2Ua: { host: "127.250.2.2", port: 1 } } });
  const running = await runAccessSwitch({ ...accessSwitchOf(p), clock: handClock() });
  toClose.push(running.close);
  return { plan: p, plc1, plc2 };
}

/** Runs an attack until it has logged `actions`, then ends it. */
async function attack(id: string, p: AddressPlan, actions: number, seed = 3): Promise<readonly AttackAction[]> {
  const log: AttackAction[] = [];
  const end = new AbortController();
  const running = runAttack({
    id,
    seed,
    plan: p,
    clock: "system",
    durationMs: 10_000,
    signal: end.signal,
    log: (action) => {
      log.push(action);
      if (log.length === actions) end.abort();
    },
  });
  await running;
  return log;
}

describe("what goes over the wire", () => {
  test("row 4: the operator station's address, one register, through the access switch", async () => {
    const w = await world();
    const log = await attack("hmi-overdose", w.plan, 2);
    const value = draw("hmi-overdose", 3).writes[0]?.items[0]?.value ?? 0;
    const hex = `060001${toRaw("DOS201.SP", value).toString(16).padStart(4, "0")}`;
    // It looks what is there, attacks, and puts it back.
    expect(w.plc1.asked).toEqual(
      ["0300010001", hex, hex, "060001012c"].map((pdu) => ({ from: HMI, unit: 1, hex: pdu })),
    );
    expect(log).toMatchObject([
      ...[1, 2].map(() => ({ action: "FC6", tag: "DOS201.SP", value, answer: "ok" })),
      { action: "put back by FC6", tag: "DOS201.SP", value: null, answer: "ok" },
    ]);
    expect((log[1]?.atMs ?? 0) - (log[0]?.atMs ?? 0)).toBeGreaterThan(900);
  });

  test("row 7: a foreign address straight to the server, four writes a round", async () => {
    const w = await world();
    const log = await attack("rogue-master", w.plan, 5);
    const found = ["FC5", "FC5", "FC6", "FC6"].map((code) => `put back by ${code}`);
    expect(log.map(({ action }) => action)).toEqual(["FC5", "FC5", "FC6", "FC16", "FC16", ...found]);
    expect(new Set(w.plc1.asked.map(({ from, unit }) => `${from} ${unit}`))).toEqual(new Set([`${ROGUE} 1`]));
    const hex = w.plc1.asked.map((request) => request.hex);
    expect(hex.slice(0, 4)).toEqual(["0100040001", "0100000001", "0300000001", "0300010001"]);
    expect(hex.slice(4, 6)).toEqual(["0500040000", "0500000000"]);
    expect(hex[7]).toMatch(/^100000000204/);
    expect(hex.slice(-4)).toEqual(["050004ff00", "050000ff00", "060000012c", "060001012c"]);
  });

  test("row 2: the drain is opened while water is produced", async () => {
    const w = await world(0);
    const log = await attack("hmi-wrong-order", w.plan, 1);
    const hex = ["0100020001", "0200010001", "050002ff00", "050002ff00"];
    expect(w.plc2.asked).toEqual(hex.map((pdu) => ({ from: HMI, unit: 2, hex: pdu })));
    expect(log).toMatchObject([
      { action: "FC5", tag: "V301.CMD", value: 1, answer: "ok" },
      { action: "put back by FC5", tag: "V301.CMD", value: null, answer: "ok" },
    ]);
  });

  test("row 2: it waits while a backwash is in progress", async () => {
    const w = await world(1);
    const log = await attack("hmi-wrong-order", w.plan, 1);
    expect(log).toMatchObject([{ action: "wait" }]);
    expect(w.plc2.asked.map(({ hex }) => hex)).toEqual(["0100020001", "0200010001"]);
  });

  test("row 13: the value changes behind the mirror, under the operator station's address, and the echo hides it", async () => {
    const w = await world();
    const seed = [1, 2, 3, 4, 5, 6, 7, 8].find((s) => draw("mitm-setpoint", s).tamper?.tag === "FIC101.SP") ?? 0;
    const mirror = await dial(w.plan.mirror);
    toClose.push(() => void mirror.destroy());
    const reader = new PcapReader();
    const mirrored: string[] = [];
    mirror.on("data", (chunk: Buffer) => {
      for (const { frame } of reader.push(chunk)) {
        const decoded = decodeTcpFrame(frame);
        if (decoded.ok && decoded.value.kind === "tcp") mirrored.push(decoded.value.frame.payload.toString("hex"));
      }
    });
    const log: AttackAction[] = [];
    const end = new AbortController();
    const running = runAttack({
      id: "13",
      seed,
      plan: w.plan,
      clock: "system",
      durationMs: 10_000,
      signal: end.signal,
      log: (action) => log.push(action),
    });
    await until(() => log.length === 1);
    expect(log).toMatchObject([{ action: "patch", answer: "ok" }]);
    const client = await dial(w.plan.access.plc1, HMI);
    const write = encodeFrame(
      { transactionId: transactionId(5), unitId: unitId(1) },
      Buffer.from([6, 0, 0, 0x01, 0x2c]),
    );
    client.write(write);
    expect(await receive(client, write.length)).toEqual(write);
    const factor = draw("mitm-setpoint", seed).tamper?.factor ?? 0;
    const altered = Math.round(300 * factor);
    expect(w.plc1.asked).toEqual([{ from: HMI, unit: 1, hex: `060000${altered.toString(16).padStart(4, "0")}` }]);
    await until(() => mirrored.filter((hex) => hex === write.toString("hex")).length === 2);
    expect(log[1]).toMatchObject({ action: "tamper FC6", tag: "FIC101.SP", value: altered / 10 });

    end.abort();
    await running;
    expect(log.at(-1)).toMatchObject({ action: "unpatch", answer: "ok" });
    const after = await dial(w.plan.access.plc1, HMI);
    after.write(write);
    await receive(after, write.length);
    expect(w.plc1.asked.at(-1)?.hex).toBe("060000012c");
    client.destroy();
    after.destroy();
  });

  test("a server that throws the attacker out is logged, and tried again", async () => {
    const w = await world();
    const refusing = await listenOn("127.250.2.3", (socket) => socket.once("data", () => socket.resetAndDestroy()));
    toClose.push(refusing.close);
    const log = await attack("rogue-master", { ...w.plan, filter: { ...w.plan.filter, plc1: refusing.at } }, 5);
    expect(new Set(log.map(({ answer }) => answer))).toEqual(new Set(["closed"]));
    expect(new Set(refusing.from)).toEqual(new Set([ROGUE]));
    expect(refusing.from.length).toBeGreaterThan(1);
  });
});

describe("following plant time", () => {
  test("it watches the conductor without being waited for", async () => {
    const joins: string[] = [];
    const conductor = await listenOn("127.250.4.1", (socket) => {
      socket.on("data", (chunk) => joins.push(chunk.toString()));
      socket.write('{"tick":5,"atMs":500,"stage":"open"}\n');
    });
    toClose.push(conductor.close);
    const watch = await watchClock(`tcp:${conductor.at.host}:${conductor.at.port}`, "rogue");
    expect(watch.now()).toBe(500);
    await until(() => joins.length === 1);
    expect(JSON.parse(joins[0] ?? "")).toEqual({ join: "rogue", stages: [], watch: true });
    const reached = watch.reached(1000);
    conductor.sockets[0]?.write('{"tick":10,"atMs":1000,"stage":"open"}\n');
    expect(await reached).toBe(true);
    const never = watch.reached(99_000);
    conductor.sockets[0]?.destroy();
    expect(await never).toBe(false);
    expect(await watch.reached(99_000)).toBe(false);
  });

  test("a clock that is not there is named", async () => {
    await expect(watchClock("tcp:127.250.4.2:9", "rogue")).rejects.toThrow(
      "plant clock 127.250.4.2:9 cannot be followed",
    );
    expect(() => watchClock("sundial", "rogue")).toThrow("clock `sundial` is neither");
  });

  test("an unknown attack is refused", async () => {
    const p = addressPlan(99, false);
    const running = runAttack({ id: "999", seed: 1, plan: p, clock: "system", durationMs: 1, log: () => undefined });
    await expect(running).rejects.toThrow("attack `999` is not in the catalogue");
  });
});
