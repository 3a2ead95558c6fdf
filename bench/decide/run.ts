import { buildBundle } from "#specs/bundle.ts";
import { decide } from "#specs/decide/decide.ts";
import { createHistory, type History, observeTag } from "#specs/decide/history.ts";
import type { Observation } from "#specs/decide/observation.ts";
import { type Permit, permit } from "#specs/decide/permit.ts";
import { compile, type Tables } from "#specs/decide/tables.ts";
import { PhaseId, StepId } from "#specs/ids.ts";
import { type Figure, withTarget } from "../figure.ts";
import { quantile, timerCostNs } from "../statistics.ts";
import { casbin, cedar, eventPerCommand, machineItself, type Peer } from "./peers.ts";
import { type Policy, policy, traffic } from "./policy.ts";

const BENCH = "decide";
const QUESTIONS = 4096;
const ROUNDS = 60;
/** Rounds before the first that counts: what is compiled while it runs is not what a filter runs all day. */
const WARM_UP = 60;
const PHASE = PhaseId("p3");
const STEP = StepId("s2");
const NOW_MS = 10_000;
/** Length of one program's turn, real ms. */
const SLICE_MS = 25;
/** Questions between two looks at the clock. */
const CLOCK_EVERY = 32;

interface Subject {
  readonly tables: Tables;
  readonly permit: Permit;
  readonly history: History;
}

/** Time and memory of one decision, alone and beside other programs that answer the same questions by the same rules. */
export async function benchDecide(progress: (says: string) => void): Promise<readonly Figure[]> {
  const figures: Figure[] = [];
  for (const rules of [1000, 10_000]) {
    progress(`decide: ${rules} rules`);
    figures.push(...alone(policy(rules, true), `${rules} rules`));
    progress(`decide: ${rules} rules, beside other programs`);
    figures.push(...(await beside(policy(rules, false), `${rules} rules, untimed`)));
  }
  return figures;
}

function subject({ plant, lifecycle }: Policy): Subject {
  const tables = compile(buildBundle(plant, lifecycle), "switch");
  const history = createHistory(tables);
  for (const tag of plant.tags) observeTag(history, tag.id, 1, 0);
  const position = { phase: PHASE, steps: [STEP] };
  return { tables, history, permit: permit(tables, { kind: "phase", position }) };
}

function isAllowed({ tables, permit: held, history }: Subject, observation: Observation): boolean {
  return decide(tables, held, observation, history, NOW_MS) >= 0;
}

/** Every decision is timed by itself; the cost of taking the time is measured and taken off. */
function alone(given: Policy, name: string): readonly Figure[] {
  const us = subject(given);
  const questions = traffic(given, QUESTIONS);
  const [allowed, denied] = [true, false].map((wanted) => questions.filter((q) => isAllowed(us, q) === wanted));
  if (allowed === undefined || denied === undefined) throw new Error("unreachable: two lists");
  const costNs = timerCostNs();
  const figures: Figure[] = [];
  for (const [kind, list, medianNs] of [
    ["allow", allowed, 300],
    ["deny", denied, 600],
  ] as const) {
    const samples = new Float64Array(list.length * ROUNDS);
    let errors = 0;
    let at = 0;
    for (let round = 0; round < ROUNDS + WARM_UP; round += 1) {
      for (const question of list) {
        const start = performance.now();
        const verdict = decide(us.tables, us.permit, question, us.history, NOW_MS);
        const took = performance.now() - start;
        if (verdict >= 0 !== (kind === "allow")) errors += 1;
        if (round < WARM_UP) continue;
        samples[at] = Math.max(0, took * 1e6 - costNs);
        at += 1;
      }
    }
    const figure = (metric: string, value: number, unit: string): Figure => ({
      bench: BENCH,
      case: `${name}, ${kind}`,
      subject: "sekisho",
      metric,
      value,
      unit,
      errors,
    });
    figures.push(withTarget(figure("median", quantile(samples, 0.5), "ns"), "<=", medianNs));
    figures.push(withTarget(figure("p99", quantile(samples, 0.99), "ns"), "<=", 2000));
  }
  figures.push(
    withTarget(
      {
        bench: BENCH,
        case: `${name}, allow`,
        subject: "sekisho",
        metric: "allocated",
        value: bytesPerDecision(us, allowed),
        unit: "bytes",
        errors: 0,
      },
      "<=",
      0,
    ),
  );
  figures.push({
    bench: BENCH,
    case: name,
    subject: "sekisho",
    metric: "allowed share",
    value: allowed.length / questions.length,
    unit: "",
    errors: 0,
  });
  return figures;
}

