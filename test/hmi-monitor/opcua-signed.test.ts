import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ClientSession, DataType, MessageSecurityMode, type SecurityPolicy } from "node-opcua";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CaptureReader, encodePcapHeader, encodePcapRecord } from "#wire/pcap/index.ts";
import { hasTool, isRoot } from "../support/tools.ts";
import { uaPlant } from "../switch-filter/opcua-plant.ts";
import {
  makeCertificate,
  POLICIES,
  type RunningServer,
  SP,
  startUaServer,
  uaClient,
  writeSp,
} from "../switch-filter/opcua-server.ts";
import { LiveCapture } from "./decode/live-capture.ts";
import { phase, replayed } from "./replay/talk.ts";

const HOST = "127.253.76.1";
const PORT = 15_176;
const { bundle } = uaPlant({ writer: ["127.0.0.1"], reader: [], plc: [HOST] });
const [BASIC] = POLICIES;
/** Writes within the limit and beyond it, before and after a pause in which a late capture may begin. */
const WRITES = [30, 80, 31, 81] as const;

describe.skipIf(!hasTool("tcpdump") || !isRoot())("secured channels on a mirror port, by node-opcua", () => {
  const folder = mkdtempSync(join(tmpdir(), "sekisho-signed-"));
  let server: RunningServer | undefined;

  beforeAll(async () => {
    server = await startUaServer({ host: HOST, port: PORT }, join(folder, "pki"));
    await makeCertificate(join(folder, "pki"), "client");
  }, 120_000);
  afterAll(async () => {
    await server?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  async function captured(policy: SecurityPolicy, mode: MessageSecurityMode): Promise<Buffer> {
    const file = join(folder, `${mode}.pcap`);
    const capture = await LiveCapture.start(file, `host ${HOST} and tcp port ${PORT}`);
    const client = await uaClient(join(folder, "pki"), { policy, mode });
    try {
      await client.withSessionAsync(`opc.tcp://${HOST}:${PORT}`, act);
    } finally {
      await client.disconnect();
    }
    return capture.stop((bytes) => bytes.length > 10_000);
  }

  async function act(session: ClientSession): Promise<void> {
    for (const value of WRITES) {
      await session.read(SP);
      await writeSp(session, value);
    }
    await session.call({
      objectId: "ns=1;s=UNIT",
      methodId: "ns=1;s=RESET",
      inputArguments: [{ dataType: DataType.Double, value: 60 }],
    });
  }

  const judged = (bytes: Buffer) => {
    const { replay } = replayed(bytes, phase("run"), { bundle, ports: new Map([[PORT, "opcua"]]) });
    return {
      denied: replay.tally.denials.map(({ reason, about, count }) => `${reason} ${about} ×${count}`),
      messages: replay.tally.counts.allowed + replay.tally.counts.denied,
      unread: replay.unread,
      notices: replay.counts.notices.map(({ says }) => says),
    };
  };

  test.each(POLICIES.map((policy) => ({ policy })))(
    "mode Sign, $policy: every message is judged",
    { timeout: 60_000 },
    async ({ policy }) => {
      const { denied, messages, unread } = judged(await captured(policy, MessageSecurityMode.Sign));
      expect(denied).toEqual(["VALUE_ABOVE SP ×2", "VALUE_ABOVE RESET.CODE ×1"]);
      expect(messages).toBeGreaterThan(8);
      expect(unread).toMatchObject({ blind: 0, bytes: 0 });
      expect(server?.executed.sp, "the server took what was written: nothing stood in the way").toBe(81);
    },
  );

  test("mode Sign, joined late: read from where it is sure", { timeout: 60_000 }, async () => {
    const frames = new CaptureReader().push(await captured(BASIC, MessageSecurityMode.Sign));
    const late = frames.slice(Math.floor(frames.length / 2));
    const records = late.map(({ timeMs, frame }) => encodePcapRecord(timeMs, frame));
    const { denied, unread } = judged(Buffer.concat([encodePcapHeader(), ...records]));
    expect(unread).toMatchObject({ joinedLate: 1, resynchronised: 1, blind: 0 });
    expect(denied).toContain("VALUE_ABOVE RESET.CODE ×1");
  });

  test("encrypted: nothing is judged, and it is said with policy and certificate", { timeout: 60_000 }, async () => {
    const { denied, messages, unread, notices } = judged(await captured(BASIC, MessageSecurityMode.SignAndEncrypt));
    // A client asks for the endpoints in the clear first.
    expect({ denied, blind: unread.blind }).toEqual({ denied: [], blind: 1 });
    expect(messages).toBeLessThanOrEqual(2);
    expect(notices.join()).toMatch(/its channel is encrypted by Basic256Sha256, with the certificate of .*CN=/);
  });
});
