// A Modbus client on a host of a network of namespaces: takes one JSON order a line, and answers each with one line.
import { connect, type Socket } from "node:net";
import { createInterface } from "node:readline";

interface Order {
  readonly do: "open" | "ask" | "say" | "close";
  readonly name: string;
  readonly host?: string;
  readonly port?: number;
  readonly from?: string;
  readonly pdu?: string;
  readonly withinMs: number;
}

interface Connection {
  readonly socket: Socket;
  received: Buffer;
  ended: string | undefined;
  look: () => void;
}

const connections = new Map<string, Connection>();
let transaction = 0;

for await (const line of createInterface({ input: process.stdin })) {
  const order: Order = JSON.parse(line);
  process.stdout.write(`${JSON.stringify(await carryOut(order))}\n`);
}
process.exit(0);

async function carryOut(order: Order): Promise<object> {
  switch (order.do) {
    case "open":
      return open(order);
    case "ask":
      return ask(order);
    case "say": {
      const known = connections.get(order.name);
      known?.socket.write(adu(order.pdu ?? ""));
      return { ended: known?.ended ?? null };
    }
    case "close":
      connections.get(order.name)?.socket.destroy();
      connections.delete(order.name);
      return {};
  }
}

async function open({ name, host = "", port = 0, from, withinMs }: Order): Promise<object> {
  const socket = connect({ host, port, noDelay: true, ...(from === undefined ? {} : { localAddress: from }) });
  const connection: Connection = { socket, received: Buffer.alloc(0), ended: undefined, look: () => undefined };
  connections.set(name, connection);
  let open = false;
  socket.on("connect", () => {
    open = true;
    connection.look();
  });
  socket.on("data", (chunk) => {
    connection.received = Buffer.concat([connection.received, chunk]);
    connection.look();
  });
  socket.on("error", (error: NodeJS.ErrnoException) => {
    connection.ended ??= error.code ?? error.message;
    connection.look();
  });
  socket.on("close", () => {
    connection.ended ??= "closed";
    connection.look();
  });
  await until(connection, () => open || connection.ended !== undefined, withinMs);
  if (open) return { open: true, from: socket.localAddress };
  if (connection.ended === undefined) socket.destroy();
  return { open: false, ended: connection.ended ?? "no answer" };
}

async function ask({ name, pdu = "", withinMs }: Order): Promise<object> {
  const connection = connections.get(name);
  if (connection === undefined) return { ended: "not open" };
  connection.received = Buffer.alloc(0);
  connection.socket.write(adu(pdu));
  const whole = () =>
    connection.received.length >= 6 && connection.received.length >= 6 + connection.received.readUInt16BE(4);
  await until(connection, () => whole() || connection.ended !== undefined, withinMs);
  if (whole()) return { answer: connection.received.toString("hex", 7) };
  return { ended: connection.ended ?? "no answer" };
}

function until(connection: Connection, holds: () => boolean, withinMs: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, withinMs);
    connection.look = () => {
      if (!holds()) return;
      clearTimeout(timer);
      resolve();
    };
    connection.look();
  });
}

function adu(pdu: string): Buffer {
  transaction = (transaction + 1) % 0x1_0000;
  const body = Buffer.from(pdu, "hex");
  const head = Buffer.alloc(7);
  head.writeUInt16BE(transaction, 0);
  head.writeUInt16BE(body.length + 1, 4);
  head.writeUInt8(1, 6);
  return Buffer.concat([head, body]);
}
