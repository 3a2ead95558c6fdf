import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import WebSocket from "ws";
import { refuseForeign } from "#coordinator/api.ts";
import { type CoordinatorOptions, type RunningCoordinator, runCoordinator } from "#coordinator/main.ts";
import type { ApiAnswer, StateAnswer, StateView, ToPage } from "#coordinator/page-messages.ts";
import { DeviceId, LinkId, TagId } from "#specs/ids.ts";
import { aReceipt, joinTeam, type Team, until } from "./fake-point.ts";
import { BUNDLE } from "./plant.ts";

const started: { close(): Promise<void> }[] = [];
const folders: string[] = [];

afterEach(async () => {
  for (const { close } of started.splice(0).reverse()) await close();
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "sekisho-coordinator-"));
  folders.push(folder);
  return folder;
}

async function begin(over: Partial<CoordinatorOptions> = {}): Promise<RunningCoordinator> {
  const options = {
    bundle: BUNDLE,
    runDir: newFolder(),
    mqtt: { port: 0 },
    http: { port: 0 },
    fresh: true,
    page: false,
    stageMs: 400,
  };
  const coordinator = await runCoordinator({ ...options, ...over });
  started.push(coordinator);
  return coordinator;
}

async function team(coordinator: RunningCoordinator): Promise<Team> {
  const joined = await joinTeam(coordinator.mqttPort);
  for (const point of joined.all) started.push({ close: () => point.leave() });
  await until("everybody is up and agrees", async () =>
    (await state(coordinator)).points.every((p) => p.health === "up" && p.agrees),
  );
  return joined;
}

async function state(coordinator: RunningCoordinator): Promise<StateView> {
  const response = await fetch(`http://127.0.0.1:${coordinator.httpPort}/api/state`);
  const answer = (await response.json()) as StateAnswer;
  return answer.state;
}

async function post(
  coordinator: RunningCoordinator,
  path: string,
  body: object,
  headers = {},
): Promise<[number, ApiAnswer]> {
  const response = await fetch(`http://127.0.0.1:${coordinator.httpPort}${path}`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(body),
  });
  return [response.status, (await response.json()) as ApiAnswer];
}

const anna = { person: "anna", role: "operator" } as const;
const request = (coordinator: RunningCoordinator, name: string, who: object = anna) =>
  post(coordinator, "/api/request", { request: name, ...who });

const rogue = {
  source: null,
  link: null,
  sourceAddress: "127.10.9.66:40001",
  verdict: "deny",
  reason: "SOURCE_UNKNOWN",
  says: "no declared device has this source address",
  action: "blocked",
} as const;

