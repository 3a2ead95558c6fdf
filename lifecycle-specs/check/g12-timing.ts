import type { Condition, Lifecycle, Phase, Rule, Step, StepTransition } from "../lifecycle.ts";
import { allRules } from "../positions.ts";
import { durationInWords } from "../words.ts";
import { exitKey, stepKey } from "./keys.ts";
import type { Checked, RawFinding } from "./report.ts";
import { spaceOf } from "./state-space.ts";

const t = durationInWords;

/** The plant's own times fit together: the lease and the requests outlast a change of phase. */
export function changesFitTheirTimes({ lifecycle }: Checked): readonly RawFinding[] {
  const { leaseMs, changeMs } = lifecycle;
  const lease: readonly RawFinding[] =
    leaseMs >= changeMs
      ? []
      : [
          {
            at: "lease",
            code: "LEASE_SHORT",
            message: `the lease of ${t(leaseMs)} may end during a change of phase, which takes up to ${t(changeMs)}; make the lease longer`,
          },
        ];
  const requests = lifecycle.phases.flatMap((phase) =>
    phase.transitions.flatMap((exit, index): readonly RawFinding[] => {
      if (phase.mask !== undefined || exit.event !== "operator" || exit.ttlMs === undefined) return [];
      const forMs = exit.when?.forMs ?? 0;
      const needed = Math.max(changeMs, forMs);
      if (exit.ttlMs >= needed) return [];
      const why =
        forMs > changeMs
          ? `its condition must hold for ${t(forMs)}`
          : `a change that is under way takes up to ${t(changeMs)}`;
      return [
        {
          at: exitKey(phase, index),
          code: "TTL_SHORT",
          message: `request \`${exit.request}\` of phase \`${phase.id}\` stands for ${t(exit.ttlMs)} only, and ${why}; give it a longer \`ttl\``,
        },
      ];
    }),
  );
  return [...lease, ...requests];
}

/** A step's least and largest dwell, and what its ways out wait for, leave it time. */
export function stepsHaveTime({ lifecycle }: Checked): readonly RawFinding[] {
  return written(lifecycle).flatMap((phase) => phase.steps.flatMap((step) => stepTimes(phase, step)));
}

function stepTimes(phase: Phase, step: Step): readonly RawFinding[] {
  const { minMs = 0, maxMs = Number.POSITIVE_INFINITY } = step;
  const at = stepKey(phase, step);
  const what = `step \`${step.id}\` of phase \`${phase.id}\``;
  if (minMs >= maxMs) {
    const message = `${what} lasts at least ${t(minMs)} and is reported after ${t(maxMs)}; make \`max\` longer than \`min\``;
    return [{ at, code: "DWELL_CROSSED", message }];
  }
  return step.next.flatMap((way): readonly RawFinding[] => {
    const takes = timeOf(way);
    if (takes > maxMs) {
      const message = `a way out of ${what} takes ${t(takes)}, and its \`max\` of ${t(maxMs)} is reported before; make \`max\` longer, or the way shorter`;
      return [{ at, code: "STEP_TIME", message }];
    }
    if (way.event !== "after" || way.ms >= minMs) return [];
    const message = `a way out of ${what} comes after ${t(way.ms)}, but none counts before its \`min\` of ${t(minMs)}; make the way longer, or \`min\` shorter`;
    return [{ at, code: "STEP_TIME", message }];
  });
}

/** What a way out takes by itself. */
function timeOf(way: StepTransition): number {
  if (way.event === "after") return way.ms;
  return way.event === "condition" ? way.when.forMs : 0;
}

/** A message that keeps its period keeps the rule's rate too, however its jitter falls. */
export function periodsFitRates({ lifecycle }: Checked): readonly RawFinding[] {
  return allRules(lifecycle).flatMap((rule): readonly RawFinding[] => {
    const { rate, period } = rule.cadence ?? {};
    if (period === undefined) return [];
    const leastMs = period.everyMs - period.jitterMs;
    if (rate === undefined || leastMs <= 0 || rate.most * leastMs >= rate.perMs) return [];
    const fit = Math.ceil(rate.perMs / leastMs);
    const message = `rule \`${rule.id}\` comes every ${t(leastMs)} to ${t(period.everyMs + period.jitterMs)}, so up to ${fit} times in ${t(rate.perMs)}, and \`most\` allows ${rate.most}; make \`most\` at least ${fit}, or the period longer`;
    return [{ at: `rule:${rule.id}`, code: "CADENCE_CONFLICT", message }];
  });
}

/** Rules that keep a distance from a message: that message leaves them room. */
export function distancesLeaveRoom({ lifecycle }: Checked): readonly RawFinding[] {
  const rules = new Map(allRules(lifecycle).map((rule) => [rule.id, rule]));
  return [...rules.values()].flatMap((rule): readonly RawFinding[] => {
    const { apart, follows } = rule.causality ?? {};
    if (apart === undefined || rule.safety) return [];
    const at = `rule:${rule.id}`;
    if (follows !== undefined && apart.rules.includes(follows.rule) && apart.withinMs >= follows.withinMs) {
      const message = `rule \`${rule.id}\` follows \`${follows.rule}\` within ${t(follows.withinMs)} and keeps ${t(apart.withinMs)} from it; make the first time longer than the second`;
      return [{ at, code: "APART_NEVER", message }];
    }
    const constant = apart.rules.find((id) => latest(rules.get(id)) <= apart.withinMs);
    if (constant === undefined) return [];
    const message = `rule \`${rule.id}\` keeps ${t(apart.withinMs)} from \`${constant}\`, which comes every ${t(latest(rules.get(constant)))} at the latest; it never has its turn`;
    return [{ at, code: "APART_NEVER", message }];
  });
}

