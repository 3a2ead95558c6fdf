import type { Layer } from "../decide/observation.ts";
import type { TagId } from "../ids.ts";
import type { Lifecycle, Rule } from "../lifecycle.ts";
import { isSeenAtMirror, type Link, type Plant, type Tag } from "../plant.ts";
import { allRules } from "../positions.ts";
import { linksFor } from "./carry.ts";
import { linksOfEntry } from "./pairs.ts";
import { type Book, bookOf } from "./whitelist.ts";

/** Whether a layer looks into what passes a link. Nobody sees into an opaque one. */
export function isSeenOn(layer: Layer, link: Link): boolean {
  if (layer === "plc" || link.opaque) return false;
  return layer === "hmi" ? isSeenAtMirror(link) : link.mode !== "off";
}

/** Whether the switch layer can know the role of whoever asks over a link: by a certificate, or by the user of a session. */
export function showsRoles(link: Link): boolean {
  return isSeenOn("switch", link) && (link.protocol === "opcua" || link.tls === true);
}

/** What each layer gets to see under this lifecycle. */
export interface Sight {
  /**
   * The layer can know a tag's value: a guard stands in the PLC that holds it; or some rule lets somebody read or subscribe to the tag
   * (or write it, where it is a command or a set-point) over a link that the layer looks into.
   */
  readonly seesTag: (layer: Layer, tag: TagId) => boolean;
  /** Links over which the layer sees messages of this rule; the PLC sees no messages. */
  readonly seesMessages: (layer: Layer, rule: Rule) => boolean;
}

const TELLS_VALUE: ReadonlySet<string> = new Set(["read", "subscribe"]);

export function sightOf(plant: Plant, lifecycle: Lifecycle): Sight {
  const book = bookOf(plant, lifecycle);
  const seen: Readonly<Record<Layer, ReadonlySet<TagId>>> = {
    hmi: tagsOnLinks(plant, lifecycle, book, "hmi"),
    switch: tagsOnLinks(plant, lifecycle, book, "switch"),
    plc: new Set(plant.tags.filter(({ device }) => book.isGuarded(device)).map(({ id }) => id)),
  };
  return {
    seesTag: (layer, tag) => seen[layer].has(tag),
    seesMessages: (layer, rule) =>
      rule.operation !== "output" && linksOfRule(plant, book, rule).some((link) => isSeenOn(layer, link)),
  };
}

/** Every link that carries something of a rule, once. */
export function linksOfRule(plant: Plant, book: Book, rule: Rule): readonly Link[] {
  return [...new Set(book.entriesOf(rule, "hmi").flatMap((entry) => linksOfEntry(plant, book, entry)))];
}

function tagsOnLinks(plant: Plant, lifecycle: Lifecycle, book: Book, layer: Layer): ReadonlySet<TagId> {
  const found = new Set<TagId>();
  for (const rule of allRules(lifecycle)) {
    if (!TELLS_VALUE.has(rule.operation) && rule.operation !== "write") continue;
    for (const { permission, sender } of book.entriesOf(rule, "hmi")) {
      const tag = permission.tag === undefined ? undefined : book.tag(permission.tag);
      if (tag === undefined || found.has(tag.id) || !showsValue(rule, tag)) continue;
      const links = linksFor(plant, book.linksBetween(sender, permission.target), rule.operation, { tag }, rule.form);
      if (links.some((link) => isSeenOn(layer, link))) found.add(tag.id);
    }
  }
  return found;
}

/** A write that was answered with success is the last known value of commands and set-points. */
function showsValue({ operation }: Rule, { kind }: Tag): boolean {
  return operation !== "write" || kind === "command" || kind === "set-point";
}