describe("planned changes over the bus", () => {
  test("a request is carried out at every point and answered when it is done", async () => {
    const coordinator = await begin();
    const points = await team(coordinator);
    expect(await request(coordinator, "start")).toMatchObject([200, { accepted: true }]);
    for (const point of points.all) expect([point.phase, point.epoch]).toEqual(["startup", 2]);
    expect(points.plc1.orders.map((o) => o.order)).toContain("window");
    expect(await state(coordinator)).toMatchObject({ phase: "startup", steps: ["fill"], epoch: 2, changing: null });
  });

  test("one point that refuses keeps the plant in the old phase, and is named", async () => {
    const coordinator = await begin();
    const points = await team(coordinator);
    points.filter.refuses = new Set(["prepare"]);
    const [status, answer] = await request(coordinator, "start");
    expect([status, answer.says]).toEqual([409, expect.stringContaining("switch-filter: not now")]);
    expect(points.all.map((p) => p.phase)).toEqual(["stopped", "stopped", "stopped", "stopped"]);
    expect(points.plc2.orders.at(-1)?.order).toBe("abort");
  });

  test("a shutdown goes on without a deaf point; a start does not", async () => {
    const coordinator = await begin();
    const points = await team(coordinator);
    await request(coordinator, "start");
    points.hmi.deaf = new Set(["prepare", "window", "take"]);
    expect(await request(coordinator, "stop")).toMatchObject([
      200,
      { says: expect.stringContaining("without hmi-monitor") },
    ]);
    await until("the deaf point follows the position", () => points.hmi.phase === "shutdown");
  });

  test.each([
    ["start", { person: "eve", role: "viewer" }, 409, "needs the role operator"],
    ["stop", anna, 409, "knows no request `stop`"],
    ["start", { person: "eve" }, 400, "role"],
    ["start", { person: "eve", role: "king" }, 400, "role"],
    ["start", { person: "eve", role: "operator", sudo: true }, 400, "additional"],
  ])("request %s by %o is refused with %i", async (name, who, status, says) => {
    const coordinator = await begin();
    const [got, answer] = await request(coordinator, name, who);
    expect([got, answer.accepted, answer.says]).toEqual([status, false, expect.stringContaining(says)]);
  });

  test("evidence of the PLC guards leads on by itself, and only of the guard in that PLC", async () => {
    const coordinator = await begin();
    const points = await team(coordinator);
    await request(coordinator, "start");
    const off = { "P101.RUN": 0, "P201.RUN": 0, "MV101.POS": 0, "P401.RUN": 0 };
    await request(coordinator, "stop");
    const timer = setInterval(() => points.plc1.tags("plc-1", off), 200);
    await new Promise((resolve) => setTimeout(resolve, 2600));
    expect((await state(coordinator)).phase).toBe("shutdown");
    const second = setInterval(() => points.plc2.tags("plc-2", off), 200);
    await until("stopped", async () => (await state(coordinator)).phase === "stopped", 5000);
    clearInterval(timer);
    clearInterval(second);
  });
});

describe("containment", () => {
  test("an unknown device at the dosing is contained at once, in enforce", async () => {
    const coordinator = await begin();
    const points = await team(coordinator);
    await request(coordinator, "start");
    points.filter.receipt({ ...rogue, atMs: Date.now() });
    await until("contained", () => points.all.every((point) => point.phase === "degraded.start-held"));
    await until("over", async () => (await state(coordinator)).changing === null);
    const now = await state(coordinator);
    expect(now).toMatchObject({
      phase: "degraded.start-held",
      epoch: 3,
      history: [{ emergency: true, outcome: "done" }, {}],
    });
    expect(now.detections[0]).toMatchObject({
      locus: ["unknown-device"],
      severity: "alarm",
      blocked: true,
      containment: "degraded.start-held",
    });
    expect(await request(coordinator, "continue-start")).toMatchObject([
      409,
      { says: expect.stringContaining("without a new detection") },
    ]);
  });

  test("the operator station is told apart from an attack on its way by what the HMI layer saw", async () => {
    const coordinator = await begin({ fresh: false });
    await request(coordinator, "adopt", { person: "erik", role: "engineer", phase: "normal" });
    const points = await team(coordinator);
    const items = [{ tag: TagId("DOS201.SP"), address: "unit 1 holding register 1", value: 8 }];
    const high = {
      items,
      verdict: "deny",
      reason: "VALUE_ABOVE",
      says: "above",
      source: DeviceId("hmi-1"),
      link: LinkId("hmi-plc1"),
    } as const;
    const atMs = Date.now();
    points.hmi.receipt({ ...high, action: "forwarded", atMs });
    points.filter.receipt({ ...high, action: "blocked", atMs });
    await until("contained", async () => (await state(coordinator)).phase === "degraded.hmi-quarantined");
    points.filter.receipt({ ...high, action: "blocked", atMs: Date.now() });
    await until("found", async () => (await state(coordinator)).detections[0]?.locus.join() === "path-hmi-switch");
    await until("contained further", async () => (await state(coordinator)).phase === "degraded.local-control");
  });

  test("in monitor mode it is proposed, and not taken even when approved", async () => {
    const coordinator = await begin({ mode: "monitor" });
    const points = await team(coordinator);
    await request(coordinator, "start");
    points.filter.receipt({ ...rogue, action: "forwarded", atMs: Date.now() });
    await until("proposed", async () => (await state(coordinator)).proposals.length === 1);
    const [proposal] = (await state(coordinator)).proposals;
    expect(proposal).toMatchObject({ to: "degraded.start-held", takable: false, state: "proposed" });
    const approval = { proposal: proposal?.id, approve: true, ...anna };
    expect(await post(coordinator, "/api/containment", approval)).toMatchObject([
      409,
      { says: expect.stringContaining("monitor mode") },
    ]);
    expect((await state(coordinator)).phase).toBe("startup");
  });

  test("where a person decides, approval takes it", async () => {
    const coordinator = await begin({ policy: "propose" });
    const points = await team(coordinator);
    await request(coordinator, "start");
    points.filter.receipt({ ...rogue, atMs: Date.now() });
    await until("proposed", async () => (await state(coordinator)).proposals.length === 1);
    const proposal = (await state(coordinator)).proposals[0]?.id;
    expect(
      await post(coordinator, "/api/containment", { proposal, approve: true, role: "viewer", person: "eve" }),
    ).toMatchObject([409, {}]);
    expect(await post(coordinator, "/api/containment", { proposal, approve: true, ...anna })).toMatchObject([
      200,
      { accepted: true },
    ]);
    expect(points.plc1.phase).toBe("degraded.start-held");
    expect((await state(coordinator)).proposals[0]).toMatchObject({ state: "taken", decidedBy: "anna (operator)" });
  });
});

