import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { serveAgentLink } from "#plc-guard/agent-link.ts";
import { LoadedBundle } from "#point/loaded-bundle.ts";
import type { Bundle } from "#specs/bundle.ts";
import { DeviceId, type TagId } from "#specs/ids.ts";
import type { Mode } from "#specs/plant.ts";
import type { Endpoint } from "../address-plan.ts";
import { JsonLog } from "../json-log.ts";
import type { FieldTick } from "../plant/field-messages.ts";
import type { Admission } from "./admission.ts";
import { serveEngineeringPort } from "./engineering-port.ts";
import { openField } from "./field-client.ts";
import { serveModbus } from "./modbus-server.ts";
import { serveOpcUa } from "./opcua-server.ts";
import type { ControlProgram, ProgramMemory } from "./program.ts";
import { PROGRAM_PLC1 } from "./program-plc1.ts";
import { PROGRAM_PLC2 } from "./program-plc2.ts";
import { Retained } from "./retained.ts";
import { scanCycle, tagValues } from "./scan-cycle.ts";
import { RecordedGuard, type ScanRecord, scanLine } from "./scan-log.ts";
import { WriteLatch } from "./write-latch.ts";

export interface SoftPlcOptions {
  readonly bundle: Bundle;
  readonly device: "plc-1" | "plc-2";
  /** Mode of the guard in the scan; `off`: it judges nothing. */
  readonly guardMode: Mode;
  /** Field wiring of the plant process. */
  readonly field: Endpoint;
  readonly modbus: Endpoint;
  /** PLC 2 only; absent: no OPC UA server. */
  readonly opcua?: Endpoint;
  /** Address that OPC UA clients are told besides the server's own, for a server behind a filter. */
  readonly opcuaAdvertised?: Endpoint;
  /** Who may connect to the protocol servers: the switch filter. Empty: anybody. */
  readonly admission: Admission;
  readonly agentLink: Endpoint;
  /** Source addresses of the guard's agent; absent: anybody who reaches the link may lead the guard. */
  readonly agents?: readonly string[];
  /** Absent: no engineering port. */
  readonly engineeringPort?: Endpoint;
  /** Scan log, saved phase and certificates. */
  readonly runDir: string;
  readonly log: (says: string) => void;
}

/**
 * One soft PLC as a process: protocol servers, field wiring, the guard in its scan, and the link to the guard's agent.
 * Writes `<device>.scans.jsonl` (see `ScanRecord`), `<device>.phase.json` and `<device>.retain.json` in the run directory.
 */
export function runSoftPlc(options: SoftPlcOptions): Promise<{ close(): Promise<void> }> {
  return options.device === "plc-1" ? run(PROGRAM_PLC1, options) : run(PROGRAM_PLC2, options);
}

async function run<M extends ProgramMemory>(
  program: ControlProgram<M>,
  options: SoftPlcOptions,
): Promise<{ close(): Promise<void> }> {
  const { bundle, log } = options;
  const device = DeviceId(options.device);
  const loaded = new LoadedBundle(options.runDir, device);
  loaded.refuseOlder(bundle);
  const notKept = loaded.keep(bundle);
  if (notKept !== undefined) log(notKept);
  const latch = new WriteLatch();
  const guard = new RecordedGuard(bundle, device, options.guardMode);
  const saved = join(options.runDir, `${device}.phase.json`);
  if (existsSync(saved)) guard.restore(readFileSync(saved, "utf8"), 0);

  const agent = await serveAgentLink({
    ...options.agentLink,
    ...(options.agents === undefined ? {} : { accept: options.agents }),
    guard,
    persist: (text) => writeFileSync(saved, text),
    log,
  });
  const outputs = new Set<string>(
    bundle.plant.tags.filter((tag) => tag.kind === "output" && tag.device === device).map((tag) => tag.id),
  );
  const engineering =
    options.engineeringPort === undefined ? undefined : await serveEngineeringPort(options.engineeringPort, outputs);
  const servers = await openServers(options, device, latch);
  const scans = new JsonLog(join(options.runDir, `${device}.scans.jsonl`));

  const retained = new Retained(join(options.runDir, `${device}.retain.json`), networkTags(bundle, device), log);
  let takenUp: ScanRecord["retained"] = Object.fromEntries(retained.load());
  let memory = program.write(program.initial, tagValues(takenUp));
  const scan = (tick: FieldTick) => {
    const inputs = {
      scan: tick.tick,
      atMs: tick.atMs,
      dtMs: tick.dtMs,
      field: tick.field,
      writes: latch.take(),
      forces: engineering?.forces() ?? NO_FORCES,
    };
    const events = guard.takeEvents();
    const result = scanCycle(program, memory, inputs, guard);
    memory = result.memory;
    latch.publish(result.tags);
    retained.keep(result.tags);
    scans.write(scanLine(inputs, events, result, takenUp));
    takenUp = undefined;
    agent.afterScan(tick.tick, tick.atMs, result.tags);
    return result.outputs;
  };
  const field = openField({ at: options.field, device, scan, log });

  return {
    async close() {
      field.close();
      await Promise.all([...servers.map((server) => server.close()), agent.close(), engineering?.close()]);
      scans.close();
      if (guard.dropped > 0)
        log(`${guard.dropped} messages to the guard are not in the scan log; it cannot be replayed`);
    },
  };
}

const NO_FORCES: FieldTick["field"] = new Map();

/** What the network may write in a PLC. */
function networkTags(bundle: Bundle, device: DeviceId): ReadonlySet<TagId> {
  const written = bundle.plant.tags.filter((tag) => tag.kind === "command" || tag.kind === "set-point");
  return new Set(written.filter((tag) => tag.device === device).map((tag) => tag.id));
}

async function openServers(
  options: SoftPlcOptions,
  device: DeviceId,
  latch: WriteLatch,
): Promise<readonly { close(): Promise<void> }[]> {
  const { admission, log } = options;
  const { plant } = options.bundle;
  const modbus = await serveModbus({ plant, device, at: options.modbus, admission, latch, log });
  if (options.opcua === undefined) return [modbus];
  const opcua = await serveOpcUa({
    plant,
    device,
    at: options.opcua,
    advertised: options.opcuaAdvertised,
    admission,
    latch,
    pkiDir: join(options.runDir, "pki"),
    log,
  });
  return [modbus, opcua];
}