/** Whole bytes of heap per allowed decision, over a million of them; a count that rounds to nothing is nothing. */
function bytesPerDecision(us: Subject, allowed: readonly Observation[]): number {
  const decisions = 1_000_000;
  let least = Number.POSITIVE_INFINITY;
  for (let attempt = 0; attempt < 5; attempt += 1) {
    const before = process.memoryUsage().heapUsed;
    for (let i = 0; i < decisions; ) {
      for (const question of allowed) {
        decide(us.tables, us.permit, question, us.history, NOW_MS);
        i += 1;
      }
    }
    const grown = process.memoryUsage().heapUsed - before;
    if (grown >= 0) least = Math.min(least, grown / decisions);
  }
  return Math.round(least * 10) / 10;
}

/** Interleaved rounds; each answer of every program is held against ours. */
async function beside(given: Policy, name: string): Promise<readonly Figure[]> {
  const us = subject(given);
  const questions = traffic(given, QUESTIONS);
  const ours: Peer = { name: "sekisho", allows: (question) => isAllowed(us, question) };
  const { lifecycle } = given;
  const peers = [
    ours,
    cedar(lifecycle, PHASE, STEP),
    await casbin(lifecycle, PHASE, STEP),
    machineItself(lifecycle, PHASE, STEP),
    eventPerCommand(lifecycle, PHASE, STEP),
  ];
  const perDecision = new Map<string, number[]>(peers.map((peer) => [peer.name, []]));
  const errors = new Map<string, number>(peers.map((peer) => [peer.name, 0]));
  const next = new Map<string, number>();
  const expected = questions.map((question) => ours.allows(question));
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const peer of peers) {
      const { wrong, asked, ns } = ask(peer, questions, expected, (next.get(peer.name) ?? 0) % questions.length);
      next.set(peer.name, (next.get(peer.name) ?? 0) + asked);
      errors.set(peer.name, (errors.get(peer.name) ?? 0) + wrong);
      if (round >= 5) perDecision.get(peer.name)?.push(ns);
    }
  }
  const median = (peer: Peer) => quantile(Float64Array.from(perDecision.get(peer.name) ?? []), 0.5);
  return peers.flatMap((peer): readonly Figure[] => {
    const common = { bench: BENCH, case: name, subject: peer.name, errors: errors.get(peer.name) ?? 0 };
    const mean: Figure = { ...common, metric: "median of rounds", value: median(peer), unit: "ns" };
    if (peer === ours) return [mean];
    const times: Figure = { ...common, metric: "times our time", value: median(peer) / median(ours), unit: "x" };
    return [mean, peer.shownOnly === true ? times : withTarget(times, ">=", 20)];
  });
}

/** One program's turn: a slice of time of the same length for each, over the questions from where its last turn ended. */
function ask(peer: Peer, questions: readonly Observation[], expected: readonly boolean[], from: number) {
  let wrong = 0;
  let asked = 0;
  const start = performance.now();
  let elapsed = 0;
  for (let i = from; elapsed < SLICE_MS; i = i + 1 === questions.length ? 0 : i + 1) {
    const question = questions[i];
    if (question === undefined) break;
    if (peer.allows(question) !== expected[i]) wrong += 1;
    asked += 1;
    if (asked % CLOCK_EVERY === 0) elapsed = performance.now() - start;
  }
  return { wrong, asked, ns: (elapsed / asked) * 1e6 };
}
