import type { PhaseId, ZoneId } from "../ids.ts";
import { type Cursor, quote } from "./cursor.ts";
import { suggest } from "./suggest.ts";

/** The zone whose part of the file is read, and what its phase ids begin with: nothing in a plant of one zone, else `ZONE.`. */
export interface ZoneScope {
  readonly zone: ZoneId;
  readonly prefix: string;
}

/** Most phases of a lifecycle, those that masks generate included: each is resident in every point. */
export const MAX_PHASES = 2000;
const MAX_LISTED = 20;

/** The phases of all zones by name. References may point forward, so all phases are declared before any is looked up. */
export class PhaseBook {
  readonly #phases = new Map<string, { readonly id: PhaseId; readonly zone: ZoneId }>();
  readonly #groups = new Set<string>();

  get size(): number {
    return this.#phases.size;
  }

  has(id: string): boolean {
    return this.#phases.has(id);
  }

  declare(id: PhaseId, zone: ZoneId): void {
    this.#phases.set(id, { id, zone });
  }

  declareGroup(id: PhaseId): void {
    this.#groups.add(id);
  }

  zoneOf(id: PhaseId): ZoneId | undefined {
    return this.#phases.get(id)?.zone;
  }

  /** A phase of the scope's own zone. */
  find(cursor: Cursor | undefined, what: string, scope: ZoneScope): PhaseId | undefined {
    const id = this.findAnywhere(cursor, what, scope);
    const zone = id === undefined ? undefined : this.zoneOf(id);
    if (zone === undefined || zone === scope.zone) return id;
    return cursor?.fail(
      "ZONE_MIXED",
      `\`${id}\` is a phase of zone \`${zone}\`; name one of zone \`${scope.zone}\`, whose part of the lifecycle this is`,
    );
  }

  /** A phase of any zone. Those of the own zone may be named without it. */
  findAnywhere(cursor: Cursor | undefined, what: string, { zone, prefix }: ZoneScope): PhaseId | undefined {
    const text = cursor?.text(what);
    if (cursor === undefined || text === undefined) return undefined;
    const found = this.#phases.get(prefix + text) ?? this.#phases.get(text);
    if (found !== undefined) return found.id;
    const group = [prefix + text, text].find((name) => this.#groups.has(name));
    if (group !== undefined) {
      return cursor.fail(
        "PHASE_UNKNOWN",
        `\`${quote(text)}\` is a group of phases; name one of ${listed(this.#below(group))}`,
      );
    }
    const known = [...this.#phases.values()].filter((phase) => phase.zone === zone).map(({ id }) => id);
    return cursor.fail(
      "PHASE_UNKNOWN",
      `unknown phase \`${quote(text)}\`${suggest(prefix + text, known)}; the phases are ${listed(known)}`,
    );
  }

  /** A phase of the scope's own zone, or all phases of one of its groups. */
  findAll(cursor: Cursor, what: string, scope: ZoneScope): readonly PhaseId[] {
    const text = cursor.text(what);
    if (text === undefined) return [];
    const below = this.#phases.has(scope.prefix + text) ? [] : this.#below(scope.prefix + text);
    return below.length > 0 ? below : [this.find(cursor, what, scope) ?? []].flat();
  }

  #below(group: string): readonly PhaseId[] {
    return [...this.#phases.values()].map(({ id }) => id).filter((id) => id.startsWith(`${group}.`));
  }
}

function listed(ids: readonly string[]): string {
  const more = ids.length - MAX_LISTED;
  return more > 0 ? `${ids.slice(0, MAX_LISTED).join(", ")} and ${more} more` : ids.join(", ");
}
