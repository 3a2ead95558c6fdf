import { describe, expect, test } from "vitest";
import { systemClock } from "#point/clock.ts";
import { ModbusTags } from "#point/observe/modbus-tags.ts";
import { buildBundle } from "#specs/bundle.ts";
import { DeviceId, LinkId, PhaseId } from "#specs/ids.ts";
import type { Mode } from "#specs/plant.ts";
import { runSwitchFilter } from "#switch-filter/main.ts";
import { ModbusWatch } from "#switch-filter/modbus-watch.ts";
import { waterTreatment } from "../support/plant.ts";
import { adu, hex, RawClient } from "./raw-client.ts";
import { RecordingOutput, recordingPoint } from "./recording-point.ts";
import { SERVER_MAKES } from "./servers.ts";
import { HELLO, openBody, opn, rawBody, UaBench } from "./ua-bench.ts";

/** What the modes do: `monitor` blocks nothing, of a filter and of a link; `off` passes bytes unseen. */
const HMI = "127.253.1.60";
const FILTER = { host: "127.253.2.60", port: 15_060 };
const PLC = { host: "127.253.3.60", port: 15_061 };
const FORBIDDEN = "06 0001 0fff";

function bundleWith(linkMode: Mode) {
  const { plant, lifecycle } = waterTreatment({ "hmi-1": [HMI], "plc-1": [FILTER.host] });
  const links = plant.links.map((link) => (link.id === "hmi-plc1" ? { ...link, mode: linkMode } : link));
  return buildBundle({ ...plant, links }, lifecycle);
}

async function behind(
  filterMode: Mode,
  linkMode: Mode,
  work: (open: (from?: string) => Promise<RawClient>) => Promise<void>,
) {
  const [make] = SERVER_MAKES;
  const clock = systemClock();
  const server = await make?.start(PLC);
  const filter = await runSwitchFilter({
    bundle: bundleWith(linkMode),
    listeners: [{ link: "hmi-plc1", listen: FILTER, upstream: PLC }],
    mode: filterMode,
    clock,
    standalonePhase: PhaseId("normal"),
  });
  try {
    await work((from = HMI) => RawClient.open(FILTER, from));
  } finally {
    await filter.close();
    await server?.stop();
    clock.close();
  }
}

describe.each([
  { filterMode: "monitor", linkMode: "enforce" },
  { filterMode: "enforce", linkMode: "monitor" },
  { filterMode: "enforce", linkMode: "off" },
  { filterMode: "off", linkMode: "enforce" },
] as const)("filter $filterMode, link $linkMode", ({ filterMode, linkMode }) => {
  test("a forbidden value, an address without a tag, and a function that nobody allows come through", async () => {
    await behind(filterMode, linkMode, async (open) => {
      const client = await open();
      client.say(Buffer.concat([adu(1, FORBIDDEN), adu(2, "06 0064 0001"), adu(3, "03 0001 0001")]));
      expect(await client.answers(3)).toEqual(
        [adu(1, FORBIDDEN), adu(2, "06 0064 0001"), adu(3, "03 02 0fff")].map((bytes) => bytes.toString("hex")),
      );
      client.close();
    });
  });

  test("an address that no device declares is let through only where the filter itself does not enforce", async () => {
    await behind(filterMode, linkMode, async (open) => {
      const client = await open("127.253.9.66");
      client.say(adu(1, FORBIDDEN));
      const expected = filterMode === "enforce" ? adu(1, "86 01") : adu(1, FORBIDDEN);
      expect(await client.answers(1)).toEqual([expected.toString("hex")]);
      client.close();
    });
  });
});

