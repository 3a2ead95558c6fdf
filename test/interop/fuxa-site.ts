import type { ChildProcess } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { unsignedBundle } from "#specs/sign.ts";
import { kill, Network, whyNoNetwork } from "../support/netns.ts";
import { until } from "../support/site.ts";
import { makeCertificate } from "../switch-filter/opcua-server.ts";
import type { OperatorOrder, Shown } from "./fuxa-operator.ts";
import { fuxaProject, fuxaTag, MODBUS_DEVICE, OPCUA_DEVICE } from "./fuxa-project.ts";
import { installed, whyNotInstalled } from "./installed.ts";
import { Orders } from "./orders.ts";
import { filterArguments, MODBUS, OPCUA, SERVER_CERTIFICATE, works, worksNetwork } from "./works.ts";
import type { ServersOrder, ServersState } from "./works-servers.ts";

const PORT = 1881;
const DEVICES = [MODBUS_DEVICE, OPCUA_DEVICE] as const;
const MOST_KEPT = 1_000_000;

/** Why FUXA cannot run here, as the end of a suite's title; undefined: it can. */
export function whyNoFuxa(): string | undefined {
  return whyNoNetwork("ss") ?? whyNotInstalled("fuxa");
}

/**
 * FUXA, a SCADA server, as the operator station: it polls and commands two PLCs over Modbus and OPC UA through the filter, which is a
 * process of its own. FUXA listens on all addresses of its host; its host is a network namespace.
 */
export class FuxaSite {
  /** What FUXA has printed. */
  says = "";
  readonly #folder = mkdtempSync(join(tmpdir(), "sekisho-fuxa-"));
  readonly #net: Network;
  readonly #secured: boolean;
  readonly #servers: Orders<ServersOrder, ServersState>;
  readonly #operator: Orders<OperatorOrder, Shown>;
  #filter: ChildProcess | undefined;

