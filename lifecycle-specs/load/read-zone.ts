import type { Phase, Region, SafeState } from "../lifecycle.ts";
import type { Cursor, Fields } from "./cursor.ts";
import type { ZoneScope } from "./phase-book.ts";
import { type PlacedChoice, readContainments } from "./read-containments.ts";
import { generatePhases, type MaskEntry, readMasks } from "./read-masks.ts";
import { type Layer, type PhaseDraft, PhaseReader, type Shared } from "./read-phases.ts";
import { readTemplate } from "./read-template.ts";
import { readTransition } from "./read-transition.ts";
import type { Templates } from "./templates.ts";

export const PART_KEYS = ["initial", "isolated", "safe", "template", "phases", "containments", "masks"];

/**
 * Reads one zone's part of a lifecycle. In three stages, each of which is to be done for all zones before the next, because phases
 * may be named before they are declared: `declare`, `write`, `generate`.
 */
export class ZoneReader {
  readonly #fields: Fields;
  readonly #scope: ZoneScope;
  readonly #shared: Shared;
  #drafts: readonly PhaseDraft[] = [];
  #masks: readonly MaskEntry[] = [];

  constructor(fields: Fields, scope: ZoneScope, shared: Shared) {
    this.#fields = fields;
    this.#scope = scope;
    this.#shared = shared;
  }

  /** Phases, rules and steps, and which phases the masks generate. */
  declare(templates: Templates): void {
    const template = readTemplate(this.#fields.get("template"), templates);
    const map = template === undefined ? this.#fields.need("phases") : this.#fields.get("phases");
    const own: readonly Layer[] = map === undefined ? [] : [{ map, ofTemplate: false }];
    const layers = template === undefined ? own : [{ map: template.phases, ofTemplate: true }, ...own];
    this.#drafts = new PhaseReader(this.#shared, this.#scope, template?.use).read(layers);
    this.#masks = readMasks(this.#fields.get("masks"), this.#scope, this.#shared);
  }

  /** The phases of the file, with their ways out. */
  write(): readonly Phase[] {
    return this.#drafts.map((draft) => this.#finish(draft));
  }

  generate(written: ReadonlyMap<string, Phase>): readonly Phase[] {
    const generated = new Set(this.#masks.flatMap(({ generates }) => generates.map(({ id }) => id)));
    const isContainment = (id: Phase["id"]) => generated.has(id) || written.get(id)?.containment === true;
    return this.#masks.flatMap((entry) => generatePhases(entry, written, isContainment, this.#shared));
  }

  choices(): readonly PlacedChoice[] {
    return readContainments(this.#fields.get("containments"), this.#scope, this.#shared);
  }

  /** @param only the plant has no other zone, so its keys of `Locate` are known without the zone too */
  region(only: boolean): Region | undefined {
    for (const key of ["initial", "isolated", "safe"]) {
      this.#fields.get(key)?.remember(`${key}:${this.#scope.zone}`);
      if (only) this.#fields.get(key)?.remember(key);
    }
    const { book } = this.#shared;
    const initial = book.find(this.#fields.need("initial"), "initial", this.#scope);
    const isolated = book.find(this.#fields.need("isolated"), "isolated", this.#scope);
    const safe = this.#readSafe(this.#fields.get("safe"));
    if (initial === undefined || isolated === undefined) return undefined;
    return { zone: this.#scope.zone, initial, isolated, ...(safe === undefined ? {} : { safe }) };
  }

  #readSafe(cursor: Cursor | undefined): SafeState | undefined {
    const fields = cursor?.fields("safe", ["phase", "within"]);
    const phase = this.#shared.book.find(fields?.need("phase"), "phase", this.#scope);
    const withinMs = fields?.need("within")?.duration("within");
    return phase === undefined || withinMs === undefined ? undefined : { phase, withinMs };
  }

  #finish({ scope, exits, ...draft }: PhaseDraft): Phase {
    const kept = exits.filter(({ at, ofTemplate }) => !ofTemplate || this.#isThere(at.peek("to")));
    const transitions = kept.flatMap(({ at }, index) => {
      at.remember(`exit:${draft.id}/${index}`);
      return readTransition(at, scope, this.#shared) ?? [];
    });
    return { ...draft, zone: scope.zone, transitions };
  }

  /** A template's way out to a phase that the file does not use is left out. */
  #isThere(name: string | undefined): boolean {
    return name !== undefined && this.#shared.book.has(this.#scope.prefix + name);
  }
}
