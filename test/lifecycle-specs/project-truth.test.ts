import { describe, expect, test } from "vitest";
import { observeModbus, type Party } from "#point/observe/modbus.ts";
import { ModbusTags } from "#point/observe/modbus-tags.ts";
import { buildBundle } from "#specs/bundle.ts";
import { commit, judge } from "#specs/decide/decide.ts";
import { createHistory, observeTag } from "#specs/decide/history.ts";
import type { Layer, Observation } from "#specs/decide/observation.ts";
import { compile } from "#specs/decide/tables.ts";
import { DeviceId, LinkId, PhaseId, RuleId, type StepId, TagId } from "#specs/ids.ts";
import type { Lifecycle, Phase, Rule } from "#specs/lifecycle.ts";
import { throughMask } from "#specs/mask.ts";
import type { Link, ModbusTable } from "#specs/plant.ts";
import { allRules } from "#specs/positions.ts";
import {
  type ModbusTagMessage,
  type ProjectedPosition,
  positionsOf,
  project,
  type SwitchEntry,
} from "#specs/project.ts";
import { rawOf, registersOf } from "#specs/raw.ts";
import { coilAddress, discreteInputAddress, holdingRegisterAddress, inputRegisterAddress } from "#wire/modbus/ids.ts";
import type { ModbusRequest } from "#wire/modbus/index.ts";
import { between, type Draw, pick, seededDraw } from "../support/random-plant-draw.ts";
import { LIFECYCLE, PLANT, RULES } from "./everything.ts";
import { neighbours, wordsOf } from "./raw-values.ts";

/** The lifecycle without what depends on the past: times, steps from one value to the next, order. */
function timeless(lifecycle: Lifecycle): Lifecycle {
  const made = new Map(
    allRules(lifecycle).map(({ cadence: _, causality: __, ...rule }): [RuleId, Rule] => {
      const { min, max, oneOf } = rule.value ?? {};
      const value = {
        ...(min === undefined ? {} : { min }),
        ...(max === undefined ? {} : { max }),
        ...(oneOf === undefined ? {} : { oneOf }),
      };
      return [rule.id, rule.value === undefined ? rule : { ...rule, value }];
    }),
  );
  const of = (rules: readonly Rule[]) => rules.flatMap(({ id }) => made.get(id) ?? []);
  const phases = lifecycle.phases.map((phase): Phase => {
    const steps = phase.steps.map((step) => ({ ...step, rules: of(step.rules) }));
    return { ...phase, rules: of(phase.rules), steps };
  });
  return { ...lifecycle, rules: of(lifecycle.rules), phases };
}

const lifecycle = timeless(LIFECYCLE);
const bundle = buildBundle(PLANT, lifecycle);
const entries = new Map(bundle.projections.switch.rules.map((entry) => [entry.rule, entry]));
const safetyRules = allRules(lifecycle).filter(({ safety }) => safety);

/** A part of a request as it is on the wire: what it reads, or the words that it writes. */
interface Part {
  readonly functionCode: number;
  readonly unit: number;
  readonly table: ModbusTable;
  readonly address: number;
  readonly quantity: number;
  readonly words: readonly number[] | undefined;
}

/** Reads the projection as a person would: may each piece of the message cross, one after the other, without a gap? */
function mayCross(position: ProjectedPosition, link: Link, role: string | undefined, parts: readonly Part[]): boolean {
  const messages = (quantity: number) =>
    [...position.rules, ...safetyRules.map(({ id }) => id)].flatMap((id) => {
      const entry = entries.get(id);
      if (entry === undefined || isMasked(position, entry, link) || quantity > (entry.quantity ?? quantity)) return [];
      const isKnown = entry.roles === undefined || entry.roles.some((allowed) => allowed === role);
      return isKnown ? messagesOver(entry, link) : [];
    });
  return parts.every((part) => piecesCross(messages(part.quantity), part));
}

function isMasked({ mask }: ProjectedPosition, { rule: id }: SwitchEntry, { client, server }: Link): boolean {
  const rule = allRules(lifecycle).find((candidate) => candidate.id === id);
  if (rule === undefined || mask === undefined) return false;
  return throughMask(PLANT, mask, rule, client, server) === "masked";
}

function messagesOver({ direction, crossings }: SwitchEntry, { id }: Link): readonly ModbusTagMessage[] {
  if (direction === "answer") return [];
  return crossings
    .filter(({ links }) => links.includes(id))
    .flatMap(({ messages }) => messages.flatMap((message) => ("table" in message ? [message] : [])));
}

