import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { hasTool, isRoot } from "../../support/tools.ts";
import { CLIENT_MAKES } from "../../switch-filter/clients.ts";
import { SERVER_MAKES } from "../../switch-filter/servers.ts";
import { decoded } from "./decoded.ts";
import { compare } from "./differences.ts";
import { LiveCapture } from "./live-capture.ts";
import { factsOfLine, modbusFactsOfTshark } from "./modbus-facts.ts";
import { tsharkFrames } from "./pdml.ts";
import { MODBUS_DIFFERENCES } from "./tshark-differences.ts";

/** What every client asks; what one cannot ask it leaves out by itself. The last ones are answered by exceptions. */
const ORDERS = [
  "write-coils 0 1 0 1 1 0 0 1 0 1 1",
  "write-coil 5 1",
  "write-register 3 4660",
  "write-registers 8 1 65535 3 77",
  "read-coils 0 32",
  "read-discrete-inputs 0 16",
  "read-holding-registers 0 32",
  "read-input-registers 0 16",
  "mask-register 3 65280 52",
  "read-write-registers 0 4 12 7 8",
  "report-server-id",
  "read-holding-registers 30 20",
  "write-register 4000 1",
];
const PORT = 15_170;
const ANSWERED = /^(ok|exception)/;

function responses(capture: Buffer): number {
  return decoded(capture, { modbusPorts: [PORT] }).lines.filter(({ direction }) => direction === "response").length;
}

describe.skipIf(!hasTool("tshark") || !hasTool("tcpdump") || !isRoot())(
  "real Modbus clients and servers, captured",
  () => {
    let folder = "";
    beforeAll(() => {
      folder = mkdtempSync(join(tmpdir(), "sekisho-decode-live-"));
    });
    afterAll(() => rmSync(folder, { recursive: true, force: true }));

    describe.each(SERVER_MAKES)("server: $name", (server) => {
      const makes = CLIENT_MAKES.filter(({ here }) => here);
      test.skipIf(!server.here).each(makes)(
        "client: $name, as tshark reads it",
        { timeout: 60_000 },
        async (client) => {
          const host = `127.253.7${SERVER_MAKES.indexOf(server)}.${1 + CLIENT_MAKES.indexOf(client)}`;
          const running = await server.start({ host, port: PORT });
          const capture = await LiveCapture.start(
            join(folder, `${server.name}-${client.name}.pcap`),
            `host ${host} and tcp port ${PORT}`,
          );
          const asking = await client.open({ host, port: PORT, framing: "mbap" });
          const told: string[] = [];
          let bytes: Buffer;
          try {
            expect(await asking.connect()).toBe("ok");
            for (const order of ORDERS) told.push(await asking.ask(order));
          } finally {
            await asking.close();
            bytes = await capture.stop((seen) => responses(seen) >= told.filter((word) => ANSWERED.test(word)).length);
            await running.stop();
          }
          const { lines, wrong, counts } = decoded(bytes, { modbusPorts: [PORT] });
          const frames = tsharkFrames(capture.file, ["-o", `mbtcp.tcp.port:${PORT}`]);
          const compared = compare(lines, lines.map(factsOfLine), modbusFactsOfTshark(frames), MODBUS_DIFFERENCES);
          expect(compared.unexplained).toEqual([]);
          expect({ wrong, frames: counts.frames, unread: counts.unread.bytes }).toEqual({
            wrong: undefined,
            frames: frames.length,
            unread: 0,
          });
          // What the client was told is what the lines say.
          const answered = told.filter((word) => ANSWERED.test(word)).length;
          expect(answered).toBeGreaterThanOrEqual(8);
          expect(lines.filter(({ direction }) => direction === "response").length).toBeGreaterThanOrEqual(answered);
          const exceptions = told.flatMap((word) => /^exception (\d+)/.exec(word)?.[1] ?? []).map(Number);
          expect(lines.flatMap(({ exception }) => exception ?? [])).toEqual(expect.arrayContaining(exceptions));
        },
      );
    });
  },
);
