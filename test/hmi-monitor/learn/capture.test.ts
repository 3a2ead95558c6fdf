import { DataType, ReadRequest, ReadResponse } from "node-opcua";
import { expect, test } from "vitest";
import { foundPlant } from "#hmi-monitor/learn/found-plant.ts";
import { LearnCapture } from "#hmi-monitor/learn/learn-capture.ts";
import { Learner } from "#hmi-monitor/learn/learner.ts";
import { LEARN_LIMITS } from "#hmi-monitor/learn/limits.ts";
import { Survey } from "#hmi-monitor/learn/survey.ts";
import { type Place, RecognisedCourse } from "#hmi-monitor/replay/recognised-course.ts";
import { encodeMsgChunk } from "#wire/opcua/message-chunk.ts";
import { CaptureReader } from "#wire/pcap/index.ts";
import { bodyOf } from "../../wire/opcua/node-opcua-bytes.ts";
import { BuiltCapture } from "../decode/capture-builder.ts";
import { bundle, PORTS, placed, plant, Talk, ZONE } from "../replay/talk.ts";

const tags = new Map(plant.tags.map((tag) => [tag.id, tag]));

test("after a time that no capture covers, a phase that was recognised before it is not taken for the present one", () => {
  const talk = new Talk();
  for (let n = 0; n < 5; n += 1) talk.wait(1000).see1([1500, 300, 200, 1000], [1, 1, 1]);
  const before = talk.count;
  talk.wait(12 * 3_600_000);
  talk.setRegister(1, 200);
  const learned = (hasGap: boolean) => {
    const learner = new Learner((tag) => tags.get(tag));
    // Known at first, as commands may have told it.
    let begins: readonly Place[] | undefined = [{ ...placed("normal/produce"), step: undefined }];
    const capture = new LearnCapture({
      ...{ bundle, ports: PORTS, learner },
      course: (tables, changed) => {
        const course = new RecognisedCourse(tables, ZONE, changed, begins);
        begins = undefined;
        return course;
      },
    });
    for (const frame of new CaptureReader().push(talk.pcap())) {
      if (hasGap && frame.number === before + 1) capture.gap();
      capture.frame(frame);
    }
    capture.end();
    return learner.evidence();
  };
  const whole = learned(false);
  const parted = learned(true);
  expect([whole.withoutPhase, whole.commands.length]).toEqual([0, 1]);
  expect([parted.withoutPhase, parted.commands.length]).toEqual([1, 0]);
});

test("a plant is found in a Modbus connection that began before the capture, from where an answer confirms a request", () => {
  const hex = (text: string) => Buffer.from(text.replaceAll(" ", ""), "hex");
  const capture = new BuiltCapture({ late: true });
  // The end of a write of ten registers, whose beginning was not captured.
  capture.say("client", hex("0006 0000 0003 0001 0002")).say("server", hex("0001 0000 0006 01 10 0000 000a"));
  for (let n = 2; n < 6; n += 1)
    capture
      .say("client", hex(`000${n} 0000 0006 01 04 0010 0001`))
      .say("server", hex(`000${n} 0000 0005 01 04 02 0000`));
  const survey = new Survey(PORTS);
  for (const frame of new CaptureReader().push(capture.pcap())) survey.frame(frame);
  expect([survey.connections, survey.joinedLate]).toEqual([1, 1]);
  expect([...survey.points.values()].map(({ binding }) => binding)).toEqual([
    { kind: "modbus", unit: 1, table: "input-register", address: 16 },
  ]);
});

test("nodes are found after any number of requests that were never answered", () => {
  const survey = new Survey(new Map([[4840, "opcua"]]));
  const capture = new BuiltCapture({ serverPort: 4840 });
  const chunk = (id: number, body: Buffer) =>
    encodeMsgChunk({ channelId: 7, tokenId: 1, sequenceNumber: id, requestId: id, body });
  const read = bodyOf(new ReadRequest({ nodesToRead: [{ nodeId: "ns=1;s=SP", attributeId: 13 }] }));
  for (let id = 1; id <= 100; id += 1) capture.say("client", chunk(id, read));
  const results = [{ value: { dataType: DataType.Double, value: 1 } }];
  capture.say("server", chunk(100, bodyOf(new ReadResponse({ results }))));
  for (const frame of new CaptureReader().push(capture.pcap())) survey.frame(frame);
  expect([...survey.points.keys()]).toEqual(["10.0.0.20 node ns=1;s=SP"]);
});

test("devices are found up to the limit, and how many are left out is counted", () => {
  const survey = new Survey(PORTS);
  const link = (n: number): void => {
    const client = `10.0.${n >> 8}.${n & 255}`;
    survey.links.set(client, { client, server: "10.1.0.1", protocol: "modbus" });
  };
  for (let n = 1; n < LEARN_LIMITS.devices; n += 1) link(n);
  expect([foundPlant(survey).devices.length, survey.overflow.counts.get("devices")]).toEqual([
    LEARN_LIMITS.devices,
    undefined,
  ]);
  link(LEARN_LIMITS.devices);
  expect([foundPlant(survey).devices.length, survey.overflow.counts.get("devices")]).toEqual([LEARN_LIMITS.devices, 1]);
});
