import { describe, expect, test } from "vitest";
import { Correlator } from "#coordinator/correlate.ts";
import type { Vouched } from "#coordinator/vouched.ts";
import type { ReceiptMessage } from "#point/bus.ts";
import type { Layer } from "#specs/decide/observation.ts";
import { DeviceId, LinkId, TagId } from "#specs/ids.ts";
import type { Link, Plant } from "#specs/plant.ts";
import { aReceipt } from "./fake-point.ts";
import { PLANT } from "./plant.ts";

const FIC = TagId("FIC101.SP");

function write(value: number, over: Partial<ReceiptMessage> = {}): ReceiptMessage {
  return aReceipt({ items: [{ tag: FIC, address: "unit 1 holding register 0", value }], ...over });
}
const atHmi = (value: number, over: Partial<ReceiptMessage> = {}) =>
  write(value, { layer: "hmi", point: "hmi-monitor", ...over });
const denied = { verdict: "deny", reason: "VALUE_ABOVE", says: "too high", action: "blocked" } as const;

function change(value: number, over: Partial<ReceiptMessage> = {}): ReceiptMessage {
  const items = [{ tag: FIC, address: "variable FIC101.SP", value, before: 28 }];
  return aReceipt({ layer: "plc", point: "guard-plc-1", source: null, link: null, sourceAddress: "", items, ...over });
}

/** Every layer sees and has judged everything, except as told. */
function vouched(upToMs: Partial<Record<Layer, number>> = {}, blind: readonly Layer[] = []): Vouched {
  return { judgedUpToMs: (layer) => upToMs[layer] ?? 1e9, saw: (layer) => !blind.includes(layer) };
}

function judge(receipts: readonly ReceiptMessage[], view = vouched(), nowMs = 2000): string[] {
  const correlator = new Correlator(PLANT);
  for (const receipt of receipts) correlator.add(receipt);
  return correlator.judge(view, nowMs).map((finding) => finding.row.id);
}

describe("HMI layer and switch layer", () => {
  test.each([
    ["the same command at both, allowed", [atHmi(30), write(30)], []],
    ["the same command at both, forbidden", [atHmi(55, denied), write(55, denied)], ["hmi-sent-it"]],
    [
      "forbidden at the switch, another value left the station",
      [atHmi(30), write(55, denied)],
      ["altered-and-forbidden"],
    ],
    ["forbidden at the switch, nothing left the station", [write(55, denied)], ["injected-and-forbidden"]],
    ["allowed at the switch, another value left the station", [atHmi(30), write(32)], ["altered"]],
    ["allowed at the switch, nothing left the station", [write(30)], ["injected"]],
    ["left the station, never came to the switch", [atHmi(30)], ["dropped"]],
    [
      "one command replayed: the second has no counterpart",
      [atHmi(30), write(30), write(30, { seq: 2, atMs: 1300 })],
      ["injected"],
    ],
    ["another time altogether is no counterpart", [atHmi(30, { atMs: 3000 }), write(30)], ["injected", "dropped"]],
    [
      "another tag is no counterpart",
      [aReceipt({ layer: "hmi", items: [{ tag: TagId("DOS201.SP"), address: "x", value: 30 }] }), write(30)],
      ["injected", "dropped"],
    ],
    [
      "denied though it only reads",
      [atHmi(0, { ...denied, operation: "read" }), write(0, { ...denied, operation: "read" })],
      ["hmi-sent-it"],
    ],
  ] as const)("%s", (_name, receipts, rows) => {
    expect(judge(receipts)).toEqual(rows);
  });

  test("what is withheld inline on the station with another part of its message is not missed at the switch", () => {
    const withheld = { action: "blocked", outcome: "denied" } as const;
    expect(judge([atHmi(30, withheld), atHmi(55, { ...denied, ...withheld, seq: 2 })])).toEqual([
      "forbidden-and-dropped",
    ]);
  });

  const inline = { point: "hmi-inline", atMs: 1003 };
  test.each([
    ["the same command", [atHmi(30), atHmi(30, inline), write(30)], []],
    ["twice the same", [atHmi(30), atHmi(30, inline), write(30), atHmi(30, { seq: 2 }), write(30, { seq: 2 })], []],
    [
      "one that is replayed",
      [atHmi(30), atHmi(30, inline), write(30), write(30, { seq: 2, atMs: 1300 })],
      ["injected"],
    ],
    ["one that is altered", [atHmi(30), atHmi(30, inline), write(32)], ["altered"]],
    ["one that never arrives", [atHmi(30), atHmi(30, inline)], ["dropped"]],
    ["one that one of them denies", [atHmi(55), atHmi(55, { ...denied, ...inline }), write(55)], ["layers-differ"]],
    ["one that they see in turn", [write(30), atHmi(30, inline), atHmi(30)], []],
  ] as const)("two points of the HMI layer, at a mirror port and inline: %s is one", (_name, receipts, rows) => {
    expect(judge(receipts)).toEqual(rows);
  });

  test("what the second point of the HMI layer tells later is the same command still", () => {
    const correlator = new Correlator(PLANT);
    const rows = (receipts: readonly ReceiptMessage[]): readonly string[] => {
      for (const receipt of receipts) correlator.add(receipt);
      return correlator.judge(vouched(), 2000).map((finding) => finding.row.id);
    };
    expect([rows([atHmi(30), write(30)]), rows([atHmi(30, inline)])]).toEqual([[], []]);
  });

  test("two commands of the same value are matched one to one, the nearest in time", () => {
    expect(
      judge([
        atHmi(30),
        atHmi(30, { seq: 2, atMs: 1500 }),
        write(30, { atMs: 1510 }),
        write(30, { seq: 2, atMs: 1005 }),
      ]),
    ).toEqual([]);
  });

  test.each([
    ["an undeclared device", { source: null, link: null, sourceAddress: "127.10.9.66:5" }, "unknown-source"],
    ["the engineering workstation", { source: DeviceId("ews-1"), link: LinkId("ews-plc1") }, "engineering-source"],
    ["the test device", { source: DeviceId("test-1"), link: LinkId("test-plc1") }, "other-source"],
  ] as const)("%s is judged at once: the HMI layer has no part in it", (_name, over, row) => {
    expect(judge([write(55, { ...denied, ...over })], vouched({ hmi: 0 }))).toEqual([row]);
  });
});

