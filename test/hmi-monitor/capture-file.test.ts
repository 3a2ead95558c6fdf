import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CreateSubscriptionRequest, CreateSubscriptionResponse, PublishRequest } from "node-opcua";
import { afterAll, beforeAll, expect, test } from "vitest";
import { buildBundle } from "#specs/bundle.ts";
import { DeviceId, RuleId, TagId } from "#specs/ids.ts";
import type { Rule } from "#specs/lifecycle.ts";
import { unsignedBundle } from "#specs/sign.ts";
import { encodeMsgChunk } from "#wire/opcua/message-chunk.ts";
import { encodeHello } from "#wire/opcua/uacp-messages.ts";
import { encodePcapHeader, encodePcapRecord } from "#wire/pcap/index.ts";
import { run } from "../cli/run.ts";
import { waterTreatment } from "../support/plant.ts";
import { adu } from "../switch-filter/raw-client.ts";
import { openBody, opn, SIZES } from "../switch-filter/ua-bench.ts";
import { bodyOf } from "../wire/opcua/node-opcua-bytes.ts";
import { Capture } from "./capture.ts";

/** `sekisho hmi-monitor --capture`, and what it says of wrong usage. */
const folder = mkdtempSync(join(tmpdir(), "sekisho-capture-"));
const file = (name: string) => join(folder, name);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const PLC1 = { ip: "127.10.2.1", port: 1502 };
const BUNDLE = ["--bundle", "water-treatment", "--standalone", "--phase", "normal", "--modbus-port", "1502"];
const monitor = (...args: readonly string[]) => run(["hmi-monitor", ...BUNDLE, ...args]);

beforeAll(() => {
  const { records } = new Capture(PLC1, 40_001)
    .up(adu(1, "03 0000 0003"))
    .down(adu(1, "03 06 012c 00c8 05dc"))
    .up(adu(2, "06 0001 00d2"))
    .up(adu(3, "06 0001 0320"));
  const bytes = [encodePcapHeader(), ...records.map(({ timeMs, frame }) => encodePcapRecord(timeMs, frame))];
  writeFileSync(file("whole.pcap"), Buffer.concat(bytes));
  writeFileSync(file("cut.pcap"), Buffer.concat(bytes).subarray(0, -5));
  const slow = new Capture(PLC1, 40_002)
    .up(adu(1, "03 0000 0003"))
    .down(adu(1, "03 06 012c 00c8 05dc"))
    .up(adu(2, "06 0001 00d2"))
    .up(adu(3, "06 0001 00dc"))
    .up(adu(4, "06 0001 00d2")).records;
  const spaced = (atMs: (n: number) => number) =>
    Buffer.concat([encodePcapHeader(), ...slow.map(({ frame }, n) => encodePcapRecord(1_000_000 + atMs(n), frame))]);
  // The writes are the last three of eight frames.
  writeFileSync(
    file("slow.pcap"),
    spaced((n) => 3000 * n),
  );
  writeFileSync(
    file("quick.pcap"),
    spaced((n) => (n < 5 ? 3000 * n : 20_000 + 100 * n)),
  );
  // The answer to the second read is missing, and the write behind it came before anybody knew that it would not come.
  writeFileSync(file("gap.pcap"), Buffer.concat(bytes.filter((_, n) => n !== 6)));
  writeFileSync(file("silent.pcap"), silentSubscription());
  const polls = new Capture(PLC1, 40_005);
  for (let n = 0; n < 15; n += 1) polls.up(adu(n, "04 0000 0001"));
  const paused = polls.records.map(({ frame }, n) => encodePcapRecord(1_000_000 + 1000 * (n < 11 ? n : n + 2), frame));
  writeFileSync(file("paused.pcap"), Buffer.concat([encodePcapHeader(), ...paused]));
  const { plant, lifecycle } = waterTreatment();
  const polled: Rule = {
    ...{
      id: RuleId("hmi-polls"),
      says: "The operator station asks for the level.",
      raw: [],
      mode: "enforce",
      safety: false,
    },
    ...{ from: [DeviceId("hmi-1")], operation: "read", targets: [DeviceId("plc-1")], tags: [TagId("LIT101")] },
    cadence: { period: { everyMs: 1000, jitterMs: 200 } },
  };
  const bundle = buildBundle(plant, { ...lifecycle, rules: [polled, ...lifecycle.rules] });
  writeFileSync(file("polled.json"), unsignedBundle(bundle));
  writeFileSync(file("not.pcap"), "nothing of the kind, and no capture");
});

