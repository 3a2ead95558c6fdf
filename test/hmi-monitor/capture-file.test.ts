import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { encodePcapHeader, encodePcapRecord } from "#wire/pcap/index.ts";
import { run } from "../cli/run.ts";
import { adu } from "../switch-filter/raw-client.ts";
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
  writeFileSync(file("not.pcap"), "nothing of the kind, and no capture");
});

const receipts = (log: string) =>
  readFileSync(log, "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line))
    .filter(({ kind }) => kind === "receipt")
    .map(({ atMs, items, verdict }) => [atMs, items[0].tag, items[0].value, verdict]);

test("a file is judged by its own time to its end", async () => {
  const { code, stderr } = await monitor("--capture", file("whole.pcap"), "--log", file("whole.jsonl"));
  expect([code, stderr]).toEqual([0, "3 messages judged, 1 denied\nsekisho: the capture has ended\n"]);
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

test("a file that is cut short is judged as far as it goes, and ends in a sentence and 2", async () => {
  const { code, stderr } = await monitor("--capture", file("cut.pcap"), "--log", file("cut.jsonl"));
  expect(code).toBe(2);
  expect(stderr).toMatch(
    /^2 messages judged, 0 denied\nsekisho: the capture is cut short in a record at byte \d+.*everything before was read\n$/,
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
    says: /`70000` is not a TCP port/,
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
