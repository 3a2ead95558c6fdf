import {
  CreateMonitoredItemsRequest,
  CreateMonitoredItemsResponse,
  CreateSubscriptionRequest,
  CreateSubscriptionResponse,
  DataChangeNotification,
  NotificationMessage,
  PublishRequest,
  PublishResponse,
} from "node-opcua";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { Monitor } from "#hmi-monitor/monitor.ts";
import { MAX_WATCHED, UaTold } from "#hmi-monitor/opcua-told.ts";
import type { PlantClock } from "#point/clock.ts";
import { type OwnNotice, Point } from "#point/point.ts";
import { buildBundle } from "#specs/bundle.ts";
import { DeviceId, PhaseId, RuleId, TagId } from "#specs/ids.ts";
import type { Lifecycle, Rule } from "#specs/lifecycle.ts";
import { encodeMsgChunk } from "#wire/opcua/message-chunk.ts";
import { encodeHello } from "#wire/opcua/uacp-messages.ts";
import { waterTreatment } from "../support/plant.ts";
import { adu } from "../switch-filter/raw-client.ts";
import { openBody, opn, SIZES } from "../switch-filter/ua-bench.ts";
import { bodyOf } from "../wire/opcua/node-opcua-bytes.ts";
import { Capture } from "./capture.ts";

/**
 * The operator must be told of a high level: the contact of the high-level alarm closes while the level that is told stands at 1.8 m or more.
 * A man in the middle holds the alarm back, or freezes what is shown.
 */
const [PLC1, PLC2] = [
  { id: DeviceId("plc-1"), ip: "127.10.2.1", port: 1502 },
  { id: DeviceId("plc-2"), ip: "127.10.2.2", port: 4840 },
];
const HMI = DeviceId("hmi-1");
const TOLD_WITHIN_MS = 3000;
const told = { operation: "report", raw: [], mode: "monitor", safety: false } as const;

/** @param from which tells level and alarm */
function alarmRules(from: DeviceId, level: string, alarm: string): readonly Rule[] {
  const about = { ...told, from: [from], targets: [HMI], tags: [TagId(alarm)] };
  const high = { tag: TagId(level), test: "at-least", value: 1.8 } as const;
  return [
    {
      ...{ ...about, id: RuleId("alarm-quiet"), says: "No alarm is shown while the level is not high." },
      ...{ value: { oneOf: [0] }, causality: { notWhile: { all: [high], forMs: TOLD_WITHIN_MS, freshMs: 10_000 } } },
    },
    { ...about, id: RuleId("alarm-on"), says: "The alarm may be shown at any time.", value: { oneOf: [1] } },
    {
      ...{ ...told, from: [from], targets: [HMI], tags: [TagId(level)] },
      ...{
        id: RuleId("level-lives"),
        says: "The level never stands still for half a minute.",
        value: { staleMs: 30_000 },
      },
    },
  ];
}

const { plant, lifecycle } = waterTreatment();
let [nowMs, shown] = [0, 0];
let point: Point;
let monitor: Monitor;
let notices: OwnNotice[];

async function begin(rules: (of: Lifecycle) => Lifecycle, phase = "stopped"): Promise<void> {
  [nowMs, shown] = [1_000_000, 0];
  const clock: PlantClock = { now: () => nowMs, on: () => undefined, close: () => undefined };
  point = new Point({
    ...{ point: "hmi-monitor", layer: "hmi", mode: "enforce", passive: true, clock, standalonePhase: PhaseId(phase) },
    bundle: buildBundle(plant, rules(lifecycle)),
  });
  await point.start();
  notices = [];
  vi.spyOn(point, "notice").mockImplementation((notice) => void notices.push(notice));
  monitor = new Monitor(
    point,
    plant,
    new Map([
      [PLC1?.port ?? 0, "modbus"],
      [PLC2?.port ?? 0, "opcua"],
    ]),
  );
}

const everywhere = (rules: readonly Rule[]) => (of: Lifecycle) => ({ ...of, rules: [...rules, ...of.rules] });

/** A second goes by, in which the mirror shows what has come to the capture. */
function second(capture: Capture): void {
  nowMs += 1000;
  for (const record of capture.records.slice(shown)) monitor.frame({ ...record, timeMs: nowMs });
  shown = capture.records.length;
  monitor.tick(nowMs);
  monitor.look(nowMs);
}

