import { expect, test } from "vitest";
import { type Bundle, buildBundle } from "#specs/bundle.ts";
import { LinkId } from "#specs/ids.ts";
import type { Lifecycle } from "#specs/lifecycle.ts";
import type { Mode, Plant } from "#specs/plant.ts";
import { ListenerSessions } from "#switch-filter/listener-sessions.ts";
import type { Session } from "#switch-filter/session.ts";
import { FIXED, LIMIT, openPlant } from "./modbus-open-plant.ts";
import { adu } from "./raw-client.ts";
import { type Recorded, RecordingOutput, recordingPoint } from "./recording-point.ts";

const { plant, bundle: first } = openPlant();
const WRITER = { address: "127.0.0.2", port: 40_000 };
let version = 1;

/** The next version of the open plant. */
function next(change: (plant: Plant) => Plant, lifecycle: (of: Lifecycle) => Lifecycle = (of) => of): Bundle {
  version += 1;
  return buildBundle(change(plant), lifecycle({ ...first.lifecycle, version }));
}

const as = (mode: Mode) => (of: Plant) => ({ ...of, links: of.links.map((link) => ({ ...link, mode })) });
const same = (of: Plant) => of;

/** A filter with one listener, without sockets. */
class Bench {
  readonly outputs = new Set<RecordingOutput>();
  readonly recorded: Recorded;
  readonly sessions: ListenerSessions;

  private constructor(recorded: Recorded, bundle: Bundle) {
    this.recorded = recorded;
    const [link] = bundle.plant.links.filter(({ id }) => id === LinkId("writer-plc1"));
    if (link === undefined) throw new Error("no link");
    const listener = {
      link: link.id,
      listen: { host: "127.0.0.4", port: 502 },
      upstream: { host: "127.0.0.5", port: 502 },
    };
    this.sessions = new ListenerSessions(recorded.point, { listener, link, isLedHere: false });
    recorded.point.setFollower((bundleNow) => this.sessions.prepare(bundleNow, () => this.outputs));
  }

  static async of(bundle: Bundle): Promise<Bench> {
    return new Bench(await recordingPoint(bundle, "enforce", "run"), bundle);
  }

  connect(client = WRITER): { readonly session: Session | undefined; readonly output: RecordingOutput } {
    const output = new RecordingOutput();
    this.outputs.add(output);
    return { session: this.sessions.begin(client, output), output };
  }

  take(bundle: Bundle): void {
    expect(this.recorded.point.takeBundle(() => bundle)).toMatchObject({ taken: true });
  }
}

const denied = (output: RecordingOutput): boolean => ((output.down.at(-1)?.[7] ?? 0) & 0x80) !== 0;
const WRITE = "06 0010 0001";

test("requests under way settle under the bundle they were judged by; the next one is judged by the new", async () => {
  const bench = await Bench.of(first);
  const { session, output } = bench.connect();
  session?.fromClient(adu(1, "06 0010 0007"), 0);
  const withoutWrites = next(same, (of) => ({ ...of, rules: of.rules.filter(({ id }) => id !== "write-limited") }));
  const { tables } = bench.recorded.point;
  bench.take(withoutWrites);
  session?.fromServer(adu(1, "06 0010 0007"), 0);
  expect(output.down.at(-1)?.toString("hex")).toBe(adu(1, "06 0010 0007").toString("hex"));
  expect(bench.recorded.settled.at(-1)).toMatchObject({
    outcome: "answered-ok",
    judged: { verdict: { verdict: "allow", rule: "write-limited" } },
  });
  expect(bench.recorded.settled.at(-1)?.judged.tables).toBe(tables);
  session?.fromClient(adu(2, WRITE), 0);
  expect(denied(output)).toBe(true);
  expect(output.ended).toBeUndefined();
});

test("a register is the tag that the new plant says, with its type, in a write and in what a read shows", async () => {
  const bench = await Bench.of(first);
  const { session, output } = bench.connect();
  const over = LIMIT + 1;
  const word = over.toString(16).padStart(4, "0");
  session?.fromClient(adu(1, `06 0000 ${word}`), 0);
  expect(output.up).toHaveLength(1);
  session?.fromServer(adu(1, `06 0000 ${word}`), 0);
  // H0 and the limited H16 change places.
  const swapped = next((of) => ({
    ...of,
    tags: of.tags.map((tag) => {
      const address = tag.id === "H0" ? 16 : tag.id === "H16" ? 0 : undefined;
      return address === undefined || tag.modbus === undefined ? tag : { ...tag, modbus: { ...tag.modbus, address } };
    }),
  }));
  bench.take(swapped);
  session?.fromClient(adu(2, `06 0000 ${word}`), 0);
  expect(denied(output)).toBe(true);
  expect(bench.recorded.judged.at(-1)?.observation.items).toMatchObject([{ tag: "H16", value: over }]);
  session?.fromClient(adu(3, `06 0010 ${word}`), 0);
  expect(bench.recorded.judged.at(-1)).toMatchObject({ action: "forwarded", observation: { items: [{ tag: "H0" }] } });
});

