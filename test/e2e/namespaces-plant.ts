import type { ChildProcess } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Network } from "../support/netns.ts";
import { DEBIAN_PYTHON } from "../support/tools.ts";

const here = (file: string): string => fileURLToPath(new URL(file, import.meta.url));

/** What a client was told. */
export interface Told {
  readonly open?: boolean;
  readonly from?: string;
  /** The PDU of the answer, in hex. */
  readonly answer?: string;
  /** `no answer`, `closed`, or the error as the system names it. */
  readonly ended?: string | null;
}

/** A Modbus client on a host. */
export class Peer {
  readonly #child: ChildProcess;
  readonly #waiting: ((told: Told) => void)[] = [];

  constructor(network: Network, host: string) {
    this.#child = network.start(host, process.execPath, here("./namespaces-peer.ts"));
    if (this.#child.stdout === null) throw new Error("the client has no output");
    createInterface({ input: this.#child.stdout }).on("line", (line) => this.#waiting.shift()?.(JSON.parse(line)));
  }

  open(
    name: string,
    host: string,
    withinMs: number,
    { port = 502, from }: { port?: number; from?: string } = {},
  ): Promise<Told> {
    return this.#order({ do: "open", name, host, port, withinMs, ...(from === undefined ? {} : { from }) });
  }

  ask(name: string, pdu: string, withinMs: number): Promise<Told> {
    return this.#order({ do: "ask", name, pdu, withinMs });
  }

  say(name: string, pdu: string): Promise<Told> {
    return this.#order({ do: "say", name, pdu, withinMs: 0 });
  }

  close(name: string): Promise<Told> {
    return this.#order({ do: "close", name, withinMs: 0 });
  }

  #order(order: object): Promise<Told> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#child.stdin?.write(`${JSON.stringify(order)}\n`);
    });
  }
}

/** A pymodbus server on a host, and a look into its registers and at who talks to it that nothing in between can bend. */
export class PlcHost {
  readonly #network: Network;
  readonly #host: string;
  readonly #peer: Peer;
  readonly #address: string;

  private constructor(network: Network, host: string, address: string) {
    this.#network = network;
    this.#host = host;
    this.#address = address;
    this.#peer = new Peer(network, host);
  }

  static async start(network: Network, host: string, address: string): Promise<PlcHost> {
    await network.ready(host, DEBIAN_PYTHON, here("../switch-filter/pymodbus-server.py"), address, "502");
    return new PlcHost(network, host, address);
  }

  /** A holding register, read on the PLC itself. */
  async register(address: number): Promise<number> {
    const told = await this.#peer.open("look", this.#address, 2000);
    if (told.open !== true) throw new Error(`the PLC does not answer itself: ${told.ended}`);
    const { answer = "" } = await this.#peer.ask("look", `03${hex16(address)}0001`, 2000);
    await this.#peer.close("look");
    return Number.parseInt(answer.slice(4), 16);
  }

  /** Addresses that the PLC has connections with, its own aside. */
  async clients(): Promise<readonly string[]> {
    const lines = (await this.#network.run(this.#host, "ss", "-Htn", "state", "established")).split("\n");
    const found = lines.flatMap((line) => {
      const [, , local = "", peer = ""] = line.trim().split(/\s+/);
      const ip = peer.split(":")[0] ?? "";
      return local === `${this.#address}:502` && ip !== this.#address ? [ip] : [];
    });
    return [...new Set(found)];
  }
}

/** FC 06. */
export const write = (address: number, value: number): string => `06${hex16(address)}${hex16(value)}`;
/** FC 03, one register. */
export const read = (address: number): string => `03${hex16(address)}0001`;

function hex16(value: number): string {
  return value.toString(16).padStart(4, "0");
}

/** Sends one Ethernet frame as it is. */
export async function sendFrame(network: Network, host: string, device: string, frame: Buffer): Promise<void> {
  const program =
    "import socket,sys\ns=socket.socket(socket.AF_PACKET,socket.SOCK_RAW)\ns.bind((sys.argv[1],0))\ns.send(bytes.fromhex(sys.argv[2]))";
  await network.run(host, DEBIAN_PYTHON, "-c", program, device, frame.toString("hex"));
}

/** An ARP reply that says that `ip` is at `mac`, to everybody. @see RFC 826 */
export function announcement(ethernet: string, mac: string, ip: string): Buffer {
  const bytes = (text: string) => Buffer.from(text.replaceAll(":", ""), "hex");
  const address = Buffer.from(ip.split(".").map(Number));
  const broadcast = Buffer.alloc(6, 0xff);
  return Buffer.concat([
    broadcast,
    bytes(ethernet),
    Buffer.from("0806000108000604" + "0002", "hex"),
    bytes(mac),
    address,
    broadcast,
    address,
  ]);
}
