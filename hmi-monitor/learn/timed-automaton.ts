import { Sightings, type Visit } from "./occasions.ts";

/** Edges of one automaton; a channel with more of them has no order to speak of. */
export const MAX_EDGES = 256;

/** State before the first command of a visit, and after the last one. A command's name never is one of these. */
export const ENTERED = "(entered)";
export const LEFT = "(left)";

/** One way from state to state. The only clock is set to zero by every command, so an edge has bounds on the time in its first state. */
export class TimedEdge {
  readonly sightings = new Sightings();
  readonly from: string;
  readonly to: string;
  shortestMs = Number.POSITIVE_INFINITY;
  longestMs = 0;

  constructor(from: string, to: string) {
    this.from = from;
    this.to = to;
  }

  add(visit: Visit, dwellMs: number, atMs: number): void {
    this.sightings.add(visit, atMs);
    this.shortestMs = Math.min(this.shortestMs, dwellMs);
    this.longestMs = Math.max(this.longestMs, dwellMs);
  }
}

/**
 * The order of the commands of one channel in one phase, as a deterministic real-time automaton (S. Verwer, M. de Weerdt, C. Witteveen,
 * "Efficiently identifying deterministic real-time automata from labeled data", Machine Learning 86, 2012): a state for each last command,
 * and on each edge the shortest and the longest time that was spent in its first state. What is not seen from its beginning is not
 * guessed: the first command of a visit has an edge only where the beginning of the visit was seen.
 */
export class TimedAutomaton {
  /** Number of the last visit that was left. */
  #over = 0;
  readonly #edges = new Map<string, Map<string, TimedEdge>>();
  #edgeCount = 0;
  #commands = 0;
  #missing = 0;
  #state: string | undefined;
  #sinceMs = 0;
  #visit: Visit | undefined;

  /** A command. @param visit of the phase that it came in */
  command(name: string, visit: Visit, atMs: number): void {
    this.#commands += 1;
    // The answer came after the phase had been left: where it belongs in the order is no longer to be told.
    if (visit.number <= this.#over) return this.forget();
    if (this.#visit?.number !== visit.number) this.#enter(visit);
    this.#go(name, visit, atMs);
    this.#state = name;
    this.#sinceMs = atMs;
  }

  /** The phase was seen to end. */
  leave(visit: Visit, atMs: number): void {
    if (this.#visit?.number === visit.number) this.#go(LEFT, visit, atMs);
    this.forget();
    this.#over = visit.number;
  }

  /** Whatever comes next was not seen to come after what came last. */
  forget(): void {
    this.#state = undefined;
    this.#visit = undefined;
  }

  #enter(visit: Visit): void {
    this.#visit = visit;
    this.#state = visit.isWhole ? ENTERED : undefined;
    this.#sinceMs = visit.sinceMs;
  }

  #go(to: string, visit: Visit, atMs: number): void {
    const from = this.#state;
    if (from === undefined) return;
    const edge = this.#edge(from, to);
    if (edge === undefined) this.#missing += 1;
    // Captures of two interfaces may be a little out of order.
    else edge.add(visit, Math.max(0, atMs - this.#sinceMs), atMs);
  }

  #edge(from: string, to: string): TimedEdge | undefined {
    const ways = this.#edges.get(from) ?? new Map<string, TimedEdge>();
    const known = ways.get(to);
    if (known !== undefined || this.#edgeCount >= MAX_EDGES) return known;
    const made = new TimedEdge(from, to);
    this.#edgeCount += 1;
    this.#edges.set(from, ways.set(to, made));
    return made;
  }

  /** In the order in which they were first seen, state by state. */
  get edges(): readonly TimedEdge[] {
    return [...this.#edges.values()].flatMap((ways) => [...ways.values()]);
  }

  /** How many commands came. */
  get commands(): number {
    return this.#commands;
  }

  /** How often an edge was gone that did not fit. */
  get missing(): number {
    return this.#missing;
  }
}

/** A cycle without exception. */
export interface Cycle {
  /** Its commands, the first one first, and the edge that leads to each from the one before. */
  readonly turns: readonly { readonly command: string; readonly edge: TimedEdge }[];
  /** How often the phase was seen to begin, each time with the first command; 0: the first is any of them. */
  readonly entered: number;
}

export interface CycleDemands {
  /** Each edge of the cycle was gone so often, and on so many occasions, at least. */
  readonly count: number;
  readonly occasions: number;
}

type Seen = Pick<TimedAutomaton, "edges" | "missing">;

/**
 * The cycle that the commands go through, where they never did anything else: every visit begins with the same command, each command is
 * followed by one other alone, all of them lie on one circle, and the phase is left only when the circle is closed.
 */
export function cycleOf({ edges, missing }: Seen, demands: CycleDemands): Cycle | undefined {
  const entries = edges.filter(({ from }) => from === ENTERED);
  const first = entries[0]?.to ?? edges[0]?.from;
  if (missing > 0 || entries.length > 1 || first === undefined) return undefined;
  const turns = circle(edges, first);
  const last = turns?.at(-1)?.command;
  if (turns === undefined || last === first) return undefined;
  const commands = new Set([ENTERED, LEFT, ...turns.map(({ command }) => command)]);
  const isWhole = edges.every(({ from, to }) => commands.has(from) && commands.has(to));
  const isLeftEarly = edges.some(({ from, to }) => to === LEFT && from !== last);
  if (!isWhole || isLeftEarly || !turns.every(({ edge }) => isStrong(edge, demands))) return undefined;
  return { turns, entered: entries[0]?.sightings.count ?? 0 };
}

/** From a command on by the only way there is, until it comes round; the edge that closes the circle is that of the first. */
function circle(edges: readonly TimedEdge[], first: string): Cycle["turns"] | undefined {
  const turns: { readonly command: string; readonly edge: TimedEdge }[] = [];
  for (let at = first; ; ) {
    const [way, ...others] = edges.filter(({ from, to }) => from === at && to !== LEFT);
    if (way === undefined || others.length > 0) return undefined;
    if (way.to === first) return [{ command: first, edge: way }, ...turns];
    if (turns.some(({ command }) => command === way.to)) return undefined;
    turns.push({ command: way.to, edge: way });
    at = way.to;
  }
}

function isStrong({ sightings }: TimedEdge, { count, occasions }: CycleDemands): boolean {
  return sightings.count >= count && sightings.occasions >= occasions;
}
