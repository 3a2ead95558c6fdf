import { PhaseId, type StepId } from "../ids.ts";
import type { Rule, Step } from "../lifecycle.ts";
import type { Cursor, Fields } from "./cursor.ts";
import type { PhaseBook, ZoneScope } from "./phase-book.ts";
import type { PlantIndex } from "./plant-index.ts";
import type { RuleReader } from "./read-rule.ts";
import { StepReader } from "./read-step.ts";

const GROUP_KEYS = ["says", "rules", "phases"];
const PHASE_KEYS = ["says", "rules", "initial", "steps", "on", "containment", "because"];
/** Groups within groups. */
const MAX_GROUPS = 4;

/** What the readers of one lifecycle share. */
export interface Shared {
  readonly index: PlantIndex;
  readonly rules: RuleReader;
  readonly book: PhaseBook;
}

/** A phase whose transitions are still to be read: they may lead to phases that stand later in the file. */
export interface PhaseDraft {
  readonly id: PhaseId;
  readonly scope: ZoneScope;
  readonly says: string;
  readonly rules: readonly Rule[];
  readonly steps: readonly Step[];
  readonly initial?: StepId;
  /** The file's own first, then those of its template that it does not replace. */
  readonly exits: readonly { readonly at: Cursor; readonly ofTemplate: boolean }[];
  readonly containment: boolean;
  readonly because?: string;
}

/** A map of phases as a template or the file writes it. */
export interface Layer {
  readonly map: Cursor;
  readonly ofTemplate: boolean;
}

/** One phase or group as the template or the file writes it. */
interface Written {
  readonly key: Cursor;
  readonly value: Cursor;
  readonly ofTemplate: boolean;
}

interface Part {
  readonly fields: Fields;
  readonly ofTemplate: boolean;
}

/** Reads the phases of one zone: its template's, where it has one, and the file's, which add to those of the same name. */
export class PhaseReader {
  readonly #shared: Shared;
  readonly #scope: ZoneScope;
  readonly #use: ReadonlySet<string> | undefined;

  /** @param use the template's phases and groups that count, without the zone; undefined: all */
  constructor(shared: Shared, scope: ZoneScope, use: ReadonlySet<string> | undefined) {
    this.#shared = shared;
    this.#scope = scope;
    this.#use = use;
  }

  read(layers: readonly Layer[]): readonly PhaseDraft[] {
    return this.#level(layers, "", [], 0);
  }

