import { readFileSync, statSync } from "node:fs";
import { type Static, Type } from "typebox";
import { Compile } from "typebox/compile";
import { parse } from "yaml";
import { err, ok, type Result } from "#specs/result.ts";
import { DEFAULT_TIMES, type PairTimes } from "./pair-state.ts";

const strict = { additionalProperties: false } as const;
const Host = Type.String({ pattern: "^[0-9a-fA-F.:]{2,45}$" });
const Port = Type.Integer({ minimum: 1, maximum: 65_535 });
const Path = Type.Object({ own: Host, peer: Host, port: Type.Optional(Port), peerPort: Type.Optional(Port) }, strict);
const Ms = Type.Integer({ minimum: 20, maximum: 60_000 });

const Pair = Type.Object(
  {
    name: Type.String({ pattern: "^[A-Za-z][A-Za-z0-9_.-]{0,63}$" }),
    /** The higher one goes first where both could; both may have the same, then their names decide. */
    priority: Type.Optional(Type.Integer({ minimum: 0, maximum: 255 })),
    /** Links that only the active one has up, for example macvlans with the gateway's addresses. */
    links: Type.Array(Type.String({ pattern: "^[A-Za-z0-9_.-]{1,15}$" }), { minItems: 1, maxItems: 16 }),
    /** Ways to the other; best two that do not share a cable, none of them the plant's. */
    paths: Type.Array(Path, { minItems: 1, maxItems: 4 }),
    /** File with a secret that both have, 32 bytes at least, which nobody else may read. */
    key: Type.String({ minLength: 1 }),
    beatMs: Type.Optional(Ms),
    takeOverMs: Type.Optional(Ms),
    holdMs: Type.Optional(Ms),
  },
  strict,
);
type PairText = Static<typeof Pair>;

export interface PairPath {
  readonly own: { readonly host: string; readonly port: number };
  readonly peer: { readonly host: string; readonly port: number };
}

export interface PairSettings {
  readonly name: string;
  readonly priority: number;
  readonly links: readonly string[];
  readonly paths: readonly PairPath[];
  readonly key: Buffer;
  readonly times: PairTimes;
}

const schema = Compile(Pair);
const HEARTBEAT_PORT = 7405;
const MIN_KEY_BYTES = 32;

/** YAML or JSON; the error is one sentence. */
export function readPair(text: string, key: (file: string) => Buffer): Result<PairSettings, string> {
  let value: unknown;
  try {
    value = parse(text, { maxAliasCount: 0 });
  } catch {
    return err("it is neither YAML nor JSON");
  }
  if (!schema.Check(value)) {
    const [first] = schema.Errors(value);
    const where = first?.instancePath.slice(1).replaceAll("/", ".") ?? "";
    return err(`${where === "" ? "the file" : `\`${where}\``} ${first?.message ?? "is not as it must be"}`);
  }
  return settings(value, key);
}

function settings(value: PairText, keyOf: (file: string) => Buffer): Result<PairSettings, string> {
  const times = {
    beatMs: value.beatMs ?? DEFAULT_TIMES.beatMs,
    takeOverMs: value.takeOverMs ?? DEFAULT_TIMES.takeOverMs,
    holdMs: value.holdMs ?? DEFAULT_TIMES.holdMs,
  };
  if (times.holdMs < 2 * times.beatMs || times.takeOverMs <= times.holdMs)
    return err(
      `holdMs ${times.holdMs} must be at least twice beatMs ${times.beatMs}, and takeOverMs ${times.takeOverMs} longer than it: one gives the links up before the other takes them`,
    );
  const key = keyOf(value.key);
  if (key.length < MIN_KEY_BYTES)
    return err(`the key in ${value.key} has ${key.length} bytes; ${MIN_KEY_BYTES} are needed`);
  const { name, priority = 100, links } = value;
  const paths = value.paths.map(({ own, peer, port = HEARTBEAT_PORT, peerPort = HEARTBEAT_PORT }) => ({
    own: { host: own, port },
    peer: { host: peer, port: peerPort },
  }));
  return ok({ name, priority, links, paths, key, times });
}

/** @throws Error in one sentence, naming the file */
export function loadPair(file: string): PairSettings {
  const pair = readPair(readFileOrSay(file).toString("utf8"), secretFrom);
  if (!pair.ok) throw new Error(`${file} is not a pair file: ${pair.error}`);
  return pair.value;
}

/** @throws Error in one sentence */
function secretFrom(file: string): Buffer {
  const key = readFileOrSay(file);
  const others = statSync(file).mode & 0o077;
  if (others !== 0) throw new Error(`${file} can be read by others; take that from them with \`chmod 600 ${file}\``);
  return key;
}

function readFileOrSay(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new Error(`${file} cannot be read (${error instanceof Error ? error.message : String(error)})`);
  }
}
