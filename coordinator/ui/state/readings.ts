import type { PlantView, StateView, TagInfo } from "#coordinator/page-messages.ts";
import type { LinkKind } from "./link.ts";
import { durationWords, isBoolean, readingWords, valueWords } from "./words.ts";

// What a tag's value is worth: a value, an old value, or none. The three never look alike, and none of them looks like `off`.

/** Plant ms; every tag is read with each scan report, so this is many reports missed. */
export const STALE_AFTER_MS = 5000;

type Freshness = "fresh" | "stale" | "unknown";

export interface ReadingLooks {
  readonly tag: string;
  readonly freshness: Freshness;
  /** The number, `on`/`off`, or `?`. */
  readonly text: string;
  readonly unit: string;
  readonly value: number | undefined;
  /** For booleans: undefined where it cannot be said at all. */
  readonly on: boolean | undefined;
  /** For a screen reader and as a tooltip. */
  readonly says: string;
}

export function isStale(readingAtMs: number, plantNowMs: number, link: LinkKind): boolean {
  return link !== "live" || plantNowMs - readingAtMs > STALE_AFTER_MS;
}

export function tagInfo(plant: PlantView, tag: string): TagInfo | undefined {
  return plant.tags.find((t) => t.id === tag);
}

export function readingLooks(plant: PlantView, state: StateView, tag: string, link: LinkKind): ReadingLooks {
  const info = tagInfo(plant, tag);
  const title = info?.title ?? tag;
  const reading = state.tags[tag];
  const unit = info?.unit ?? "";
  if (reading === undefined) {
    const says = `${tag}, ${title}: unknown, no reading has come`;
    return { tag, freshness: "unknown", text: "?", unit: "", value: undefined, on: undefined, says };
  }
  const bool = info !== undefined && isBoolean(info);
  const text = bool ? readingWords(info, reading.value) : valueWords(info, reading.value);
  const stale = isStale(reading.atMs, state.atMs, link);
  const age = state.atMs - reading.atMs;
  const old = link === "live" ? `last read ${durationWords(age)} ago` : "the coordinator is not heard";
  return {
    tag,
    freshness: stale ? "stale" : "fresh",
    text,
    unit,
    value: reading.value,
    on: bool ? reading.value !== 0 : undefined,
    says: `${tag}, ${title}: ${readingWords(info, reading.value)}${stale ? `, stale: ${old}` : ""}`,
  };
}