describe("points", () => {
  test("a killed point is shown within two seconds, and blocks what would widen", async () => {
    const coordinator = await begin();
    const points = await team(coordinator);
    points.plc2.kill();
    await until(
      "shown",
      async () => (await state(coordinator)).points.some((p) => p.point === "guard-plc-2" && p.health === "down"),
      2000,
    );
    expect(await request(coordinator, "start")).toMatchObject([
      409,
      { says: expect.stringContaining("guard-plc-2 cannot be reached") },
    ]);
    const lost = async () => (await state(coordinator)).detections[0];
    await until("told", async () => (await lost())?.reason === "POINT_DOWN");
    expect(await lost()).toMatchObject({ severity: "warning", locus: ["coordinator-link"] });
  });

  test("a receipt under another point's name, or for another layer, does not count", async () => {
    const coordinator = await begin();
    const points = await team(coordinator);
    points.filter.receipt(aReceipt({ ...rogue, point: "hmi-monitor", layer: "hmi" }));
    points.filter.receipt(aReceipt({ ...rogue, point: "switch-filter", layer: "plc" }));
    points.filter.receipt({ ...rogue, source: DeviceId("hmi-1"), atMs: Number.NaN });
    points.filter.receipt({ ...rogue, atMs: Date.now() });
    await until("the true one", async () => (await state(coordinator)).counts.receipts >= 1);
    expect((await state(coordinator)).counts).toMatchObject({ receipts: 1, denied: 1 });
  });
});

