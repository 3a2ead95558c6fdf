import { linkOf } from "#specs/addresses.ts";
import { commit, judge, type Permitted } from "#specs/decide/decide.ts";
import { createHistory, type History, observeTag, overdue } from "#specs/decide/history.ts";
import type { Layer, Observation, ObservedItem, Verdict } from "#specs/decide/observation.ts";
import { compile, type Tables } from "#specs/decide/tables.ts";
import { DeviceId, PhaseId, StepId, TagId } from "#specs/ids.ts";
import type { Operation } from "#specs/lifecycle.ts";
import type { Plant } from "#specs/plant.ts";
import { StepTracker } from "#specs/steps.ts";
import { bundleOf, loaded } from "../specs.ts";

const spec = loaded("boiler");
const bundle = bundleOf(spec);
const LAYERS = ["hmi", "switch", "plc"] as const satisfies readonly Layer[];
const TABLES: Readonly<Record<Layer, Tables>> = {
  hmi: compile(bundle, "hmi"),
  switch: compile(bundle, "switch"),
  plc: compile(bundle, "plc"),
};

export const boiler = spec;

/** Something that somebody wants to happen: a message that passes operator station and switch, or a change in the PLC. */
export type Wish =
  | { readonly kind: "write"; readonly from: string; readonly tag: string; readonly value: number }
  | {
      readonly kind: "call";
      readonly from: string;
      readonly method: string;
      readonly args?: Readonly<Record<string, number>>;
    }
  | { readonly kind: "raw"; readonly from: string; readonly to: string; readonly raw: string; readonly bytes: number }
  | { readonly kind: "report"; readonly to: string; readonly tag: string; readonly value: number }
  | { readonly kind: "output"; readonly tag: string; readonly value: number };

/** What the layers that see it say: `allow` or a reason. */
export type Answers = Partial<Record<Layer, string>>;

/** The three layers of the boiler as they stand in one phase. */
export class BoilerLayers {
  readonly #views: Readonly<Record<Layer, { tables: Tables; history: History; tracker: StepTracker }>>;
  /** A change of phase is under way; undefined: none is. */
  #window: Extract<Permitted, { kind: "window" }> | undefined;

  constructor(phase: string, step: string | undefined, nowMs: number) {
    const view = (layer: Layer) => {
      const tables = TABLES[layer];
      return { tables, history: createHistory(tables), tracker: new StepTracker(tables) };
    };
    this.#views = { hmi: view("hmi"), switch: view("switch"), plc: view("plc") };
    this.enter(phase, step, nowMs);
  }