/** A subscription that tells nothing for half a minute, which only the reads of another connection show to go by. */
function silentSubscription(): Buffer {
  const about = (n: number) => ({ channelId: 7, tokenId: 1, sequenceNumber: n, requestId: n });
  const created = new CreateSubscriptionResponse({
    ...{ subscriptionId: 5, revisedPublishingInterval: 1000, revisedMaxKeepAliveCount: 1 },
  });
  const subscribed = new Capture({ ip: "127.10.2.2", port: 4840 }, 40_003)
    .up(encodeHello({ ...SIZES, endpointUrl: "opc.tcp://127.10.2.2:4840" }))
    .up(opn(1, openBody(0)))
    .up(encodeMsgChunk({ ...about(2), body: bodyOf(new CreateSubscriptionRequest({})) }))
    .down(encodeMsgChunk({ ...about(2), body: bodyOf(created) }))
    .up(encodeMsgChunk({ ...about(3), body: bodyOf(new PublishRequest({})) }));
  const polls = new Capture(PLC1, 40_004);
  for (let n = 0; n < 30; n += 1) polls.up(adu(n, "03 0000 0003")).down(adu(n, "03 06 012c 00c8 05dc"));
  const later = polls.records.map(({ frame }, n) => ({ frame, timeMs: 1_000_100 + 500 * n }));
  const records = [...subscribed.records, ...later];
  return Buffer.concat([encodePcapHeader(), ...records.map(({ timeMs, frame }) => encodePcapRecord(timeMs, frame))]);
}