  /** @param path of the group, with a dot at its end */
  #level(layers: readonly Layer[], path: string, inherited: readonly Rule[], depth: number): readonly PhaseDraft[] {
    const byName = new Map<string, Written[]>();
    for (const { map, ofTemplate } of layers) {
      for (const { key, name, value } of map.entries("phases") ?? []) {
        const written = { key, value, ofTemplate };
        const known = byName.get(name);
        if (known === undefined) byName.set(name, [written]);
        else known.push(written);
      }
    }
    return [...byName].flatMap(([name, written]) => {
      const id = written.at(-1)?.key.named((text) => PhaseId(this.#scope.prefix + path + withoutDot(text)));
      if (id === undefined) return [];
      const isGroup = written.some(({ value }) => value.hasKey("phases"));
      if (isGroup) return this.#group(id, `${path}${name}.`, written, inherited, depth);
      return this.#phase(id, `${path}${name}`, written, inherited) ?? [];
    });
  }

  #group(
    id: PhaseId,
    path: string,
    written: readonly Written[],
    inherited: readonly Rule[],
    depth: number,
  ): readonly PhaseDraft[] {
    const key = written.at(-1)?.key;
    if (written.some(({ value, ofTemplate }) => ofTemplate && !value.hasKey("phases"))) {
      key?.fail("TEMPLATE_SHAPE", `\`${id}\` is a phase in the template and a group of phases here; rename it`);
      return [];
    }
    const parts = partsOf(written, `phase group \`${id}\``, GROUP_KEYS);
    last(parts, "says")?.text("says");
    if (depth >= MAX_GROUPS) {
      key?.fail("YAML_TOO_DEEP", `phase groups are nested more than ${MAX_GROUPS} deep; flatten \`${id}\``);
      return [];
    }
    this.#shared.book.declareGroup(id);
    const rules = [...inherited, ...parts.flatMap(({ fields }) => this.#shared.rules.read(fields.get("rules")))];
    const layers = parts.flatMap(({ fields, ofTemplate }) => {
      const map = fields.get("phases");
      return map === undefined ? [] : [{ map, ofTemplate }];
    });
    return this.#level(layers, path, rules, depth + 1);
  }

  #phase(id: PhaseId, path: string, written: readonly Written[], inherited: readonly Rule[]): PhaseDraft | undefined {
    const used = written.filter(({ ofTemplate }) => !ofTemplate || this.#isUsed(path));
    const key = used.at(-1)?.key;
    if (key === undefined) return undefined;
    const { index, rules: reader, book } = this.#shared;
    if (book.has(id)) return key.fail("DUPLICATE_ID", `phase \`${id}\` is declared by another zone already; rename it`);
    book.declare(id, this.#scope.zone);
    key.remember(`phase:${id}`);
    const parts = partsOf(used, `phase \`${id}\``, PHASE_KEYS);
    const says = last(parts, "says")?.text("says") ?? "";
    const rules = [...inherited, ...parts.flatMap(({ fields }) => reader.read(fields.get("rules")))];
    const maps = parts.flatMap(({ fields }) => fields.get("steps") ?? []);
    const empty = maps.find((map) => map.isEmptyMap);
    empty?.fail("LIST_EMPTY", "steps is empty; name at least one, or remove it");
    const stepReader = new StepReader(id, maps, index, reader);
    const steps = maps.flatMap((map) => stepReader.read(map));
    const begin = steps.length > 0 ? last(parts, "initial") : optional(parts, "initial");
    const initial = stepReader.reference(begin) ?? steps[0]?.id;
    const because = optional(parts, "because")?.text("because");
    return {
      id,
      scope: this.#scope,
      says,
      rules,
      steps,
      ...(initial === undefined ? {} : { initial }),
      exits: exitsOf(parts),
      containment: optional(parts, "containment")?.boolean("containment") ?? false,
      ...(because === undefined ? {} : { because }),
    };
  }

  /** A phase of the template counts where it or one of its groups is named. */
  #isUsed(path: string): boolean {
    if (this.#use === undefined || this.#use.has(path)) return true;
    return [...this.#use].some((name) => path.startsWith(`${name}.`));
  }
}

function withoutDot(text: string): string {
  if (!text.includes(".")) return text;
  throw new RangeError(`phase \`${text}\` has a dot in its name; nest it below a group with \`phases\` instead`);
}

function partsOf(written: readonly Written[], what: string, keys: readonly string[]): readonly Part[] {
  return written.flatMap(({ value, ofTemplate }) => {
    const fields = value.fields(what, keys);
    return fields === undefined ? [] : [{ fields, ofTemplate }];
  });
}

/** What the file says counts before what its template says. */
function optional(parts: readonly Part[], key: string): Cursor | undefined {
  return parts.findLast(({ fields }) => fields.get(key) !== undefined)?.fields.get(key);
}

/** The same for a key that must be there. */
function last(parts: readonly Part[], key: string): Cursor | undefined {
  return optional(parts, key) ?? parts.at(-1)?.fields.need(key);
}

/** The first way out whose event and condition hold wins, so the file's own stand first; its requests replace the template's. */
function exitsOf(parts: readonly Part[]): PhaseDraft["exits"] {
  const all = parts.flatMap(({ fields, ofTemplate }) =>
    (fields.get("on")?.items("on") ?? []).map((at) => ({ at, ofTemplate })),
  );
  const own = all.filter(({ ofTemplate }) => !ofTemplate);
  const replaced = new Set(own.map(({ at }) => at.peek("request")));
  const kept = all.filter(({ at, ofTemplate }) => {
    const request = at.peek("request");
    return ofTemplate && (request === undefined || !replaced.has(request));
  });
  return [...own, ...kept];
}
