import { connect, type Socket } from "node:net";
import { ServerTCP } from "modbus-serial";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { systemClock } from "#point/clock.ts";
import { PhaseId } from "#specs/ids.ts";
import { type RunningFilter, runSwitchFilter } from "#switch-filter/main.ts";
import { waterTreatment } from "../support/plant.ts";

/**
 * The filter alone, in phase normal, before a real Modbus server (modbus-serial). Whether a write came through is read from the
 * server's registers, never from our own log.
 */
const HMI = "127.251.1.11";
const FILTER = { host: "127.251.2.1", port: 15021 };
const PLC = { host: "127.251.3.1", port: 15022 };
const registers = new Map<number, number>();
const coils = new Map<number, boolean>();
const clock = systemClock();
let server: ServerTCP;
let filter: RunningFilter;

beforeAll(async () => {
  const vector = {
    getHoldingRegister: (address: number) => registers.get(address) ?? 0,
    getInputRegister: () => 1500,
    getCoil: (address: number) => coils.get(address) ?? false,
    getDiscreteInput: () => true,
    setRegister: (address: number, value: number) => void registers.set(address, value),
    setCoil: (address: number, value: boolean) => void coils.set(address, value),
  };
  server = new ServerTCP(vector, { ...PLC, debug: false, unitID: 1 });
  await new Promise((resolve) => server.once("initialized", resolve));
  filter = await runSwitchFilter({
    bundle: waterTreatment({ "hmi-1": [HMI], "plc-1": [FILTER.host] }).bundle,
    listeners: [{ link: "hmi-plc1", listen: FILTER, upstream: PLC }],
    mode: "enforce",
    clock,
    standalonePhase: PhaseId("normal"),
  });
});

afterAll(async () => {
  await filter.close();
  await new Promise<void>((resolve) => server.close(() => resolve()));
  clock.close();
});

describe("a declared operator station", () => {
  test("reads and gets the server's answer", async () => {
    expect(await ask(HMI, "000100000006 01 04 0000 0004")).toBe("00010000000b01040805dc05dc05dc05dc");
  });

  test("writes what the phase allows, once the present value is known", async () => {
    registers.set(0, 300);
    const link = await open(HMI);
    await link.send("000100000006 01 03 0000 0003");
    expect(await link.send("000200000006 01 06 0000 0140")).toBe("000200000006010600000140");
    link.close();
    expect(registers.get(0)).toBe(320);
  });

  test("gets exception 03 for a value outside the phase's range", async () => {
    registers.set(1, 200);
    const link = await open(HMI);
    await link.send("000100000006 01 03 0000 0003");
    expect(await link.send("000200000006 01 06 0001 0320")).toBe("000200000003018603");
    link.close();
    expect(registers.get(1)).toBe(200);
  });

  test("gets exception 02 for an address without a tag", async () => {
    expect(await ask(HMI, "000100000006 01 06 0064 0001")).toBe("000100000003018602");
    expect(registers.has(100)).toBe(false);
  });

  test("gets exception 01 for what no phase allows", async () => {
    expect(await ask(HMI, "000100000006 01 08 0000 0000")).toBe("000100000003018801");
    expect(await ask(HMI, "000100000003 01 65 01")).toBe("00010000000301e501");
  });

  test("keeps the order of replies around a denied request", async () => {
    const both = "000a00000006 01 04 0000 0001 000b00000006 01 06 0064 0001 000c00000006 01 04 0001 0001";
    expect(await ask(HMI, both, 3)).toBe(
      ["000a00000005010402", "05dc", "000b00000003018602", "000c00000005010402", "05dc"].join(""),
    );
  });

  test("loses the connection for a write hidden behind a read whose length is too long", async () => {
    coils.clear();
    const link = await open(HMI);
    const smuggled = link.send("0001 0000 0012 01 03 0000 0001 0002 0000 0006 01 05 0000 ff00");
    await expect(smuggled).rejects.toThrow("closed");
    expect(coils.size).toBe(0);
  });

  test.each([0, 0x80, 0x90, 0xff])("loses the connection for function code %i", async (code) => {
    const hex = `000100000002 01 ${code.toString(16).padStart(2, "0")}`;
    await expect(ask(HMI, hex)).rejects.toThrow("closed");
  });
});

describe("an address that no device declares", () => {
  test("may not even read, and is answered", async () => {
    expect(await ask("127.251.9.66", "000100000006 01 04 0000 0004")).toBe("000100000003018401");
  });

  test("may not write", async () => {
    coils.clear();
    expect(await ask("127.251.9.66", "000100000006 01 05 0000 ff00")).toBe("000100000003018501");
    expect(coils.size).toBe(0);
  });
});

describe("the read-only test device", () => {
  test("reads, and is refused a write", async () => {
    expect(await ask("127.0.0.1", "000100000006 01 04 0000 0001")).toBe("00010000000501040205dc");
    expect(await ask("127.0.0.1", "000100000006 01 06 0000 0140")).toBe("000100000003018601");
  });
});

async function ask(from: string, hex: string, answers = 1): Promise<string> {
  const link = await open(from);
  try {
    return await link.send(hex, answers);
  } finally {
    link.close();
  }
}

/** A raw client: a request as hex goes out, the bytes of so many ADUs come back. */
async function open(from: string): Promise<{ send(hex: string, answers?: number): Promise<string>; close(): void }> {
  const socket: Socket = connect({ ...FILTER, localAddress: from });
  await new Promise((resolve, reject) => {
    socket.once("connect", resolve);
    socket.once("error", reject);
  });
  return {
    close: () => socket.destroy(),
    send: (hex, answers = 1) =>
      new Promise((resolve, reject) => {
        let received = Buffer.alloc(0);
        const onData = (chunk: Buffer): void => {
          received = Buffer.concat([received, chunk]);
          if (count(received) < answers) return;
          socket.off("data", onData);
          resolve(received.toString("hex"));
        };
        socket.on("data", onData);
        socket.once("close", () => reject(new Error("the connection was closed")));
        socket.write(Buffer.from(hex.replaceAll(" ", ""), "hex"));
      }),
  };
}

function count(bytes: Buffer): number {
  let at = 0;
  let adus = 0;
  while (at + 6 <= bytes.length && at + 6 + bytes.readUInt16BE(at + 4) <= bytes.length) {
    at += 6 + bytes.readUInt16BE(at + 4);
    adus += 1;
  }
  return adus;
}
