// jsmodbus, which is installed apart: `node jsmodbus.mjs FOLDER client` takes one order a line and answers each with one line;
// `node jsmodbus.mjs FOLDER server HOST PORT` serves 32 of each table.
import { once } from "node:events";
import { createRequire } from "node:module";
import { createServer, connect as dial } from "node:net";
import { join } from "node:path";
import process from "node:process";
import { createInterface } from "node:readline";

const UNIT = 1;
const CELLS = 32;
const [folder, role, host, port] = process.argv.slice(2);
const jsmodbus = createRequire(join(folder, "package.json"))(folder);

if (role === "server") serve();
else await takeOrders();

function serve() {
  const sockets = createServer();
  const bits = () => Buffer.alloc(CELLS / 8);
  const registers = () => Buffer.alloc(CELLS * 2);
  new jsmodbus.server.TCP(sockets, { coils: bits(), discrete: bits(), holding: registers(), input: registers() });
  sockets.listen({ host, port: Number(port) }, () => process.stdout.write("ready\n"));
}

async function takeOrders() {
  let client;
  for await (const line of createInterface({ input: process.stdin })) {
    const [order, ...words] = line.split(" ");
    let told;
    if (order === "connect") {
      client?.socket.destroy();
      client = await open(words);
      told = client === undefined ? "lost not connected" : "ok";
    } else {
      told = await ask(client, order, words.map(Number)).catch(wordsOf);
    }
    process.stdout.write(`${told.replaceAll("\n", " ")}\n`);
  }
  process.exit(0);
}

async function open([to, at, framing]) {
  const socket = dial({ host: to, port: Number(at) });
  const client = new jsmodbus.client[framing === "rtu" ? "RTU" : "TCP"](socket, UNIT, 2000);
  try {
    await once(socket, "connect");
  } catch {
    return undefined;
  }
  socket.on("error", () => undefined);
  // Its RTU client waits for what a serial port says once it is open.
  if (framing === "rtu") socket.emit("open");
  return client;
}

async function ask(client, order, [first, second, ...rest]) {
  switch (order) {
    case "read-coils":
      return values((await client.readCoils(first, second)).response.body.valuesAsArray.slice(0, second));
    case "read-discrete-inputs":
      return values((await client.readDiscreteInputs(first, second)).response.body.valuesAsArray.slice(0, second));
    case "read-holding-registers":
      return values((await client.readHoldingRegisters(first, second)).response.body.valuesAsArray);
    case "read-input-registers":
      return values((await client.readInputRegisters(first, second)).response.body.valuesAsArray);
    case "write-coil":
      await client.writeSingleCoil(first, second === 1);
      return "ok";
    case "write-register":
      await client.writeSingleRegister(first, second);
      return "ok";
    case "write-coils":
      await client.writeMultipleCoils(
        first,
        [second, ...rest].map((bit) => bit === 1),
      );
      return "ok";
    case "write-registers":
      await client.writeMultipleRegisters(first, [second, ...rest]);
      return "ok";
    default:
      return "cannot";
  }
}

function values(list) {
  return ["ok", ...list.map(Number)].join(" ");
}

function wordsOf(error) {
  if (error?.err === "ModbusException") return `exception ${error.response.body.code}`;
  return `lost ${error?.message ?? String(error)}`;
}
