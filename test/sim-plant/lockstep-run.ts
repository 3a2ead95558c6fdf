import { createServer, type Server } from "node:http";
import { connect, type Socket } from "node:net";
import { readJsonLines } from "#plc-guard/json-lines.ts";
import { openClock } from "#point/clock.ts";
import { type AddressPlan, addressPlan, type Endpoint } from "#sim/address-plan.ts";
import { runOperator } from "#sim/operator/main.ts";
import type { ScriptName } from "#sim/operator/script.ts";
import { runPlant } from "#sim/plant/main.ts";
import { runSoftPlc } from "#sim/plc/main.ts";
import { TwinCoordinator } from "#sim/twin-coordinator.ts";
import type { Bundle } from "#specs/bundle.ts";
import { TagId } from "#specs/ids.ts";
import { waterBundle } from "./water-bundle.ts";

/** Plant, both soft PLCs and the operator over real sockets in lockstep, without layers between; the page is a small stand-in. */
export async function runLockstep(options: {
  readonly instance: number;
  readonly seed: number;
  readonly script: ScriptName;
  readonly untilMs: number;
  readonly runDir: string;
  readonly opcua: boolean;
}): Promise<void> {
  const bundle = waterBundle();
  const plan = addressPlan(options.instance, false);
  const { runDir } = options;
  const log = () => undefined;
  const admission = { addresses: [plan.hmi, plan.engineering] };
  const common = { bundle, guardMode: "off", field: plan.field, admission, runDir, log } as const;
  const clock = `tcp:${plan.clock.host}:${plan.clock.port}`;

  const plant = await runPlant({
    seed: options.seed,
    field: plan.field,
    clock: plan.clock,
    time: "lockstep",
    expect: ["plc-1", "plc-2", "hmi", "page"],
    untilMs: options.untilMs,
    runDir,
    log,
  });
  const plc1 = await runSoftPlc({ ...common, device: "plc-1", modbus: plan.plc.plc1, agentLink: plan.agentLink.plc1 });
  const plc2 = await runSoftPlc({
    ...common,
    device: "plc-2",
    modbus: plan.plc.plc2,
    agentLink: plan.agentLink.plc2,
    ...(options.opcua ? { opcua: plan.plc.plc2Ua } : {}),
  });
  const page = await standInPage(bundle, plan, clock);
  const place = (from: string) => ({ from, plc1: plan.plc.plc1, plc2: plan.plc.plc2 });
  const operator = await runOperator({
    bundle,
    seed: options.seed,
    script: options.script,
    clock,
    hmi: place(plan.hmi),
    engineering: place(plan.engineering),
    console: page.at,
    runDir,
    log,
    ...(options.opcua ? { opcua: plan.plc.plc2Ua } : {}),
  });
  await plant.done;
  await operator.close();
  await page.close();
  await Promise.all([plc1.close(), plc2.close()]);
  await plant.close();
}

/** Answers as the operator page does, from the coordinator without faults and the tags of the agent links. */
async function standInPage(
  bundle: Bundle,
  plan: AddressPlan,
  clockSpec: string,
): Promise<{ readonly at: Endpoint; close(): Promise<void> }> {
  const coordinator = new TwinCoordinator(bundle.plant, bundle.lifecycle);
  const tags = new Map<TagId, number>();
  const seen = new Map<string, { atMs: number; wake: () => void }>();
  const links = [plan.agentLink.plc1, plan.agentLink.plc2].map((at, i) => {
    const state = { atMs: 0, wake: () => undefined as void };
    seen.set(String(i), state);
    return listen(at, (report) => {
      for (const [name, value] of Object.entries(report.tags)) tags.set(TagId(name), value);
      state.atMs = report.atMs;
      state.wake();
    });
  });
  const clock = await openClock(clockSpec, "page", ["close"]);
  clock.on("close", async (_tick, atMs) => {
    for (const state of seen.values()) {
      while (state.atMs < atMs) {
        await new Promise<void>((resolve) => {
          state.wake = resolve;
        });
      }
    }
    coordinator.close(atMs, tags);
  });
  const server: Server = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk) => (body += String(chunk)));
    request.on("end", () => {
      if (request.method === "POST") coordinator.request(JSON.parse(body).request, clock.now());
      const { position, epoch } = coordinator;
      response.setHeader("content-type", "application/json");
      response.end(
        JSON.stringify(request.method === "POST" ? { accepted: true, says: "" } : { state: { ...position, epoch } }),
      );
    });
  });
  const at = { host: plan.broker.host, port: 8080 };
  await new Promise<void>((resolve) => server.listen(at.port, at.host, resolve));
  return {
    at,
    async close() {
      clock.close();
      for (const link of links) link.destroy();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function listen(at: Endpoint, onReport: (report: { atMs: number; tags: object }) => void): Socket {
  const socket = connect({ host: at.host, port: at.port });
  readJsonLines(socket, {
    maxLineBytes: 1_000_000,
    onValue: (value) => {
      if (typeof value !== "object" || value === null || !("atMs" in value) || !("tags" in value)) return;
      const { atMs, tags } = value;
      if (typeof atMs === "number" && typeof tags === "object" && tags !== null) onReport({ atMs, tags });
    },
  });
  return socket;
}
