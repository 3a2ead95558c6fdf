import { Server } from "node:net";
import { ServerTCP } from "modbus-serial";
import type { DeviceId } from "#specs/ids.ts";
import type { ModbusTable, Plant } from "#specs/plant.ts";
import type { Endpoint } from "../address-plan.ts";
import { type Admission, guardDoor } from "./admission.ts";
import { checkRange, fromRaw, RegisterMap, toRaw } from "./register-map.ts";
import type { WriteLatch } from "./write-latch.ts";

export interface ModbusServerOptions {
  readonly plant: Plant;
  readonly device: DeviceId;
  readonly at: Endpoint;
  readonly admission: Admission;
  readonly latch: WriteLatch;
  readonly log: (says: string) => void;
}

/**
 * The Modbus TCP server of a soft PLC. Functions 01–06, 15, 16; every other gets exception 01. Reads answer from the last scan;
 * writes wait for the next one. A request for an address, or to a unit, without a tag gets exception 02; a value outside the device's
 * range gets 03. Write Multiple Registers takes all or nothing; Write Multiple Coils stops at the first coil without a tag.
 */
export async function serveModbus(options: ModbusServerOptions): Promise<{ close(): Promise<void> }> {
  const map = new RegisterMap(options.plant, options.device);
  const { latch, at } = options;
  const raw = (table: ModbusTable, unit: number, address: number): number => {
    const tag = map.find(table, unit, address);
    return toRaw(tag, latch.read(tag.id));
  };
  const checked = (unit: number, address: number, register: number) => {
    const tag = map.find("holding-register", unit, address);
    return { tag: tag.id, value: checkRange(tag, fromRaw(tag, register)) };
  };
  const server = new ServerTCP(
    {
      getCoil: (address: number, unit: number) => raw("coil", unit, address) !== 0,
      getDiscreteInput: (address: number, unit: number) => raw("discrete-input", unit, address) !== 0,
      getHoldingRegister: (address: number, unit: number) => raw("holding-register", unit, address),
      getInputRegister: (address: number, unit: number) => raw("input-register", unit, address),
      setCoil: (address: number, on: boolean, unit: number) =>
        latch.write(map.find("coil", unit, address).id, on ? 1 : 0),
      setRegister: (address: number, register: number, unit: number) => {
        const { tag, value } = checked(unit, address, register);
        latch.write(tag, value);
      },
      setRegisterArray: (address: number, registers: number[], unit: number) => {
        const writes = registers.map((register, i) => checked(unit, address + i, register));
        for (const { tag, value } of writes) latch.write(tag, value);
      },
    },
    { host: at.host, port: at.port },
  );
  guardDoor(netServerOf(server), options.admission, (from) =>
    options.log(`a Modbus connection from ${from} was reset`),
  );
  server.on("socketError", () => undefined);
  server.on("error", () => undefined);
  await new Promise<void>((resolve, reject) => {
    server.on("initialized", () => resolve());
    server.on("serverError", (error) => {
      reject(
        new Error(
          `the Modbus server cannot listen on ${at.host}:${at.port} (${error?.message ?? "unknown"}); choose a free address`,
        ),
      );
    });
  });
  return { close: () => new Promise((resolve) => server.close(() => resolve())) };
}

/** modbus-serial keeps its listening socket to itself, and offers no other way to turn a connection away. */
function netServerOf(server: object): Server {
  const inner: unknown = Reflect.get(server, "_server");
  if (inner instanceof Server) return inner;
  throw new Error(
    "modbus-serial no longer keeps its listening socket in `_server`; the PLC cannot turn strangers away",
  );
}
