import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MessageSecurityMode, OPCUAClient, SecurityPolicy } from "node-opcua";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Detection } from "#coordinator/page-messages.ts";
import type { Endpoint } from "#sim/address-plan.ts";
import { ModbusMaster } from "#sim/attacks/modbus-master.ts";
import { opcUaCertificates, quietOpcUa } from "#sim/opcua-certificates.ts";
import { hasManyLoopbackAddresses } from "#sim/site/site.ts";
import { sekisho } from "../support/cli.ts";
import { freeInstanceFrom, PROCESSES, Site } from "../support/site.ts";
import { DEBIAN_PYTHON, hasTool, toolPath } from "../support/tools.ts";

const SEEN_WITHIN_MS = 2000;
/** Read Input Registers (04), the four measurements of PLC 1. @see MODBUS AP V1.1b3 §6.4 */
const READ_FOUR = Buffer.from("0400000004", "hex");
/** Read Holding Registers (03), the three set-points of PLC 1. @see MODBUS AP V1.1b3 §6.3 */
const READ_SET_POINTS = Buffer.from("0300000003", "hex");

describe.skipIf(!(await hasManyLoopbackAddresses()))("sekisho up", () => {
  let site: Site;
  let readyMs = 0;

  beforeAll(async () => {
    // A person decides on containment here: the phase stays what the operator makes it.
    site = new Site({ instance: await freeInstanceFrom(31), args: ["--policy", "propose"] });
    const began = performance.now();
    await site.ready(60_000);
    readyMs = performance.now() - began;
  });
  afterAll(() => site?.discard());

  /** The first detection of this place that the page shows since now. */
  async function detected(matches: (detection: Detection) => boolean, what: string): Promise<Detection> {
    let found: Detection | undefined;
    await site.until(
      (state) => {
        found = state.detections.find(matches);
        return found !== undefined;
      },
      SEEN_WITHIN_MS,
      what,
    );
    if (found === undefined) throw new Error(what);
    return found;
  }

  async function setPoints(): Promise<string> {
    const reader = new ModbusMaster(site.plan.filter.plc1, { address: "127.0.0.1" });
    const { says, pdu } = await reader.request(1, READ_SET_POINTS);
    reader.close();
    expect(says).toBe("ok");
    return pdu?.toString("hex") ?? "";
  }

  test("is up within a minute, and says where the page and every process are", async () => {
    expect(readyMs).toBeLessThan(60_000);
    expect(site.stdout).toContain(`http://127.0.0.1:${site.page.port}`);
    for (const name of PROCESSES) expect(() => process.kill(site.pid(name), 0), name).not.toThrow();
    const state = await site.state();
    expect(state?.standing).toBe("running");
    expect(state?.points.map((p) => [p.point, p.health])).toEqual([
      ["hmi-monitor", "up"],
      ["switch-filter", "up"],
      ["guard-plc-1", "up"],
      ["guard-plc-2", "up"],
    ]);
    const page = await fetch(`http://127.0.0.1:${site.page.port}/`);
    expect(page.status).toBe(200);
    expect(page.headers.get("content-type")).toContain("text/html");
  });

  describe.skipIf(!hasTool("mbpoll"))("mbpoll, from 127.0.0.1", () => {
    const mbpoll = (...args: readonly string[]) =>
      spawnSync(toolPath("mbpoll"), ["-m", "tcp", "-p", "1502", "-a", "1", "-1", ...args], {
        encoding: "utf8",
        timeout: 10_000,
      });

    test("reads input registers through the filter", () => {
      const { status, stdout, stderr } = mbpoll(...["-t", "3", "-r", "1", "-c", "4", site.plan.filter.plc1.host]);
      expect(stderr).toBe("");
      expect(status).toBe(0);
      const values = [...stdout.matchAll(/^\[([1-4])\]:\s+(\d+)/gm)].map((match) => Number(match[2]));
      expect(values).toHaveLength(4);
      // LIT101 in mm: the tank is neither dry nor full.
      expect(values[0]).toBeGreaterThan(100);
      expect(values[0]).toBeLessThan(3000);
    });

    test.each([
      { what: "set-point", args: ["-t", "4", "-r", "1"], value: "100" },
      { what: "emergency stop", args: ["-t", "0", "-r", "4"], value: "1" },
    ])("is answered by an exception when it writes the $what, and nothing changes", async ({ args, value }) => {
      const before = await setPoints();
      const { status, stderr } = mbpoll(...args, site.plan.filter.plc1.host, value);
      expect(stderr).toMatch(/Illegal (function|data value)/);
      expect(status).not.toBe(0);
      expect(await setPoints()).toBe(before);
      const detection = await detected((d) => d.source === "test-1", "a detection of the test device");
      expect(detection.blocked).toBe(true);
    });
  });

  test("an undeclared source is answered by an exception, and is seen within two seconds", async () => {
    const address = `127.${site.instance}.9.77`;
    const before = await setPoints();
    const stranger = new ModbusMaster(site.plan.filter.plc1, { address });
    expect((await stranger.request(1, READ_FOUR)).says).toBe("exception 1");
    const seen = await detected((d) => d.source === address, "a detection of the stranger's read");
    expect(seen).toMatchObject({ locus: ["unknown-device"], target: "plc-1", blocked: true, reason: "SOURCE_UNKNOWN" });

    const writes = Buffer.from("0600010384", "hex");
    expect((await stranger.request(1, writes)).says).toMatch(/^exception [13]$/);
    stranger.close();
    const worse = await detected(
      (d) => d.source === address && d.tags.includes("DOS201.SP"),
      "a detection of the stranger's write",
    );
    expect(worse).toMatchObject({ locus: ["unknown-device"], severity: "alarm", blocked: true });
    expect(await setPoints()).toBe(before);
  });

  test.skipIf(!hasTool("pymodbus"))("pymodbus from an undeclared source is answered by an exception", async () => {
    const address = `127.${site.instance}.9.78`;
    const script = `
from pymodbus.client import ModbusTcpClient
client = ModbusTcpClient("${site.plan.filter.plc1.host}", port=1502, source_address=("${address}", 0), timeout=3)
assert client.connect()
answer = client.read_input_registers(0, 4, 1)
print(answer.isError(), getattr(answer, "exception_code", None))
`;
    const { stdout, stderr } = spawnSync(DEBIAN_PYTHON, ["-c", script], { encoding: "utf8", timeout: 15_000 });
    expect(stdout.trim(), stderr).toBe("True 1");
    const seen = await detected((d) => d.source === address, "a detection of the stranger's read");
    expect(seen.locus).toEqual(["unknown-device"]);
  });

  test("nobody but the agent leads a guard: a position from elsewhere is not even read", async () => {
    const before = (await site.state())?.epoch;
    for (const from of [site.plan.hmi, site.plan.rogue, "127.0.0.1"]) {
      for (const link of [site.plan.agentLink.plc1, site.plan.agentLink.plc2]) {
        expect(await forgedPosition(from, link), `${from} → ${link.host}`).toBe("");
      }
    }
    const state = await site.state();
    expect(state?.epoch).toBe(before);
    expect(state?.points.map((p) => p.epoch)).toEqual([before, before, before, before]);
    for (const plc of ["plc-1", "plc-2"]) {
      expect(JSON.parse(readFileSync(join(site.runDir, `${plc}.phase.json`), "utf8"))).toMatchObject({ epoch: before });
    }
  });

  test("no way leads around the filter: a PLC resets everybody else", async () => {
    const { plc } = site.plan;
    for (const server of [plc.plc1, plc.plc2, plc.plc2Ua]) {
      for (const from of [site.plan.hmi, site.plan.engineering, "127.0.0.1", `127.${site.instance}.9.77`]) {
        expect(await knock(server, from), `${from} to ${server.host}:${server.port}`).toBe("ECONNRESET");
      }
    }
  });

  test("a second run at the same place fails in one sentence, and leaves the first alone", async () => {
    const place = ["--instance", String(site.instance), "--port", String(site.page.port)];
    const elsewhere = mkdtempSync(join(tmpdir(), "sekisho-second-"));
    try {
      // With the first run's folder, as somebody who types the same command twice, and with another.
      for (const runDir of [site.runDir, elsewhere]) {
        const { code, stderr } = await sekisho(["up", ...place, "--run-dir", runDir], 30_000);
        expect(stderr).toMatch(/^sekisho: [^\n]+\n$/);
        expect(stderr).toMatch(new RegExp(`127\\.(${site.instance}\\.\\d+\\.\\d+|0\\.0\\.1):\\d+`));
        expect(stderr).toContain("taken");
        expect(stderr).not.toMatch(/\bat .*:\d+:\d+/);
        expect(code).toBe(2);
      }
      const otherPage = ["--instance", String(site.instance + 50), "--port", String(site.page.port)];
      const { code, stderr } = await sekisho(["up", ...otherPage, "--run-dir", elsewhere], 30_000);
      expect(stderr).toMatch(new RegExp(`^sekisho: [^\\n]*127\\.0\\.0\\.1:${site.page.port}[^\\n]*taken[^\\n]*\\n$`));
      expect(code).toBe(2);
    } finally {
      rmSync(elsewhere, { recursive: true, force: true });
    }
    const scans = site.lines("plc-1.scans.jsonl").length;
    expect(scans).toBeGreaterThan(0);
    const state = await site.state();
    expect(state?.points.map((p) => p.health)).toEqual(["up", "up", "up", "up"]);
    await expect.poll(() => site.lines("plc-1.scans.jsonl").length, { timeout: 3000 }).toBeGreaterThan(scans);
  });

  test("OPC UA with message security is refused and shown: the filter cannot judge what it cannot read", async () => {
    quietOpcUa(() => undefined);
    const pki = mkdtempSync(join(tmpdir(), "sekisho-ua-"));
    const { host, port } = site.plan.filter.plc2Ua;
    const pem = readFileSync(join(site.runDir, "pki/plc-2/own/certs/certificate.pem"), "utf8");
    const client = OPCUAClient.create({
      applicationName: "secure client",
      securityMode: MessageSecurityMode.SignAndEncrypt,
      securityPolicy: SecurityPolicy.Basic256Sha256,
      // Known beforehand: it does not ask for endpoints without security first.
      serverCertificate: derOf(pem),
      endpointMustExist: false,
      connectionStrategy: { maxRetry: 0, initialDelay: 100, maxDelay: 200 },
      clientCertificateManager: opcUaCertificates(pki),
    });
    try {
      await expect(client.connect(`opc.tcp://${host}:${port}`)).rejects.toThrow();
      const seen = await detected((d) => d.reason === "SECURITY_POLICY", "a detection of the secured channel");
      expect(seen.says).toContain("Basic256Sha256");
      expect(seen.target).toBe("plc-2");
    } finally {
      await client.disconnect().catch(() => undefined);
      rmSync(pki, { recursive: true, force: true });
    }
  });
});