const said = () => notices.filter(({ code }) => code !== "TAP_BLIND").map(({ code, says }) => `${code} ${says}`);

describe("an alarm that is polled", () => {
  const rules = alarmRules(DeviceId("plc-1"), "LIT101", "MV101.OPEN");
  let n = 0;
  const poll = (capture: Capture, level: number, alarm: 0 | 1): void => {
    n += 2;
    const word = Math.round(level * 1000)
      .toString(16)
      .padStart(4, "0");
    capture.up(adu(n, "02 0000 0001")).down(adu(n, `02 01 0${alarm}`));
    capture.up(adu(n + 1, "04 0000 0001")).down(adu(n + 1, `04 02 ${word}`));
    second(capture);
  };
  let capture: Capture;
  beforeEach(async () => {
    await begin(everywhere(rules));
    capture = new Capture(PLC1 ?? { ip: "", port: 0 }, 40_001);
  });

  test("is not missed while it is told in time, at the start, as it comes and as it goes", () => {
    for (const [level, alarm] of [
      ...[
        [1.2, 0],
        [1.81, 0],
        [1.83, 0],
        [1.84, 1],
        [1.85, 1],
        [1.86, 1],
      ],
      ...[
        [1.87, 1],
        [1.7, 1],
        [1.6, 0],
        [1.5, 0],
      ],
    ] as [number, 0 | 1][])
      poll(capture, level, alarm);
    expect(said()).toEqual([]);
  });

  test("is missed when it is held back: said from three seconds after the level was told to be high", () => {
    for (let s = 0; s < 8; s += 1) poll(capture, 1.8 + s / 100, 0);
    expect(said()).toHaveLength(5);
    expect(notices[0]).toMatchObject({
      code: "READING_SUSPECT",
      severity: "detection",
      source: "plc-1",
      target: "hmi-1",
    });
    expect(said()[0]).toContain("MV101.OPEN");
  });

  test("readings that are frozen are suspect when they have stood still for too long", () => {
    for (let s = 0; s <= 30; s += 1) poll(capture, 1.2, 0);
    expect(said()).toEqual([]);
    poll(capture, 1.2, 0);
    expect(said()).toEqual([expect.stringMatching(/^READING_SUSPECT LIT101 .*level-lives/)]);
  });

  test("after a time without connection nothing is held against what was told before it", () => {
    for (let s = 0; s < 3; s += 1) poll(capture, 1.85 + s / 100, 1);
    nowMs += 60_000;
    [capture, shown] = [new Capture(PLC1 ?? { ip: "", port: 0 }, 40_002), 0];
    for (let s = 0; s < 5; s += 1) poll(capture, 1.2 + s / 100, 0);
    expect(said()).toEqual([]);
  });
});

test("in a phase that has no rule about them, readings are not judged by those of another", async () => {
  const inNormal = (of: Lifecycle): Lifecycle => ({
    ...of,
    phases: of.phases
      .filter(({ mask }) => mask === undefined)
      .map((phase) =>
        phase.id === "normal"
          ? { ...phase, rules: [...phase.rules, ...alarmRules(DeviceId("plc-1"), "LIT101", "MV101.OPEN")] }
          : phase,
      ),
  });
  for (const [phase, count] of [
    ["stopped", 0],
    ["normal", 5],
  ] as const) {
    await begin(inNormal, phase);
    const capture = new Capture(PLC1 ?? { ip: "", port: 0 }, 40_001);
    for (let s = 0; s < 8; s += 1) {
      const word = (1850 + s).toString(16).padStart(4, "0");
      capture.up(adu(2 * s, "04 0000 0001")).down(adu(2 * s, `04 02 ${word}`));
      capture.up(adu(2 * s + 1, "02 0000 0001")).down(adu(2 * s + 1, "02 01 00"));
      second(capture);
    }
    expect([phase, said().length]).toEqual([phase, count]);
  }
});

