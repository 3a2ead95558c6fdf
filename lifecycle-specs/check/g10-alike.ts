import type { Locus } from "../lifecycle.ts";
import type { Link, Plant } from "../plant.ts";
import { isSeenOn } from "./observe.ts";
import type { Checked, RawFact } from "./report.ts";
import { type AttackClass, alike, separates, type Taps } from "./tap-model.ts";
import { bookOf } from "./whitelist.ts";

/**
 * For the taps that each link has, the single causes that look the same through all of them, and what would tell them apart. Links with
 * the same taps are listed together.
 */
export function causesAlike({ plant, lifecycle }: Checked): readonly RawFact[] {
  const book = bookOf(plant, lifecycle);
  const byTaps = Map.groupBy(plant.links, (link) => JSON.stringify(tapsOf(link, book.isGuarded(link.server))));
  return [...byTaps.values()].flatMap((links): readonly RawFact[] => {
    const [first] = links;
    if (first === undefined) return [];
    const taps = tapsOf(first, book.isGuarded(first.server));
    return alike(taps).map((group) => factOf(plant, links, taps, group));
  });
}

export function tapsOf(link: Link, guarded: boolean): Taps {
  const seen = isSeenOn("switch", link);
  return {
    hmi: isSeenOn("hmi", link),
    switch: seen ? (link.mode === "enforce" ? "enforce" : "monitor") : "none",
    plc: guarded,
  };
}

function factOf(plant: Plant, links: readonly Link[], taps: Taps, group: readonly AttackClass[]): RawFact {
  const names = links.map(({ id }) => id);
  const causes = group.map(({ says }) => says);
  const separatedBy = separatorsOf(taps, group);
  const ids = names.join(", ");
  return {
    at: `link:${names[0]}`,
    guarantee: "G10",
    fact: `on ${ids} these look the same: ${causes.join("; ")}. ${capitalised(separatedBy.join(", or "))} would tell some of them apart`,
    detail: {
      links: names,
      classes: group.map(({ id }) => id),
      loci: [...new Set(group.flatMap(({ locus }) => (locus === "hmi" ? clientLoci(plant, links) : locus)))].sort(),
      separatedBy,
    },
  };
}

/** Where an attack by the client of one of these links sits. */
function clientLoci(plant: Plant, links: readonly Link[]): readonly Locus[] {
  const clients = new Set(links.map(({ client }) => client));
  return plant.devices
    .filter(({ id }) => clients.has(id))
    .map(({ role }) => (role === "hmi" || role === "engineering" ? role : "unknown-device"));
}

function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function separatorsOf(taps: Taps, group: readonly AttackClass[]): readonly string[] {
  const added: readonly (readonly [says: string, taps: Taps])[] = [
    ...(taps.hmi ? [] : [["a mirror of the link for the HMI layer", { ...taps, hmi: true }] as const]),
    ...(taps.switch === "none"
      ? [["a switch filter that looks into the link", { ...taps, switch: "enforce" }] as const]
      : []),
    ...(taps.plc ? [] : [["a guard in the server", { ...taps, plc: true }] as const]),
  ];
  const helpful = added.filter(([, more]) => separates(group, more)).map(([says]) => says);
  return helpful.length > 0 ? helpful : [beyondTheTaps(group)];
}

/** Where none of the three taps helps: what else would. */
function beyondTheTaps(group: readonly AttackClass[]): string {
  const loci = new Set(group.map(({ locus }) => locus));
  if (loci.has("field")) return "a second measurement, or bounds on what is reported";
  if (loci.has("coordinator-link")) return "a second way from the point to the coordinator";
  if (loci.has("plc-logic")) return "a tap at the port of the PLC, or the hash of its program";
  return "narrower rules, or a second person's word,";
}
