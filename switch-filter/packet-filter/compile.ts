import type { FlowProjection } from "#specs/flows.ts";
import type { PhaseId } from "#specs/ids.ts";
import type { Plant } from "#specs/plant.ts";
import { ok, type Result } from "#specs/result.ts";
import { bridgeTable } from "./bridge-table.ts";
import { ALL_FEATURES, type Features } from "./features.ts";
import { routedTables } from "./routed-table.ts";
import { type Ruleset, ruleset } from "./ruleset.ts";
import { limitsOf, type PacketSite } from "./site.ts";
import { wire } from "./wiring.ts";

export interface PacketPlan {
  readonly plant: Plant;
  readonly flows: FlowProjection;
  readonly site: PacketSite;
}

/**
 * The lifecycle's flows as nftables rules of one phase: pure, in stable order, so that equal input gives equal text.
 *
 * @param phase null: none is held, and only links of safety commands are open
 */
export function compilePacketFilter(
  { plant, flows, site }: PacketPlan,
  phase: PhaseId | null,
  features: Features = ALL_FEATURES,
): Result<Ruleset, string> {
  const wiring = wire(plant, flows, site, phase);
  if (!wiring.ok) return wiring;
  const limits = limitsOf(site);
  const tables =
    site.mode === "bridge" ? [bridgeTable(wiring.value, limits)] : routedTables(wiring.value, limits, features);
  return ok(ruleset(tables, phase));
}
