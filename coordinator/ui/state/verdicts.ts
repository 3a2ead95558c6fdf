import type { PlantView, VerdictView } from "#coordinator/page-messages.ts";
import type { Layer } from "#specs/decide/observation.ts";
import { tagInfo } from "./readings.ts";
import { plantTimeWords, readingWords } from "./words.ts";

// The live list of verdicts: bounded, newest first, each as one row of words.

export const MAX_VERDICTS = 200;

export interface VerdictList {
  readonly rows: readonly VerdictView[];
  /** Receipts the coordinator counted but did not send. */
  readonly omitted: number;
}

export const NO_VERDICTS: VerdictList = { rows: [], omitted: 0 };

export function addVerdicts(list: VerdictList, newestFirst: readonly VerdictView[], omitted: number): VerdictList {
  if (newestFirst.length === 0 && omitted === 0) return list;
  return { rows: [...newestFirst, ...list.rows].slice(0, MAX_VERDICTS), omitted: list.omitted + omitted };
}

export function verdictKey(v: VerdictView): string {
  return `${v.point}#${v.seq}@${v.atMs}`;
}

export interface VerdictRow {
  readonly key: string;
  readonly atMs: number;
  readonly layer: string;
  /** `hmi-1 → plc-1`; inside a PLC nobody can tell who wrote: `in plc-1`. */
  readonly ends: string;
  readonly command: string;
  readonly denied: boolean;
  /** `allowed`, `denied`, `violation seen` (the HMI layer only watches), `denied, let through` (monitor). */
  readonly verdict: string;
  readonly reason: string;
}

const LAYER_WORDS: Readonly<Record<Layer, string>> = { hmi: "HMI", switch: "switch", plc: "PLC" };
/** More items of one message are counted, not listed. */
const SHOWN_ITEMS = 3;

export function verdictRow(plant: PlantView, v: VerdictView): VerdictRow {
  const denied = v.verdict === "deny";
  return {
    key: verdictKey(v),
    atMs: v.atMs,
    layer: LAYER_WORDS[v.layer],
    ends: endsWords(v),
    command: commandWords(plant, v),
    denied,
    verdict: verdictWords(v),
    reason: denied ? v.says || (v.reason ?? "") : allowedBy(v),
  };
}

function allowedBy({ rule, selectedAtMs }: VerdictView): string {
  const selected = selectedAtMs === undefined ? [] : [`selected at ${plantTimeWords(selectedAtMs)}`];
  return [...(rule === null ? [] : [rule]), ...selected].join(", ");
}

function endsWords(v: VerdictView): string {
  if (v.layer === "plc") return v.source === "program" ? `program of ${v.target}` : `in ${v.target}`;
  const from = v.source ?? (v.sourceAddress === "" ? "unknown" : v.sourceAddress.replace(/:\d+$/, ""));
  return `${from} → ${v.target}`;
}

function verdictWords(v: VerdictView): string {
  if (v.verdict === "allow") return v.action === "blocked" ? "allowed, refused with the rest" : "allowed";
  if (v.action === "blocked") return "denied";
  return v.layer === "hmi" ? "violation seen" : "denied, let through";
}

/** `write DOS201.SP = 8.20 mg/L`; without items the protocol's own words. */
export function commandWords(plant: PlantView, v: VerdictView): string {
  if (v.items.length === 0) return `${v.operation}: ${v.message}`;
  const items = v.items.slice(0, SHOWN_ITEMS).map((item) => {
    const name = item.tag ?? item.address;
    if (item.value === null) return name;
    return `${name} = ${readingWords(item.tag === null ? undefined : tagInfo(plant, item.tag), item.value)}`;
  });
  const more = v.items.length - items.length;
  return `${v.operation} ${items.join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}

export type VerdictFilter = "all" | "denies";

export function filterVerdicts(rows: readonly VerdictView[], filter: VerdictFilter): readonly VerdictView[] {
  return filter === "all" ? rows : rows.filter((v) => v.verdict === "deny");
}
