import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { describe } from "vitest";
import { CLIENT_MAKES, jsmodbusClient } from "../switch-filter/clients.ts";
import { describeClients } from "../switch-filter/clients-table.ts";
import { RTU_SERVER, SERVER_MAKES, type ServerMake } from "../switch-filter/servers.ts";
import { installed, titleEnd, whyNotInstalled } from "./installed.ts";

// jsmodbus before every server, over TCP and RTU; every client before a jsmodbus server.

const FOLDER = installed("jsmodbus", "jsmodbus");
const PROGRAM = fileURLToPath(new URL("./programs/jsmodbus.mjs", import.meta.url));
const whyNot = whyNotInstalled("jsmodbus");

describe.skipIf(whyNot !== undefined)(`jsmodbus${titleEnd("jsmodbus", whyNot)}`, () => {
  const client = jsmodbusClient(FOLDER);
  const server: ServerMake = { name: "jsmodbus", here: true, start: startServer };
  for (const [at, make] of SERVER_MAKES.entries()) describeClients([client], make, "mbap", 51 + at);
  describeClients([client], RTU_SERVER, "rtu", 55);
  describeClients([...CLIENT_MAKES, client], server, "mbap", 56);
});

async function startServer({ host, port }: { readonly host: string; readonly port: number }) {
  const child = spawn(process.execPath, [PROGRAM, FOLDER, "server", host, String(port)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await Promise.race([
    once(child.stdout, "data"),
    once(child, "exit").then(([code]) => Promise.reject(new Error(`the jsmodbus server ended with ${code}`))),
  ]);
  return {
    stop: async () => {
      const gone = once(child, "exit");
      child.kill("SIGKILL");
      await gone;
    },
  };
}
