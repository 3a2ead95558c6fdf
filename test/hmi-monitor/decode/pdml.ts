import { spawnSync } from "node:child_process";

/** One field of tshark's reading, with those inside it. */
export interface PdmlField {
  readonly name: string;
  /** as text */
  readonly show: string;
  /** bytes in hexadecimal */
  readonly value: string;
  readonly fields: readonly PdmlField[];
}

/** One protocol of a frame, in the order of the frame. */
export interface PdmlProtocol extends PdmlField {
  readonly frame: number;
}

export interface PdmlFrame {
  readonly number: number;
  /** seconds since the epoch, with nine digits behind the point */
  readonly time: string;
  readonly protocols: readonly PdmlProtocol[];
}

const TAG = /<(\/?)(packet|proto|field)\b([^>]*?)(\/?)>/g;
const ATTRIBUTE = /(\w+)="([^"]*)"/g;
const ENTITIES: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };
const MAX_OUTPUT_BYTES = 1 << 29;

interface Open {
  readonly field: { name: string; show: string; value: string; fields: PdmlField[] };
}

/** What tshark reads in a capture, every field of it. */
export function tsharkFrames(file: string, args: readonly string[] = []): readonly PdmlFrame[] {
  const { status, stdout, stderr } = spawnSync("tshark", ["-r", file, "-T", "pdml", ...args], {
    encoding: "utf8",
    maxBuffer: MAX_OUTPUT_BYTES,
    timeout: 60_000,
  });
  if (status !== 0 && stdout === "") throw new Error(`tshark ended with ${status}: ${stderr}`);
  return parse(stdout);
}

function parse(xml: string): readonly PdmlFrame[] {
  const frames: PdmlFrame[] = [];
  let open: Open[] = [];
  let top: PdmlField[] = [];
  for (const [, closing, tag, attributes = "", selfClosing] of xml.matchAll(TAG)) {
    if (tag === "packet") {
      if (closing === "") top = [];
      else frames.push(frameOf(top));
      open = [];
      continue;
    }
    if (closing === "/") {
      open.pop();
      continue;
    }
    const field = fieldOf(attributes);
    (open.at(-1)?.field.fields ?? top).push(field);
    if (selfClosing === "") open.push({ field });
  }
  return frames;
}

function fieldOf(text: string): Open["field"] {
  const attributes = new Map([...text.matchAll(ATTRIBUTE)].map(([, name = "", value = ""]) => [name, decode(value)]));
  const get = (name: string): string => attributes.get(name) ?? "";
  return { name: get("name"), show: get("show"), value: get("value"), fields: [] };
}

function decode(text: string): string {
  return text.replaceAll(/&(?:#x([0-9a-fA-F]+)|(\w+));/g, (whole, hex: string | undefined, name: string | undefined) =>
    hex === undefined ? (ENTITIES[name ?? ""] ?? whole) : String.fromCodePoint(Number.parseInt(hex, 16)),
  );
}

function frameOf(protocols: readonly PdmlField[]): PdmlFrame {
  const info = protocols.find(({ name }) => name === "geninfo")?.fields ?? [];
  const number = Number(info.find(({ name }) => name === "num")?.show);
  const time = info.find(({ name }) => name === "timestamp")?.value ?? "";
  return { number, time, protocols: protocols.map((protocol) => ({ ...protocol, frame: number })) };
}

/** Every field of a name, wherever it lies, in order. */
export function everyField(field: PdmlField, name: string): readonly PdmlField[] {
  return field.fields.flatMap((inner) => [...(inner.name === name ? [inner] : []), ...everyField(inner, name)]);
}

/** The first field of a name as text. */
export function shown(field: PdmlField, name: string): string | undefined {
  return everyField(field, name)[0]?.show;
}

/** The first field of a name as a number; `0x` is read too. */
export function numberOf(field: PdmlField, name: string): number | undefined {
  const text = shown(field, name);
  return text === undefined || text === "" ? undefined : Number(text);
}

/** The bytes of the first field of a name. */
export function bytesOf(field: PdmlField, name: string): Buffer {
  return Buffer.from((shown(field, name) ?? "").replaceAll(":", ""), "hex");
}
