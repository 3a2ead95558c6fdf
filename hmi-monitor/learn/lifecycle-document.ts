import {
  Document,
  isMap,
  isScalar,
  type Pair,
  parseDocument,
  Scalar,
  type YAMLMap,
  YAMLSeq,
  YAMLMap as YamlMap,
} from "yaml";
import type { DraftLifecycle, DraftPhase, DraftRule, DraftStep } from "./draft.ts";
import { relax } from "./relax.ts";
import { outOfStep } from "./written-steps.ts";

/** Something that would be allowed and is not yet: taken into a draft that is there only where the caller says so. */
export interface Widening {
  /** Where in the file: a rule, a phase, a device. */
  readonly where: string;
  readonly says: string;
}

export interface WrittenDraft {
  readonly text: string;
  /** What the file does not allow and the evidence would; taken or not, as asked. */
  readonly widenings: readonly Widening[];
}

const HEAD = [
  " DRAFT, learned from captures by `sekisho spec learn`. Read every rule before you set a link of plant.yaml to `enforce`: what was seen",
  " is not what should be. Add what must always be possible and was not seen (emergency stops: `safety: true`), strike what should not be.",
].join("\n");

/** A new lifecycle file. */
export function newLifecycle(plant: string, draft: DraftLifecycle): string {
  const document = new Document({
    ...{ plant, version: 1, initial: draft.initial, isolated: draft.isolated },
    ...{ safe: { phase: draft.safe, within: "5m" }, lease: "10s", rules: {}, phases: {} },
  });
  document.commentBefore = HEAD;
  return written(document, draft, true).text;
}

/**
 * The draft taken into a file that is there. What a person wrote or struck stays; what the file does not allow yet is listed, and taken
 * with `widen` alone. @throws Error in one sentence where the file is no lifecycle
 */
export function mergeLifecycle(text: string, draft: DraftLifecycle, widen: boolean): WrittenDraft {
  const document = parseDocument(text);
  const [first] = document.errors;
  if (first !== undefined) throw new Error(`lifecycle.yaml cannot be read: ${first.message.split("\n")[0] ?? ""}`);
  if (!isMap(document.contents)) throw new Error("lifecycle.yaml is no map of keys; give another folder with -o");
  return written(document, draft, widen);
}

function written(document: Document, draft: DraftLifecycle, widen: boolean): WrittenDraft {
  const widenings: Widening[] = [];
  const pen: Pen = { document, widen, add: (where, says) => void widenings.push({ where, says }) };
  for (const rule of draft.rules) writeRule(pen, ["rules"], rule);
  for (const phase of draft.phases) writePhase(pen, phase, draft);
  return { text: document.toString({ lineWidth: 0, flowCollectionPadding: true }), widenings };
}

interface Pen {
  readonly document: Document;
  readonly widen: boolean;
  add(where: string, says: string): void;
}

/** `degraded.local-control` lies below `phases: degraded: phases: local-control`. */
function pathOf(phase: string): readonly string[] {
  return phase.split(".").flatMap((name) => ["phases", name]);
}

function writePhase(pen: Pen, drafted: DraftPhase, draft: DraftLifecycle): void {
  const { phase, evidence, rules, steps, orders, because, next } = drafted;
  const path = pathOf(phase);
  const isNew = !pen.document.hasIn(path);
  if (isNew) {
    pen.add(`phase ${phase}`, `a phase that is not there yet; ${evidence}`);
    if (!pen.widen) return;
    makeGroups(pen, path);
    const says = phase === draft.isolated ? "No coordinator: nobody writes." : `Learned: the phase ${phase}.`;
    const alone = phase === draft.isolated ? { containment: true } : {};
    const why = because === undefined ? {} : { because };
    const begins = steps[0] === undefined ? {} : { initial: steps[0].id, steps: {} };
    const node = pen.document.createNode({ says, ...alone, ...why, rules: {}, ...begins, on: [] });
    setWithComment(pen, path, node, [evidence, ...orders].join("\n "));
    for (const step of steps) writeStep(pen, [...path, "steps", step.id], step);
  } else keepStep(pen, path, drafted);
  for (const rule of rules) writeRule(pen, placeOf(pen, path, rule, drafted), rule);
  for (const { id } of steps) dropEmpty(pen, [...path, "steps", id, "rules"]);
  // A way that nobody went is drafted for a phase that would have none, and never added to one that a person has read.
  for (const { to, count } of next) if (isNew || count > 0) writeWay(pen, [...path, "on"], phase, to, count);
  dropEmpty(pen, [...path, "rules"]);
  dropEmpty(pen, [...path, "on"]);
}

function writeStep(pen: Pen, path: readonly string[], { says, next, evidence }: DraftStep): void {
  setWithComment(pen, path, pen.document.createNode({ says, rules: {}, next }), evidence);
  const ways = pen.document.getIn([...path, "next"]);
  if (ways instanceof YAMLSeq) for (const way of ways.items) if (isMap(way)) way.flow = true;
}

