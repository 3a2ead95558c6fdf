import modbusSerial from "modbus-serial";
import type { DeviceId, TagId } from "#specs/ids.ts";
import type { ModbusTable, Plant, Tag } from "#specs/plant.ts";
import type { Endpoint, PortRange } from "../address-plan.ts";
import { fromRaw, toRaw } from "../plc/register-map.ts";
import type { WriteResult } from "./write-result.ts";

export interface ModbusStationOptions {
  readonly plant: Plant;
  readonly device: DeviceId;
  readonly to: Endpoint;
  /** Source address of the station. */
  readonly from: string;
  /** Where one address serves everybody: the source ports of the station. */
  readonly fromPorts?: PortRange | undefined;
  readonly log: (says: string) => void;
}

/** Consecutive tags of one table, read with one request. */
interface Block {
  readonly unit: number;
  readonly table: ModbusTable;
  readonly start: number;
  readonly tags: readonly Tag[];
}

/**
 * Real ms for one answer; then the connection is given up and made anew. Poll, write and console together stay below the 5 s that the
 * conductor of plant time waits for the operator.
 */
const ANSWER_MS = 1500;
const FIRST_RETRY_MS = 250;
const LONGEST_RETRY_MS = 4000;

type Client = InstanceType<typeof modbusSerial.default>;

/** One station's Modbus connection to one PLC. It comes back by itself after a loss, waiting longer each time. */
export class ModbusStation {
  readonly #options: ModbusStationOptions;
  readonly #blocks: readonly Block[];
  #client: Client | undefined;
  #retryMs = FIRST_RETRY_MS;
  #nextTryMs = 0;
  #port: number | undefined;

  constructor(options: ModbusStationOptions) {
    this.#options = options;
    this.#blocks = blocksOf(options.plant, options.device);
    this.#port = options.fromPorts?.low;
  }

  /** Reads all tags of the PLC; empty when it cannot be reached now. A block answered with an exception is left out. */
  async poll(): Promise<ReadonlyMap<TagId, number>> {
    const values = new Map<TagId, number>();
    const client = await this.#connected();
    if (client === undefined) return values;
    for (const block of this.#blocks) {
      try {
        const raw = await readBlock(client, block);
        block.tags.forEach((tag, i) => {
          const register = raw[i];
          if (register !== undefined) values.set(tag.id, fromRaw(tag, register));
        });
      } catch (error) {
        if (exceptionOf(error) === undefined) {
          this.#drop(client);
          return new Map();
        }
      }
    }
    return values;
  }

  /** Writes one coil (function 05) or one register (function 06). */
  async write(tag: Tag, value: number): Promise<WriteResult> {
    const client = await this.#connected();
    const binding = tag.modbus;
    if (client === undefined || binding === undefined) return { result: "error", says: "not connected" };
    try {
      client.setID(binding.unit);
      if (binding.table === "coil") await client.writeCoil(binding.address, value !== 0);
      else await client.writeRegister(binding.address, toRaw(tag, value));
      return { result: "ok" };
    } catch (error) {
      const code = exceptionOf(error);
      if (code !== undefined) return { result: "exception", code };
      this.#drop(client);
      return { result: "error", says: error instanceof Error ? error.message : String(error) };
    }
  }

  close(): void {
    this.#nextTryMs = Number.POSITIVE_INFINITY;
    this.#client?.destroy(() => undefined);
    this.#client = undefined;
  }

  async #connected(): Promise<Client | undefined> {
    if (this.#client?.isOpen === true) return this.#client;
    if (performance.now() < this.#nextTryMs) return undefined;
    const { to, from } = this.#options;
    const client = new modbusSerial.default();
    client.on("error", () => this.#drop(client));
    client.setTimeout(ANSWER_MS);
    try {
      await client.connectTCP(to.host, { port: to.port, localAddress: from, ...this.#sourcePort() });
    } catch {
      this.#drop(client);
      return undefined;
    }
    this.#client = client;
    this.#retryMs = FIRST_RETRY_MS;
    return client;
  }

  /** Source ports are used in turn: one just left may still be waiting for late segments. */
  #sourcePort(): { readonly localPort?: number } {
    const { fromPorts } = this.#options;
    if (fromPorts === undefined || this.#port === undefined) return {};
    const localPort = this.#port;
    this.#port = localPort >= fromPorts.high ? fromPorts.low : localPort + 1;
    return { localPort };
  }

  #drop(client: Client): void {
    client.destroy(() => undefined);
    if (this.#client === client) this.#client = undefined;
    if (this.#nextTryMs === Number.POSITIVE_INFINITY) return;
    this.#nextTryMs = performance.now() + this.#retryMs;
    this.#retryMs = Math.min(LONGEST_RETRY_MS, this.#retryMs * 2);
  }
}

function blocksOf(plant: Plant, device: DeviceId): readonly Block[] {
  const byTable = new Map<string, Tag[]>();
  for (const tag of plant.tags) {
    if (tag.device !== device || tag.modbus === undefined) continue;
    const key = `${tag.modbus.unit} ${tag.modbus.table}`;
    byTable.set(key, [...(byTable.get(key) ?? []), tag]);
  }
  return [...byTable.values()].flatMap(runsOf);
}

/** Splits the tags of one table where addresses have a gap, since an address without a tag is answered with an exception. */
function runsOf(tags: readonly Tag[]): readonly Block[] {
  const sorted = [...tags].sort((a, b) => (a.modbus?.address ?? 0) - (b.modbus?.address ?? 0));
  const blocks: { readonly unit: number; readonly table: ModbusTable; readonly start: number; readonly tags: Tag[] }[] =
    [];
  for (const tag of sorted) {
    const binding = tag.modbus;
    const last = blocks.at(-1);
    if (binding === undefined) continue;
    if (last !== undefined && last.start + last.tags.length === binding.address) last.tags.push(tag);
    else blocks.push({ unit: binding.unit, table: binding.table, start: binding.address, tags: [tag] });
  }
  return blocks;
}

async function readBlock(client: Client, block: Block): Promise<readonly number[]> {
  client.setID(block.unit);
  const { start, tags } = block;
  switch (block.table) {
    case "coil":
      return (await client.readCoils(start, tags.length)).data.map(Number);
    case "discrete-input":
      return (await client.readDiscreteInputs(start, tags.length)).data.map(Number);
    case "holding-register":
      return (await client.readHoldingRegisters(start, tags.length)).data;
    case "input-register":
      return (await client.readInputRegisters(start, tags.length)).data;
    default: {
      const never: never = block.table;
      throw new Error(`unreachable: ${String(never)}`);
    }
  }
}

/** The code of a Modbus exception response; undefined: the failure was another one. */
function exceptionOf(error: unknown): number | undefined {
  if (typeof error !== "object" || error === null || !("modbusCode" in error)) return undefined;
  return typeof error.modbusCode === "number" ? error.modbusCode : undefined;
}
