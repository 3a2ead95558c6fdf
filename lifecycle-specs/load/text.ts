import {
  Composer,
  type Document,
  isAlias,
  isMap,
  isPair,
  isScalar,
  isSeq,
  Lexer,
  LineCounter,
  type Node,
  Parser,
  YAMLParseError,
} from "yaml";
import type { DiagnosticCode, Location } from "../diagnostic.ts";
import type { Cursor } from "./cursor.ts";
import { type DiagnosticList, type Places, positionIn, Source } from "./source.ts";

/** Largest file that is read, in bytes. */
export const MAX_FILE_BYTES = 32 * 1024 * 1024;
/** Most pieces (words, signs, spaces, ends of line) of one file; a rule in one line has about a hundred. Bounds memory, some 0.3 kB each. */
export const MAX_PIECES = 4_000_000;

/** A file as the parser has made it; it may be read several times. */
export interface Parsed {
  readonly root: Node;
  readonly places: Places;
}

/** Reads YAML 1.2, and so JSON; undefined after a diagnostic. */
export function openText(
  file: string,
  text: string,
  diagnostics: DiagnosticList,
  locations: Map<string, Location>,
): Cursor | undefined {
  const parsed = parseText(file, text, diagnostics);
  return parsed === undefined ? undefined : openParsed(parsed, diagnostics, locations);
}

export function openParsed(
  { root, places }: Parsed,
  diagnostics: DiagnosticList,
  locations: Map<string, Location>,
): Cursor {
  return new Source(places, diagnostics, locations).cursor(root);
}

/** @param maxPieces words, signs, spaces and ends of line */
export function parseText(
  file: string,
  text: string,
  diagnostics: DiagnosticList,
  maxPieces = MAX_PIECES,
): Parsed | undefined {
  const refuse = (code: DiagnosticCode, message: string): undefined => {
    diagnostics.add({ file, line: 1, column: 1 }, code, message);
  };
  if (Buffer.byteLength(text) > MAX_FILE_BYTES) {
    return refuse("FILE_TOO_LARGE", `the file is larger than ${MAX_FILE_BYTES} bytes; split the plant`);
  }
  const lines = new LineCounter();
  const document = compose(text, lines, maxPieces);
  if (document === "too many")
    return refuse("FILE_TOO_LARGE", `the file holds more than ${maxPieces} words and signs; split the plant`);
  if (document === "too deep")
    return refuse("YAML_TOO_DEEP", "maps and lists are nested too deeply; the notation needs about ten levels");
  // The parser misses a line where something cannot stand at its end; its offsets are right.
  lines.lineStarts = lineStartsOf(text);
  const problems = [...document.errors, ...document.warnings];
  for (const { pos, message } of problems) {
    diagnostics.add(positionIn(file, lines, pos[0]), "YAML_SYNTAX", `not YAML 1.2: ${oneSentence(message)}`);
  }
  if (problems.length > 0) return undefined;
  if (document.contents === null) return refuse("TYPE_WRONG", "the file is empty; a map of keys is expected");
  const aliases = targetsOfAliases(document.contents);
  const of = (node: Node) => positionIn(file, lines, node.range?.[0] ?? 0);
  return { root: document.contents, places: { of, target: (alias) => aliases.get(alias) } };
}

function lineStartsOf(text: string): number[] {
  const starts = [0];
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
  return starts;
}

class TooMany extends Error {}

/** Keys are compared by `Cursor.entries`, in linear time; the parser's own comparison is quadratic. */
function compose(text: string, lines: LineCounter, maxPieces: number): Document.Parsed | "too deep" | "too many" {
  const composer = new Composer({ prettyErrors: false, uniqueKeys: false });
  try {
    let first: Document.Parsed | undefined;
    for (const document of composer.compose(tokens(text, lines, maxPieces), true, text.length)) {
      if (first !== undefined) {
        first.errors.push(...severalDocuments(document));
        break;
      }
      first = document;
    }
    if (first === undefined) throw new Error("unreachable: the composer was told to give a document");
    return first;
  } catch (error) {
    if (error instanceof TooMany) return "too many";
    if (error instanceof RangeError) return "too deep"; // the stack's end
    throw error;
  }
}

function* tokens(text: string, lines: LineCounter, maxPieces: number) {
  const parser = new Parser(lines.addNewLine);
  lines.addNewLine(0);
  let pieces = 0;
  for (const piece of new Lexer().lex(text)) {
    pieces += 1;
    if (pieces > maxPieces) throw new TooMany();
    yield* parser.next(piece);
  }
  yield* parser.end();
}

function severalDocuments(second: Document.Parsed) {
  return [
    new YAMLParseError([second.range[0], second.range[1]], "MULTIPLE_DOCS", "a second document begins with `---`"),
  ];
}

/** What each alias stands for: the last node before it that bears the anchor, and that it does not stand within. One pass. */
function targetsOfAliases(root: Node): ReadonlyMap<Node, Node> {
  const targets = new Map<Node, Node>();
  const anchors = new Map<string, Node>();
  /** Nodes still to be visited, last first; a node comes a second time, closed, once all it holds has been visited. */
  const waiting: { readonly node: unknown; readonly closed: boolean }[] = [{ node: root, closed: false }];
  const open = new Set<unknown>();
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { node, closed } = next;
    if (closed) {
      open.delete(node);
    } else if (isAlias(node)) {
      const target = anchors.get(node.source);
      if (target !== undefined && !open.has(target)) targets.set(node, target);
    } else if (isPair(node)) {
      waiting.push({ node: node.value, closed: false }, { node: node.key, closed: false });
    } else if (isScalar(node)) {
      if (node.anchor !== undefined) anchors.set(node.anchor, node);
    } else if (isMap(node) || isSeq(node)) {
      if (node.anchor !== undefined) anchors.set(node.anchor, node);
      open.add(node);
      waiting.push({ node, closed: true });
      for (const item of [...node.items].reverse()) waiting.push({ node: item, closed: false });
    }
  }
  return targets;
}

function oneSentence(message: string): string {
  const line = message.split("\n")[0] ?? message;
  return line.charAt(0).toLowerCase() + line.slice(1);
}
