import {
  CreateMonitoredItemsRequest,
  CreateMonitoredItemsResponse,
  CreateSubscriptionRequest,
  CreateSubscriptionResponse,
  DataChangeNotification,
  NotificationMessage,
  PublishRequest,
  PublishResponse,
  StatusChangeNotification,
  StatusCodes,
} from "node-opcua";
import { beforeEach, expect, test } from "vitest";
import { MAX_WATCHED, UaTold } from "#hmi-monitor/opcua-told.ts";
import { DeviceId } from "#specs/ids.ts";
import type { Result } from "#specs/result.ts";
import { encodeMsgChunk } from "#wire/opcua/message-chunk.ts";
import { decodeRequest } from "#wire/opcua/request.ts";
import { decodeResponse } from "#wire/opcua/response.ts";
import { encodeHello } from "#wire/opcua/uacp-messages.ts";
import type { WireError } from "#wire/wire-error.ts";
import { openBody, opn, SIZES } from "../switch-filter/ua-bench.ts";
import { bodyOf } from "../wire/opcua/node-opcua-bytes.ts";
import { alarmRules, everywhere, PLC2, Watch } from "./alarm-watch.ts";
import { Capture } from "./capture.ts";

/** What OPC UA subscriptions tell, and what they do not: a man in the middle holds notifications back, or all of it. */
let watch: Watch;
const [LEVEL, ALARM] = ["LIT401", "V301.OPEN"];
const INTERVAL_MS = 1000;
const KEEP_ALIVE_COUNT = 4;
let capture: Capture;
let sequence = { up: 1, down: 0 };
const chunk = (direction: "up" | "down", requestId: number, body: Buffer) => {
  sequence[direction] += 1;
  return encodeMsgChunk({ channelId: 7, tokenId: 1, sequenceNumber: sequence[direction], requestId, body });
};
let request = 10;

beforeEach(async () => {
  watch = await Watch.begin(everywhere(alarmRules(DeviceId("plc-2"), LEVEL, ALARM)));
  sequence = { up: 1, down: 0 };
  request = 10;
  const create = { requestedPublishingInterval: INTERVAL_MS, requestedMaxKeepAliveCount: KEEP_ALIVE_COUNT };
  const item = (name: string, clientHandle: number) => ({
    ...{ itemToMonitor: { nodeId: `ns=1;s=${name}`, attributeId: 13 } },
    ...{ monitoringMode: 2, requestedParameters: { clientHandle, samplingInterval: 500, queueSize: 1 } },
  });
  capture = new Capture(PLC2, 40_003)
    .up(encodeHello({ ...SIZES, endpointUrl: "opc.tcp://127.10.2.2:4840" }))
    .up(opn(1, openBody(0)))
    .up(chunk("up", 2, bodyOf(new CreateSubscriptionRequest(create))))
    .down(
      chunk(
        "down",
        2,
        bodyOf(
          new CreateSubscriptionResponse({
            ...{ subscriptionId: 5, revisedPublishingInterval: INTERVAL_MS },
            ...{ revisedLifetimeCount: 100, revisedMaxKeepAliveCount: KEEP_ALIVE_COUNT },
          }),
        ),
      ),
    )
    .up(
      chunk(
        "up",
        3,
        bodyOf(new CreateMonitoredItemsRequest({ subscriptionId: 5, itemsToCreate: [item(LEVEL, 1), item(ALARM, 2)] })),
      ),
    )
    .down(
      chunk(
        "down",
        3,
        bodyOf(
          new CreateMonitoredItemsResponse({
            results: [1, 2].map((monitoredItemId) => ({
              monitoredItemId,
              revisedSamplingInterval: 500,
              revisedQueueSize: 1,
            })),
          }),
        ),
      ),
    );
});

const asks = () => {
  request += 1;
  capture.up(chunk("up", request, bodyOf(new PublishRequest({}))));
};
/** The answer to the Publish request that waits, and the next one. No values: a keep-alive. */
const tells = (values: readonly { readonly handle: number; readonly value: number }[] = []) => {
  const notificationData =
    values.length === 0
      ? []
      : [
          new DataChangeNotification({
            monitoredItems: values.map(({ handle, value }) => ({
              clientHandle: handle,
              value: { value: handle === 2 ? { dataType: 1, value: value === 1 } : { dataType: 11, value } },
            })),
          }),
        ];
  const notificationMessage = new NotificationMessage({ sequenceNumber: 1, notificationData });
  capture.down(chunk("down", request, bodyOf(new PublishResponse({ subscriptionId: 5, notificationMessage }))));
  asks();
};
const level = (value: number) => ({ handle: 1, value });
const alarm = (value: 0 | 1) => ({ handle: 2, value });

