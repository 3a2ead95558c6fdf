import { createServer, type Server, type Socket } from "node:net";
import { readJsonLines, writeJsonLine } from "#plc-guard/json-lines.ts";
import type { Endpoint } from "../address-plan.ts";

/**
 * The patch panel of the simulated plant: somebody with access to the cabinet puts a box of theirs into a link. One JSON value
 * per line: `{"patch": {"link": "plc-1-modbus", "via": "HOST:PORT"}}`, `{"unpatch": {"link": "plc-1-modbus"}}`.
 * Each is answered by `{"patched": LINK, "via": "HOST:PORT" or null}` or `{"error": SENTENCE}`.
 */
export interface PatchPanel {
  /** undefined `via`: straight to the uplink again. False: there is no such link. */
  patch(link: string, via: Endpoint | undefined): boolean;
}

const MAX_LINE_BYTES = 1024;
const MAX_CONNECTIONS = 8;

export class PatchPort {
  readonly server: Server;
  readonly #sockets = new Set<Socket>();

  constructor(panel: PatchPanel) {
    this.server = createServer({ noDelay: true }, (socket) => this.#serve(socket, panel));
    this.server.maxConnections = MAX_CONNECTIONS;
  }

  close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    return new Promise((resolve) => this.server.close(() => resolve()));
  }

  #serve(socket: Socket, panel: PatchPanel): void {
    this.#sockets.add(socket);
    socket.on("error", () => socket.destroy());
    socket.on("close", () => this.#sockets.delete(socket));
    readJsonLines(socket, {
      maxLineBytes: MAX_LINE_BYTES,
      onValue: (value) => writeJsonLine(socket, answer(value, panel)),
    });
  }
}

function answer(value: unknown, panel: PatchPanel): object {
  const request = readRequest(value);
  if (request === undefined)
    return { error: "neither `patch` with `link` and `via` (`HOST:PORT`) nor `unpatch` with `link`" };
  if (!panel.patch(request.link, request.via)) return { error: `link \`${request.link}\` is not one of this switch` };
  const { link, via } = request;
  return { patched: link, via: via === undefined ? null : `${via.host}:${via.port}` };
}

function readRequest(value: unknown): { link: string; via: Endpoint | undefined } | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  if ("unpatch" in value) {
    const link = textIn(value.unpatch, "link");
    return link === undefined ? undefined : { link, via: undefined };
  }
  if (!("patch" in value)) return undefined;
  const link = textIn(value.patch, "link");
  const via = readEndpoint(textIn(value.patch, "via") ?? "");
  return link === undefined || via === undefined ? undefined : { link, via };
}

function textIn(value: unknown, key: string): string | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const text: unknown = new Map(Object.entries(value)).get(key);
  return typeof text === "string" ? text : undefined;
}

function readEndpoint(text: string): Endpoint | undefined {
  const match = /^([^:]{1,255}):(\d{1,5})$/.exec(text);
  const port = Number(match?.[2]);
  return match?.[1] === undefined || port < 1 || port > 65_535 ? undefined : { host: match[1], port };
}