const receipts = (log: string) =>
  readFileSync(log, "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line))
    .filter(({ kind }) => kind === "receipt")
    .map(({ atMs, items, verdict }) => [atMs, items[0].tag, items[0].value, verdict]);

const notices = (log: string): readonly string[] =>
  readFileSync(log, "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line))
    .filter(({ kind }) => kind === "notice")
    .map(({ atMs, code, says }) => `${atMs} ${code} ${says}`);

test("a file is judged by its own time to its end", async () => {
  const { code, stderr } = await monitor("--capture", file("whole.pcap"), "--log", file("whole.jsonl"));
  expect([code, stderr]).toEqual([
    0,
    "3 messages judged, 1 denied\n2 commands got no answer that was seen\nsekisho: the capture has ended\n",
  ]);
  expect(receipts(file("whole.jsonl"))).toEqual([
    [1_000_006, "DOS201.SP", 2.1, "allow"],
    [1_000_007, "DOS201.SP", 8, "deny"],
  ]);
});

test.each([
  { name: "slow", verdicts: ["allow", "allow", "allow"] },
  { name: "quick", verdicts: ["allow", "allow", "deny"] },
])("cadence is that of the capture, where a rule allows two in five seconds: $name", async ({ name, verdicts }) => {
  await monitor("--capture", file(`${name}.pcap`), "--log", file(`${name}.jsonl`));
  expect(receipts(file(`${name}.jsonl`)).map(([, , , verdict]) => verdict)).toEqual(verdicts);
});

test("what waits behind a gap when a file ends is counted, and said", async () => {
  const { code, stderr } = await monitor("--capture", file("gap.pcap"), "--log", file("gap.jsonl"));
  expect([code, stderr.split("\n").slice(0, 3)]).toEqual([
    0,
    [
      "1 messages judged, 0 denied",
      "1 times bytes were missing in a connection",
      "12 bytes in connections that were blind",
    ],
  ]);
  expect(notices(file("gap.jsonl"))).toEqual([
    expect.stringMatching(/^1000007 TAP_BLIND 127.10.1.11:40001 → 127.10.2.1:1502: bytes are missing .*: blind until /),
    "1000007 TAP_BLIND not judged since the last such notice: 12 bytes in connections that are blind",
    "1000007 TAP_BLIND the capture has ended",
  ]);
});

test("what should have come is missed by the time of the file, however fast it is read", async () => {
  await monitor("--capture", file("silent.pcap"), "--log", file("silent.jsonl"));
  expect(notices(file("silent.jsonl")).filter((text) => text.includes("PERIOD_MISSED"))).toEqual([
    expect.stringMatching(
      /^100[4-6]\d{3} PERIOD_MISSED subscription 5 has told nothing for 3.5 s, not even a keep-alive/,
    ),
  ]);
});

test("polls that stop for three seconds are missed once, and those that come in time are not", async () => {
  await monitor(
    "--capture",
    file("paused.pcap"),
    "--log",
    file("paused.jsonl"),
    "--bundle",
    file("polled.json"),
    "--unsigned",
  );
  expect(notices(file("paused.jsonl")).filter((text) => text.includes("PERIOD_MISSED"))).toEqual([
    "1013000 PERIOD_MISSED no message of `hmi-polls` for more than 1.2 s: The operator station asks for the level.",
  ]);
});

test("with the mode off nothing of a file is judged, which is said, and that is its end", async () => {
  const { code, stderr } = await monitor("--capture", file("whole.pcap"), "--mode", "off");
  expect([code, stderr.split("\n").at(-2)]).toEqual([2, "sekisho: nothing of the capture was judged: the mode is off"]);
});

test("a file that is cut short is judged as far as it goes, and ends in a sentence and 2", async () => {
  const { code, stderr } = await monitor("--capture", file("cut.pcap"), "--log", file("cut.jsonl"));
  expect(code).toBe(2);
  expect(stderr).toMatch(
    /^2 messages judged, 0 denied\n1 commands got no answer that was seen\nsekisho: the capture is cut short in a record at byte \d+.*everything before was read\n$/,
  );
  expect(receipts(file("cut.jsonl"))).toEqual([[1_000_006, "DOS201.SP", 2.1, "allow"]]);
});

test.each([
  { name: "no capture", args: () => ["--capture", file("not.pcap")], says: /not\.pcap: the capture cannot be read/ },
  {
    name: "no file",
    args: () => ["--capture", file("nowhere")],
    says: /capture `.*nowhere` cannot be read \(ENOENT\)/,
  },
  {
    name: "no source",
    args: () => [],
    says: /give one of --mirror HOST:PORT, --interface NAME, --capture FILE and --inline/,
  },
  { name: "two sources", args: () => ["--capture", "-", "--mirror", "127.0.0.1:1"], says: /give one of/ },
  {
    name: "an option as interface",
    args: () => ["--interface=-w"],
    says: /`-w` is not the name of a network interface/,
  },
  {
    name: "a strange tool",
    args: () => ["--interface", "lo", "--capture-tool", "snoop"],
    says: /neither tcpdump nor dumpcap/,
  },
  {
    name: "a strange port",
    args: () => ["--mirror", "127.0.0.1:1", "--opcua-port", "70000"],
    says: /`70000` is not a port/,
  },
  {
    name: "a link without --inline",
    args: () => ["--mirror", "127.0.0.1:1", "--link", "hmi-plc1"],
    says: /belong to --inline/,
  },
  { name: "--inline without a station", args: () => ["--inline"], says: /--inline needs --station/ },
  {
    name: "--inline for the network",
    args: () => [
      ...["--inline", "--station", "hmi-1", "--link", "hmi-plc1"],
      ...["--listen", "0.0.0.0:1502", "--upstream", "127.0.0.1:1"],
    ],
    says: /whoever reaches it speaks for hmi-1; use a loopback address/,
  },
  {
    name: "--inline with another's link",
    args: () => [
      ...["--inline", "--station", "hmi-1", "--link", "ews-plc1"],
      ...["--listen", "127.0.0.1:1502", "--upstream", "127.0.0.1:1"],
    ],
    says: /link `ews-plc1` is that of `ews-1`, and the station is `hmi-1`/,
  },
])("wrong usage is one sentence and 2: $name", async ({ args, says }) => {
  const { code, stdout, stderr } = await monitor(...args());
  expect([code, stdout]).toEqual([2, ""]);
  expect(stderr).toMatch(says);
  expect(stderr.trim().split("\n")).toHaveLength(1);
});