describe("watching a Modbus connection", () => {
  async function watch() {
    const { bundle, plant } = waterTreatment();
    const recorded = await recordingPoint(bundle, "monitor");
    const output = new RecordingOutput();
    const party = {
      ...{ source: DeviceId("hmi-1"), sourceAddress: "127.10.1.11:1", target: DeviceId("plc-1") },
      link: LinkId("hmi-plc1"),
    };
    return {
      ...recorded,
      output,
      session: new ModbusWatch(recorded.point, new ModbusTags(plant, DeviceId("plc-1")), party, output),
    };
  }

  test("verdict and outcome are recorded, and the bytes pass as they came", async () => {
    const { session, output, settled } = await watch();
    session.fromClient(adu(1, FORBIDDEN).subarray(0, 5), 0);
    session.fromClient(Buffer.concat([adu(1, FORBIDDEN).subarray(5), adu(2, FORBIDDEN)]), 0);
    expect(session.unsettledSinceMs).toBe(1_000_000);
    session.fromServer(Buffer.concat([adu(1, FORBIDDEN), adu(2, "86 03")]));
    expect(settled.map(({ judged, outcome }) => [judged.verdict.verdict, judged.action, outcome])).toEqual([
      ["deny", "forwarded", "answered-ok"],
      ["deny", "forwarded", "answered-error"],
    ]);
    expect(session.unsettledSinceMs).toBeUndefined();
    expect(Buffer.concat(output.up)).toEqual(Buffer.concat([adu(1, FORBIDDEN), adu(2, FORBIDDEN)]));
    expect(Buffer.concat(output.down)).toEqual(Buffer.concat([adu(1, FORBIDDEN), adu(2, "86 03")]));
  });

  test("bytes that cannot be read pass as well; that is said once, and nothing after them is judged", async () => {
    const { session, output, judged, says } = await watch();
    const bytes = [hex("0001 0001 0006 01 05 0001 ff00"), adu(2, FORBIDDEN), hex("ffff")];
    for (const part of bytes) session.fromClient(part, 0);
    session.fromServer(Buffer.from("anything"));
    expect(Buffer.concat(output.up)).toEqual(Buffer.concat(bytes));
    expect(Buffer.concat(output.down)).toEqual(Buffer.from("anything"));
    expect(output.ended).toBeUndefined();
    expect(judged).toEqual([]);
    expect(says.length).toBe(1);
  });

  test("64 requests are remembered, further ones are settled at once; late answers are no detection", async () => {
    const { session, settled, says } = await watch();
    for (let i = 0; i < 65; i += 1) session.fromClient(adu(i, FORBIDDEN), 0);
    expect(settled.map(({ outcome }) => outcome)).toEqual(["forwarded"]);
    session.expire(60_000);
    expect(settled.length).toBe(65);
    for (let i = 0; i < 65; i += 1) session.fromServer(adu(i, FORBIDDEN));
    expect(says).toEqual([]);
    session.fromServer(adu(1, FORBIDDEN));
    expect(says[0]).toContain("UNSOLICITED");
  });
});

describe("watching an OPC UA connection", () => {
  test("what cannot be decoded passes, and so does its answer", async () => {
    const bench = await UaBench.open({ mode: "monitor" });
    bench.ask(1, rawBody(673, Buffer.from("ffffff7f", "hex")));
    bench.ask(2, rawBody(4711));
    expect(bench.reached).toEqual(["HEL", "OPN", "malformed", "unknown"]);
    const before = bench.output.down.length;
    bench.answer(1, Buffer.from("as it likes"));
    expect(bench.output.down.length).toBe(before + 1);
    expect(bench.ended).toBeUndefined();
  });

  test("a secured channel passes unjudged, which is said", async () => {
    const bench = await UaBench.make({ mode: "monitor" });
    bench.say(HELLO);
    const secured = opn(1, openBody(0), 0, "http://opcfoundation.org/UA/SecurityPolicy#Basic256Sha256");
    bench.session.fromClient(secured, 0);
    expect(bench.output.up.at(-1)).toEqual(secured);
    const encrypted = bench.chunk(1, Buffer.from("whatever is in here"), { sequenceNumber: 9, channelId: 1 });
    bench.session.fromClient(encrypted, 0);
    bench.session.fromServer(encrypted, 0);
    expect(bench.output.up.at(-1)).toEqual(encrypted);
    expect(bench.output.down.at(-1)).toEqual(encrypted);
    expect(bench.ended).toBeUndefined();
    expect(bench.recorded.says.join()).toContain("SECURITY_POLICY");
  });
});
