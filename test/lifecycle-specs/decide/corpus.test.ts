import { describe, expect, test } from "vitest";
import { linkOf } from "#specs/addresses.ts";
import { commit, judge, type Permitted } from "#specs/decide/decide.ts";
import { createHistory, type History, observeTag } from "#specs/decide/history.ts";
import type { Layer, Observation, Position, Verdict } from "#specs/decide/observation.ts";
import { compile, type Tables } from "#specs/decide/tables.ts";
import { DeviceId, LinkId, PhaseId, RuleId, StepId, TagId } from "#specs/ids.ts";
import { OPERATIONS, type Operation } from "#specs/lifecycle.ts";
import { bundleOf, small } from "../specs.ts";
import corpus from "./corpus.json" with { type: "json" };

interface Case {
  readonly description: string;
  readonly layer: string;
  readonly phase: string | null;
  readonly steps?: readonly string[];
  readonly window?: {
    readonly new: { phase: string; steps: readonly string[] };
    readonly rules: readonly string[];
    readonly judgedBy?: string;
  };
  readonly seen?: readonly { tag: string; value: number; atMs: number }[];
  readonly forwarded?: readonly { rule: string; atMs: number }[];
  readonly nowMs: number;
  readonly observation: {
    readonly source: string | null;
    readonly target: string;
    readonly link?: string | null;
    readonly operation: string;
    readonly items: readonly { tag: string | null; value?: number | null; address?: string }[];
  };
  readonly expect: { readonly verdict: string; readonly reason?: string; readonly rule: string | null };
}

const cases: readonly Case[] = corpus;
const bundle = bundleOf(small());
const tablesOf: Readonly<Record<Layer, Tables>> = {
  hmi: compile(bundle, "hmi"),
  switch: compile(bundle, "switch"),
  plc: compile(bundle, "plc"),
};

describe("decisions over the small plant", () => {
  test.each(cases)("$description", (entry) => {
    const tables = tablesOf[layerOf(entry.layer)];
    const history = historyOf(tables, entry);
    const verdict = judge(tables, permittedOf(entry), observationOf(entry.observation), history, entry.nowMs);
    expect({ ...verdict, rule: verdict.rule ?? null }).toMatchObject(entry.expect);
    if (entry.expect.verdict === "allow" && !("also" in entry.expect)) expect(verdict).not.toHaveProperty("also");
  });

  test("a judgement that fails itself is a deny: INTERNAL", () => {
    const tables = tablesOf.switch;
    const broken = {
      ...createHistory(tables),
      get values(): Float64Array {
        throw new Error("out of memory");
      },
    };
    const entry = cases.find(({ description }) => description === "a step too large");
    if (entry === undefined) throw new Error("the corpus has lost its case");
    expect(judge(tables, permittedOf(entry), observationOf(entry.observation), broken, 0)).toEqual({
      verdict: "deny",
      reason: "INTERNAL",
      rule: undefined,
      item: -1,
      mode: "enforce",
      says: "the decision itself failed: out of memory",
    });
  });

  test("a safety command is allowed in every phase, step, window and without a phase, at each layer", () => {
    const { phases } = bundle.lifecycle;
    const positions = phases.flatMap((phase): Position[] => [
      { phase: phase.id, steps: [] },
      ...phase.steps.map(({ id }) => ({ phase: phase.id, steps: [id] })),
    ]);
    const permitted: Permitted[] = [
      { kind: "none" },
      ...positions.map((position) => ({ kind: "phase" as const, position })),
      ...positions.flatMap((old) => positions.map((next) => ({ kind: "window" as const, old, new: next, window: [] }))),
    ];
    const items = [{ tag: "STOP", value: 1 }];
    const stop = observationOf({ source: "hmi-1", target: "plc-1", operation: "write", items });
    for (const tables of Object.values(tablesOf)) {
      for (const at of permitted) {
        expect(judge(tables, at, stop, createHistory(tables), 0)).toEqual({
          verdict: "allow",
          rule: "stop",
          safety: true,
        });
      }
    }
  });
});

function historyOf(tables: Tables, { seen = [], forwarded = [] }: Case): History {
  const history = createHistory(tables);
  for (const { tag, value, atMs } of seen) observeTag(history, TagId(tag), value, atMs);
  for (const { rule, atMs } of forwarded) {
    const allowed: Verdict = { verdict: "allow", rule: RuleId(rule), safety: false };
    commit(
      history,
      observationOf({ source: "hmi-1", target: "plc-1", operation: "write", items: [] }),
      allowed,
      "forwarded",
      atMs,
    );
  }
  return history;
}

function permittedOf({ phase, steps = [], window }: Case): Permitted {
  if (phase === null) return { kind: "none" };
  const position = positionOf(phase, steps);
  if (window === undefined) return { kind: "phase", position };
  return {
    kind: "window",
    old: position,
    new: positionOf(window.new.phase, window.new.steps),
    window: window.rules.map(RuleId),
    judgedBy: window.judgedBy === "either" ? "either" : "both",
  };
}

function positionOf(phase: string, steps: readonly string[]): Position {
  return { phase: PhaseId(phase), steps: steps.map(StepId) };
}

function observationOf({ source, target, link, operation, items }: Case["observation"]): Observation {
  const from = source === null ? undefined : source === "program" ? ("program" as const) : DeviceId(source);
  const to = DeviceId(target);
  const protocol = target === "plc-1" ? "modbus" : "opcua";
  const known = from === undefined || from === "program" ? undefined : linkOf(bundle.plant, from, to, protocol)?.id;
  return {
    source: from,
    sourceAddress: "127.10.9.66:40000",
    target: to,
    link: link === undefined ? known : link === null ? undefined : LinkId(link),
    operation: operationOf(operation),
    message: operation,
    items: items.map(({ tag, value, address }) => ({
      tag: tag === null ? undefined : TagId(tag),
      address: address ?? tag ?? "",
      value: value ?? undefined,
    })),
  };
}

function layerOf(text: string): Layer {
  if (text === "hmi" || text === "switch" || text === "plc") return text;
  throw new Error(`no layer \`${text}\``);
}

function operationOf(text: string): Operation {
  const found = OPERATIONS.find((operation) => operation === text);
  if (found === undefined) throw new Error(`no operation \`${text}\``);
  return found;
}
