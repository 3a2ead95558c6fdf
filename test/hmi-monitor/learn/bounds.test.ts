import {
  CreateMonitoredItemsRequest,
  CreateMonitoredItemsResponse,
  DataChangeNotification,
  DataType,
  PublishRequest,
  PublishResponse,
} from "node-opcua";
import { expect, test } from "vitest";
import { Learner } from "#hmi-monitor/learn/learner.ts";
import { LEARN_LIMITS } from "#hmi-monitor/learn/limits.ts";
import { Survey } from "#hmi-monitor/learn/survey.ts";
import type { Observation } from "#specs/decide/observation.ts";
import { DeviceId, type TagId } from "#specs/ids.ts";
import { encodeMsgChunk } from "#wire/opcua/message-chunk.ts";
import { CaptureReader } from "#wire/pcap/index.ts";
import { waterTreatment } from "../../support/plant.ts";
import { bodyOf } from "../../wire/opcua/node-opcua-bytes.ts";
import { BuiltCapture, pcapOf } from "../decode/capture-builder.ts";
import { learnBytes } from "./learned.ts";

const { plant } = waterTreatment();
const tags = new Map(plant.tags.map((tag) => [String(tag.id), tag]));

test("channels are kept up to the limit; the commands of one beyond it have no automaton, and it is said", () => {
  const learner = new Learner((tag: TagId) => tags.get(tag));
  const tag = tags.get("P101.CMD");
  if (tag === undefined) throw new Error("no tag");
  const from = (n: number): Observation => ({
    ...{ source: DeviceId(`c${n}`), sourceAddress: "10.0.0.1:1", target: tag.device, link: undefined },
    ...{ operation: "write", message: "Write Single Coil (05)", functionCode: 5, quantity: 1 },
    items: [{ tag: tag.id, address: "", value: 1 }],
  });
  learner.enterPhase("run", 0);
  for (let n = 0; n < LEARN_LIMITS.channels; n += 1) learner.exchange(from(n), "ok", n);
  expect(learner.evidence().overflow.counts.get("channels")).toBeUndefined();
  learner.exchange(from(LEARN_LIMITS.channels), "ok", 9999);
  const { channels, overflow, commands } = learner.evidence();
  expect([channels.length, overflow.counts.get("channels"), commands.length]).toEqual([
    LEARN_LIMITS.channels,
    1,
    LEARN_LIMITS.channels + 1,
  ]);
});

test("sentences about what cannot be read are kept up to the limit; the others are counted", () => {
  const adu = Buffer.from("000100000006010500010000", "hex");
  const good = new BuiltCapture({ clientPort: 1000 }).say("client", adu).say("server", adu);
  const learned = (broken: number): readonly string[] => {
    const others = Array.from({ length: broken }, (_, n) => {
      return new BuiltCapture({ clientPort: 2000 + n }).say("client", Buffer.from("GET / HTTP/1.1\r\n\r\n"));
    });
    const frames = [good, ...others].flatMap((capture) => capture.frames);
    return learnBytes(pcapOf(frames), { ports: new Map([[502, "modbus"]]) }).capture.notices;
  };
  expect(learned(LEARN_LIMITS.notices)).toHaveLength(LEARN_LIMITS.notices);
  const beyond = learned(LEARN_LIMITS.notices + 2);
  expect([beyond.length, beyond.at(-1)]).toEqual([LEARN_LIMITS.notices + 1, "2 more of that kind"]);
});

test("names of monitored items are followed up to the limit of a connection", () => {
  const PORT = 4840;
  const survey = new Survey(new Map([[PORT, "opcua"]]));
  const capture = new BuiltCapture({ serverPort: PORT });
  let id = 0;
  const exchange = (request: Buffer, response: Buffer): void => {
    id += 1;
    const about = { channelId: 7, tokenId: 1, sequenceNumber: id, requestId: id };
    capture.say("client", encodeMsgChunk({ ...about, body: request }));
    capture.say("server", encodeMsgChunk({ ...about, body: response }));
  };
  const BATCH = 500;
  for (let from = 0; from <= LEARN_LIMITS.names; from += BATCH) {
    const handles = Array.from({ length: BATCH }, (_, n) => from + n);
    exchange(
      bodyOf(
        new CreateMonitoredItemsRequest({
          subscriptionId: 3,
          itemsToCreate: handles.map((clientHandle) => ({
            itemToMonitor: { nodeId: `ns=1;i=${clientHandle}`, attributeId: 13 },
            requestedParameters: { clientHandle },
          })),
        }),
      ),
      bodyOf(new CreateMonitoredItemsResponse({ results: handles.map((monitoredItemId) => ({ monitoredItemId })) })),
    );
  }
  const monitoredItems = [LEARN_LIMITS.names - 1, LEARN_LIMITS.names].map((clientHandle) => {
    return { clientHandle, value: { value: { dataType: DataType.Double, value: 1 } } };
  });
  exchange(
    bodyOf(new PublishRequest({})),
    bodyOf(
      new PublishResponse({
        subscriptionId: 3,
        notificationMessage: { notificationData: [new DataChangeNotification({ monitoredItems })] },
      }),
    ),
  );
  for (const frame of new CaptureReader().push(capture.pcap())) survey.frame(frame);
  expect([...survey.points.values()].map(({ binding }) => binding)).toEqual([
    { kind: "opcua", nodeId: `ns=1;i=${LEARN_LIMITS.names - 1}`, type: "Double" },
  ]);
  expect(survey.overflow.counts.get("names")).toBe(
    Math.ceil((LEARN_LIMITS.names + 1) / BATCH) * BATCH - LEARN_LIMITS.names,
  );
});