/** Where a rule of a phase stands, or is to be written: with the phase, or in one of its steps. */
function placeOf(
  { document }: Pen,
  path: readonly string[],
  { id }: DraftRule,
  { steps }: DraftPhase,
): readonly string[] {
  const written = document.getIn([...path, "steps"]);
  const there = isMap(written) ? written.items.map(({ key }) => (isScalar(key) ? String(key.value) : String(key))) : [];
  const within = (step: string): readonly string[] => [...path, "steps", step, "rules"];
  const home = there.find((step) => document.hasIn([...within(step), id]));
  if (home !== undefined) return within(home);
  const drafted = steps.find(({ rule }) => rule === id)?.id;
  const isOfPhase = drafted === undefined || !there.includes(drafted) || document.hasIn([...path, "rules", id]);
  return isOfPhase ? [...path, "rules"] : within(drafted);
}

/** Rules that came outside the step in which they stand; with `widen` they hold in all of the phase. */
function keepStep(pen: Pen, path: readonly string[], { phase, edges }: DraftPhase): void {
  const { document } = pen;
  const there = document.getIn(path);
  for (const { rule, step, says } of outOfStep(isMap(there) ? there.toJSON() : undefined, edges)) {
    pen.add(`phase ${phase}`, says);
    if (!pen.widen) continue;
    const at = [...path, "steps", step, "rules"];
    const [from, node] = [document.getIn(at), document.getIn([...at, rule])];
    if (!isMap(from) || !isMap(node)) continue;
    const comment = [commentOf(from, rule), ` widened: ${says}`].filter(Boolean).join("\n");
    document.deleteIn([...at, rule]);
    dropEmpty(pen, at);
    makeMap(pen, [...path, "rules"]);
    document.setIn([...path, "rules", rule], node);
    commentKey(pen, [...path, "rules", rule], comment.trimStart());
  }
}

function commentOf(map: YAMLMap, name: string): string | undefined {
  const key = pairOf(map, name)?.key;
  return isScalar(key) ? (key.commentBefore ?? undefined) : undefined;
}

function makeGroups({ document }: Pen, path: readonly string[]): void {
  for (let length = 2; length < path.length; length += 2) {
    const group = path.slice(0, length);
    if (!document.hasIn(group))
      document.setIn(group, document.createNode({ says: `Learned: ${group.at(-1) ?? ""}.`, phases: {} }));
  }
}

function writeRule(pen: Pen, path: readonly string[], rule: DraftRule): void {
  const at = [...path, rule.id];
  const where = `rule ${rule.id}`;
  const there = pen.document.getIn(at);
  if (there === undefined) {
    pen.add(where, `${rule.fields.says} ${rule.evidence}`);
    if (!pen.widen) return;
    makeMap(pen, path);
    const node = pen.document.createNode(rule.fields);
    node.flow = true;
    setWithComment(pen, at, node, rule.evidence);
    return;
  }
  if (!isMap(there)) return;
  const relaxed = relax(Object(there.toJSON()), rule);
  for (const says of relaxed.says) pen.add(where, says);
  if (!pen.widen || relaxed.fields.size === 0) return;
  for (const [name, value] of relaxed.fields) {
    if (value === undefined) there.delete(name);
    else there.set(name, pen.document.createNode(value));
  }
  commentKey(pen, at, `widened: ${rule.evidence}`);
}

/** Everybody asks for the phases that were seen to follow. */
function writeWay(pen: Pen, path: readonly string[], from: string, to: string, count: number): void {
  if (leadsTo(pen.document.getIn(path), to)) return;
  pen.add(`phase ${from}`, `a way to ${to}, seen ${count === 1 ? "once" : `${count} times`}`);
  if (!pen.widen) return;
  if (!pen.document.hasIn(path)) pen.document.setIn(path, new YAMLSeq());
  const node = pen.document.createNode({ request: `to-${to.replaceAll(".", "-")}`, roles: ["operator"], to });
  node.flow = true;
  node.comment = count === 0 ? " not seen" : ` seen ${count === 1 ? "once" : `${count} times`}`;
  pen.document.addIn(path, node);
}

function leadsTo(on: unknown, to: string): boolean {
  if (!(on instanceof YAMLSeq)) return false;
  return on.items.some((item) => isMap(item) && item.get("to") === to);
}

function dropEmpty({ document }: Pen, path: readonly string[]): void {
  const node = document.getIn(path);
  if ((isMap(node) || node instanceof YAMLSeq) && node.items.length === 0) document.deleteIn(path);
}

/** A key whose last entry was struck has no value. */
function makeMap({ document }: Pen, path: readonly string[]): void {
  const there = document.getIn(path);
  if (there === undefined || there === null) document.setIn(path, new YamlMap());
  else if (!isMap(there)) throw new Error(`lifecycle.yaml: \`${path.join(" ")}\` is no map of keys; write it as one`);
}

function setWithComment(
  pen: Pen,
  path: readonly string[],
  node: ReturnType<Document["createNode"]>,
  comment: string,
): void {
  pen.document.setIn(path, node);
  commentKey(pen, path, comment);
}

function commentKey({ document }: Pen, path: readonly string[], comment: string): void {
  const map = document.getIn(path.slice(0, -1));
  if (!isMap(map)) return;
  const name = path.at(-1);
  const pair = pairOf(map, name);
  if (pair === undefined) return;
  const key = isScalar(pair.key) ? pair.key : new Scalar(name);
  key.commentBefore = [key.commentBefore, ` ${comment}`].filter(Boolean).join("\n");
  pair.key = key;
}

function pairOf(map: YAMLMap, name: string | undefined): Pair | undefined {
  return map.items.find(({ key }) => (isScalar(key) ? key.value : key) === name);
}