function piecesCross(messages: readonly ModbusTagMessage[], part: Part): boolean {
  for (let at = 0; at < part.quantity; ) {
    const piece = messages.find((message) => fits(message, part, at));
    if (piece === undefined) return false;
    at += piece.quantity;
  }
  return true;
}

function fits(message: ModbusTagMessage, part: Part, at: number): boolean {
  const isPlace =
    message.functions.includes(part.functionCode) &&
    message.unit === part.unit &&
    message.table === part.table &&
    message.address === part.address + at &&
    at + message.quantity <= part.quantity;
  if (!isPlace || (part.words === undefined) !== (message.value === undefined)) return false;
  if (part.words === undefined || message.value === undefined) return true;
  const raw = rawIn(message, part.words.slice(at, at + message.quantity));
  const { min, max, oneOf } = message.value;
  const isListed = oneOf === undefined || oneOf.some(([least, most]) => raw >= least && raw <= most);
  return raw >= min && raw <= max && isListed;
}

/** The number in some registers, by the message's own word of type and order. */
function rawIn({ type, wordOrder = "big", byteOrder = "big" }: ModbusTagMessage, words: readonly number[]): number {
  const view = new DataView(new ArrayBuffer(8));
  const ordered = wordOrder === "big" ? words : words.toReversed();
  for (const [n, word] of ordered.entries()) view.setUint16(2 * n, word, byteOrder === "little");
  switch (type) {
    case "bool":
    case "uint16":
      return view.getUint16(0);
    case "int16":
      return view.getInt16(0);
    case "uint32":
      return view.getUint32(0);
    case "int32":
      return view.getInt32(0);
    case "float32":
      return view.getFloat32(0);
    case "float64":
      return view.getFloat64(0);
  }
}

const TABLES: readonly ModbusTable[] = ["coil", "discrete-input", "holding-register", "input-register"];
const READS = { coil: 1, "discrete-input": 2, "holding-register": 3, "input-register": 4 } as const;

/** A request near what the plant has: at its addresses or one off, of its values or next to their bounds. */
function randomParts(draw: Draw): readonly Part[] {
  const unit = draw.below(15) === 0 ? 2 : 1;
  const off = draw.below(10) === 0 ? 1 : 0;
  const dice = draw.below(10);
  if (dice < 3) {
    const table = pick(draw, TABLES);
    return [{ ...readPart(draw, table, off), unit, functionCode: READS[table] }];
  }
  const table = dice < 5 ? "coil" : "holding-register";
  const written = writtenTags(draw, table);
  const words = written.flatMap((tag) => tag.words);
  const place = { unit, table, address: (written[0]?.address ?? 0) + off, quantity: words.length, words } as const;
  if (table === "coil") return [{ ...place, functionCode: words.length === 1 && dice === 3 ? 5 : 15 }];
  if (words.length === 1 && dice < 7) return [{ ...place, functionCode: 6 }];
  if (dice < 9) return [{ ...place, functionCode: 16 }];
  return [
    { ...place, functionCode: 23 },
    { ...readPart(draw, table, 0), unit, functionCode: 23 },
  ];
}

/** One to three tags that lie side by side, and sometimes a register less or more. */
function neighboursOn(draw: Draw, table: ModbusTable) {
  const tags = PLANT.tags
    .flatMap(({ id, range, modbus }) => (modbus?.table === table ? [{ id, range, modbus }] : []))
    .sort((a, b) => a.modbus.address - b.modbus.address);
  const from = draw.below(tags.length);
  return tags.slice(from, from + between(draw, 1, 3));
}

function readPart(draw: Draw, table: ModbusTable, off: number) {
  const tags = neighboursOn(draw, table);
  const quantity = tags.reduce((sum, { modbus }) => sum + registersOf(modbus), 0) || 1;
  const address = (tags[0]?.modbus.address ?? 0) + off;
  const most = draw.below(8) === 0 ? 1 : 0;
  return { table, address, quantity: quantity + most, words: undefined };
}

/** Each with a value around one of its bounds, or in the middle of them. */
function writtenTags(draw: Draw, table: ModbusTable) {
  return neighboursOn(draw, table).map(({ id, range, modbus }) => {
    const bounds = allRules(lifecycle)
      .filter(({ tags: about, operation }) => about.includes(id) && operation === "write")
      .flatMap(({ value }) => [value?.min, value?.max, ...(value?.oneOf ?? [])])
      .filter((bound) => bound !== undefined);
    const { min, max } = rawOf(modbus, { min: range[0], max: range[1] });
    const at = pick(draw, [min, max, (min + max) / 2, ...bounds.map((bound) => bound / modbus.scale)]);
    const value = pick(draw, neighbours(modbus.type, at));
    return { address: modbus.address, words: wordsOf(modbus, value) };
  });
}

