import { readFileSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { buildBundle } from "#specs/bundle.ts";
import { waterTreatment } from "../support/plant.ts";
import { RunningPart } from "../support/running-part.ts";
import { adu, RawClient } from "../switch-filter/raw-client.ts";

/** `sekisho hmi-monitor --inline`: the rules of the HMI layer before a command leaves the station, whoever on it has sent it. */
const AT = "127.251.2.22";
const [LISTEN, UPSTREAM] = [15_231, 15_232];
const stops: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

/** A server that answers any write as the standard says, and keeps what it was asked. */
async function server(): Promise<readonly string[]> {
  const asked: string[] = [];
  const sockets = new Set<Socket>();
  const plc: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    socket.on("data", (bytes: Buffer) => {
      asked.push(bytes.toString("hex", 7));
      if (bytes[7] === 3) socket.write(adu(bytes.readUInt16BE(0), "03 02 00c8"));
      else socket.write(bytes);
    });
  });
  await new Promise<void>((resolve) => plc.listen(UPSTREAM, AT, resolve));
  stops.push(() => {
    for (const socket of sockets) socket.destroy();
    return new Promise((resolve) => plc.close(resolve));
  });
  return asked;
}

test("what a rule of the station allows passes, and what none does is answered in the PLC's place", async () => {
  const asked = await server();
  const { plant, lifecycle } = waterTreatment();
  const part = new RunningPart("hmi-monitor");
  stops.push(() => part.stop());
  const log = join(part.runDir, "log.jsonl");
  await part.start(buildBundle(plant, lifecycle), [
    ...["--standalone", "--phase", "normal", "--inline", "--station", "hmi-1", "--log", log],
    ...["--link", "hmi-plc1", "--listen", `${AT}:${LISTEN}`, "--upstream", `${AT}:${UPSTREAM}`],
  ]);
  const client = await RawClient.open({ host: AT, port: LISTEN }, "127.0.0.77");
  client.say(adu(1, "03 0001 0001"));
  await client.answers(1);
  client.say(adu(2, "06 0001 00d2"));
  await client.answers(2);
  client.say(adu(3, "06 0001 0320"));
  const answers = await client.answers(3);
  client.close();
  expect(asked).toEqual(["0300010001", "06000100d2"]);
  expect(answers[2]).toMatch(/8603$/);
  const receipts = () =>
    readFileSync(log, "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line))
      .filter(({ kind }) => kind === "receipt");
  await expect.poll(() => receipts().length, { timeout: 3000 }).toBe(2);
  const about = { point: "hmi-monitor", layer: "hmi", source: "hmi-1", link: "hmi-plc1" };
  expect(receipts()).toMatchObject([
    { ...about, verdict: "allow", action: "forwarded", outcome: "answered-ok" },
    { ...about, verdict: "deny", action: "blocked", outcome: "denied" },
  ]);
});