test("an alarm whose notification is held back is missed, once, though keep-alives go on", () => {
  asks();
  tells([level(1.2), alarm(0)]);
  watch.second(capture);
  tells([level(1.9)]);
  for (let s = 0; s < 12; s += 1) {
    if (s % KEEP_ALIVE_COUNT === 0) tells();
    watch.second(capture);
  }
  expect(watch.said()).toEqual([expect.stringMatching(/^READING_SUSPECT V301.OPEN .*alarm-quiet/)]);
});

test("an alarm that is told in time is not, and neither is one that is told before its level", () => {
  asks();
  tells([alarm(0)]);
  watch.second(capture);
  for (const values of [[level(1.2)], [level(1.9)], [], [alarm(1)], [], [], [level(1.7)], [alarm(0)], [], [], []]) {
    if (values.length > 0) tells(values);
    watch.second(capture);
  }
  expect(watch.said()).toEqual([]);
});

test("values that no notification changes any more are suspect when they have stood still for too long, once", () => {
  asks();
  tells([level(1.2), alarm(0)]);
  for (let s = 0; s < 45; s += 1) {
    if (s % KEEP_ALIVE_COUNT === 0) tells();
    watch.second(capture);
  }
  expect(watch.said()).toEqual([expect.stringMatching(/^READING_SUSPECT LIT401 .*level-lives/)]);
});

test("a subscription that sends no keep-alive is missed, once, and again after it was back", () => {
  asks();
  const silence = (seconds: number) => {
    for (let s = 0; s < seconds; s += 1) watch.second(capture);
  };
  tells([level(1.2)]);
  silence(8);
  expect(watch.said()).toEqual([]);
  silence(8);
  expect(watch.said()).toEqual([
    "PERIOD_MISSED subscription 5 has told nothing for 8 s, not even a keep-alive, though it is asked",
  ]);
  tells([level(1.3)]);
  silence(16);
  expect(watch.said()).toHaveLength(2);
});

test.each([
  { name: "ended", status: StatusCodes.BadTimeout },
  { name: "given to another session", status: StatusCodes.GoodSubscriptionTransferred },
])("a subscription that the server says it has $name is not missed, nor held against what it told", ({ status }) => {
  asks();
  tells([level(1.9), alarm(0)]);
  watch.second(capture);
  const notificationMessage = new NotificationMessage({
    sequenceNumber: 2,
    notificationData: [new StatusChangeNotification({ status })],
  });
  capture.down(chunk("down", request, bodyOf(new PublishResponse({ subscriptionId: 5, notificationMessage }))));
  asks();
  for (let s = 0; s < 45; s += 1) watch.second(capture);
  expect(watch.said()).toEqual([]);
});

test.each([
  { name: "nobody waits with a Publish request", deed: () => undefined },
  { name: "the connection has ended", deed: () => void asks() },
])("when $name, nothing is missed", ({ name, deed }) => {
  deed();
  watch.second(capture);
  if (name.includes("ended"))
    watch.monitor.frame({ ...(capture.reset().records.at(-1) ?? never()), timeMs: watch.nowMs });
  watch.shown = capture.records.length;
  for (let s = 0; s < 30; s += 1) watch.second(capture);
  expect(watch.said()).toEqual([]);
});

test("after a gap, what was shown and who waits is not known: nothing is held against it", () => {
  asks();
  tells([level(1.9), alarm(0)]);
  watch.second(capture);
  // The notification that closes the alarm is lost, and with it where the server's messages begin.
  tells([alarm(1)]);
  const [answer, ask] = capture.records.slice(-2);
  watch.shown = capture.records.length;
  expect(answer).toBeDefined();
  watch.monitor.frame({ ...(ask ?? never()), timeMs: watch.nowMs });
  for (let s = 0; s < 20; s += 1) {
    if (s % 3 === 0) tells();
    watch.second(capture);
  }
  expect(watch.monitor.unread).toMatchObject({ gaps: 1, resynchronised: 1 });
  expect(watch.said()).toEqual([]);
});

test("the subscriptions that are watched are bounded", () => {
  const told = new UaTold();
  const made = { revisedPublishingInterval: 1, revisedMaxKeepAliveCount: 1, revisedLifetimeCount: 9 };
  const create = read(decodeRequest(bodyOf(new CreateSubscriptionRequest({}))));
  told.asked(read(decodeRequest(bodyOf(new PublishRequest({})))), 0);
  for (let subscriptionId = 0; subscriptionId <= MAX_WATCHED; subscriptionId += 1)
    told.answered(
      create,
      read(decodeResponse(bodyOf(new CreateSubscriptionResponse({ subscriptionId, ...made })))),
      [],
      0,
    );
  expect(told.silent(1_000_000)).toHaveLength(MAX_WATCHED);
});

function read<T>(decoded: Result<T, WireError>): T {
  if (!decoded.ok) throw new Error(decoded.error.code);
  return decoded.value;
}

function never(): never {
  throw new Error("no frame");
}