function requestOf([first, second]: readonly Part[]): ModbusRequest | undefined {
  if (first === undefined) return undefined;
  const { functionCode, address: at, quantity, words = [] } = first;
  const [value = 0] = words;
  switch (functionCode) {
    case 1:
      return { kind: "read-coils", functionCode, address: coilAddress(at), quantity };
    case 2:
      return { kind: "read-discrete-inputs", functionCode, address: discreteInputAddress(at), quantity };
    case 3:
      return { kind: "read-holding-registers", functionCode, address: holdingRegisterAddress(at), quantity };
    case 4:
      return { kind: "read-input-registers", functionCode, address: inputRegisterAddress(at), quantity };
    case 5:
      return { kind: "write-single-coil", functionCode, address: coilAddress(at), on: value === 1 };
    case 6:
      return { kind: "write-single-register", functionCode, address: holdingRegisterAddress(at), value };
    case 15:
      return {
        kind: "write-multiple-coils",
        functionCode,
        address: coilAddress(at),
        values: words.map((word) => word === 1),
      };
    case 16:
      return { kind: "write-multiple-registers", functionCode, address: holdingRegisterAddress(at), values: words };
    case 23:
      return {
        ...{ kind: "read-write-multiple-registers", functionCode },
        ...{ writeAddress: holdingRegisterAddress(at), values: words },
        ...{ readAddress: holdingRegisterAddress(second?.address ?? 0), readQuantity: second?.quantity ?? 1 },
      };
    default:
      return undefined;
  }
}

test("what the projection says of Modbus messages is what the filter decides", () => {
  const tables = compile(bundle, "switch");
  const history = createHistory(tables);
  const tags = new ModbusTags(PLANT, DeviceId("plc-1"));
  const links = PLANT.links.filter(({ protocol }) => protocol === "modbus");
  const positions = positionsOf(lifecycle);
  const counts = { allowed: 0, denied: 0, writes: 0 };
  const draw = seededDraw(5);
  for (let n = 0; n < 20_000; n += 1) {
    const position = pick(draw, positions);
    const link = pick(draw, links);
    const parts = randomParts(draw);
    const request = requestOf(parts);
    if (request === undefined) throw new Error("unreachable: every kind of request is known");
    const role = pick(draw, ["engineer", "viewer", undefined]);
    const party: Party = { source: link.client, sourceAddress: "", target: link.server, link: link.id, role };
    const permitted = {
      kind: "phase",
      position: { phase: position.phase, steps: position.step === null ? [] : [position.step] },
    } as const;
    const allowed = observeModbus(party, tags, parts[0]?.unit ?? 1, request).every(
      (observation) => judge(tables, permitted, observation, history, 0).verdict === "allow",
    );
    expect({ n, position, parts, allowed: mayCross(position, link, role, parts) }).toEqual({
      n,
      position,
      parts,
      allowed,
    });
    counts[allowed ? "allowed" : "denied"] += 1;
    if (allowed && parts[0]?.words !== undefined) counts.writes += 1;
  }
  expect(counts.allowed).toBeGreaterThan(2000);
  expect(counts.denied).toBeGreaterThan(2000);
  expect(counts.writes).toBeGreaterThan(500);
});

