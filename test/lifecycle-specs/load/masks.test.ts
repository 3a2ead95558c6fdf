import { describe, expect, test } from "vitest";
import { formatDiagnostic } from "#specs/diagnostic.ts";
import { LEVELS, type Phase } from "#specs/lifecycle.ts";
import { MAX_PHASES } from "#specs/load/phase-book.ts";
import { type Loaded, loadPlant } from "#specs/load.ts";
import { diagnosticsOf, FULL, SMALL } from "./mistake.ts";

const ALL = "from: [run, limited.look], to: limited.local, says: The network cannot be trusted. }";

describe("masks", () => {
  const full = loadFull(FULL.lifecycle.text);
  const generated = full.lifecycle.phases.filter(({ mask }) => mask !== undefined);

  test("one containment for each origin, subject and level, after all that is written", () => {
    expect(generated.map(({ id }) => id)).toEqual([
      ...LEVELS.map((level) => `mix.contained.normal.hmi-1.${level}`),
      ...LEVELS.map((level) => `mix.contained.normal.ews-m.${level}`),
      "mix.contained.stopped.ews-1.read-only",
      "mix.contained.degraded.hmi-quarantined.ews-1.read-only",
      "mix.contained.degraded.local-control.ews-1.read-only",
    ]);
    expect(full.lifecycle.phases.slice(-generated.length)).toEqual(generated);
  });

  test("has the rules and steps of its origin, the mask, and only ways out that do not lead to a containment", () => {
    const origin = phase(full, "mix.normal");
    const contained = phase(full, "mix.contained.normal.hmi-1.read-only");
    expect(contained.rules).toBe(origin.rules);
    expect(contained.steps).toBe(origin.steps);
    expect(contained).toMatchObject({
      zone: "mix",
      initial: "empty",
      containment: true,
      because: origin.because,
      mask: { origin: "mix.normal", level: "read-only", subject: { device: "hmi-1" } },
    });
    expect(contained.transitions).toEqual([
      {
        event: "operator",
        request: "lift",
        roles: ["operator", "engineer"],
        persons: 1,
        cleanMs: 5000,
        to: "mix.recovery.verify",
        with: [],
        window: [],
      },
      origin.transitions.find((exit) => exit.event === "operator" && exit.request === "stop"),
    ]);
    expect(origin.transitions.map((exit) => exit.to)).toContain("mix.contained.normal.hmi-1.observe");
    expect(phase(full, "mix.contained.normal.ews-m.cut").mask?.subject).toEqual({ link: "ews-m" });
  });

  test("without `back` an operator lifts it, to the origin", () => {
    expect(phase(full, "mix.contained.stopped.ews-1.read-only").transitions[0]).toEqual({
      event: "operator",
      request: "lift-containment",
      roles: ["operator"],
      persons: 1,
      to: "mix.stopped",
      with: [],
      window: [],
    });
  });

  test("a containment with a level leads from each origin to its own phase; a group stands for its phases", () => {
    const { containments } = full.lifecycle;
    expect(containments.map(({ from, to }) => `${from.length === 1 ? from[0] : from.length} → ${to}`)).toEqual([
      "mix.normal → mix.contained.normal.hmi-1.rate-limit",
      "mix.normal → mix.contained.normal.hmi-1.read-only",
      "mix.stopped → mix.contained.stopped.ews-1.read-only",
      "mix.degraded.hmi-quarantined → mix.contained.degraded.hmi-quarantined.ews-1.read-only",
      "mix.degraded.local-control → mix.contained.degraded.local-control.ews-1.read-only",
      "14 → mix.degraded.local-control",
    ]);
    expect(containments[0]?.tags).toEqual(["TEMP.SP"]);
  });

  test("a phase that is written by hand under the same name takes the place of the generated one", () => {
    const by = `
  contained:
    says: Contained.
    phases:
      run:
        says: Contained in run.
        phases:
          hmi-1:
            says: The operator station is contained in run.
            phases:
              cut: { says: By hand., containment: true, on: [{ request: back, roles: [operator], to: run }] }
`;
    const text = SMALL.lifecycle.text
      .replace("\n  service:\n", `${by}\n  service:\n`)
      .replace("\ncontainments:", "\nmasks: [{ levels: [cut, observe], of: [hmi-1], from: [run] }]\ncontainments:")
      .replace("locus: [hmi], from: [run], to: limited.look,", "locus: [hmi], from: [run], level: cut, of: hmi-1,");
    const { lifecycle } = loadSmall(text);
    expect(
      lifecycle.phases.filter(({ id }) => id.startsWith("contained.")).map(({ id, says }) => `${id} ${says}`),
    ).toEqual([
      "contained.run.hmi-1.cut By hand.",
      "contained.run.hmi-1.observe As in run; everything of hmi-1 is reported.",
    ]);
    expect(lifecycle.containments[0]?.to).toBe("contained.run.hmi-1.cut");
  });

  test("as many phases as the limit, and then no more", () => {
    const phases = (n: number) => Array.from({ length: n }, (_, i) => `  p${i}: { says: x }`).join("\n");
    const written = 5; // of the small plant
    const masks = "\nmasks: [{ levels: [observe], of: [hmi-1], from: [off, run] }]\ncontainments:";
    const text = (n: number) =>
      SMALL.lifecycle.text.replace("\nphases:\n", `\nphases:\n${phases(n)}\n`).replace("\ncontainments:", masks);
    expect(loadSmall(text(MAX_PHASES - written - 2)).lifecycle.phases).toHaveLength(MAX_PHASES);
    expect(diagnosticsOf(SMALL, { lifecycle: text(MAX_PHASES - written - 1) })).toMatchObject([
      { code: "NUMBER_INVALID", message: expect.stringContaining("2000 phases") },
    ]);
    expect(
      diagnosticsOf(SMALL, {
        lifecycle: SMALL.lifecycle.text.replace("\nphases:\n", `\nphases:\n${phases(MAX_PHASES - written + 1)}\n`),
      }),
    ).toMatchObject([{ code: "NUMBER_INVALID", message: expect.stringContaining("2001 phases") }]);
  });
});

