import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { systemClock } from "#point/clock.ts";
import { PhaseId } from "#specs/ids.ts";
import { type RunningFilter, runSwitchFilter } from "#switch-filter/main.ts";
import { waterTreatment } from "../../support/plant.ts";
import { adu, RawClient } from "../raw-client.ts";
import { SERVER_MAKES } from "../servers.ts";
import { HOLDING, READ, WRITE } from "./filter-process.ts";

/** A client that ends its own side gets every answer it is owed, in order, and then the end; nothing of it passes that was not judged. */
const READER = "127.253.1.156";
const COUNT = 40;
const DIRECT = "127.253.3.156";

describe.each(SERVER_MAKES.map((make, i) => ({ make, name: make.name, net: i })))("before $name", ({ make, net }) => {
  const FILTER = { host: `127.253.2.${156 + net}`, port: 15_280 + net };
  const PLC = { host: `127.253.3.${156 + net}`, port: 15_290 + net };
  const it = test.skipIf(!make.here);
  let server: { stop(): Promise<void> } | undefined;
  let filter: RunningFilter | undefined;

  beforeAll(async () => {
    if (!make.here) return;
    server = await make.start(PLC);
    filter = await runSwitchFilter({
      bundle: waterTreatment({ "test-1": [READER], "plc-1": [FILTER.host] }).bundle,
      listeners: [{ link: "test-plc1", listen: FILTER, upstream: PLC }],
      mode: "enforce",
      clock: systemClock(),
      standalonePhase: PhaseId("normal"),
    });
  }, 20_000);

  afterAll(async () => {
    await filter?.close();
    await server?.stop();
  });

  /** Sends all of it, ends its side, and returns what came until the other side ended. */
  async function tell(requests: readonly string[]): Promise<readonly string[]> {
    const client = new RawClient(connect({ ...FILTER, localAddress: READER, allowHalfOpen: true }));
    let over = false;
    client.socket.on("end", () => {
      over = true;
      client.socket.destroy();
    });
    client.socket.end(Buffer.concat(requests.map((pdu, n) => adu(n + 1, pdu))));
    await client.ended();
    expect(over).toBe(true);
    return client.answers(requests.length);
  }

  async function register(): Promise<string | undefined> {
    const direct = await RawClient.open(PLC, DIRECT);
    direct.say(adu(1, HOLDING));
    const [answer] = await direct.answers(1);
    direct.close();
    return answer?.slice(-4);
  }

  const hexOf = (pdus: readonly string[]) => pdus.map((pdu, n) => adu(n + 1, pdu).toString("hex"));

  it(`${COUNT} reads and the end in one go: ${COUNT} answers, in order, then the end`, async () => {
    expect(await tell(Array(COUNT).fill(READ))).toEqual(hexOf(Array(COUNT).fill("04 02 0000")));
  });

  it("writes that are denied, at the end and among reads: answered so, and no register changes", async () => {
    const asked = [WRITE, ...Array(COUNT).fill(READ), WRITE, READ, WRITE];
    const answers = asked.map((pdu) => (pdu === WRITE ? "86 01" : "04 02 0000"));
    expect(await tell(asked)).toEqual(hexOf(answers));
    expect(await register()).toBe("0000");
  });

  it("only denied ones, so that the server was never dialled: answered, then the end", async () => {
    expect(await tell([WRITE, WRITE])).toEqual(hexOf(["86 01", "86 01"]));
  });

  it("nothing at all, and half a request: the end", async () => {
    expect(await tell([])).toEqual([]);
    const client = await RawClient.open(FILTER, READER);
    client.socket.end(adu(1, READ).subarray(0, 9));
    await client.ended();
    expect(client.received.length).toBe(0);
  });
});
