import { isMap, isScalar, type ParsedNode, parseDocument, type YAMLMap } from "yaml";

/**
 * What `docs/language.md` is made of. A fence names what it holds after its language: ```` ```yaml tank/plant.yaml ````. Such a
 * block is laid over what stands in that file already, as the text tells its reader to do: maps are joined, all else is replaced.
 * `broken` after the name: laid over for the next command only; `on tank`: the folder begins as a copy of that one.
 * ```` ```console ```` holds commands and what they print.
 */
export type Segment =
  | { readonly kind: "text"; readonly text: string }
  | {
      readonly kind: "file";
      readonly path: string;
      readonly broken: boolean;
      /** The folder that this one begins as a copy of. */
      readonly copyOf: string | undefined;
      readonly body: string;
      readonly line: number;
      readonly text: string;
    }
  | { readonly kind: "console"; readonly commands: readonly string[]; readonly line: number; readonly text: string }
  /** Any other fenced block; the test says which of these there may be. */
  | { readonly kind: "other"; readonly language: string; readonly body: string; readonly text: string };

const FENCE = /^```(\S*)(?: +(.*))?$/;

export function segmentsOf(markdown: string): readonly Segment[] {
  const segments: Segment[] = [];
  let held: string[] = [];
  let fence: { readonly line: number; readonly opening: string } | undefined;
  const take = (): string => {
    const text = held.join("");
    held = [];
    return text;
  };
  for (const [index, line] of markdown.split(/(?<=\n)/).entries()) {
    const bare = line.trimEnd();
    if (fence === undefined && FENCE.test(bare)) {
      segments.push({ kind: "text", text: take() });
      fence = { line: index + 1, opening: bare };
      held.push(line);
    } else if (fence !== undefined && bare === "```") {
      held.push(line);
      segments.push(segmentOf(fence.opening, take(), fence.line));
      fence = undefined;
    } else {
      held.push(line);
    }
  }
  if (fence !== undefined) throw new Error(`the fence in line ${fence.line} is never closed`);
  segments.push({ kind: "text", text: take() });
  return segments;
}

function segmentOf(opening: string, text: string, line: number): Segment {
  const [, language = "", rest = ""] = FENCE.exec(opening) ?? [];
  const body = text.split("\n").slice(1, -2).join("\n").concat("\n");
  const [path, word, folder] = rest.split(" ");
  if ((language === "yaml" || language === "ts") && path !== undefined && path !== "") {
    return {
      kind: "file",
      path,
      broken: word === "broken",
      copyOf: word === "on" ? folder : undefined,
      body,
      line,
      text,
    };
  }
  if (language !== "console") return { kind: "other", language, body, text };
  const commands = body.split("\n").flatMap((row) => (row.startsWith("$ ") ? [row.slice(2)] : []));
  return { kind: "console", commands, line, text };
}

/** Lays one YAML text over another; styles and comments of both stay. */
export function layOver(below: string | undefined, above: string): string {
  if (below === undefined) return above;
  const target = parseDocument(below);
  const source = parseDocument(above);
  if (!isMap(target.contents) || !isMap(source.contents)) throw new Error("a fragment is a map");
  join(target.contents, source.contents);
  return target.toString({ lineWidth: 0, flowCollectionPadding: true });
}

function join(target: YAMLMap, source: YAMLMap<ParsedNode, ParsedNode | null>): void {
  for (const { key, value } of source.items) {
    if (!isScalar(key)) throw new Error("keys of a fragment are words");
    const known = target.get(key.value, true);
    if (isMap(known) && isMap<ParsedNode, ParsedNode | null>(value)) join(known, value);
    else target.set(key, value);
  }
}

/** Whether the page shows what was printed: line by line, where a line `…` stands for any number of them. */
export function isShown(shown: readonly string[], printed: readonly string[]): boolean {
  const [first, ...rest] = shown;
  if (first === undefined) return printed.length === 0;
  if (first !== "…") return first === printed[0] && isShown(rest, printed.slice(1));
  return printed.some((_, skipped) => isShown(rest, printed.slice(skipped))) || rest.length === 0;
}
