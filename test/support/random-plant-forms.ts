import type { Observation } from "#specs/decide/observation.ts";
import type { FormRule, ModbusFunction, Span } from "#specs/form.ts";
import type { Operation, Rule } from "#specs/lifecycle.ts";
import { between, chance, type Draw, pick, someAtLeastOne, times } from "./random-plant-draw.ts";

const ROLES = ["operator", "engineer", "viewer"] as const;
const FUNCTIONS: Readonly<Partial<Record<Operation, readonly ModbusFunction[]>>> = {
  read: [{ code: 3 }, { code: 4 }, { code: 23 }],
  write: [{ code: 6 }, { code: 16 }, { code: 23 }],
  program: [{ code: 8 }, { code: 8, sub: 1 }, { code: 21 }],
  diagnose: [{ code: 8 }, { code: 8, sub: 0 }, { code: 17 }, { code: 43, sub: 14 }],
};
const COUNTED: readonly Operation[] = ["read", "write", "call", "subscribe"];
const WITHOUT_ROLES: readonly Operation[] = ["output", "report", "session"];

/** Mostly none. */
export function randomRoles(draw: Draw, operation: Operation): readonly string[] | undefined {
  if (WITHOUT_ROLES.includes(operation) || !chance(draw, 20)) return undefined;
  return someAtLeastOne(draw, ROLES.slice(0, 2), 40);
}

/** Mostly none. @param files whether the rule is to be about files */
export function randomForm(draw: Draw, operation: Operation, files: boolean): FormRule | undefined {
  const named = FUNCTIONS[operation];
  const objects = operation === "diagnose" && chance(draw, 50);
  const functions = !files && !objects && chance(draw, 25) ? named : undefined;
  const quantity = (files || COUNTED.includes(operation)) && chance(draw, 25);
  if (!files && !objects && functions === undefined && !quantity) return undefined;
  const range = () => ({ files: span(draw, 1, 4), records: span(draw, 0, 5) });
  return {
    ...(functions === undefined ? {} : { functions: someAtLeastOne(draw, functions, 30) }),
    ...(quantity ? { quantity: between(draw, 1, 4) } : {}),
    ...(files ? { files: times(between(draw, 1, 2), range) } : {}),
    ...(objects ? { objects: [span(draw, 0, 6)] } : {}),
  };
}

function span(draw: Draw, low: number, high: number): Span {
  const least = between(draw, low, high);
  return [least, between(draw, least, high)];
}

type Message = Pick<Observation, "role" | "functionCode" | "subFunction" | "quantity" | "files" | "objects">;

/** A message that mostly has the form that the rule asks for, or is just beside it. */
export function randomMessage(draw: Draw, operation: Operation, rule: Rule | undefined): Message {
  const { roles = [], form = {} } = rule ?? {};
  const { code, sub } = functionFor(draw, operation, form);
  const isOfFiles = (operation === "read" && form.files !== undefined) || (operation === "program" && chance(draw, 50));
  const isOfObjects = operation === "diagnose" && (form.objects !== undefined || chance(draw, 30));
  const files = isOfFiles ? times(between(draw, 1, 2), () => records(draw, form)) : undefined;
  const most = form.quantity ?? 2;
  const odd = draw.below(60) === 59;
  return {
    role: pick(draw, roles.length > 0 && chance(draw, 80) ? roles : [...ROLES, undefined]),
    functionCode: code,
    subFunction: sub,
    quantity: pick(draw, [most, most, most - 1, most + 1, odd ? undefined : most]),
    files: odd ? [] : files,
    objects: isOfObjects ? objects(draw, form) : undefined,
  };
}

function functionFor(draw: Draw, operation: Operation, { functions }: FormRule): ModbusFunction {
  const all = FUNCTIONS[operation] ?? [{ code: 3 }];
  const { code, sub } = pick(draw, functions !== undefined && chance(draw, 70) ? functions : all);
  return { code, sub: sub ?? between(draw, 0, 1) };
}

function records(draw: Draw, { files = [{ files: [1, 4], records: [0, 5] }] }: FormRule) {
  const within = pick(draw, files);
  const record = Math.max(0, within.records[0] - (draw.below(8) === 7 ? 1 : 0));
  const most = within.records[1] - record + 1;
  return {
    file: between(draw, ...within.files) + (draw.below(10) === 9 ? 1 : 0),
    record,
    count: Math.max(1, pick(draw, [most, between(draw, 1, most), most, most + 1])),
  };
}

function objects(draw: Draw, { objects: spans = [[0, 6]] }: FormRule): Span {
  const [least, most] = pick(draw, spans);
  const before = Math.max(0, least - 1);
  const near: readonly Span[] = [
    [least, most],
    [least, least],
    [most, most],
    [least, most + 1],
    [before, most],
  ];
  return pick(draw, near);
}