  private constructor(net: Network, secured: boolean) {
    this.#net = net;
    this.#secured = secured;
    this.#servers = new Orders(
      net.start("plc", process.execPath, file("./works-servers.ts"), join(this.#folder, "pki")),
    );
    this.#operator = new Orders(net.start("station", process.execPath, file("./fuxa-operator.ts")));
  }

  /** `secured`: FUXA asks for SignAndEncrypt over OPC UA, and the channels end in the filter, which does not know FUXA yet. */
  static async open({ secured }: { readonly secured: boolean }): Promise<FuxaSite> {
    const net = await Network.build(worksNetwork);
    const site = new FuxaSite(net, secured);
    try {
      await site.#open();
      return site;
    } catch (error) {
      await site.close();
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.#net.remove();
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  }

  async #open(): Promise<void> {
    const { plant, bundle } = works();
    writeFileSync(this.#at("bundle.json"), unsignedBundle(bundle));
    await this.set(START);
    if (this.#secured) await this.#makeTermination();
    await this.startFilter();
    this.#startFuxa();
    await this.#operator.give({
      do: "open",
      port: PORT,
      project: fuxaProject(plant),
      tags: Object.keys(expected(START)),
      ...(this.#secured ? { secured: OPCUA_DEVICE } : {}),
    });
  }

  #at(...path: readonly string[]): string {
    return join(this.#folder, ...path);
  }

  async startFilter(): Promise<void> {
    const options = [...filterArguments(this.#at("bundle.json"))];
    if (this.#secured) options.push("--opcua-pki", this.#at("filter"));
    const child = this.#net.start("filter", process.execPath, file("../../bin/sekisho.js"), ...options);
    this.#filter = child;
    let says = "";
    child.stderr?.on("data", (chunk: Buffer) => {
      says = `${says}${chunk}`.slice(-MOST_KEPT);
    });
    const listens = async () => {
      if (child.exitCode !== null) throw new Error(`the filter ended with ${child.exitCode}: ${says}`);
      const open = await this.#net.run("filter", "ss", "-Hltn");
      return [MODBUS, OPCUA].every(({ host, port }) => open.includes(`${host}:${port}`));
    };
    await until(listens, 20_000, () => `the filter does not listen: ${says}`);
  }

  async killFilter(): Promise<void> {
    if (this.#filter !== undefined) await kill(this.#filter);
  }

  #startFuxa(): void {
    // Its own folder is what it writes to; node-opcua, inside it, keeps certificates under HOME.
    const environment = [`HOME=${this.#folder}`, `userDir=${this.#folder}`, `PORT=${PORT}`];
    const main = join(installed("fuxa", "@frangoteam/fuxa"), "main.js");
    const fuxa = this.#net.start("station", "env", ...environment, process.execPath, main);
    for (const stream of [fuxa.stdout, fuxa.stderr]) {
      stream?.on("data", (chunk: Buffer) => {
        this.says = `${this.says}${chunk}`.slice(-MOST_KEPT);
      });
    }
  }

  async #makeTermination(): Promise<void> {
    for (const sub of ["own", "servers", "clients"]) mkdirSync(this.#at("filter", sub), { recursive: true });
    for (const side of ["clients", "server"]) {
      const { certificate, key } = await makeCertificate(this.#at("certificates"), `filter-${side}`);
      copyFileSync(certificate, this.#at("filter", "own", `${side}.pem`));
      copyFileSync(key, this.#at("filter", "own", `${side}.key`));
    }
    copyFileSync(this.#at("pki", SERVER_CERTIFICATE), this.#at("filter", "servers", "plc-2.pem"));
    const { certificate } = await makeCertificate(this.#at("certificates"), "somebody-else");
    copyFileSync(certificate, this.#at("filter", "clients", "somebody-else.pem"));
  }

  /** What a person does who commissions the station: takes FUXA's certificate to the filter. */
  trustFuxa(): void {
    const own = this.#at(".config/node-opcua-default-nodejs/PKI/own/certs");
    const [name] = readdirSync(own).filter((entry) => entry.endsWith(".pem"));
    if (name === undefined) throw new Error("FUXA has made no certificate");
    copyFileSync(join(own, name), this.#at("filter", "clients", "fuxa.pem"));
  }

  servers(): Promise<ServersState> {
    return this.#servers.give({ do: "look" });
  }

  /** Sets raw values at the servers, as the process does. */
  async set(values: Readonly<Record<string, number>>): Promise<void> {
    await this.#servers.give({ do: "set", values });
  }

  shown(): Promise<Shown> {
    return this.#operator.give({ do: "look" });
  }

  /** Waits until FUXA shows what the servers have, of every tag of both. */
  async showsTheServers(withinMs: number): Promise<void> {
    let shown: Shown | undefined;
    let want: Readonly<Record<string, unknown>> = {};
    const same = async () => {
      want = expected((await this.servers()).values);
      shown = await this.shown();
      return Object.entries(want).every(([id, value]) => shown?.values[id] === value);
    };
    await until(same, withinMs, () => `${JSON.stringify({ shown, want })}\n${this.says}`);
  }

  /** Gives a command at FUXA's page, and waits until both devices have been polled twice since. */
  async command(device: string, tag: string, value: number): Promise<void> {
    await this.#operator.give({ do: "set", device, tag: fuxaTag(device, tag), value });
    await this.polls();
  }

  /** Waits until values of both devices were told twice more. */
  async polls(): Promise<void> {
    const before = await this.shown();
    const polled = async () => {
      const { rounds } = await this.shown();
      return DEVICES.every((id) => (rounds[id] ?? 0) >= (before.rounds[id] ?? 0) + 2);
    };
    await until(polled, 15_000, () => `FUXA no longer polls\n${this.says}`);
  }
}

function file(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url));
}

/** Raw values as the servers have them at the beginning. */
const START: Readonly<Record<string, number>> = {
  ...{ "MV101.CMD": 1, "P101.CMD": 0, "P201.CMD": 1, ESTOP1: 0, AUTO101: 1 },
  ...{ "FIC101.SP": 300, "DOS201.SP": 200, "LIT101.SP": 1500 },
  ...{ LIT101: 1500, FIT101: 299, AIT201: 203, "MV101.POS": 1000, "MV101.OPEN": 1, "P101.RUN": 1, "P201.RUN": 0 },
  ...{ "FIC401.SP": 30, LIT401: 1.4, FIT401: 30.2, AIT401: 1.9, PDT301: 12.5 },
  ...{ "P401.RUN": 1, "BW301.ACTIVE": 0, "V301.OPEN": 0 },
};

/** What FUXA should show, by its names. */
function expected(values: Readonly<Record<string, number>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    works().plant.tags.flatMap(({ id, device, modbus, opcua }) => {
      const value = values[id] ?? 0;
      if (device === "plc-1" && modbus !== undefined) return [[fuxaTag(MODBUS_DEVICE, id), value]];
      if (device !== "plc-2" || opcua === undefined) return [];
      return [[fuxaTag(OPCUA_DEVICE, id), opcua.type === "Boolean" ? value === 1 : value]];
    }),
  );
}