/** Connects and asks; how the connection ended. */
function knock(to: Endpoint, from: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ host: to.host, port: to.port, localAddress: from, timeout: 3000 });
    // A Modbus request; an OPC UA server would refuse it in its own words, and must not come to that.
    socket.write(Buffer.concat([Buffer.from("000100000006" + "01", "hex"), READ_FOUR]));
    socket.once("data", () => resolve("answered"));
    socket.once("timeout", () => resolve("silence"));
    socket.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    socket.once("close", () => {
      resolve("closed");
      socket.destroy();
    });
  });
}

function derOf(pem: string): Buffer {
  return Buffer.from(pem.replace(/-----[^-]+-----/g, ""), "base64");
}

/** Tells a guard that maintenance is in force under an epoch far ahead; what the guard says to that before it hangs up. */
function forgedPosition(from: string, link: Endpoint): Promise<string> {
  return new Promise((resolve) => {
    let heard = "";
    const socket = connect({ ...link, localAddress: from });
    const position = { zone: "works", phase: "maintenance", steps: [], epoch: 9999, atMs: 1 };
    socket.on("connect", () => socket.write(`${JSON.stringify({ position })}\n`));
    socket.on("data", (chunk) => {
      heard += chunk.toString();
    });
    socket.on("error", () => undefined);
    socket.on("close", () => resolve(heard));
    setTimeout(() => socket.destroy(), 1500);
  });
}
