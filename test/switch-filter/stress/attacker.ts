import { connect, type Socket } from "node:net";
import { setTimeout as wait } from "node:timers/promises";
import { adu } from "../raw-client.ts";

/**
 * `attacker.ts KIND HOST PORT FROM CONNECTIONS SECONDS [PDU]`: says `ready`, then attacks for so long, then says how many connections it
 * opened. It ends with the process that started it.
 *
 * - `flood`: so many at a time are opened and ended, again and again
 * - `silent`: so many are opened, and say nothing
 * - `drip`: so many send one byte of a request a second
 * - `deaf`: so many send requests as fast as they are taken, and never read an answer
 * - `greedy`: the same, and they read
 */
const [kind = "", host = "", port = "", from = "", connections = "", seconds = "", pdu = "04 0000 0001"] =
  process.argv.slice(2);
const COUNT = Number(connections);
const WAIT_MS = 1000;
const REQUEST = adu(1, pdu);
/** As much of it as a socket reads at once. */
const BURST = Buffer.concat(Array.from({ length: Math.floor(65_536 / REQUEST.length) }, (_, n) => adu(n, pdu)));
let opened = 0;
let bytes = 0;

process.once("disconnect", () => process.exit());
process.send?.("ready");
const until = performance.now() + Number(seconds) * 1000;
const goesOn = () => performance.now() < until;
const work = { flood, silent, drip, deaf: () => pour(false), greedy: () => pour(true) }[kind];
if (work === undefined) throw new Error(`\`${kind}\` is no attack`);
await work();
process.send?.({ opened, bytes });

function open(): Socket {
  const socket = connect({ host, port: Number(port), localAddress: from, noDelay: true });
  socket.on("error", () => undefined);
  socket.on("connect", () => {
    opened += 1;
  });
  return socket;
}

async function flood(): Promise<void> {
  const one = async (): Promise<void> => {
    while (goesOn()) {
      const socket = open();
      await new Promise<void>((resolve) => {
        socket.once("connect", () => socket.resetAndDestroy());
        socket.once("close", () => resolve());
      });
    }
  };
  await Promise.all(Array.from({ length: COUNT }, one));
}

/** One that is closed is opened again. */
async function keep(begin: (socket: Socket) => void): Promise<void> {
  const open_: (Socket | undefined)[] = Array.from({ length: COUNT });
  while (goesOn()) {
    for (let i = 0; i < COUNT; i += 1) {
      if (open_[i] !== undefined && open_[i]?.destroyed === false) continue;
      const socket = open();
      open_[i] = socket;
      begin(socket);
    }
    await wait(Math.min(WAIT_MS, Math.max(1, until - performance.now())));
  }
}

function silent(): Promise<void> {
  return keep((socket) => socket.resume());
}

function drip(): Promise<void> {
  return keep((socket) => {
    let at = 0;
    const timer = setInterval(() => {
      // The last byte of a request never comes: the next begins in its place, as long as nobody objects.
      socket.write(REQUEST.subarray(at, at + 1));
      at = Math.min(at + 1, REQUEST.length - 2);
    }, WAIT_MS);
    socket.once("close", () => clearInterval(timer));
    socket.resume();
  });
}

function pour(reads: boolean): Promise<void> {
  return keep((socket) => {
    const more = (): void => {
      while (goesOn() && socket.write(BURST)) bytes += BURST.length;
    };
    socket.on("drain", more);
    if (reads) socket.on("data", () => undefined);
    else socket.pause();
    more();
  });
}