describe("the times of the projection are those at which the verdict turns", () => {
  const FLOW = TagId("FLOW");
  const base: Rule = { ...RULES.start, id: RuleId("flow"), tags: [FLOW] };
  const first: Rule = { ...RULES.start, id: RuleId("first") };
  const write = (tag: TagId, value: number): Observation => ({
    ...{ source: DeviceId("hmi-1"), sourceAddress: "", target: DeviceId("plc-1"), link: LinkId("hmi-plc") },
    ...{ operation: "write", message: "", items: [{ tag, address: "", value }] },
  });
  const phase = PhaseId("works.off");

  /** One layer with one rule about FLOW and one about PUMP. */
  function layerOf(layer: Layer, change: Partial<Rule>) {
    const phases = LIFECYCLE.phases.slice(0, 1).map((off) => ({ ...off, rules: [{ ...base, ...change }, first] }));
    const made: Lifecycle = { ...LIFECYCLE, rules: [], phases };
    const tables = compile(buildBundle(PLANT, made), layer);
    const history = createHistory(tables);
    const [entry] = project(PLANT, made)[layer].rules;
    if (entry === undefined) throw new Error("the rule is projected onto every layer");
    const position = { phase, steps: [] as readonly StepId[] };
    const ask = (observation: Observation, atMs: number) =>
      judge(tables, { kind: "phase", position }, observation, history, atMs);
    return {
      entry,
      see: (tag: string, value: number, atMs: number) => observeTag(history, TagId(tag), value, atMs),
      passes: (atMs: number, value = 10) => ask(write(FLOW, value), atMs).verdict === "allow",
      send: (tag: string, value: number, atMs: number, outcome: "forwarded" | "answered-ok" = "forwarded") => {
        const observation = write(TagId(tag), value);
        commit(history, observation, ask(observation, atMs), outcome, atMs);
      },
    };
  }

  const open = { all: [{ tag: TagId("LEVEL"), test: "at-least", value: 1 }], forMs: 3000 } as const;

  describe.each(["hmi", "switch", "plc"] as const)("%s", (layer) => {
    test("rate", () => {
      const { entry, send, passes } = layerOf(layer, { cadence: { rate: { most: 1, perMs: 5000 } } });
      const perMs = entry.cadence?.rate?.perMs ?? -1;
      send("FLOW", 10, 0);
      expect([passes(perMs - 1), passes(perMs)]).toEqual([false, true]);
    });

    test("period", () => {
      const { entry, send, passes } = layerOf(layer, { cadence: { period: { everyMs: 5000, jitterMs: 500 } } });
      const leastMs = entry.cadence?.period?.leastMs ?? -1;
      send("FLOW", 10, 0);
      expect([passes(leastMs - 1), passes(leastMs)]).toEqual([false, true]);
    });

    test("what must hold", () => {
      const { entry, see, passes } = layerOf(layer, { causality: { after: open } });
      const forMs = entry.causality?.after?.forMs ?? -1;
      see("LEVEL", 2, 0);
      expect([passes(forMs - 1), passes(forMs)]).toEqual([false, true]);
    });

    test("what must have been seen lately", () => {
      const { entry, see, passes } = layerOf(layer, { causality: { after: { ...open, forMs: 0, freshMs: 1000 } } });
      const freshMs = entry.causality?.after?.freshMs ?? -1;
      see("LEVEL", 2, 0);
      expect([passes(freshMs), passes(freshMs + 1)]).toEqual([true, false]);
    });

    test("what must not hold", () => {
      const { entry, see, passes } = layerOf(layer, { causality: { notWhile: open } });
      const forMs = entry.causality?.notWhile?.forMs ?? -1;
      see("LEVEL", 2, 0);
      expect([passes(forMs - 1), passes(forMs)]).toEqual([true, false]);
    });

    test("ramp: the time that counts is the slack longer", () => {
      const { see, passes } = layerOf(layer, { value: { rampPerS: 10 } });
      const slackMs = project(PLANT, LIFECYCLE)[layer].slackMs;
      see("FLOW", 10, 0);
      const after = 500;
      const change = (10 * (after + slackMs)) / 1000;
      expect([passes(after, 10 + change), passes(after, 10 + change + 0.01)]).toEqual([true, false]);
    });
  });

  describe.each(["hmi", "switch"] as const)("%s", (layer) => {
    test("what must have been answered", () => {
      const follows = { rule: first.id, withinMs: 3000, once: false };
      const { entry, send, passes } = layerOf(layer, { causality: { follows } });
      const withinMs = entry.causality?.follows?.withinMs ?? -1;
      send("PUMP", 1, 0, "answered-ok");
      expect([passes(withinMs), passes(withinMs + 1)]).toEqual([true, false]);
    });

    test("what must be kept apart", () => {
      const { entry, send, passes } = layerOf(layer, { causality: { apart: { rules: [first.id], withinMs: 3000 } } });
      const withinMs = entry.causality?.apart?.withinMs ?? -1;
      send("PUMP", 1, 0);
      expect([passes(withinMs - 1), passes(withinMs)]).toEqual([false, true]);
    });
  });

  test("PLC: the order of messages is not judged", () => {
    const follows = { rule: first.id, withinMs: 3000, once: true };
    const { entry, passes } = layerOf("plc", { causality: { follows } });
    expect([entry.causality, passes(0)]).toEqual([undefined, true]);
  });
});
