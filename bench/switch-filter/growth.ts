import { buildBundle } from "#specs/bundle.ts";
import { decide, permit } from "#specs/decide/decide.ts";
import { createHistory } from "#specs/decide/history.ts";
import type { Observation } from "#specs/decide/observation.ts";
import { compile } from "#specs/decide/tables.ts";
import { LinkId, PhaseId, StepId, TagId } from "#specs/ids.ts";
import { type Figure, withTarget } from "../figure.ts";
import { quantile } from "../statistics.ts";
import { CLIENT, filterPlant, MODBUS_LINK, REGISTERS, WRITTEN_REGISTER, WRITTEN_VALUE } from "./plant.ts";

const SIZES = [10, 100, 1000, 10_000] as const;
const ROUNDS = 41;
const DECISIONS = 20_000;

/** Decision time of the load's own messages, by the number of rules beside theirs. Rounds of all sizes in turn. */
export function benchGrowth(progress: (says: string) => void): readonly Figure[] {
  progress("growth: 10 to 10,000 rules");
  const timed = SIZES.map((rules) => ({ rules, decideAll: decider(rules), ns: new Float64Array(ROUNDS) }));
  for (const { decideAll } of timed) decideAll();
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const { decideAll, ns } of timed) {
      const start = performance.now();
      decideAll();
      ns[round] = ((performance.now() - start) * 1e6) / DECISIONS;
    }
  }
  const figure = (name: string, value: number, unit: string): Figure => ({
    ...{ bench: "switch-filter", case: "cost growth", subject: "sekisho", metric: name, value, unit, errors: 0 },
  });
  const medians = timed.map(({ rules, ns }) => ({ rules, ns: quantile(ns, 0.5) }));
  const [least = { ns: Number.NaN }] = medians;
  const most = medians.at(-1) ?? least;
  return [
    ...medians.map(({ rules, ns }) => figure(`decision, ${rules} rules, 12 phases`, ns, "ns")),
    withTarget(figure("decision, 10,000 rules over 10", most.ns / least.ns, "×"), "<=", 1.05),
  ];
}

/** @returns takes so many decisions, seven reads of ten registers and one write in turn. @throws Error when one is a deny */
function decider(rules: number): () => void {
  const { plant, lifecycle } = filterPlant(rules);
  const tables = compile(buildBundle(plant, lifecycle), "switch");
  const history = createHistory(tables);
  const steps = (lifecycle.phases[0]?.steps ?? []).map(({ id }) => StepId(id));
  const by = permit(tables, { kind: "phase", position: { phase: PhaseId("phase-0"), steps } });
  const [server] = plant.links.flatMap((link) => (link.id === MODBUS_LINK ? [link.server] : []));
  if (server === undefined) throw new Error("the plant has no such link");
  const about = (operation: Observation["operation"], numbers: readonly number[], value?: number): Observation => ({
    ...{ source: CLIENT, sourceAddress: "127.0.0.1:1", target: server, link: LinkId(MODBUS_LINK), operation },
    message: operation,
    items: numbers.map((n) => ({ tag: TagId(`LOAD-${n}`), address: `${n}`, value })),
  });
  const read = about("read", [...Array(REGISTERS).keys()]);
  const write = about("write", [WRITTEN_REGISTER], WRITTEN_VALUE);
  return () => {
    let denied = 0;
    for (let i = 0; i < DECISIONS; i += 1) {
      if (decide(tables, by, i % 8 === 7 ? write : read, history, i) < 0) denied += 1;
    }
    if (denied > 0) throw new Error(`${denied} of ${DECISIONS} decisions were denies`);
  };
}