describe("restart", () => {
  test("resumes phase, step and epoch, and goes on counting from there", async () => {
    const runDir = newFolder();
    const first = await begin({ runDir });
    await team(first);
    await request(first, "start");
    for (const { close } of started.splice(0).reverse()) await close();
    const second = await begin({ runDir });
    const points = await team(second);
    expect(await state(second)).toMatchObject({ phase: "startup", steps: ["fill"], epoch: 2 });
    expect(await request(second, "stop")).toMatchObject([200, {}]);
    expect(points.hmi.epoch).toBe(3);
  });

  test("with no record an engineer adopts a phase; until then nothing is ordered", async () => {
    const coordinator = await begin({ fresh: false });
    expect(await state(coordinator)).toMatchObject({ standing: "adopting", phase: null });
    expect((await state(coordinator)).candidates.length).toBeGreaterThan(3);
    expect(await request(coordinator, "start")).toMatchObject([409, { says: expect.stringContaining("adopt") }]);
    expect(await request(coordinator, "adopt", { ...anna, phase: "normal" })).toMatchObject([409, {}]);
    const erik = { person: "erik", role: "engineer" };
    expect(await request(coordinator, "adopt", { ...erik, phase: "nowhere" })).toMatchObject([409, {}]);
    expect(await request(coordinator, "adopt", { ...erik, phase: "normal" })).toMatchObject([200, {}]);
    expect(await state(coordinator)).toMatchObject({
      standing: "running",
      phase: "normal",
      steps: ["produce"],
      epoch: 1,
    });
  });
});

describe("the page's connection", () => {
  async function open(coordinator: RunningCoordinator, headers = {}): Promise<{ socket: WebSocket; got: ToPage[] }> {
    const socket = new WebSocket(`ws://127.0.0.1:${coordinator.httpPort}/api/live`, { headers });
    const got: ToPage[] = [];
    socket.on("message", (data) => got.push(JSON.parse(String(data)) as ToPage));
    started.push({ close: () => Promise.resolve(socket.terminate()) });
    await new Promise<void>((resolve, reject) => {
      socket.on("open", resolve);
      socket.on("error", reject);
    });
    return { socket, got };
  }

  test("a snapshot, then what changed, numbered without a gap", async () => {
    const coordinator = await begin();
    const { socket, got } = await open(coordinator);
    await until("snapshot", () => got.length > 0);
    const points = await team(coordinator);
    await request(coordinator, "start");
    points.filter.receipt({ ...rogue, atMs: Date.now() });
    const phases = () =>
      got.flatMap((m) => (m.kind === "state" && m.changed.phase !== undefined ? [m.changed.phase] : []));
    await until("the containment", () => phases().includes("degraded.start-held"));
    expect(got[0]?.kind).toBe("snapshot");
    expect(got.some((message) => message.kind === "detection")).toBe(true);
    expect(got.map((message) => message.seq)).toEqual(got.map((_m, i) => i + 1));
    socket.send('{"kind":"resync"}');
    await until("a second snapshot", () => got.filter((message) => message.kind === "snapshot").length === 2);
  });

  test("other sites are refused, on both ways in", async () => {
    const coordinator = await begin();
    await expect(open(coordinator, { origin: "http://evil.example" })).rejects.toThrow("403");
    const [status] = await post(
      coordinator,
      "/api/request",
      { request: "start", ...anna },
      { origin: "http://evil.example" },
    );
    expect(status).toBe(403);
    expect(refuseForeign("127.0.0.1", "evil.example:8080", undefined)).toContain("not the name");
    expect(refuseForeign("127.0.0.1", "127.0.0.1:8080", "http://127.0.0.1:8080")).toBeUndefined();
  });

  test("a large body is refused", async () => {
    const coordinator = await begin();
    const [status] = await post(coordinator, "/api/request", { request: "start", ...anna, phase: "x".repeat(5000) });
    expect(status).toBe(413);
  });
});

test("the evidence log tells who asked, what was found and what followed", async () => {
  const runDir = newFolder();
  const coordinator = await begin({ runDir });
  const points = await team(coordinator);
  await request(coordinator, "start");
  points.filter.receipt({ ...rogue, atMs: Date.now() });
  await until("contained", () => points.plc1.phase === "degraded.start-held");
  const lines = readFileSync(join(runDir, "evidence", "evidence-000001.jsonl"), "utf8")
    .trim()
    .split("\n");
  const kinds = new Set(lines.map((line) => (JSON.parse(line) as { kind: string }).kind));
  for (const kind of ["start", "adoption", "status", "request", "change", "detection", "containment"])
    expect(kinds).toContain(kind);
});
