import { describe, expect, test } from "vitest";
import { judge } from "#specs/decide/decide.ts";
import { createHistory } from "#specs/decide/history.ts";
import type { Observation } from "#specs/decide/observation.ts";
import { compile, hasReports } from "#specs/decide/tables.ts";
import { DeviceId, LinkId, TagId } from "#specs/ids.ts";
import { at, tells } from "./examples/examples.ts";
import { EXAMPLE } from "./examples/lifecycle.ts";

const tables = compile(EXAMPLE, "switch");
const plc = DeviceId("plc-1");
const hmi = DeviceId("hmi-1");
const ews = DeviceId("ews-1");
const ua = DeviceId("ua-1");
const level = TagId("LEVEL");

function judged(observation: Observation) {
  return judge(tables, at("running", "fill"), observation, createHistory(tables), 0);
}

describe("what a server tells a client", () => {
  test.each([
    { name: "ruled", source: plc, target: hmi, tag: level, want: true },
    { name: "another client", source: plc, target: ews, tag: level, want: false },
    { name: "another tag", source: plc, target: hmi, tag: TagId("DOOR"), want: false },
    { name: "a server that does not hold the tag", source: ua, target: hmi, tag: level, want: false },
    { name: "a client that nobody declared", source: plc, target: DeviceId("laptop"), tag: level, want: false },
    { name: "a tag that nobody declared", source: plc, target: hmi, tag: TagId("NOWHERE"), want: false },
    { name: "the wrong way round", source: hmi, target: plc, tag: level, want: false },
  ])("is judged only where a rule is about it: $name", ({ source, target, tag, want }) => {
    expect(hasReports(tables, source, target, tag)).toBe(want);
    expect(hasReports(compile(EXAMPLE, "plc"), source, target, tag)).toBe(false);
  });

  test("comes over the link of its client, in the other direction", () => {
    expect(judged(tells("LEVEL", 1))).toMatchObject({ verdict: "allow", rule: "level-told" });
    expect(judged(tells("LEVEL", 1, { link: LinkId("hmi-ua") }))).toMatchObject({ reason: "LINK_UNKNOWN" });
    expect(judged(tells("LEVEL", 1, { source: hmi, target: plc }))).toMatchObject({ reason: "LINK_UNKNOWN" });
  });

  test("to another client is another device's", () => {
    const toEws = { target: ews, link: LinkId("ews-plc") };
    expect(judged(tells("LEVEL", 1, toEws))).toMatchObject({
      reason: "SOURCE_FORBIDS",
      says: "plc-1 may not report LEVEL to ews-1: another device may do this, this one may not (level-told in running)",
    });
  });

  test("of a tag that the server does not hold is of no tag", () => {
    expect(judged(tells("CALIBRATE", 1))).toMatchObject({ reason: "TAG_UNKNOWN", item: 0 });
  });

  test("without a rule is denied like anything else", () => {
    expect(judged(tells("DOOR", 1))).toMatchObject({
      reason: "NO_RULE",
      says: "plc-1 may not report DOOR to hmi-1: no phase allows this",
    });
    expect(judged({ ...tells("LEVEL", 1), items: [] })).toMatchObject({ reason: "NO_RULE", item: -1 });
  });

  test("that fails is answered as its rule says, whatever the link's mode", () => {
    expect(judged(tells("LEVEL", undefined))).toMatchObject({ reason: "TYPE_MISMATCH", mode: "monitor" });
    expect(judged(tells("LEVEL", 5.1))).toMatchObject({ reason: "VALUE_ABOVE", rule: "level-told", mode: "monitor" });
  });
});