test("the same read by the same client is judged anew, as that of who it is now", async () => {
  const bench = await Bench.of(first);
  const { session, output } = bench.connect();
  const read = (transaction: number): void => {
    const before = output.up.length;
    session?.fromClient(adu(transaction, "03 0000 0002"), 0);
    if (output.up.length > before) session?.fromServer(adu(transaction, "03 04 0001 0002"), 0);
  };
  const last = () => bench.recorded.judged.at(-1)?.observation;
  read(1);
  read(2);
  expect(last()).toMatchObject({ source: "writer", link: "writer-plc1", items: [{ tag: "H0" }, { tag: "H1" }] });
  const at = (address: string) => (of: Plant) => ({
    ...of,
    devices: of.devices.map((device) => (device.id === "writer" ? { ...device, addresses: [address] } : device)),
  });
  bench.take(next(at("127.0.0.99")));
  read(3);
  expect([last()?.source, last()?.link, denied(output)]).toEqual([undefined, undefined, true]);
  bench.take(next(at(WRITER.address)));
  read(4);
  expect([last()?.source, last()?.link, denied(output)]).toEqual(["writer", "writer-plc1", false]);
  bench.take(next((of) => ({ ...of, tags: of.tags.filter(({ id }) => id !== "H1") })));
  read(5);
  expect(last()?.items).toMatchObject([{ tag: "H0" }, { tag: undefined }]);
});

test("a named function code goes with the plant that names it", async () => {
  const bench = await Bench.of(first);
  const { session, output } = bench.connect();
  const ask = (transaction: number) => session?.fromClient(adu(transaction, `${FIXED.toString(16)} 0102`), 0);
  ask(1);
  expect(output.up).toHaveLength(1);
  session?.fromServer(adu(1, `${FIXED.toString(16)} 0102`), 0);
  bench.take(
    next(
      (of) => ({ ...of, raw: [] }),
      (of) => ({ ...of, rules: of.rules.filter(({ id }) => id !== "vendor") }),
    ),
  );
  ask(2);
  expect([output.up.length, denied(output)]).toEqual([1, true]);
});

test("what a register was seen to hold is known after the change too, and a write under way is still waited for", async () => {
  const bench = await Bench.of(first);
  const { session, output } = bench.connect();
  const other = bench.connect();
  session?.fromClient(adu(1, "03 0000 0001"), 0);
  session?.fromServer(adu(1, "03 02 00f0"), 0);
  session?.fromClient(adu(2, "06 0001 0001"), 0);
  const sent = () => output.up.length + other.output.up.length;
  const before = sent();
  bench.take(next((of) => ({ ...of, title: "other words" })));
  session?.fromServer(adu(2, "06 0001 0001"), 0);
  session?.fromClient(adu(3, "16 0000 000f 0100"), 0);
  expect(bench.recorded.judged.at(-1)?.observation.items).toMatchObject([{ tag: "H0", value: 0x100 }]);
  // A mask write is under way on register 0: another write of it waits, whatever bundle comes in between.
  bench.take(next((of) => ({ ...of, tags: of.tags.filter(({ id }) => id !== "H0") })));
  bench.take(next(same));
  other.session?.fromClient(adu(1, "06 0000 0005"), 0);
  expect(sent()).toBe(before + 1);
  session?.fromServer(adu(3, "16 0000 000f 0100"), 0);
  expect(sent()).toBe(before + 2);
});

test.each([
  { before: "enforce", after: "monitor", ended: false, passes: true },
  { before: "enforce", after: "off", ended: false, passes: true },
  { before: "monitor", after: "off", ended: false, passes: true },
  { before: "monitor", after: "enforce", ended: true, passes: false },
  { before: "off", after: "monitor", ended: true, passes: false },
  { before: "off", after: "enforce", ended: true, passes: false },
  { before: "off", after: "off", ended: false, passes: true },
] as const)("from $before to $after: the connection is ended, $ended", async ({ before, after, ended, passes }) => {
  const bench = await Bench.of(buildBundle(as(before)(plant), first.lifecycle));
  const { session, output } = bench.connect();
  bench.take(next(as(after)));
  expect(output.ended !== undefined).toBe(ended);
  expect(bench.recorded.says.filter((says) => says.includes("is stricter now"))).toHaveLength(ended ? 1 : 0);
  if (session === undefined || ended) return;
  session.fromClient(adu(1, `06 0010 ${(LIMIT + 1).toString(16).padStart(4, "0")}`), 0);
  expect(output.up.length > 0).toBe(passes);
});

test("a connection that has gone is not looked at any more", async () => {
  const bench = await Bench.of(buildBundle(as("monitor")(plant), first.lifecycle));
  const { output } = bench.connect();
  bench.outputs.delete(output);
  bench.take(next(as("enforce")));
  expect(output.ended).toBeUndefined();
});
