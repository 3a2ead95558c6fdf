import { generateKeyPairSync, randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { type Bundle, buildBundle } from "#specs/bundle.ts";
import type { Lifecycle } from "#specs/lifecycle.ts";
import type { Plant } from "#specs/plant.ts";
import { signBundle } from "#specs/sign.ts";
import { addressPlan, type Endpoint, listenersOf } from "../address-plan.ts";
import { POINTS, plantAt, processGroups } from "./processes.ts";
import type { Site } from "./site-file.ts";
import { type ProcessEvent, type Program, Supervisor } from "./supervisor.ts";

export interface PreparedSite {
  readonly site: Site;
  readonly file: string;
  readonly bundle: Bundle;
}

/**
 * Writes what the parts of a run need: the bundle with this run's addresses, the public key that it is signed with, and the site
 * file. The private key is made for this one signature and never leaves this process. An earlier run's folder is emptied first: a
 * coordinator would take up its phase. @throws Error in one sentence when the folder holds something else
 */
export function prepareSite(
  spec: { readonly plant: Plant; readonly lifecycle: Lifecycle },
  wanted: Omit<Site, "bundle" | "trust">,
): PreparedSite {
  emptyRunDir(wanted.runDir);
  const bundle = buildBundle(plantAt(spec.plant, addressPlan(wanted.instance, wanted.single)), spec.lifecycle);
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  const site: Site = {
    ...wanted,
    bundle: join(wanted.runDir, "bundle.json"),
    trust: join(wanted.runDir, "trusted-keys.json"),
  };
  const file = join(wanted.runDir, "site.json");
  writeFileSync(site.trust, JSON.stringify({ keys: [publicKey.export({ format: "jwk" })] }));
  writeFileSync(site.bundle, signBundle(bundle, privateKey.export({ format: "jwk" })));
  writeFileSync(file, JSON.stringify(site, undefined, 2));
  return { site, file, bundle };
}

function emptyRunDir(runDir: string): void {
  if (existsSync(runDir) && readdirSync(runDir).length > 0) {
    if (!existsSync(join(runDir, "site.json")))
      throw new Error(`${runDir} holds files that are not of an earlier run; name an empty folder`);
    rmSync(runDir, { recursive: true });
  }
  mkdirSync(runDir, { recursive: true });
}

/** Starts all processes of a run, group after group. @throws Error in one sentence, with everything stopped again */
export async function startSite(
  { site, file }: PreparedSite,
  program: Program,
  options: { readonly restartMs?: number; readonly onEvent?: (event: ProcessEvent) => void } = {},
): Promise<Supervisor> {
  const supervisor = new Supervisor({ program, runDir: site.runDir, ...options });
  try {
    for (const group of processGroups(site, file, passwords()))
      await Promise.all(group.map((spec) => supervisor.start(spec)));
  } catch (error) {
    await supervisor.stopAll();
    throw error;
  }
  return supervisor;
}

/** One password per point for this run; the guards of both PLCs share their agent's. */
function passwords(): Readonly<Record<string, string>> {
  const secret = (): string => randomBytes(18).toString("base64url");
  const agent = secret();
  return Object.fromEntries(POINTS.map((point) => [point, point.startsWith("guard-") ? agent : secret()]));
}

/** False: the platform has 127.0.0.1 only. */
export function hasManyLoopbackAddresses(): Promise<boolean> {
  return canListen("127.77.0.1", 0);
}

/** The first address of a run, its page included, on which somebody listens already. */
export async function takenAddress({
  instance,
  single,
  page,
}: Pick<Site, "instance" | "single" | "page">): Promise<Endpoint | undefined> {
  for (const at of [page, ...listenersOf(addressPlan(instance, single))]) {
    if (!(await canListen(at.host, at.port))) return at;
  }
  return undefined;
}

/** An instance whose addresses nobody uses. @throws Error in one sentence when every one is taken */
export async function freeInstance(single: boolean): Promise<number> {
  const first = 11 + (process.pid % 80);
  for (let i = 0; i < 80; i += 1) {
    const instance = 11 + ((first - 11 + i) % 80);
    const plan = addressPlan(instance, single);
    const free = await Promise.all([plan.clock, plan.broker, plan.page].map(({ host, port }) => canListen(host, port)));
    if (free.every(Boolean)) return instance;
  }
  throw new Error("80 simulated plants already run on this machine; stop one of them");
}

function canListen(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen({ host, port }, () => server.close(() => resolve(true)));
  });
}