/** Longest time between two messages of a rule that keeps its period. */
function latest(rule: Rule | undefined): number {
  const period = rule?.cadence?.period;
  return period === undefined ? Number.POSITIVE_INFINITY : period.everyMs + period.jitterMs;
}

/** A reading that is read regularly is fresh enough for the conditions that ask for fresh ones. */
export function readingsStayFresh(spec: Checked): readonly RawFinding[] {
  const { lifecycle } = spec;
  const { tagOf } = spaceOf(spec);
  const guarded = new Set(spec.plant.devices.filter(({ guard }) => guard).map(({ id }) => id));
  const readEvery = readPeriods(lifecycle);
  const judge = (at: string, what: string, condition: Condition | undefined, everywhere: boolean) => {
    if (condition?.freshMs === undefined) return [];
    const { freshMs, forMs } = condition;
    const late = condition.all.find(({ tag }) => {
      const device = tagOf(tag)?.device;
      // Where the coordinator judges, a guard tells it what is in its PLC in every scan.
      if (!everywhere && device !== undefined && guarded.has(device)) return false;
      return (readEvery.get(tag) ?? 0) > freshMs;
    });
    if (late === undefined) return [];
    const gap = t(readEvery.get(late.tag) ?? 0);
    const holds =
      forMs === 0 ? "the condition is unknown in between" : `it never holds for ${t(forMs)} without a break`;
    const message = `${what} asks for readings of \`${late.tag}\` of the last ${t(freshMs)}, which is read every ${gap} at the latest: ${holds}; ask for \`fresh\` of more than ${gap}, or read it more often`;
    return [{ at, code: "FRESH_SHORT" as const, message }];
  };
  const causes = allRules(lifecycle).flatMap(({ id, causality, safety, operation }) => {
    // An output is judged in the PLC alone, which sees its tags in every scan.
    if (safety) return [];
    const everywhere = operation !== "output";
    return [causality?.after, causality?.notWhile].flatMap((condition) =>
      judge(`rule:${id}`, `rule \`${id}\``, condition, everywhere),
    );
  });
  const ways = written(lifecycle).flatMap((phase) => [
    ...phase.steps.flatMap((step) =>
      step.next.flatMap((way) =>
        way.event === "condition"
          ? judge(stepKey(phase, step), `step \`${step.id}\` of phase \`${phase.id}\``, way.when, false)
          : [],
      ),
    ),
    ...phase.transitions.flatMap((exit, index) =>
      judge(exitKey(phase, index), `a way out of phase \`${phase.id}\``, exit.when, false),
    ),
  ]);
  return [...causes, ...ways];
}

/** For each tag the longest time between two reads by the rule that reads it most often; tags without a stated period are absent. */
function readPeriods(lifecycle: Lifecycle): ReadonlyMap<string, number> {
  const found = new Map<string, number>();
  for (const rule of allRules(lifecycle)) {
    if (rule.operation !== "read" && rule.operation !== "subscribe" && rule.operation !== "report") continue;
    const every = latest(rule);
    for (const tag of rule.tags) found.set(tag, Math.min(found.get(tag) ?? every, every));
  }
  return new Map([...found].filter(([, every]) => Number.isFinite(every)));
}

/** Times so short that a lower layer, which judges them more widely, does not hold them at all. */
export function timesOutlastTheSkew({ plant, lifecycle }: Checked): readonly RawFinding[] {
  const { skewMs } = lifecycle;
  const guarded = new Set(plant.devices.filter(({ guard }) => guard).map(({ id }) => id));
  return allRules(lifecycle).flatMap((rule): readonly RawFinding[] => {
    if (rule.safety || skewMs === 0 || rule.operation === "output") return [];
    const inPlc = rule.operation === "write" && rule.targets.some((target) => guarded.has(target));
    const short = timesOf(rule, skewMs, inPlc).filter(({ ms, slackMs }) => ms > 0 && ms <= slackMs);
    if (short.length === 0) return [];
    const names = short.map(({ name, ms }) => `${name} of ${t(ms)}`);
    const slackMs = Math.max(...short.map((time) => time.slackMs));
    const layer = slackMs > skewMs ? "the PLC layer" : "the switch layer";
    const message = `rule \`${rule.id}\` has ${names.join(" and ")}, and ${layer} judges times by ${t(slackMs)} more widely (\`skew\` ${t(skewMs)}): it does not hold ${names.length === 1 ? "it" : "them"} at all; make the time longer, or the skew smaller`;
    return [{ at: `rule:${rule.id}`, code: "SKEW_EATS_TIME", message }];
  });
}

interface Time {
  readonly name: string;
  readonly ms: number;
  /** By how much the lowest layer that judges it does so more widely. */
  readonly slackMs: number;
}

function timesOf({ cadence, causality }: Rule, skewMs: number, inPlc: boolean): readonly Time[] {
  const lowest = inPlc ? 2 * skewMs : skewMs;
  const { rate, period } = cadence ?? {};
  const { after, apart } = causality ?? {};
  return [
    { name: "a `per`", ms: rate?.perMs ?? 0, slackMs: lowest },
    { name: "a period less jitter", ms: period === undefined ? 0 : period.everyMs - period.jitterMs, slackMs: lowest },
    { name: "a `for`", ms: after?.forMs ?? 0, slackMs: lowest },
    { name: "a distance", ms: apart?.withinMs ?? 0, slackMs: skewMs },
  ];
}

function written({ phases }: Lifecycle): readonly Phase[] {
  return phases.filter(({ mask }) => mask === undefined);
}
