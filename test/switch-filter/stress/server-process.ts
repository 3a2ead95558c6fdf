import { createServer } from "node:net";
import { SERVER_MAKES } from "../servers.ts";

/** `server-process.ts HOST PORT KIND`: a real Modbus server, or one that takes connections and no more. */
const [host = "", port = "", kind = "modbus"] = process.argv.slice(2);
const at = { host, port: Number(port) };
/** What a kernel still takes for a listener that does not: with this backlog, two. */
const BACKLOG = 1;

switch (kind) {
  case "modbus":
    await SERVER_MAKES[0]?.start(at);
    break;
  case "silent":
    await listening({ reads: true });
    break;
  case "deaf":
    await listening({ reads: false });
    break;
  default:
    throw new Error(`\`${kind}\` is none of modbus, silent, deaf`);
}
process.send?.("ready");
process.once("disconnect", () => process.exit());

function listening({ reads }: { readonly reads: boolean }): Promise<void> {
  const server = createServer({ pauseOnConnect: !reads }, (socket) => {
    socket.on("error", () => undefined);
    if (reads) socket.resume();
  });
  return new Promise((resolve) => server.listen({ ...at, backlog: BACKLOG }, resolve));
}
