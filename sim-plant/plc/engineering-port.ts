import { createServer } from "node:net";
import { readJsonLines, writeJsonLine } from "#plc-guard/json-lines.ts";
import { TagId } from "#specs/ids.ts";
import type { Endpoint } from "../address-plan.ts";

/**
 * The engineering port of a soft PLC: who reaches it changes what the control program puts out, as a program download would.
 * JSON lines: `{"force":{"P101.OUT":80}}` replaces outputs of the program from the next scan on, before the guard;
 * `{"force":{}}` takes all back. The answer repeats what is forced.
 */
export interface EngineeringPort {
  /** Outputs forced now. */
  forces(): ReadonlyMap<TagId, number>;
  close(): Promise<void>;
}

const MAX_LINE_BYTES = 4096;
const NOTHING: ReadonlyMap<TagId, number> = new Map();

/** @param outputs names of the outputs this PLC has; others are not taken */
export async function serveEngineeringPort(at: Endpoint, outputs: ReadonlySet<string>): Promise<EngineeringPort> {
  let forced = NOTHING;
  const server = createServer((socket) => {
    socket.on("error", () => socket.destroy());
    readJsonLines(socket, {
      maxLineBytes: MAX_LINE_BYTES,
      onValue: (value) => {
        forced = readForces(value, outputs) ?? forced;
        writeJsonLine(socket, { forced: Object.fromEntries(forced) });
      },
    });
  });
  server.maxConnections = 4;
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error) => {
      reject(
        new Error(
          `the engineering port cannot listen on ${at.host}:${at.port} (${error.message}); choose a free address`,
        ),
      );
    });
    server.listen(at.port, at.host, resolve);
  });
  return {
    forces: () => forced,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

function readForces(value: unknown, outputs: ReadonlySet<string>): ReadonlyMap<TagId, number> | undefined {
  if (typeof value !== "object" || value === null || !("force" in value)) return undefined;
  const { force } = value;
  if (typeof force !== "object" || force === null) return undefined;
  const forces = new Map<TagId, number>();
  for (const [name, number] of Object.entries(force)) {
    if (!outputs.has(name) || typeof number !== "number" || !Number.isFinite(number)) return undefined;
    forces.set(TagId(name), number);
  }
  return forces;
}
