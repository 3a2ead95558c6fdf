// The PLCs on their host: a Modbus server (modbus-serial) and an OPC UA server (node-opcua) with the plant's tags. Takes orders;
// keeps what was written to it, in order: evidence that is not our own.
import { once } from "node:events";
import { join } from "node:path";
import { ServerTCP } from "modbus-serial";
import { DataType, OPCUACertificateManager, OPCUAServer, StatusCodes, Variant } from "node-opcua";
import type { Tag } from "#specs/plant.ts";
import { serveOrders } from "./orders.ts";
import { BEHIND, SERVER_CERTIFICATE, works } from "./works.ts";

export interface ServersOrder {
  readonly do: "look" | "set";
  /** Set: raw values by tag. */
  readonly values?: Readonly<Record<string, number>>;
}

export interface ServersState {
  /** Raw values by tag, of every tag that the servers have. */
  readonly values: Readonly<Record<string, number>>;
  /** `TAG=value`, in the order in which they were written over the network. */
  readonly writes: readonly string[];
}

const [pki = ""] = process.argv.slice(2);
const values = new Map<string, number>();
const writes: string[] = [];
const tags = works().plant.tags;
const onModbus = tags.filter((tag) => tag.modbus !== undefined && tag.device === "plc-1");
const onOpcUa = tags.filter((tag) => tag.opcua !== undefined && tag.device === "plc-2");
for (const { id } of [...onModbus, ...onOpcUa]) values.set(id, 0);

function written(id: string, value: number): void {
  values.set(id, value);
  writes.push(`${id}=${value}`);
}

function cell(table: string, address: number): string {
  return onModbus.find((tag) => tag.modbus?.table === table && tag.modbus.address === address)?.id ?? "none";
}

async function startModbus(): Promise<void> {
  const value = (table: string) => (address: number) => values.get(cell(table, address)) ?? 0;
  const bit = (table: string) => (address: number) => value(table)(address) === 1;
  const vector = {
    getHoldingRegister: value("holding-register"),
    getInputRegister: value("input-register"),
    getCoil: bit("coil"),
    getDiscreteInput: bit("discrete-input"),
    setRegister: (address: number, to: number) => written(cell("holding-register", address), to),
    setCoil: (address: number, to: boolean) => written(cell("coil", address), to ? 1 : 0),
  };
  const server = new ServerTCP(vector, { ...BEHIND.modbus, debug: false, unitID: 1 });
  server.on("socketError", () => undefined);
  await once(server, "initialized");
}

async function startOpcUa(): Promise<void> {
  const certificates = new OPCUACertificateManager({ rootFolder: pki, automaticallyAcceptUnknownCertificate: true });
  await certificates.initialize();
  const server = new OPCUAServer({
    ...BEHIND.opcua,
    hostname: BEHIND.opcua.host,
    serverCertificateManager: certificates,
    certificateFile: join(pki, SERVER_CERTIFICATE),
  });
  await server.initialize();
  const namespace = server.engine.addressSpace?.getOwnNamespace();
  const device = namespace?.addObject({ organizedBy: "ObjectsFolder", browseName: "PLC2" });
  if (namespace === undefined || device === undefined) throw new Error("the OPC UA server has no address space");
  for (const tag of onOpcUa) {
    const dataType = tag.opcua?.type === "Boolean" ? DataType.Boolean : DataType.Double;
    namespace.addVariable({
      componentOf: device,
      browseName: tag.id,
      nodeId: nodeIdOf(tag),
      dataType,
      minimumSamplingInterval: 100,
      value: {
        get: () => {
          const value = values.get(tag.id) ?? 0;
          return new Variant({ dataType, value: dataType === DataType.Boolean ? value === 1 : value });
        },
        set: (variant: Variant) => {
          written(tag.id, Number(variant.value));
          return StatusCodes.Good;
        },
      },
    });
  }
  await server.start();
}

function nodeIdOf(tag: Tag): string {
  return (tag.opcua?.nodeId ?? "").replace("ns=1;", "");
}

async function carryOut(order: ServersOrder): Promise<ServersState> {
  for (const [id, value] of Object.entries(order.values ?? {})) {
    if (!values.has(id)) throw new Error(`the servers have no \`${id}\``);
    values.set(id, value);
  }
  return { values: Object.fromEntries(values), writes };
}

await startModbus();
await startOpcUa();
await serveOrders(carryOut);