describe("what OPC UA subscriptions tell, and what they do not", () => {
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
    await begin(everywhere(alarmRules(DeviceId("plc-2"), LEVEL, ALARM)));
    sequence = { up: 1, down: 0 };
    request = 10;
    const create = { requestedPublishingInterval: INTERVAL_MS, requestedMaxKeepAliveCount: KEEP_ALIVE_COUNT };
    const item = (name: string, clientHandle: number) => ({
      ...{ itemToMonitor: { nodeId: `ns=1;s=${name}`, attributeId: 13 } },
      ...{ monitoringMode: 2, requestedParameters: { clientHandle, samplingInterval: 500, queueSize: 1 } },
    });
    capture = new Capture(PLC2 ?? { ip: "", port: 0 }, 40_003)
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
          bodyOf(
            new CreateMonitoredItemsRequest({ subscriptionId: 5, itemsToCreate: [item(LEVEL, 1), item(ALARM, 2)] }),
          ),
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
    second(capture);
    tells([level(1.9)]);
    for (let s = 0; s < 12; s += 1) {
      if (s % KEEP_ALIVE_COUNT === 0) tells();
      second(capture);
    }
    expect(said()).toEqual([expect.stringMatching(/^READING_SUSPECT V301.OPEN .*alarm-quiet/)]);
  });

  test("an alarm that is told in time is not, and neither is one that is told before its level", () => {
    asks();
    tells([alarm(0)]);
    second(capture);
    for (const values of [[level(1.2)], [level(1.9)], [], [alarm(1)], [], [], [level(1.7)], [alarm(0)], [], [], []]) {
      if (values.length > 0) tells(values);
      second(capture);
    }
    expect(said()).toEqual([]);
  });

  test("values that no notification changes any more are suspect when they have stood still for too long, once", () => {
    asks();
    tells([level(1.2), alarm(0)]);
    for (let s = 0; s < 45; s += 1) {
      if (s % KEEP_ALIVE_COUNT === 0) tells();
      second(capture);
    }
    expect(said()).toEqual([expect.stringMatching(/^READING_SUSPECT LIT401 .*level-lives/)]);
  });

  test("a subscription that sends no keep-alive is missed, once, and again after it was back", () => {
    asks();
    const silence = (seconds: number) => {
      for (let s = 0; s < seconds; s += 1) second(capture);
    };
    tells([level(1.2)]);
    silence(8);
    expect(said()).toEqual([]);
    silence(8);
    expect(said()).toEqual([
      "PERIOD_MISSED subscription 5 has told nothing for 8 s, not even a keep-alive, though it is asked",
    ]);
    tells([level(1.3)]);
    silence(16);
    expect(said()).toHaveLength(2);
  });

  test.each([
    { name: "nobody waits with a Publish request", deed: () => undefined },
    { name: "the connection has ended", deed: () => void asks() },
  ])("when $name, nothing is missed", ({ name, deed }) => {
    deed();
    second(capture);
    if (name.includes("ended")) monitor.frame({ ...(capture.reset().records.at(-1) ?? never()), timeMs: nowMs });
    shown = capture.records.length;
    for (let s = 0; s < 30; s += 1) second(capture);
    expect(said()).toEqual([]);
  });

  test("after a gap, what was shown and who waits is not known: nothing is held against it", () => {
    asks();
    tells([level(1.9), alarm(0)]);
    second(capture);
    // The notification that closes the alarm is lost, and with it where the server's messages begin.
    tells([alarm(1)]);
    const [answer, ask] = capture.records.slice(-2);
    shown = capture.records.length;
    expect(answer).toBeDefined();
    monitor.frame({ ...(ask ?? never()), timeMs: nowMs });
    for (let s = 0; s < 20; s += 1) {
      if (s % 3 === 0) tells();
      second(capture);
    }
    expect(monitor.unread).toMatchObject({ gaps: 1, resynchronised: 1 });
    expect(said()).toEqual([]);
  });

  test("the subscriptions that are watched are bounded", () => {
    const told = new UaTold();
    const made = { revisedPublishingIntervalMs: 1, revisedMaxKeepAliveCount: 1, revisedLifetimeCount: 9 };
    told.asked({ service: "Publish" } as never, 0);
    for (let id = 0; id <= MAX_WATCHED; id += 1)
      told.answered({} as never, { service: "CreateSubscription", subscriptionId: id, ...made } as never, [], 0);
    expect(told.silent(1_000_000)).toHaveLength(MAX_WATCHED);
  });
});

function never(): never {
  throw new Error("no frame");
}
