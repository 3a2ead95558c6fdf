import { checkMbapPrefix } from "#wire/modbus/index.ts";
import { decodeUacpHeader } from "#wire/opcua/uacp-header.ts";
import type { Flow } from "#wire/packet/index.ts";
import type { Counts } from "./counts.ts";

/** Ports that are told apart. */
const MAX_PORTS = 1024;
const MBAP_PREFIX_BYTES = 6;
const MAX_CHUNK_BYTES = 1 << 20;

/** Connections on ports of neither protocol: counted, and by their first bytes said to be one of the two after all. */
export class OtherPorts {
  readonly #counts: Counts;
  /** connections of which no byte was seen yet, by their identifiers */
  readonly #fresh = new Set<number>();

  constructor(counts: Counts) {
    this.#counts = counts;
  }

  open(flow: Flow): void {
    const { otherPorts } = this.#counts;
    const port = otherPorts.get(flow.server.port);
    if (port !== undefined) port.flows += 1;
    else if (otherPorts.size >= MAX_PORTS) {
      this.#counts.otherPortsBeyond += 1;
      return;
    } else otherPorts.set(flow.server.port, { flows: 1, modbus: 0, opcua: 0 });
    this.#fresh.add(flow.id);
  }

  data(flow: Flow, bytes: Buffer): void {
    this.#counts.otherPortBytes += bytes.length;
    if (!this.#fresh.delete(flow.id)) return;
    const port = this.#counts.otherPorts.get(flow.server.port);
    if (port === undefined) return;
    if (isModbus(bytes)) port.modbus += 1;
    else if (decodeUacpHeader(bytes, MAX_CHUNK_BYTES).ok) port.opcua += 1;
  }

  close(flow: Flow): void {
    this.#fresh.delete(flow.id);
  }
}

/** One whole ADU: few other protocols have a zero word and then their own length at that place. */
function isModbus(bytes: Buffer): boolean {
  if (bytes.length < MBAP_PREFIX_BYTES + 2 || !checkMbapPrefix(bytes, 0, bytes.length).ok) return false;
  return bytes.readUInt16BE(MBAP_PREFIX_BYTES - 2) === bytes.length - MBAP_PREFIX_BYTES;
}
