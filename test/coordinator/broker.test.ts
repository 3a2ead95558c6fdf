import { connect } from "node:net";
import mqtt from "mqtt";
import { afterEach, describe, expect, test } from "vitest";
import { type Broker, type BrokerOptions, isLoopback, openBroker } from "#coordinator/broker.ts";
import { PacketLimit } from "#coordinator/packet-limit.ts";
import { topic } from "#point/bus.ts";
import { until } from "./fake-point.ts";

let broker: Broker | undefined;
const clients: mqtt.MqttClient[] = [];

afterEach(async () => {
  for (const client of clients.splice(0)) client.end(true);
  await broker?.close();
  broker = undefined;
});

async function open(options: Partial<BrokerOptions> = {}): Promise<{ broker: Broker; heard: string[] }> {
  const heard: string[] = [];
  const opened = await openBroker({ host: "127.0.0.1", port: 0, ...options });
  opened.onMessage((point, channel, payload) => heard.push(`${point} ${channel} ${JSON.stringify(payload)}`));
  broker = opened;
  return { broker: opened, heard };
}

async function join(port: number, username: string, password?: string): Promise<mqtt.MqttClient> {
  const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${port}`, {
    clientId: username,
    username,
    ...(password === undefined ? {} : { password }),
    reconnectPeriod: 0,
    connectTimeout: 2000,
  });
  clients.push(client);
  client.on("error", () => undefined);
  return client;
}

describe("who may say what", () => {
  test("a point speaks under its own name and is heard by the coordinator", async () => {
    const { broker: bus, heard } = await open();
    const point = await join(bus.port, "hmi-monitor");
    await point.publishAsync(topic.notice("hmi-monitor"), '{"a":1}');
    await until("heard", () => heard.length === 1);
    expect(heard).toEqual(['hmi-monitor notice {"a":1}']);
  });

  test.each([
    ["another point's topic", topic.receipt("switch-filter")],
    ["an order", topic.order("works")],
    ["a position", topic.position("works")],
    ["a lease", topic.lease],
    ["a topic of nobody", "elsewhere"],
    ["a topic below its own", `${topic.status("hmi-monitor")}/more`],
  ])("%s is not a point's to publish: nobody hears it", async (_name, forbidden) => {
    const { broker: bus, heard } = await open();
    const listener = await join(bus.port, "switch-filter");
    const got: string[] = [];
    listener.on("message", (name, payload) => got.push(`${name} ${payload.toString()}`));
    await listener.subscribeAsync("sekisho/v1/#");
    const point = await join(bus.port, "hmi-monitor");
    point.publish(forbidden, '{"forged":true}', { qos: 0 });
    bus.publish(topic.lease, { genuine: true });
    await until("the genuine message", () => got.some((line) => line.includes("genuine")));
    await until("the connection ended", () => !point.connected);
    expect(got.filter((line) => line.includes("forged"))).toEqual([]);
    expect(heard).toEqual([]);
  });

  test("the coordinator's own messages need no socket and stay for those who come later", async () => {
    const { broker: bus } = await open();
    bus.publish(topic.position("works"), { phase: "normal" }, true);
    const point = await join(bus.port, "hmi-monitor");
    const got = new Promise<string>((resolve) => point.on("message", (_t, payload) => resolve(payload.toString())));
    await point.subscribeAsync(topic.position("works"));
    expect(await got).toBe('{"phase":"normal"}');
  });
});

describe("who may connect", () => {
  const secrets = new Map([["hmi-monitor", "right"]]);
  test.each([
    ["a wrong password", "hmi-monitor", "wrong"],
    ["no password", "hmi-monitor", undefined],
    ["an unknown point", "stranger", "right"],
  ])("with passwords: %s is refused", async (_name, username, password) => {
    const { broker: bus } = await open({ secrets });
    await expect(join(bus.port, username, password)).rejects.toThrow(/[Bb]ad username|[Nn]ot authorized/);
  });

  test("with passwords: the right one is let in", async () => {
    const { broker: bus } = await open({ secrets });
    expect((await join(bus.port, "hmi-monitor", "right")).connected).toBe(true);
  });

  test("without passwords only this machine counts", () => {
    const addresses = [
      "127.0.0.1",
      "127.10.5.1",
      "::1",
      "::ffff:127.0.0.1",
      "10.0.0.1",
      "::ffff:10.0.0.1",
      "128.0.0.1",
    ];
    expect(addresses.map(isLoopback)).toEqual([true, true, true, true, false, false, false]);
  });

  test("a name that is no point's name is refused", async () => {
    const { broker: bus } = await open();
    await expect(join(bus.port, "../x")).rejects.toThrow();
  });
});

describe("bounds", () => {
  test("a packet over the limit ends the connection at its header; one at the limit passes", async () => {
    const { broker: bus, heard } = await open({ maxPacketBytes: 200 });
    const point = await join(bus.port, "p");
    await point.publishAsync(topic.status("p"), JSON.stringify("x".repeat(100)));
    await until("the small one", () => heard.length === 1);
    point.publish(topic.status("p"), JSON.stringify("x".repeat(400)));
    await until("ended", () => !point.connected);
    expect(heard).toHaveLength(1);
  });

  test.each([
    [[0x30, 0x02, 1, 2, 0x30, 0x03], 3, true],
    [[0x30, 0x04], 3, false],
    [[0x30, 0xff, 0xff, 0xff, 0xff, 0x01], 300_000_000, false],
    [[0x30, 0x80, 0x01], 128, true],
    [[0x30, 0x81, 0x01], 128, false],
    [[0xc0, 0x00, 0xc0, 0x00], 0, true],
  ])("packet bytes %j under a limit of %i: %s, however they are cut", (bytes, limit, want) => {
    const whole = new PacketLimit(limit);
    expect(whole.accept(Buffer.from(bytes))).toBe(want);
    const cut = new PacketLimit(limit);
    expect(bytes.every((byte) => cut.accept(Buffer.from([byte])))).toBe(want);
  });

  test("more connections than allowed are not accepted", async () => {
    const { broker: bus } = await open({ maxConnections: 1 });
    await join(bus.port, "a");
    const second = connect({ host: "127.0.0.1", port: bus.port });
    await new Promise<void>((resolve) => {
      second.on("error", () => undefined);
      second.on("close", () => resolve());
    });
  });
});