describe("a layer that has not reported yet, or cannot see", () => {
  test("absence is judged only when the other layer vouches for the time and the skew after it", () => {
    const correlator = new Correlator(PLANT);
    correlator.add(write(55, denied));
    expect(correlator.judge(vouched({ hmi: 1199 }), 1200)).toEqual([]);
    expect(correlator.pending).toBe(1);
    expect(correlator.judge(vouched({ hmi: 1200 }), 1200).map((f) => f.row.id)).toEqual(["injected-and-forbidden"]);
  });

  test("a receipt that comes late, but before that, is a counterpart", () => {
    const correlator = new Correlator(PLANT);
    correlator.add(write(30));
    correlator.judge(vouched({ hmi: 1100 }), 1100);
    correlator.add(atHmi(30));
    expect(correlator.judge(vouched({ hmi: 1100, switch: 1100 }), 1100)).toEqual([]);
    expect(correlator.pending).toBe(0);
  });

  test("an altered command is one finding, whichever layer vouches first", () => {
    const correlator = new Correlator(PLANT);
    correlator.add(atHmi(30));
    correlator.add(write(55, denied));
    expect(correlator.judge(vouched({ hmi: 1000, switch: 1500 }), 1500)).toEqual([]);
    const found = correlator.judge(vouched({ hmi: 1500, switch: 1500 }), 1500);
    expect(found.map((f) => f.row.id)).toEqual(["altered-and-forbidden"]);
    expect(correlator.pending).toBe(0);
  });

  test("a receipt that comes after its counterpart was judged alone gives no second detection", () => {
    const correlator = new Correlator(PLANT);
    correlator.add(write(55, denied));
    expect(correlator.judge(vouched(), 1500)).toHaveLength(1);
    correlator.add(atHmi(55, denied));
    expect(correlator.judge(vouched(), 1600)).toEqual([]);
  });

  test("blind is not absent: a forbidden command gives both causes, an allowed one none", () => {
    expect(judge([write(55, denied)], vouched({}, ["hmi"]))).toEqual(["hmi-blind"]);
    expect(judge([write(30)], vouched({}, ["hmi"]))).toEqual([]);
    expect(judge([atHmi(30)], vouched({}, ["switch"]))).toEqual([]);
  });

  test("a dead layer delays nothing: it is blind, and -Infinity is no promise", () => {
    expect(judge([write(55, denied)], vouched({ hmi: Number.NEGATIVE_INFINITY }, ["hmi"]))).toEqual(["hmi-blind"]);
  });
});

describe("a link that the HMI layer cannot look into", () => {
  const as = (link: Partial<Link>): Plant => ({
    ...PLANT,
    links: PLANT.links.map((each) => (each.id === "hmi-plc1" ? { ...each, ...link } : each)),
  });
  const found = (plant: Plant, receipts: readonly ReceiptMessage[]): string[] => {
    const correlator = new Correlator(plant);
    for (const receipt of receipts) correlator.add(receipt);
    return correlator.judge(vouched(), 2000).map((finding) => finding.row.id);
  };

  test.each([
    ["one that does not pass the mirror port", { mirror: false }],
    ["Modbus/TCP Security", { tls: true }],
    ["a channel that is ended at the filter", { protocol: "opcua", way: "ended" }],
    ["a signed channel", { protocol: "opcua", way: "signed" }],
  ] as const)("%s: what is missing there is evidence of nothing", (_name, link) => {
    const at = { link: LinkId("hmi-plc1") };
    expect(found(as(link), [write(30, at)])).toEqual([]);
    expect(found(as(link), [write(55, { ...denied, ...at })])).toEqual(["hmi-blind"]);
  });

  test("every other link is as it was", () => {
    for (const plant of [PLANT, as({ way: "clear" })]) {
      expect(found(plant, [write(30, { link: LinkId("hmi-plc1") })])).toEqual(["injected"]);
    }
    expect(found(as({ mirror: false }), [write(30, { link: LinkId("hmi-plc2") })])).toEqual(["injected"]);
  });
});

