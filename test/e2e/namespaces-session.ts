// A scripted HMI session over Modbus/TCP, and a server for it, both written by hand. `server HOST PORT`, or `client HOST PORT FROM CONNECTIONS PER_SECOND COMMANDS`.
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { type ScriptedCommand, scripted } from "./namespaces-script.ts";

/** So many requests may wait at once: "NumberMaxOfClientTransaction, 1 to 16", MODBUS Messaging on TCP/IP V1.0b §4.2.2. */
const AT_ONCE = 16;

const [role = "", host = "", port = "0", ...rest] = process.argv.slice(2);
if (role === "server") await serve();
else await play(rest[0] ?? "", Number(rest[1]), Number(rest[2]), Number(rest[3]));

/** Cuts a stream into ADUs. */
function adus(socket: Socket, take: (adu: Buffer) => void): void {
  let held: Buffer = Buffer.alloc(0);
  socket.on("data", (chunk: Buffer) => {
    held = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
    while (held.length >= 6 && held.length >= 6 + held.readUInt16BE(4)) {
      const length = 6 + held.readUInt16BE(4);
      take(held.subarray(0, length));
      held = held.subarray(length);
    }
  });
}

async function serve(): Promise<void> {
  const server = createServer({ noDelay: true }, (socket) => {
    socket.on("error", () => undefined);
    adus(socket, (adu) => socket.write(answerTo(adu)));
  });
  server.listen(Number(port), host);
  await once(server, "listening");
  process.stdout.write("ready\n");
}

/** Function 3 and 23 show zeros; the others are echoed as far as the standard says. */
function answerTo(adu: Buffer): Buffer {
  const code = adu[7] ?? 0;
  const pdu =
    code === 3 || code === 23
      ? Buffer.concat([Buffer.from([code, 2 * adu.readUInt16BE(10)]), Buffer.alloc(2 * adu.readUInt16BE(10))])
      : adu.subarray(7, 12);
  const head = Buffer.from(adu.subarray(0, 7));
  head.writeUInt16BE(pdu.length + 1, 4);
  return Buffer.concat([head, pdu]);
}

async function play(from: string, connections: number, perSecond: number, commands: number): Promise<void> {
  const began = performance.now();
  const each = Math.floor(commands / connections);
  const played = await Promise.all(
    Array.from({ length: connections }, (_, n) => playOne(from, n, perSecond / connections, each)),
  );
  process.stdout.write(
    `${JSON.stringify({ elapsedMs: performance.now() - began, ports: played.map(({ localPort }) => localPort), answered: played.map(({ answered }) => answered) })}\n`,
  );
  process.exit(0);
}

async function playOne(from: string, n: number, perSecond: number, count: number) {
  const socket = connect({ host, port: Number(port), localAddress: from, noDelay: true });
  await once(socket, "connect");
  let answered = 0;
  adus(socket, () => {
    answered += 1;
  });
  const began = performance.now();
  let sent = 0;
  while (sent < count) {
    const due = Math.min(count, Math.ceil(((performance.now() - began) / 1000) * perSecond));
    while (sent < due && sent - answered < AT_ONCE) {
      socket.write(adu(sent, scripted(n, sent)));
      sent += 1;
    }
    await pause(1);
  }
  while (answered < count && performance.now() - began < 20_000) await pause(5);
  const { localPort } = socket;
  socket.end();
  return { localPort, answered };
}

function adu(transaction: number, { pdu }: ScriptedCommand): Buffer {
  const head = Buffer.alloc(7);
  head.writeUInt16BE(transaction & 0xffff, 0);
  head.writeUInt16BE(pdu.length + 1, 4);
  head.writeUInt8(1, 6);
  return Buffer.concat([head, pdu]);
}
