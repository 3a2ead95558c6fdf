import type { Command } from "commander";
import type { ProtocolPorts } from "#hmi-monitor/parties.ts";
import type { Protocol } from "#specs/plant.ts";
import { UsageError } from "./part.ts";

/** Which TCP ports of a capture are servers' of which protocol. */
export interface PortFlags {
  readonly modbusPort?: readonly number[];
  readonly opcuaPort?: readonly number[];
}

const MODBUS_PORT = 502;
const OPCUA_PORT = 4840;

export function portOptions(command: Command): Command {
  return command
    .option("--modbus-port <port>", "TCP port of Modbus servers, may be given again; default: 502", port)
    .option("--opcua-port <port>", "TCP port of OPC UA servers, may be given again; default: 4840", port);
}

/** One more port of an option. @throws UsageError */
export function port(text: string, before: readonly number[] = []): readonly number[] {
  const number = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (number < 1 || number > 65_535) throw new UsageError(`\`${text}\` is not a port, 1 to 65535`);
  return [...before, number];
}

/** The default of one protocol gives way where its port is given to the other. @throws UsageError for a port that is given to both */
export function portLists({ modbusPort, opcuaPort }: PortFlags): Readonly<Record<Protocol, readonly number[]>> {
  const both = modbusPort?.find((one) => opcuaPort?.includes(one) === true);
  if (both !== undefined) throw new UsageError(`port ${both} cannot be of both protocols; give it to one of them`);
  const free = (port: number, given: readonly number[] = []) => (given.includes(port) ? [] : [port]);
  return { modbus: modbusPort ?? free(MODBUS_PORT, opcuaPort), opcua: opcuaPort ?? free(OPCUA_PORT, modbusPort) };
}

/** The same by port. @throws UsageError */
export function portsOf(flags: PortFlags): ProtocolPorts {
  const { modbus, opcua } = portLists(flags);
  const of = (ports: readonly number[], protocol: Protocol) => ports.map((one) => [one, protocol] as const);
  return new Map([...of(modbus, "modbus"), ...of(opcua, "opcua")]);
}
