import { describe, expect, test } from "vitest";
import { LOCUS_TABLE, locate } from "#coordinator/locus-table.ts";
import type { LayerSight } from "#coordinator/page-messages.ts";
import { ATTACK_CLASSES, type AttackClass, alike, separates, type Taps } from "#specs/check/tap-model.ts";
import { checkSpec, type Fact } from "#specs/check.ts";
import { type Change, works } from "./works.ts";

const ALL: Taps = { hmi: true, switch: "enforce", plc: true };
const idsOf = (taps: Taps) => alike(taps).map((group) => group.map(({ id }) => id));

describe("what the taps cannot tell apart", () => {
  test("with all of them", () => {
    expect(idsOf(ALL)).toEqual(
      [
        ["ordinary", "misuse"],
        ["dropped-behind", "program-ignores"],
        ["injected-behind", "program-changes"],
        ["injected-behind-forbidden", "program-changes-forbidden"],
        ["quiet", "sensor"],
        ["point-down", "point-cut-off"],
      ].sort((a, b) => order(a[0]) - order(b[0])),
    );
  });

  test("with a tap less, more looks alike, and what looked alike still does", () => {
    const less: readonly Taps[] = [
      { ...ALL, hmi: false },
      { ...ALL, switch: "none" },
      { ...ALL, plc: false },
      { ...ALL, switch: "monitor" },
    ];
    for (const taps of less) {
      const groups = alike(taps);
      for (const group of alike(ALL)) {
        expect(groups.some((wider) => group.every((attack) => wider.includes(attack)))).toBe(true);
      }
    }
    expect(idsOf({ ...ALL, hmi: false })).toContainEqual(["ordinary", "misuse", "altered-before", "injected-before"]);
    expect(idsOf({ hmi: false, switch: "none", plc: false })).toHaveLength(2);
  });

  test("each tap separates something", () => {
    const [misuse, altered, passed] = ["misuse", "altered-before", "filter-lets-pass"].map(classOf);
    if (misuse === undefined || altered === undefined || passed === undefined) throw new Error("unreachable");
    expect(separates([misuse, altered], ALL)).toBe(true);
    expect(separates([misuse, altered], { ...ALL, hmi: false })).toBe(false);
    expect(separates([misuse, passed], { ...ALL, hmi: false })).toBe(true);
    expect(separates([misuse, passed], { ...ALL, hmi: false, plc: false })).toBe(false);
  });
});

function order(id: string | undefined): number {
  return ATTACK_CLASSES.findIndex((attack) => attack.id === id);
}

function classOf(id: string): AttackClass | undefined {
  return ATTACK_CLASSES.find((attack) => attack.id === id);
}

describe("the coordinator's table of loci", () => {
  /** What the coordinator makes of a class with all taps: commands by HMI and switch layer, then changes by switch and PLC layer. */
  const rowFor = ({ hmi, switch: atSwitch, plc, shows }: AttackClass) => {
    const inPlc: LayerSight = typeof plc === "string" ? plc : plc.held;
    const sights = { hmi, switch: atSwitch, plc: inPlc };
    if (shows === "output") return locate("output", "program", sights);
    const command = locate("command", shows === "unknown-source" ? "unknown" : "hmi", sights);
    // A change stands for itself there, and it is the command before it that differs.
    const change = inPlc === "seen-different" ? { ...sights, switch: inPlc, plc: atSwitch } : sights;
    return command ?? locate("change", "hmi", change);
  };
  const attacks = ATTACK_CLASSES.filter(({ locus, shows }) => locus !== "none" && shows !== "silence");

  test.each(attacks.map((attack) => ({ attack, id: attack.id })))(
    "names where `$id` sits, or sees nothing",
    ({ attack }) => {
      const row = rowFor(attack);
      const alone = alike(ALL).every((group) => !group.includes(attack));
      if (row === undefined) expect(["misuse", "sensor"]).toContain(attack.id);
      else expect(row.locus).toContain(attack.locus);
      if (alone) expect(row).toBeDefined();
    },
  );

  test("of its rows for one cause, none is for two that look alike here", () => {
    const single = LOCUS_TABLE.filter(({ locus, confidence }) => locus.length === 1 && confidence === 1).map(
      ({ id }) => id,
    );
    for (const group of alike(ALL)) {
      const rows = group.map(rowFor).flatMap((row) => row?.id ?? []);
      expect(rows.filter((id) => single.includes(id))).toEqual([]);
    }
  });
});

describe("what the report lists", () => {
  const factsOf = (inPlant: readonly Change[] = []): readonly Fact[] =>
    checkSpec(works({ inPlant })).facts.filter(({ guarantee }) => guarantee === "G10");

  test("links with the same taps together, and what would separate the causes", () => {
    const facts = factsOf();
    expect(facts).toHaveLength(6);
    expect(facts[0]).toMatchObject({
      says: "on hmi-plc1, hmi-plc2, ews-plc1 these look the same: an operator does what the phase allows; the client sends a harmful command that the phase allows. Narrower rules, or a second person's word, would tell some of them apart",
      detail: { links: ["hmi-plc1", "hmi-plc2", "ews-plc1"], loci: ["engineering", "hmi", "none"] },
    });
  });

  test("a link without a mirror is listed by itself, and the mirror as what is missing", () => {
    const facts = factsOf([
      [
        "server: plc-1, protocol: modbus, mode: enforce",
        "server: plc-1, protocol: modbus, mode: enforce, mirror: false",
      ],
    ]);
    const own = facts.filter(({ detail }) => Array.isArray(detail?.["links"]) && detail["links"].includes("hmi-plc1"));
    expect(own.map(({ detail }) => detail?.["separatedBy"])).toContainEqual(["a mirror of the link for the HMI layer"]);
    expect(own.every(({ detail }) => Array.isArray(detail?.["links"]) && detail["links"].length === 1)).toBe(true);
  });
});
