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
  /** Everything on 127.0.0.1, told apart by ports. */
  readonly single?: boolean;
}): Promise<void> {
  const bundle = waterBundle();
  const plan = addressPlan(options.instance, options.single ?? false);
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
  const place = (station: "hmi" | "engineering") => ({
    from: plan[station],
    fromPorts: plan.sourcePorts?.[station],
    plc1: plan.plc.plc1,
    plc2: plan.plc.plc2,
  });
  const operator = await runOperator({
    bundle,
    seed: options.seed,
    script: options.script,
    clock,
    hmi: place("hmi"),
    engineering: place("engineering"),
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
  const reports = [plan.agentLink.plc1, plan.agentLink.plc2].map((at) => new Reports(at, tags));
  const clock = await openClock(clockSpec, "page", ["close"]);
  clock.on("close", async (_tick, atMs) => {
    await Promise.all(reports.map((report) => report.upTo(atMs)));
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
  const at = { host: plan.broker.host, port: plan.broker.port + 1000 };
  await new Promise<void>((resolve) => server.listen(at.port, at.host, resolve));
  return {
    at,
    async close() {
      clock.close();
      for (const report of reports) report.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** The tags that one PLC's guard reports. */
class Reports {
  readonly #socket: Socket;
  #atMs = 0;
  #wake: () => void = () => undefined;

  constructor(at: Endpoint, tags: Map<TagId, number>) {
    this.#socket = connect({ host: at.host, port: at.port });
    readJsonLines(this.#socket, {
      maxLineBytes: 1_000_000,
      onValue: (value) => {
        if (typeof value !== "object" || value === null || !("atMs" in value) || !("tags" in value)) return;
        for (const [name, reading] of Object.entries(value.tags ?? {})) tags.set(TagId(name), Number(reading));
        this.#atMs = Number(value.atMs);
        this.#wake();
      },
    });
  }

  async upTo(atMs: number): Promise<void> {
    while (this.#atMs < atMs) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  close(): void {
    this.#socket.destroy();
  }
}
