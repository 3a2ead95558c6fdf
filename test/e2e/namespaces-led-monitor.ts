// A coordinator and an hmi-monitor on the interface of one host of a network of namespaces; its arguments are the interface and a file for what was heard.
import { readFileSync, writeFileSync } from "node:fs";
import mqtt from "mqtt";
import { runCoordinator } from "#coordinator/main.ts";
import { captureUser } from "#hmi-monitor/interface-source.ts";
import { runHmiMonitor } from "#hmi-monitor/main.ts";
import { topic } from "#point/bus.ts";
import { openClock } from "#point/clock.ts";
import { buildBundle } from "#specs/bundle.ts";
import { PhaseId, ZoneId } from "#specs/ids.ts";
import { busyPlant } from "./namespaces-busy-plant.ts";

const [name = "", heardFile = "", runDir = ""] = process.argv.slice(2);
const STOPPED = PhaseId("stopped");
const NORMAL = PhaseId("normal");
const busy = busyPlant();
const way = { event: "operator", request: "go-on", roles: ["operator"], persons: 1, with: [], window: [] } as const;
/** Two phases with a way to and fro: the session's writes are allowed in one of them. */
const bundle = buildBundle(busy.plant, {
  ...busy.lifecycle,
  phases: busy.lifecycle.phases.map((phase) => {
    if (phase.id === STOPPED) return { ...phase, transitions: [{ ...way, to: NORMAL }] };
    return phase.id === NORMAL ? { ...phase, transitions: [{ ...way, to: STOPPED }] } : phase;
  }),
});

const coordinator = await runCoordinator({
  ...{ bundle, runDir, mqtt: { port: 0 }, http: { port: 0 }, mode: "monitor", fresh: true, page: false },
  expected: [{ point: "hmi-monitor", layer: "hmi" }],
});
const heard: object[] = [];
const ear = await mqtt.connectAsync(`mqtt://127.0.0.1:${coordinator.mqttPort}`, { clientId: "ear", username: "ear" });
ear.on("message", (from, payload) => {
  const kind = from === topic.receipt("hmi-monitor") ? "receipt" : "order";
  heard.push({ kind, heardMs: Date.now(), ...JSON.parse(payload.toString()) });
});
await ear.subscribeAsync([topic.order(ZoneId("works")), topic.receipt("hmi-monitor")]);

const user = captureUser(readFileSync("/etc/passwd", "utf8"), process.getuid?.() === 0);
const monitor = await runHmiMonitor({
  bundle,
  source: { kind: "interface", interface: name, ...(user === undefined ? {} : { user }) },
  // Cards of a namespace leave the checksum to a card that is not there.
  verifyChecksums: false,
  mode: "enforce",
  clock: await openClock("system", "hmi-monitor"),
  bus: { url: `mqtt://127.0.0.1:${coordinator.mqttPort}` },
});
process.stdin.on("data", async () => {
  const response = await fetch(`http://127.0.0.1:${coordinator.httpPort}/api/request`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ request: "go-on", role: "operator", person: "anna" }),
  });
  process.stdout.write(`${response.status} ${await response.text()}\n`);
});
process.on("SIGTERM", async () => {
  writeFileSync(heardFile, heard.map((one) => JSON.stringify(one)).join("\n"));
  await monitor.close();
  await ear.endAsync(true);
  await coordinator.close();
  process.exit(0);
});
process.stdout.write("ready\n");
