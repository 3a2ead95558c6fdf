import { describe, expect, test } from "vitest";
import { DeviceId, LinkId, PhaseId } from "#specs/ids.ts";
import { LEVELS, type Level, type Mask, OPERATIONS, type Operation, type Rule } from "#specs/lifecycle.ts";
import { changesState, containedPhaseId, passesAnywhere, throughMask } from "#specs/mask.ts";
import { EXAMPLE_LIFECYCLE } from "./decide/examples/lifecycle.ts";
import { EXAMPLE_PLANT } from "./decide/examples/plant.ts";

const HMI = DeviceId("hmi-1");
const PLC = DeviceId("plc-1");

/** By operation, one letter for each level from observe to cut: `.` passes, `l` limited, `x` masked. */
const LETTERS = { passes: ".", limited: "l", masked: "x" } as const;

describe("what a mask does to a rule of the operator station on the PLC", () => {
  test("the subject is the station that asks", () => {
    expect(tableOf({ device: HMI }, "hmi-1", "plc-1")).toEqual({
      ...{ read: "...xx", subscribe: "...xx", browse: "...xx", session: "...xx", report: "...xx" },
      ...{ write: ".lxxx", call: ".lxxx", program: ".lxxx", raw: ".lxxx" },
      ...{ diagnose: "..xxx", output: "....." },
    });
  });

  test("the subject is the PLC that is asked", () => {
    expect(tableOf({ device: PLC }, "hmi-1", "plc-1")).toEqual({
      ...{ read: "....x", subscribe: "....x", browse: "....x", session: "....x", report: "....x" },
      ...{ write: ".lxxx", call: ".lxxx", program: ".lxxx", raw: ".lxxx" },
      ...{ diagnose: "..xxx", output: "....." },
    });
  });

  test("the subject is the link between them: as a client is limited", () => {
    expect(tableOf({ link: LinkId("hmi-plc") }, "hmi-1", "plc-1")).toEqual(tableOf({ device: HMI }, "hmi-1", "plc-1"));
  });

  test.each([
    { name: "another device", subject: { device: DeviceId("ews-1") } },
    { name: "another link of the same station", subject: { link: LinkId("hmi-ua") } },
    { name: "another link to the same PLC", subject: { link: LinkId("ews-plc") } },
    { name: "a link that there is not", subject: { link: LinkId("nowhere") } },
  ])("the subject is $name: nothing", ({ subject }) => {
    expect(new Set(Object.values(tableOf(subject, "hmi-1", "plc-1")))).toEqual(new Set(["....."]));
  });

  test("safety rules pass whatever the level", () => {
    for (const level of LEVELS) {
      expect(throughMask(EXAMPLE_PLANT, mask(level, { device: HMI }), rule("write", true), HMI, PLC)).toBe("passes");
    }
  });
});

test("a rule is left where one of its sources or targets is", () => {
  const cut = mask("cut", { device: HMI });
  const both = [HMI, DeviceId("ews-1")];
  expect(passesAnywhere(EXAMPLE_PLANT, cut, rule("write"))).toBe(false);
  expect(passesAnywhere(EXAMPLE_PLANT, cut, { ...rule("write"), from: both })).toBe(true);
  const atOneServer = mask("cut", { link: LinkId("hmi-plc") });
  expect(passesAnywhere(EXAMPLE_PLANT, atOneServer, { ...rule("write"), targets: [PLC, DeviceId("ua-1")] })).toBe(true);
  expect(passesAnywhere(EXAMPLE_PLANT, mask("rate-limit", { device: HMI }), rule("write"))).toBe(true);
});

test("what can change the plant", () => {
  expect(OPERATIONS.filter(changesState)).toEqual(["write", "call", "program", "raw"]);
});

test("the phase of a containment is named by its origin, its subject and its level", () => {
  expect(containedPhaseId("", mask("cut", { device: HMI }))).toBe("contained.running.hmi-1.cut");
  const ofZone: Mask = { ...mask("observe", { link: LinkId("hmi-plc") }), origin: PhaseId("works.running") };
  expect(containedPhaseId("works.", ofZone)).toBe("works.contained.running.hmi-plc.observe");
});

function tableOf(subject: Mask["subject"], client: string, server: string): Record<string, string> {
  return Object.fromEntries(
    OPERATIONS.map((operation) => {
      const [source, target] = operation === "report" ? [server, client] : [client, server];
      const through = (level: Level) =>
        throughMask(EXAMPLE_PLANT, mask(level, subject), rule(operation), source, target);
      return [operation, LEVELS.map((level) => LETTERS[through(level)]).join("")];
    }),
  );
}

function mask(level: Level, subject: Mask["subject"]): Mask {
  return { origin: PhaseId("running"), level, subject };
}

function rule(operation: Operation, safety = false): Rule {
  const [any] = EXAMPLE_LIFECYCLE.rules;
  if (any === undefined) throw new Error("unreachable: the example has a rule");
  return { ...any, operation, safety, from: [HMI], targets: [PLC] };
}
