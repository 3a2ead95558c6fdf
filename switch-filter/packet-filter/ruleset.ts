import { createHash } from "node:crypto";

/** The name of every table of ours, in whichever family. No other table is ever touched. */
export const TABLE = "sekisho";

export const FAMILIES = ["inet", "arp", "bridge"] as const;
export type Family = (typeof FAMILIES)[number];

export interface NamedSet {
  readonly name: string;
  readonly lines: readonly string[];
  /** False: what it remembers ends with this ruleset (sessions of a link that is closed). */
  readonly kept: boolean;
}

export interface Chain {
  readonly name: string;
  /** `type filter hook forward priority filter; policy drop;`; undefined: others jump to it. */
  readonly hook?: string;
  readonly rules: readonly string[];
}

export interface Table {
  readonly family: Family;
  readonly sets: readonly NamedSet[];
  readonly chains: readonly Chain[];
}

/** What a phase's tables say, in nft's own language. */
export interface Ruleset {
  readonly families: readonly Family[];
  /** Of the parts that stay from phase to phase; where it is the same, a ruleset can be replaced in place. */
  readonly structure: string;
  /** Replaces whatever own tables there are, in one transaction. What was remembered of sessions is lost. */
  readonly whole: string;
  /** Replaces every rule of tables of the same structure, in one transaction; sessions of links that stay open are remembered. */
  readonly inPlace: string;
}

/** The chain that says what is in force; nothing jumps to it. */
export const ABOUT = "about";
const STRUCTURE_DIGITS = 16;
/** A comment holds 128 bytes with its end; a phase may be longer than what is left. */
const MAX_COMMENT = 127;
const PHASE_PIECE = 100;

/** @param phase null: none is held */
export function ruleset(tables: readonly Table[], phase: string | null): Ruleset {
  const structure = createHash("sha256")
    .update(tables.map(skeleton).join("\n"))
    .digest("hex")
    .slice(0, STRUCTURE_DIGITS);
  const about: Chain = { name: ABOUT, rules: aboutRules(structure, phase ?? "-") };
  const told = tables.map((table) => ({ ...table, chains: [about, ...table.chains] }));
  return {
    families: tables.map(({ family }) => family),
    structure,
    whole: told
      .map((table) => `${clear(table.family)}${block(table.family, [...sets(table), ...chains(table)])}`)
      .join("\n"),
    inPlace: told.map(replaced).join("\n"),
  };
}

/** Makes sure that there is none, whether there was one or not. */
export function clear(family: Family): string {
  return `add table ${family} ${TABLE}\ndelete table ${family} ${TABLE}\n`;
}

/** What the `about` chain of a table in force says; undefined: it is none of ours. */
export function readAbout(listed: string): { readonly phase: string | null; readonly structure: string } | undefined {
  const structure = /"structure=([0-9a-f]+)"/.exec(listed)?.[1];
  const phase = [...listed.matchAll(/"phase=(\S+)"/g)].map(([, piece]) => piece).join("");
  return structure === undefined ? undefined : { phase: phase === "-" || phase === "" ? null : phase, structure };
}

function aboutRules(structure: string, phase: string): readonly string[] {
  const pieces: string[] = [];
  for (let at = 0; at < phase.length; at += PHASE_PIECE) pieces.push(phase.slice(at, at + PHASE_PIECE));
  return [`structure=${structure}`, ...pieces.map((piece) => `phase=${piece}`)].map(
    (says) => `return ${comment(says)}`,
  );
}

export function quoted(text: string): string {
  return `"${text}"`;
}

/** Names in it consist of letters, digits, `_`, `.` and `-`: nothing needs escaping. */
export function comment(says: string): string {
  return `comment ${quoted(says.slice(0, MAX_COMMENT))}`;
}

/** `{ a, b }`; nft knows no empty set: who has nothing to match writes no rule. */
export function anyOf(values: readonly string[]): string {
  return values.length === 1 ? (values[0] ?? "") : `{ ${values.join(", ")} }`;
}

/** Like `anyOf`, where nft needs the braces even for one (concatenations). */
export function setOf(values: readonly string[]): string {
  return `{ ${values.join(", ")} }`;
}

function replaced(table: Table): string {
  const { family } = table;
  const forgotten = table.sets.filter(({ kept }) => !kept).map(({ name }) => `flush set ${family} ${TABLE} ${name}\n`);
  return [
    block(family, [
      ...sets(table),
      ...table.chains.map(({ name, hook }) => chain({ name, ...(hook && { hook }), rules: [] })),
    ]),
    `flush table ${family} ${TABLE}\n`,
    ...forgotten,
    block(family, chains(table)),
  ].join("");
}

function skeleton({ family, sets, chains }: Table): string {
  return [
    family,
    ...sets.flatMap(({ name, lines }) => [name, ...lines]),
    ...chains.map(({ name, hook }) => `${name} ${hook ?? ""}`),
  ].join("\n");
}

function block(family: Family, parts: readonly string[]): string {
  return `table ${family} ${TABLE} {\n${parts.join("\n")}}\n`;
}

function sets({ sets }: Table): readonly string[] {
  return sets.map(({ name, lines }) => `  set ${name} {\n${lines.map((line) => `    ${line}\n`).join("")}  }\n`);
}

function chains({ chains }: Table): readonly string[] {
  return chains.map(chain);
}

function chain({ name, hook, rules }: Chain): string {
  const lines = [...(hook === undefined ? [] : [hook, ...(rules.length === 0 ? [] : [""])]), ...rules];
  return `  chain ${name} {\n${lines.map((line) => (line === "" ? "\n" : `    ${line}\n`)).join("")}  }\n`;
}
