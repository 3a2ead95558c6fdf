import { readFileSync, statSync } from "node:fs";
import type { Location } from "#specs/diagnostic.ts";
import { MAX_FILE_BYTES } from "#specs/load/text.ts";
import type { Colours } from "./terminal.ts";

/** Columns of a line that are shown; of a longer one the part around the caret. */
const WIDTH = 100;
/** The lines of a file, or undefined where it cannot be shown. Each file is read once. */
export type Sources = (file: string) => readonly string[] | undefined;

export function sourcesOnDisk(): Sources {
  const known = new Map<string, readonly string[] | undefined>();
  return (file) => {
    if (!known.has(file)) known.set(file, linesOf(file));
    return known.get(file);
  };
}

function linesOf(file: string): readonly string[] | undefined {
  try {
    const stat = statSync(file);
    if (!stat.isFile() || stat.size > MAX_FILE_BYTES) return undefined;
    return readFileSync(file, "utf8").split(/\r\n|[\n\r]/);
  } catch {
    return undefined; // The sentence stands for itself; its place is named in any case.
  }
}

/** `12 |   stopped: { … }` and below it a caret; nothing where the file or the line is not there. */
export function excerpt({ file, line, column }: Location, sources: Sources, colours: Colours): readonly string[] {
  const text = sources(file)?.[line - 1];
  if (text === undefined || text.trim() === "") return [];
  const { shown, caret } = cut(text, column - 1);
  const number = String(line);
  const gutter = " ".repeat(number.length);
  return [
    colours.dim(`${gutter} |`),
    `${colours.dim(`${number} |`)} ${shown}`,
    `${colours.dim(`${gutter} |`)} ${" ".repeat(caret)}${colours.red("^")}`,
  ];
}

/** The part of a line around a place in it, in code points, and where in the part the place is. */
function cut(text: string, offset: number): { readonly shown: string; readonly caret: number } {
  const chars = [...text].map(visible);
  const at = Math.min([...text.slice(0, offset)].length, chars.length);
  if (chars.length <= WIDTH) return { shown: chars.join(""), caret: at };
  const begin = Math.max(0, Math.min(at - Math.floor(WIDTH / 3), chars.length - WIDTH));
  const end = Math.min(chars.length, begin + WIDTH);
  const head = begin > 0 ? "…" : "";
  const shown = `${head}${chars.slice(begin, end).join("")}${end < chars.length ? "…" : ""}`;
  return { shown, caret: at - begin + head.length };
}

/** Control characters could speak to the terminal; a tab has a width of its own. */
function visible(char: string): string {
  if (char === "\t") return " ";
  return /[\p{Cc}\p{Cs}\u202a-\u202e\u2066-\u2069]/u.test(char) ? "\ufffd" : char;
}