describe("where the parts are written", () => {
  test("of the plant of two zones", () => {
    const { locate } = loadFull(FULL.lifecycle.text);
    const line = (key: string) => {
      const at = locate(key);
      return (at.file === "plant.yaml" ? FULL.plant.text : FULL.lifecycle.text).split("\n")[at.line - 1]?.trim();
    };
    expect(line("tag:FILL.VOLUME")).toMatch(/^FILL\.VOLUME:/);
    expect(line("link:hmi-rtu")).toMatch(/^hmi-rtu:/);
    expect(line("device:rtu-l")).toMatch(/^rtu-l:/);
    expect(line("essential:keep-warm")).toMatch(/^keep-warm:/);
    expect(line("raw:query")).toMatch(/^query:/);
    expect(line("zone:line")).toMatch(/^line: Filling/);
    expect(line("rule:agitate")).toMatch(/^agitate:/);
    expect(line("phase:line.execute")).toBe("execute:");
    expect(line("step:mix.normal/loaded")).toBe("loaded:");
    expect(line("exit:mix.stopped/0")).toMatch(/^- \{ request: start/);
    expect(line("initial:mix")).toBe("initial: stopped");
    expect(line("isolated:line")).toBe("isolated: local");
    expect(line("safe:mix")).toMatch(/^safe:/);
    expect(line("mask:mix.normal/ews-m/cut")).toMatch(/^- \{ levels: \[observe/);
    expect(line("containment:3")).toMatch(/engineering/);
    expect(line("containment:5")).toMatch(/trusted/);
    // What is generated stands where what it comes from does.
    expect(line("phase:mix.contained.stopped.ews-1.read-only")).toMatch(/^- \{ levels: \[read-only/);
    expect(line("exit:mix.contained.normal.hmi-1.cut/0")).toMatch(/^- \{ levels: \[observe/);
    expect(line("step:mix.contained.normal.hmi-1.cut/loaded")).toBe("loaded:");
    // What a template gives stands in the template.
    expect(locate("exit:mix.normal/2").file).toMatch(/templates.continuous\.yaml$/);
    expect(locate("phase:line.aborted").file).toMatch(/templates.packml\.yaml$/);
  });

  test("of a plant of one zone also without the zone", () => {
    const { locate } = loadSmall(SMALL.lifecycle.text);
    expect([locate("initial").line, locate("isolated").line]).toEqual([4, 5]);
    expect([locate("initial:works").line, locate("isolated:works").line]).toEqual([4, 5]);
    expect(SMALL.lifecycle.text.split("\n")[locate("containment:2").line - 1]).toContain(ALL);
  });
});

function loadSmall(text: string): Loaded {
  return value(loadPlant(SMALL.plant, { ...SMALL.lifecycle, text }));
}

function loadFull(text: string): Loaded {
  return value(loadPlant(FULL.plant, { ...FULL.lifecycle, text }));
}

function value(result: ReturnType<typeof loadPlant>): Loaded {
  if (!result.ok) throw new Error(result.error.map(formatDiagnostic).join("\n"));
  return result.value;
}

function phase({ lifecycle }: Loaded, id: string): Phase {
  const found = lifecycle.phases.find((each) => each.id === id);
  if (found === undefined) throw new Error(`no phase ${id}`);
  return found;
}
