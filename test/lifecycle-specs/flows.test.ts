import { describe, expect, test } from "vitest";
import { flowsIn } from "#specs/flows.ts";
import { DeviceId, LinkId, PhaseId, RawId } from "#specs/ids.ts";
import type { Mask, Rule } from "#specs/lifecycle.ts";
import { project } from "#specs/project.ts";
import { LIFECYCLE, PLANT, RULES } from "./everything.ts";

const flowsOf = (over: Partial<typeof LIFECYCLE> = {}) => project(PLANT, { ...LIFECYCLE, ...over }).flows;
const flows = flowsOf();
const linksIn = (phase: string | null, of = flows) =>
  flowsIn(of, phase === null ? null : PhaseId(phase)).map(({ link }) => link);

describe("each link as TCP from addresses to addresses", () => {
  test("ports are the protocol's, or those that an address is declared with", () => {
    expect(flows.links).toEqual([
      {
        ...{ link: "hmi-plc", protocol: "modbus", transport: "tcp" },
        from: [
          { ip: "10.0.0.1", ports: null },
          { ip: "127.0.0.1", ports: [21_000, 21_099] },
        ],
        to: [
          { ip: "10.0.1.1", ports: [502, 502] },
          { ip: "10.0.1.2", ports: [1502, 1502] },
        ],
      },
      expect.objectContaining({ link: "ews-plc", from: [{ ip: "10.0.0.2", ports: null }] }),
      expect.objectContaining({ link: "hmi-ua", protocol: "opcua", to: [{ ip: "10.0.2.1", ports: [4840, 4840] }] }),
      expect.objectContaining({ link: "ews-ua", protocol: "opcua" }),
    ]);
  });
});

describe("a link is open in a phase as long as anything may cross it", () => {
  test.each([
    { phase: "works.off", open: ["hmi-plc", "ews-plc", "ews-ua"], why: "reads are everywhere, the opaque one is open" },
    { phase: "power.on", open: ["hmi-plc", "ews-plc", "hmi-ua", "ews-ua"], why: "its rules are about the server" },
    { phase: "works.contained.run.hmi-1.read-only", open: ["hmi-plc", "ews-plc", "ews-ua"], why: "reading goes on" },
    { phase: "works.contained.run.ews-plc.cut", open: ["hmi-plc", "ews-ua"], why: "the conduit is cut" },
    {
      phase: "power.contained.on.ews-1.cut",
      open: ["hmi-plc", "hmi-ua"],
      why: "the device is cut, opaque link and all",
    },
    { phase: "unheard.of", open: ["hmi-plc"], why: "safety commands only" },
    { phase: null, open: ["hmi-plc"], why: "safety commands only, though the opaque link carries who knows what" },
  ])("$phase: $open, $why", ({ phase, open }) => {
    expect(linksIn(phase)).toEqual(open);
  });

  test("a rule of a single step is enough", () => {
    const run = LIFECYCLE.phases.filter(({ id }) => id === "works.run");
    const steps = run
      .flatMap((phase) => phase.steps)
      .map((step, n) => ({ ...step, rules: n === 1 ? [RULES.mass] : [] }));
    const phases = run.map((phase) => ({ ...phase, rules: [], steps }));
    expect(linksIn("works.run", flowsOf({ rules: [], phases }))).toEqual(["ews-plc", "ews-ua"]);
  });

  test("a rule that no message of the link's protocol can carry opens nothing", () => {
    const rule: Rule = { ...RULES.query, targets: [DeviceId("plc-1")], raw: [RawId("query")] };
    expect(linksIn("works.off", flowsOf({ rules: [rule], phases: LIFECYCLE.phases.slice(0, 1) }))).toEqual([
      "hmi-plc", // works.off may start the pump
      "ews-ua",
    ]);
    const phases = LIFECYCLE.phases.slice(0, 1).map((phase) => ({ ...phase, rules: [] }));
    expect(linksIn("works.off", flowsOf({ rules: [rule], phases }))).toEqual(["ews-ua"]);
  });

  test("safety commands pass a cut of their own link", () => {
    const mask: Mask = { origin: PhaseId("works.off"), level: "cut", subject: { link: LinkId("hmi-plc") } };
    const phases = LIFECYCLE.phases.slice(0, 1).map((phase) => ({ ...phase, mask }));
    expect(linksIn("works.off", flowsOf({ phases }))).toContain("hmi-plc");
    const calm = { ...RULES.stop, safety: false };
    expect(linksIn("works.off", flowsOf({ phases, rules: [calm] }))).not.toContain("hmi-plc");
  });
});