describe("switch layer and PLC layer", () => {
  const pair = [atHmi(30), write(30)];
  test.each([
    ["a change after its command", [...pair, change(30, { atMs: 1100 })], []],
    ["a change in the same instant as its command", [...pair, change(30)], []],
    ["a change without a command", [change(30)], ["change-unexplained"]],
    ["a change to another value than the command's", [...pair, change(38, { atMs: 1100 })], ["change-altered"]],
    ["a change long after its command", [...pair, change(30, { atMs: 4000 })], ["change-unexplained"]],
    [
      "a change after a command that was blocked",
      [atHmi(55, denied), write(55, denied), change(55, { atMs: 1100 })],
      ["hmi-sent-it", "change-unexplained"],
    ],
    [
      "a change after a command that the server refused",
      [atHmi(30), write(30, { outcome: "answered-error" }), change(30)],
      ["change-unexplained"],
    ],
    [
      "a change that monitor mode let through",
      [
        atHmi(55, denied),
        write(55, { ...denied, action: "forwarded", outcome: "answered-ok" }),
        change(55, { atMs: 1100, ...denied, action: "forwarded" }),
      ],
      ["hmi-sent-it"],
    ],
    [
      "one command explains one change",
      [...pair, change(30, { atMs: 1100 }), change(30, { seq: 2, atMs: 1200 })],
      ["change-unexplained"],
    ],
    [
      "an overwritten command expects no change",
      [...pair, atHmi(31, { seq: 2, atMs: 1010 }), write(31, { seq: 2, atMs: 1010 }), change(31, { atMs: 1100 })],
      [],
    ],
    ["what the program did, allowed", [change(30, { operation: "output", source: "program" })], []],
    [
      "what the program did, forbidden",
      [change(30, { operation: "output", source: "program", ...denied })],
      ["program-output"],
    ],
    ["denied by the PLC though the switch allowed it", [...pair, change(30, denied)], ["change-denied"]],
  ] as const)("%s", (_name, receipts, rows) => {
    expect(judge(receipts)).toEqual(rows);
  });

  test("a change waits for the switch layer, and is no sign of anything while that is blind", () => {
    expect(judge([change(30)], vouched({ switch: 1100 }))).toEqual([]);
    expect(judge([change(30)], vouched({}, ["switch"]))).toEqual(["change-switch-blind"]);
  });

  test.each([
    ["left as it was: the command was dropped behind the switch", 28, ["change-missing"]],
    ["at the command's value: it was there before, or the change was not reported", 30, []],
    ["at a third value: somebody else's business", 33, []],
  ] as const)("a set-point that was answered as done, %s", (_name, value, rows) => {
    const correlator = new Correlator(PLANT);
    correlator.observeTag(FIC, 28, 900);
    for (const receipt of pair) correlator.add({ ...receipt, outcome: "answered-ok" });
    expect(correlator.judge(vouched(), 1500)).toEqual([]);
    correlator.observeTag(FIC, value, 2600);
    expect(correlator.judge(vouched({ plc: 2600 }), 2600).map((f) => f.row.id)).toEqual(rows);
  });

  test("a command button that the program takes back is not missed", () => {
    const tag = TagId("BW301.CMD");
    const press = {
      target: DeviceId("plc-2"),
      link: LinkId("hmi-plc2"),
      items: [{ tag, address: "coil 1", value: 1 }],
    };
    const correlator = new Correlator(PLANT);
    correlator.observeTag(tag, 0, 900);
    for (const layer of ["hmi", "switch"] as const) correlator.add(aReceipt({ ...press, layer }));
    correlator.observeTag(tag, 0, 2600);
    expect(correlator.judge(vouched(), 2600)).toEqual([]);
  });
});

test("memory is bounded: beyond the limit receipts are judged with what is known", () => {
  const correlator = new Correlator(PLANT, { maxPending: 10 });
  for (let seq = 0; seq < 50; seq += 1) correlator.add(write(30 + seq, { seq, ...denied }));
  const rows = correlator.judge(vouched({ hmi: 0 }), 1000).map((f) => f.row.id);
  expect(rows).toContain("hmi-blind");
  for (let seq = 0; seq < 500; seq += 1) {
    correlator.add(write(30, { seq: 100 + seq, atMs: 1000 + seq * 100, ...denied }));
    correlator.judge(vouched(), 1000 + seq * 100);
  }
  expect(correlator.pending).toBeLessThanOrEqual(10);
});
