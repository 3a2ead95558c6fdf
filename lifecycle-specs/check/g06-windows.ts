import { MIRROR_DELAY_MS, type Phase, type Rule, type Transition } from "../lifecycle.ts";
import { changesState } from "../mask.ts";
import { isSeenAtMirror } from "../plant.ts";
import { allRules } from "../positions.ts";
import { INSTANTS } from "./g05-instants.ts";
import { type Permissions, type PhaseLists, phaseKey, phaseLists } from "./phase-lists.ts";
import type { Checked, RawFact, RawFinding } from "./report.ts";
import { bookOf, excessOf, type Permission } from "./whitelist.ts";

/**
 * A window lets through what old and new both allow, safety, and its listed rules. The first two are never wider than old or new, so a
 * window is held when each listed rule, in the form in which it is judged, lies within what some step of old or new allows.
 */
export function windowsWidenNothing(spec: Checked): readonly RawFinding[] {
  const { plant, lifecycle } = spec;
  const rules = new Map(allRules(lifecycle).map((rule) => [rule.id, rule]));
  const lists = phaseLists(plant, lifecycle);
  return exits(spec).flatMap(({ phase, next, transition, index }): readonly RawFinding[] =>
    transition.window.flatMap((id): readonly RawFinding[] => {
      const rule = rules.get(id);
      const beyond = rule === undefined ? [] : beyondBoth(spec, lists, phase, next, rule);
      const [first] = beyond;
      if (first === undefined) return [];
      const at = phase.mask === undefined ? `exit:${phase.id}/${index}` : phaseKey(phase);
      const message = `the window from \`${phase.id}\` to \`${next.id}\` lists rule \`${id}\`, and neither phase allows ${first}; list rules of one of the two`;
      const trace = [
        `\`${phase.id}\` is in force`,
        `the change to \`${next.id}\` begins, every layer takes the window list`,
        ...beyond.map((what) => `${what}: allowed by the window alone`),
      ];
      return [{ at, code: "WINDOW_WIDENS", message, trace }];
    }),
  );
}

function beyondBoth(
  { plant, lifecycle }: Checked,
  lists: PhaseLists,
  old: Phase,
  next: Phase,
  rule: Rule,
): readonly string[] {
  const layer = rule.operation === "output" ? "plc" : "hmi";
  const [before, after] = [lists.of(old, layer), lists.of(next, layer)];
  return bookOf(plant, lifecycle)
    .entriesOf(rule, layer)
    .filter(({ key, permission, grant }) => {
      const grants = [...(before.get(key)?.grants ?? []), ...(after.get(key)?.grants ?? [])];
      const both: Permission | undefined = grants.length === 0 ? undefined : { ...permission, grants };
      return excessOf(plant, lifecycle, { ...permission, grants: [grant] }, both).length > 0;
    })
    .map(
      ({ permission: { source, operation, tag, raw, target } }) => `\`${source} ${operation} ${tag ?? raw ?? target}\``,
    );
}

/**
 * A change passes its instants one by one, and each may take as long as the same thing is seen later one layer down. The first waits
 * until what the mirror port showed before it is judged.
 */
export function changesCanEnd({ plant, lifecycle }: Checked): readonly RawFinding[] {
  const { changeMs, skewMs } = lifecycle;
  const mirrorMs = plant.links.some(isSeenAtMirror) ? (lifecycle.mirrorDelayMs ?? MIRROR_DELAY_MS) : 0;
  const least = (INSTANTS.length - 1) * skewMs + mirrorMs;
  if (Number.isFinite(changeMs) && changeMs > 0 && changeMs >= least) return [];
  const late = mirrorMs === 0 ? "" : `, and the mirror port is judged up to ${mirrorMs} ms late`;
  const message = `a change of phase is to end within ${changeMs} ms, and its ${INSTANTS.length - 1} orders can take ${skewMs} ms each${late}; set \`change\` to ${Math.max(1, least)} ms or more, or \`${mirrorMs > least / 2 ? "mirrorDelay" : "skew"}\` lower`;
  return [{ at: "change", code: "CHANGE_UNBOUNDED", message }];
}

/**
 * What becomes of every state-changing command while a phase changes: it is in both phases and passes throughout, it passes by the
 * window list, or it is in one phase alone and waits for the end. Changes in which nothing waits are counted together.
 */
export function windowsCounted(spec: Checked): readonly RawFact[] {
  const { lifecycle } = spec;
  const written = exits(spec).filter(({ phase }) => phase.mask === undefined);
  const counted = new Map(
    written.map((exit) => [`${exit.phase.id} ${exit.next.id}`, { exit, ...countOf(spec, exit) }]),
  );
  const busy = [...counted.values()].filter(({ byWindow, waiting }) => byWindow + waiting > 0);
  const facts = busy.map(({ exit: { phase, next, index }, both, byWindow, waiting }): RawFact => {
    const what = `of the state-changing commands ${both} are in both phases and pass throughout, ${byWindow} by the window list, and ${waiting} of one phase alone wait for its end`;
    return {
      at: `exit:${phase.id}/${index}`,
      guarantee: "G6",
      fact: `change from \`${phase.id}\` to \`${next.id}\`, at most ${lifecycle.changeMs} ms: ${what}`,
      detail: { from: phase.id, to: next.id, both, byWindow, waiting, withinMs: lifecycle.changeMs },
    };
  });
  const still = counted.size - busy.length;
  if (still === 0) return facts;
  const says = `in ${still} of ${counted.size} changes between two phases no state-changing command waits for the end`;
  return [...facts, { at: "change", guarantee: "G6", fact: says, detail: { changes: counted.size, without: still } }];
}

function countOf(
  { plant, lifecycle }: Checked,
  { phase, next, transition }: Exit,
): Readonly<Record<"both" | "byWindow" | "waiting", number>> {
  const lists = phaseLists(plant, lifecycle);
  const book = bookOf(plant, lifecycle);
  const [before, after] = [changing(lists.of(phase, "hmi")), changing(lists.of(next, "hmi"))];
  const rules =
    transition.window.length === 0 ? [] : allRules(lifecycle).filter(({ id }) => transition.window.includes(id));
  const listed = new Set(rules.flatMap((rule) => book.entriesOf(rule, "hmi").map(({ key }) => key)));
  const once = [...before, ...after].filter((key) => before.has(key) !== after.has(key));
  const byWindow = once.filter((key) => listed.has(key)).length;
  return { both: [...before].filter((key) => after.has(key)).length, byWindow, waiting: once.length - byWindow };
}

function changing(permissions: Permissions): ReadonlySet<string> {
  return new Set([...permissions.values()].filter(({ operation }) => changesState(operation)).map(({ key }) => key));
}

interface Exit {
  readonly phase: Phase;
  readonly next: Phase;
  readonly transition: Transition;
  readonly index: number;
}

function exits({ lifecycle }: Checked): readonly Exit[] {
  const phases = new Map(lifecycle.phases.map((phase) => [phase.id, phase]));
  return lifecycle.phases.flatMap((phase) =>
    phase.transitions.flatMap((transition, index) => {
      const next = phases.get(transition.to);
      return next === undefined ? [] : [{ phase, next, transition, index }];
    }),
  );
}
