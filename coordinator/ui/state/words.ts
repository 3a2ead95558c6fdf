import type { TagInfo } from "#coordinator/page-messages.ts";
import type { Locus } from "#specs/lifecycle.ts";

// Numbers, times and names as people read them.

/** Before this, a plant time counts from the start of a simulation; from it on, it is the wall clock (2001-09-09). */
const WALL_CLOCK_FROM_MS = 1e12;
const ABBREVIATIONS = new Set(["hmi", "plc", "sp", "opc", "ua"]);

const two = (n: number): string => String(n).padStart(2, "0");

/** `14:03:22` by the wall clock, `0:12:03` since the start of a simulated plant. */
export function plantTimeWords(atMs: number): string {
  if (atMs >= WALL_CLOCK_FROM_MS) {
    const d = new Date(atMs);
    return `${two(d.getHours())}:${two(d.getMinutes())}:${two(d.getSeconds())}`;
  }
  const s = Math.max(0, Math.floor(atMs / 1000));
  return `${Math.floor(s / 3600)}:${two(Math.floor(s / 60) % 60)}:${two(s % 60)}`;
}

/** `4 s`, `12 min`, `3 h 5 min`, `2 d 4 h`. */
export function durationWords(ms: number): string {
  const s = Math.max(0, Math.floor(ms / 1000));
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min`;
  const h = Math.floor(s / 3600);
  if (h >= 48) return `${Math.floor(h / 24)} d ${h % 24} h`;
  const minutes = Math.floor(s / 60) % 60;
  return minutes === 0 ? `${h} h` : `${h} h ${minutes} min`;
}

export function agoWords(ms: number): string {
  return ms < 1000 ? "now" : `${durationWords(ms)} ago`;
}

/** Decimal places by the size of the range: 3 m → 2, 80 m³/h → 1, 100 % → 0. */
function decimalsFor(tag: Pick<TagInfo, "low" | "high" | "unit">): number {
  if (tag.unit === "%") return 0;
  const span = tag.high - tag.low;
  if (span <= 20) return 2;
  return span <= 200 ? 1 : 0;
}

export function valueWords(tag: Pick<TagInfo, "low" | "high" | "unit"> | undefined, value: number): string {
  if (!Number.isFinite(value)) return "not a number";
  if (tag === undefined) return String(Number(value.toPrecision(6)));
  return value.toFixed(decimalsFor(tag));
}

/** A boolean as on/off, a number with its unit. */
export function readingWords(tag: TagInfo | undefined, value: number): string {
  if (tag !== undefined && isBoolean(tag)) return value === 0 ? "off" : value === 1 ? "on" : String(value);
  const number = valueWords(tag, value);
  return tag === undefined || tag.unit === "" ? number : `${number} ${tag.unit}`;
}

export function isBoolean(tag: TagInfo): boolean {
  return tag.unit === "" && tag.low === 0 && tag.high === 1;
}

/** `hmi-quarantined` → `HMI quarantined`, `dose-check` → `dose check`. */
export function nameWords(name: string): string {
  return name
    .split(/[-_]/)
    .map((word) => (ABBREVIATIONS.has(word) ? word.toUpperCase() : word))
    .join(" ");
}

/** `degraded.hmi-quarantined` → `degraded · HMI quarantined`. */
export function phaseWords(phase: string | null): string {
  return phase === null ? "unknown" : phase.split(".").map(nameWords).join(" · ");
}

export function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** Without its closing full stop, to stand within a longer sentence. */
export function clause(sentence: string): string {
  return sentence.replace(/\.\s*$/, "");
}

export function countWords(n: number): string {
  return n.toLocaleString("en-GB");
}

export function listWords(parts: readonly string[], last: "and" | "or" = "and"): string {
  if (parts.length < 2) return parts[0] ?? "";
  return `${parts.slice(0, -1).join(", ")} ${last} ${parts.at(-1)}`;
}

const LOCUS_WORDS: Readonly<Record<Locus, string>> = {
  hmi: "at the operator station",
  "path-hmi-switch": "between operator station and switch",
  switch: "at the switch",
  "path-switch-plc": "between switch and PLC",
  "plc-logic": "in the PLC's control program",
  field: "in the field",
  engineering: "at the engineering workstation",
  "unknown-device": "at an unknown device",
  "coordinator-link": "on the way to the coordinator",
};

export function locusWords(locus: readonly Locus[]): string {
  return locus.length === 0
    ? "place not known"
    : listWords(
        locus.map((l) => LOCUS_WORDS[l]),
        "or",
      );
}
