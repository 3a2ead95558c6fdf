import type { Party } from "#point/observe/modbus.ts";
import { deviceAt, linkOf } from "#specs/addresses.ts";
import type { DeviceId } from "#specs/ids.ts";
import type { Plant, Protocol } from "#specs/plant.ts";
import type { Flow } from "#wire/packet/index.ts";

/** Which TCP port of a server speaks which protocol. */
export type ProtocolPorts = ReadonlyMap<number, Protocol>;

/** The parties of a connection whose server the plant names. They change with the plant, and the connection goes on. */
export type KnownParty = { -readonly [K in keyof Party]: Party[K] } & { target: DeviceId };

/** Who speaks to whom in a connection, and what, as the plant says it. */
export class Parties {
  #plant: Plant;
  readonly #ports: ProtocolPorts;

  constructor(plant: Plant, ports: ProtocolPorts) {
    this.#plant = plant;
    this.#ports = ports;
  }

  take(plant: Plant): void {
    this.#plant = plant;
  }

  speakUa({ server }: Flow): boolean {
    return this.#ports.get(server.port) === "opcua";
  }

  /** undefined: nobody here knows its server, or what it speaks. */
  of({ client, server: { ip, port } }: Flow): KnownParty | undefined {
    const protocol = this.#ports.get(port);
    const target = deviceAt(this.#plant, ip, port)?.id;
    if (protocol === undefined || target === undefined) return undefined;
    const source = deviceAt(this.#plant, client.ip, client.port)?.id;
    const link = source === undefined ? undefined : linkOf(this.#plant, source, target, protocol)?.id;
    return { source, sourceAddress: `${client.ip}:${client.port}`, target, link };
  }
}
