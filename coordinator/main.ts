import { existsSync } from "node:fs";
import { join } from "node:path";
import { openClock } from "#point/clock.ts";
import { LoadedBundle } from "#point/loaded-bundle.ts";
import type { Bundle } from "#specs/bundle.ts";
import type { Plant } from "#specs/plant.ts";
import { type Api, openApi } from "./api.ts";
import { openBroker } from "./broker.ts";
import { Coordinator } from "./coordinator.ts";
import { EvidenceLog } from "./evidence-log.ts";
import { bundlePage, type PageFile } from "./page-bundle.ts";
import { STAGE_MS } from "./phase-change.ts";
import { PhaseRecord } from "./phase-record.ts";
import { plantView } from "./plant-view.ts";
import type { ExpectedPoint } from "./points.ts";

export interface CoordinatorOptions {
  readonly bundle: Bundle;
  /** Folder for the phase record and the evidence. */
  readonly runDir: string;
  /** `system` (default) or `tcp:HOST:PORT`. */
  readonly clock?: string;
  /** Default 127.0.0.1:1883; port 0: any free one. */
  readonly mqtt?: { readonly host?: string; readonly port?: number };
  /** Default 127.0.0.1:8080. There is no login yet; another address lets everybody in who can reach it. */
  readonly http?: { readonly host?: string; readonly port?: number };
  /** Default `enforce`. In `monitor` containment is proposed, never taken. */
  readonly mode?: "monitor" | "enforce";
  /** Default `auto`. */
  readonly policy?: "auto" | "propose";
  /** Default: `hmi-monitor`, `switch-filter`, and `guard-DEVICE` for each PLC. */
  readonly expected?: readonly ExpectedPoint[];
  /** Where no phase was ever recorded, begin in the lifecycle's initial phase instead of waiting for an engineer. Default false. */
  readonly fresh?: boolean;
  /** Password per point; absent: no passwords, loopback only. */
  readonly secrets?: ReadonlyMap<string, string>;
  /** Real ms per stage of a phase change. Default 2000. */
  readonly stageMs?: number;
  /** Plant ms by which layers' stamps of one command may differ. Default 200. */
  readonly skewMs?: number;
  /** Whether to bundle and serve the operator page. Default true. */
  readonly page?: boolean;
}

export interface RunningCoordinator {
  readonly mqttPort: number;
  readonly httpPort: number;
  close(): Promise<void>;
}

/** Starts the coordinator; resolves when bus and page listen. @throws Error in one sentence */
export async function runCoordinator(options: CoordinatorOptions): Promise<RunningCoordinator> {
  const { bundle } = options;
  const zone = bundle.plant.zones[0];
  if (zone === undefined || bundle.plant.zones.length !== 1) {
    throw new Error(
      `plant \`${bundle.plant.id}\` has ${bundle.plant.zones.length} zones; this coordinator leads exactly one`,
    );
  }
  const loaded = new LoadedBundle(options.runDir, "coordinator");
  loaded.refuseOlder(bundle);
  const fresh = options.fresh ?? false;
  const record = new PhaseRecord(options.runDir);
  const notKept = loaded.keep(bundle);
  if (notKept !== undefined) throw new Error(notKept);
  const log = new EvidenceLog(join(options.runDir, "evidence"));
  const clockSpec = options.clock ?? "system";
  const files = options.page === false ? [plainPage("The page was not asked for.")] : await pageFiles();
  const broker = await openBroker({
    host: options.mqtt?.host ?? "127.0.0.1",
    port: options.mqtt?.port ?? 1883,
    ...(options.secrets === undefined ? {} : { secrets: options.secrets }),
  });
  const clock = await openClock(clockSpec, "coordinator", ["open", "close"]);
  const coordinator = new Coordinator({
    bundle,
    zone,
    clock,
    broker,
    record,
    log,
    expected: options.expected ?? expectedPoints(bundle.plant),
    policy: { mode: options.mode ?? "enforce", severityPolicy: options.policy ?? "auto" },
    fresh,
    lockstep: clockSpec !== "system",
    stageMs: options.stageMs ?? STAGE_MS,
    ...(options.skewMs === undefined ? {} : { skewMs: options.skewMs }),
  });
  coordinator.start();
  const stop = async (api: Api | undefined): Promise<void> => {
    coordinator.close();
    clock.close();
    await api?.close();
    await broker.close();
    record.close();
    log.close();
  };
  try {
    const api = await openApi({
      host: options.http?.host ?? "127.0.0.1",
      port: options.http?.port ?? 8080,
      coordinator,
      plant: plantView(bundle, zone),
      files,
    });
    return { mqttPort: broker.port, httpPort: api.port, close: () => stop(api) };
  } catch (error) {
    await stop(undefined);
    throw error;
  }
}

/** The points of a plant as this project starts them: one monitor, one filter, one guard in each PLC. */
export function expectedPoints(plant: Plant): readonly ExpectedPoint[] {
  const guards = plant.devices.filter((device) => device.guard);
  return [
    { point: "hmi-monitor", layer: "hmi" },
    { point: "switch-filter", layer: "switch" },
    ...guards.map((device): ExpectedPoint => ({ point: `guard-${device.id}`, layer: "plc" })),
  ];
}

/** A page that cannot be built must not keep the plant without its coordinator. */
async function pageFiles(): Promise<readonly PageFile[]> {
  if (!existsSync(new URL("ui/main.ts", import.meta.url))) return [plainPage("The operator page is not installed.")];
  try {
    return await bundlePage();
  } catch (error) {
    return [
      plainPage(`The operator page cannot be built (${error instanceof Error ? error.message : String(error)}).`),
    ];
  }
}

function plainPage(says: string): PageFile {
  return {
    path: "/",
    contentType: "text/plain; charset=utf-8",
    body: Buffer.from(`${says} The same facts are at /api/state.\n`),
  };
}
