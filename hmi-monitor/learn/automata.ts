import type { Channel } from "./channels.ts";
import { inSeconds, shortName } from "./draft-cycle.ts";
import { STRONG } from "./draft-order.ts";
import { instant } from "./draft-rules.ts";
import type { Evidence } from "./evidence.ts";
import { cycleOf, ENTERED, LEFT, type TimedAutomaton, type TimedEdge } from "./timed-automaton.ts";

/** Edges in the words of a draft; the others are in the report. */
const MAX_SAID = 8;

/** One automaton, as the report carries it. States are rules, `(entered)` and `(left)`. */
export interface AutomatonSeen {
  readonly phase: string;
  readonly client: string;
  readonly server: string;
  readonly protocol: string;
  /** Of every command of the channel, or of truth values and calls alone. */
  readonly of: "all" | "switching";
  readonly edges: readonly EdgeSeen[];
  /** How often an edge was gone that did not fit. */
  readonly missing: number;
  /** Its commands in their order, where they are a circle without exception; else null. */
  readonly cycle: readonly string[] | null;
}

export interface EdgeSeen {
  readonly from: string;
  readonly to: string;
  readonly count: number;
  readonly occasions: number;
  /** Time in the first state, ms. */
  readonly shortestMs: number;
  readonly longestMs: number;
  readonly first: string;
  readonly last: string;
}

/** The automata of every phase and channel; that of switching alone where there are set-points besides. */
export function automataOf({ channels }: Evidence): readonly AutomatonSeen[] {
  return channels.flatMap((channel) => {
    const both = hasSetPoints(channel) && channel.switching.edges.length > 0;
    return [seenOf(channel, "all"), ...(both ? [seenOf(channel, "switching")] : [])];
  });
}

function hasSetPoints({ all, switching }: Channel): boolean {
  return all.commands !== switching.commands;
}

function seenOf({ phase, client, server, protocol, ...automata }: Channel, of: "all" | "switching"): AutomatonSeen {
  const automaton = automata[of];
  const cycle = cycleOf(automaton, STRONG)?.turns.map(({ command }) => command) ?? null;
  return {
    phase,
    client,
    server,
    protocol,
    of,
    edges: automaton.edges.map(edgeSeen),
    missing: automaton.missing,
    cycle,
  };
}

function edgeSeen({ from, to, sightings, shortestMs, longestMs }: TimedEdge): EdgeSeen {
  const { count, occasions, firstMs, lastMs } = sightings;
  return { from, to, count, occasions, shortestMs, longestMs, first: instant(firstMs), last: instant(lastMs) };
}

/** The automata of a phase, a line for each channel, for whoever reads the draft. */
export function ordersInWords({ channels }: Evidence, phase: string): readonly string[] {
  return channels
    .filter((channel) => channel.phase === phase)
    .flatMap(({ client, server, protocol, all, switching }) => {
      const automaton = switching.edges.length > 0 ? switching : all;
      const said = edgesInWords(automaton, (rule) => shortName(rule, client, phase));
      return said === "" ? [] : [`order of ${client} → ${server} over ${protocol}: ${said}`];
    });
}

function edgesInWords({ edges }: TimedAutomaton, nameOf: (rule: string) => string): string {
  const sorted = [...edges].sort((a, b) => b.sightings.count - a.sightings.count);
  const said = sorted.slice(0, MAX_SAID).map(({ from, to, sightings, shortestMs, longestMs }) => {
    const ways = `${from === ENTERED ? "entered" : nameOf(from)} → ${to === LEFT ? "left" : nameOf(to)}`;
    return `${ways} ${sightings.count}×, ${inSeconds(shortestMs)} to ${inSeconds(longestMs)} s`;
  });
  const left = sorted.length - said.length;
  return [...said, ...(left > 0 ? [`${left} more in the report (--json)`] : [])].join("; ");
}
