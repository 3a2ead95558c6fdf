import { type Command, InvalidArgumentError } from "commander";
import type { ProtocolPorts } from "#hmi-monitor/monitor.ts";
import type { Protocol } from "#specs/plant.ts";
import { UsageError } from "./part.ts";

/** Which TCP ports of a capture are servers' of which protocol. */
export interface PortFlags {
  readonly modbusPort?: readonly number[];
  readonly opcuaPort?: readonly number[];
}

export function portOptions(command: Command): Command {
  return command
    .option("--modbus-port <port>", "TCP port of Modbus servers, may be given again; default: 502", port)
    .option("--opcua-port <port>", "TCP port of OPC UA servers, may be given again; default: 4840", port);
}

function port(text: string, before: readonly number[] = []): readonly number[] {
  const number = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (number < 1 || number > 65_535) throw new InvalidArgumentError(`\`${text}\` is not a port of 1..65535.`);
  return [...before, number];
}

/** @throws UsageError for a port of both protocols */
export function portsOf({ modbusPort = [502], opcuaPort = [4840] }: PortFlags): ProtocolPorts {
  const both = modbusPort.find((one) => opcuaPort.includes(one));
  if (both !== undefined) throw new UsageError(`port ${both} cannot be of both protocols; give it to one of them`);
  const of = (ports: readonly number[], protocol: Protocol) => ports.map((one) => [one, protocol] as const);
  return new Map([...of(modbusPort, "modbus"), ...of(opcuaPort, "opcua")]);
}
