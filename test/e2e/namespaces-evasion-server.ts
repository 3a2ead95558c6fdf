// A Modbus server (modbus-serial) that says each word it writes as a line of JSON. Its arguments are the address and the port.
import { ServerTCP } from "modbus-serial";

const [host = "", port = "0"] = process.argv.slice(2);
const words = new Map<number, number>();

const server = new ServerTCP(
  {
    getHoldingRegister: (address: number) => words.get(address) ?? 0,
    setRegister: (address: number, word: number) => {
      words.set(address, word);
      process.stdout.write(`${JSON.stringify({ atMs: Date.now(), word })}\n`);
    },
  },
  { host, port: Number(port), debug: false, unitID: 255 },
);
server.on("initialized", () => process.stdout.write("ready\n"));
// Resets are part of what it is there for.
server.on("socketError", () => undefined);
server.on("serverError", () => undefined);
process.on("SIGTERM", () => process.exit(0));