  enter(phase: string, step: string | undefined, nowMs: number): void {
    this.#window = undefined;
    const steps = step === undefined ? undefined : [StepId(step)];
    for (const layer of LAYERS) {
      if (!this.#views[layer].tracker.enter(PhaseId(phase), steps, nowMs)) throw new Error(`no phase ${phase}`);
    }
  }

  /** A change from one phase to another begins: what both allow, safety, and the window list. */
  change(from: string, to: string): void {
    const exit = spec.lifecycle.phases
      .find(({ id }) => id === from)
      ?.transitions.find((candidate) => candidate.to === to);
    const position = (phase: string) => {
      const steps = spec.lifecycle.phases.find(({ id }) => id === phase)?.steps ?? [];
      return { phase: PhaseId(phase), steps: steps.map(({ id }) => id) };
    };
    this.#window = { kind: "window", old: position(from), new: position(to), window: exit?.window ?? [] };
  }

  /** Every layer sees these values: in answers, in notifications, in the scan. */
  see(nowMs: number, values: Readonly<Record<string, number>>): void {
    for (const layer of LAYERS) {
      const { history, tracker } = this.#views[layer];
      for (const [tag, value] of Object.entries(values)) observeTag(history, TagId(tag), value, nowMs);
      tracker.observe(history, nowMs);
    }
  }

  /** The same values once in every `everyMs` from one time to another, both included. */
  hold(fromMs: number, toMs: number, values: Readonly<Record<string, number>>, everyMs = 500): void {
    for (let ms = fromMs; ms <= toMs; ms += everyMs) this.see(ms, values);
  }

  /** The coordinator's word, which settles what each layer thought possible. */
  record(step: string, nowMs: number): void {
    for (const layer of LAYERS) this.#views[layer].tracker.record([StepId(step)], nowMs);
  }

  steps(layer: Layer): readonly string[] {
    return this.#views[layer].tracker.position?.steps ?? [];
  }

  /** Rules whose message has not come in time. */
  overdue(layer: Layer, nowMs: number): readonly string[] {
    return overdue(this.#views[layer].history, nowMs);
  }

  ask(wish: Wish, nowMs: number): Answers {
    return Object.fromEntries(this.#verdicts(wish, nowMs).map(([layer, verdict]) => [layer, wordOf(verdict)]));
  }

  /** Asks, and where all layers allow it, lets it happen: forwarded, and answered with success. */
  do(wish: Wish, nowMs: number): Answers {
    const verdicts = this.#verdicts(wish, nowMs);
    const allowed = verdicts.every(([, { verdict }]) => verdict === "allow");
    for (const [layer, verdict] of verdicts) {
      if (!allowed || verdict.verdict === "deny") continue;
      const { history, tracker } = this.#views[layer];
      for (const outcome of ["forwarded", "answered-ok"] as const) {
        commit(history, observationOf(spec.plant, wish, layer), verdict, outcome, nowMs);
        for (const rule of [verdict.rule, ...(verdict.also ?? [])]) tracker.command(rule, outcome, nowMs);
      }
    }
    return Object.fromEntries(verdicts.map(([layer, verdict]) => [layer, wordOf(verdict)]));
  }

  /** The verdicts whole, of the layers that see such a thing. */
  verdicts(wish: Wish, nowMs: number): Partial<Record<Layer, Verdict>> {
    return Object.fromEntries(this.#verdicts(wish, nowMs));
  }

  #verdicts(wish: Wish, nowMs: number): readonly (readonly [Layer, Verdict])[] {
    return LAYERS.filter((layer) => sees(layer, wish)).map((layer) => {
      const { tables, history, tracker } = this.#views[layer];
      const { position } = tracker;
      const held: Permitted = position === undefined ? { kind: "none" } : { kind: "phase", position };
      const permitted = this.#window ?? held;
      return [layer, judge(tables, permitted, observationOf(spec.plant, wish, layer), history, nowMs)] as const;
    });
  }
}

/** The PLC layer sees variables change and outputs; who called a method, and what an answer said, it does not. */
function sees(layer: Layer, { kind }: Wish): boolean {
  if (kind === "output") return layer === "plc";
  return layer !== "plc" || kind === "write";
}

function wordOf(verdict: Verdict): string {
  return verdict.verdict === "allow" ? "allow" : verdict.reason;
}

function observationOf(plant: Plant, wish: Wish, layer: Layer): Observation {
  const about = aboutOf(plant, wish);
  const link =
    about.source === undefined || layer === "plc"
      ? undefined
      : (linkOf(plant, about.client, about.server, "opcua") ?? linkOf(plant, about.client, about.server, "modbus"));
  return {
    source: wish.kind === "output" ? "program" : layer === "plc" ? undefined : about.source,
    sourceAddress: "",
    target: about.target,
    link: link?.id,
    operation: about.operation,
    message: wish.kind,
    items: about.items,
    ...about.raw,
  };
}

interface About {
  readonly source: DeviceId | undefined;
  readonly target: DeviceId;
  readonly client: DeviceId;
  readonly server: DeviceId;
  readonly operation: Operation;
  readonly items: readonly ObservedItem[];
  readonly raw?: Pick<Observation, "raw" | "bytes">;
}

function aboutOf(plant: Plant, wish: Wish): About {
  const deviceOf = (id: string): DeviceId => {
    const tag = plant.tags.find((candidate) => candidate.id === id);
    if (tag === undefined) throw new Error(`no tag ${id}`);
    return tag.device;
  };
  const item = (tag: string, value: number | undefined): ObservedItem => ({ tag: TagId(tag), address: tag, value });
  switch (wish.kind) {
    case "write":
    case "report": {
      const [client, server] = [DeviceId(wish.kind === "write" ? wish.from : wish.to), deviceOf(wish.tag)];
      const [source, target] = wish.kind === "write" ? [client, server] : [server, client];
      return { source, target, client, server, operation: wish.kind, items: [item(wish.tag, wish.value)] };
    }
    case "call": {
      const [client, server] = [DeviceId(wish.from), deviceOf(wish.method)];
      const args = Object.entries(wish.args ?? {}).map(([tag, value]) => item(tag, value));
      const items = [item(wish.method, undefined), ...args];
      return { source: client, target: server, client, server, operation: "call", items };
    }
    case "raw": {
      const [client, server] = [DeviceId(wish.from), DeviceId(wish.to)];
      const raw = plant.raw.find(({ id }) => id === wish.raw)?.id;
      const about = { source: client, target: server, client, server, operation: "raw", items: [] } as const;
      return { ...about, raw: { raw, bytes: wish.bytes } };
    }
    case "output": {
      const server = deviceOf(wish.tag);
      const items = [item(wish.tag, wish.value)];
      return { source: undefined, target: server, client: server, server, operation: "output", items };
    }
    default: {
      const never: never = wish;
      throw new Error(`unreachable: ${String(never)}`);
    }
  }
}
