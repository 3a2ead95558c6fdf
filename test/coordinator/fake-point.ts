import mqtt, { type MqttClient } from "mqtt";
import { type OrderMessage, type PositionMessage, type ReceiptMessage, type StatusMessage, topic } from "#point/bus.ts";
import type { Layer } from "#specs/decide/observation.ts";
import { DeviceId, LinkId, TagId, ZoneId } from "#specs/ids.ts";
import { BUNDLE } from "./plant.ts";

const ZONE = ZoneId("works");

/** A point that follows every order at once and says what it is told to say. It judges nothing. */
export class FakePoint {
  readonly name: string;
  readonly layer: Layer;
  readonly orders: OrderMessage[] = [];
  readonly positions: PositionMessage[] = [];
  /** Orders that it does not answer, or refuses. */
  deaf: ReadonlySet<OrderMessage["order"]> = new Set();
  refuses: ReadonlySet<OrderMessage["order"]> = new Set();
  judgedUpToMs: () => number;
  state: StatusMessage["state"] = "joining";
  /** Id of the bundle that it holds. */
  bundle: string = BUNDLE.id;
  readonly #client: MqttClient;
  #phase: StatusMessage["phase"] = null;
  #epoch: StatusMessage["epoch"] = null;
  #seq = 0;
  readonly #timer: NodeJS.Timeout;

  constructor(client: MqttClient, name: string, layer: Layer, now: () => number) {
    this.#client = client;
    this.name = name;
    this.layer = layer;
    this.judgedUpToMs = now;
    this.#timer = setInterval(() => this.status(), 100);
    client.on("message", (topicName, payload) => this.#onMessage(topicName, JSON.parse(payload.toString())));
  }

  static async join(
    port: number,
    name: string,
    layer: Layer,
    now: () => number = () => Date.now(),
  ): Promise<FakePoint> {
    const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${port}`, {
      clientId: name,
      username: name,
      reconnectPeriod: 0,
      keepalive: 2,
    });
    const point = new FakePoint(client, name, layer, now);
    await client.subscribeAsync([topic.order(ZONE), topic.position(ZONE)]);
    point.status();
    return point;
  }

  get phase(): string | null {
    return this.#phase;
  }

  get epoch(): number | null {
    return this.#epoch;
  }

  status(): void {
    const status: StatusMessage = {
      point: this.name,
      layer: this.layer,
      state: this.state,
      says: "",
      mode: "enforce",
      zone: ZONE,
      phase: this.#phase,
      steps: [],
      epoch: this.#epoch,
      bundle: this.bundle,
      pid: 1,
      atMs: this.judgedUpToMs(),
      judgedUpToMs: this.judgedUpToMs(),
      judged: 0,
      denied: 0,
      lost: 0,
    };
    this.#client.publish(topic.status(this.name), JSON.stringify(status), { retain: true });
  }

  receipt(receipt: Partial<ReceiptMessage>): void {
    this.#seq += 1;
    const full = { ...aReceipt({ point: this.name, layer: this.layer, seq: this.#seq, ...receipt }) };
    this.#client.publish(topic.receipt(this.name), JSON.stringify(full));
  }

  tags(device: string, values: Readonly<Record<string, number>>, atMs = Date.now()): void {
    const message = { point: this.name, device, scan: 1, atMs, values };
    this.#client.publish(topic.tags(this.name), JSON.stringify(message));
  }

  publish(topicName: string, payload: object): Promise<unknown> {
    return this.#client.publishAsync(topicName, JSON.stringify(payload));
  }

  /** Ends without a word, as a killed process does. */
  kill(): void {
    clearInterval(this.#timer);
    this.#client.end(true);
    this.#client.stream.destroy();
  }

  async leave(): Promise<void> {
    clearInterval(this.#timer);
    await this.#client.endAsync(true);
  }

  #onMessage(topicName: string, message: OrderMessage & PositionMessage): void {
    if (topicName === topic.position(ZONE)) this.#adopt(message);
    else this.#follow(message);
  }

  #follow(message: OrderMessage): void {
    this.orders.push(message);
    if ("layer" in message && message.layer !== "all" && message.layer !== this.layer) return;
    if (this.deaf.has(message.order)) return;
    const agreed = !this.refuses.has(message.order);
    if (agreed && message.order === "take") {
      this.#phase = message.to;
      this.#epoch = message.epoch;
    }
    const answer = { point: this.name, layer: this.layer, change: message.change, order: message.order, agreed };
    this.#client.publish(topic.answer(this.name), JSON.stringify({ ...answer, says: agreed ? "" : "not now" }));
    this.status();
  }

  #adopt(message: PositionMessage): void {
    this.positions.push(message);
    if (this.#epoch !== null && message.epoch < this.#epoch) return;
    this.#phase = message.phase;
    this.#epoch = message.epoch;
    if (this.state === "joining") this.state = "in-force";
    this.status();
  }
}

export interface Team {
  readonly hmi: FakePoint;
  readonly filter: FakePoint;
  readonly plc1: FakePoint;
  readonly plc2: FakePoint;
  readonly all: readonly FakePoint[];
}

export async function joinTeam(port: number): Promise<Team> {
  const [hmi, filter, plc1, plc2] = await Promise.all([
    FakePoint.join(port, "hmi-monitor", "hmi"),
    FakePoint.join(port, "switch-filter", "switch"),
    FakePoint.join(port, "guard-plc-1", "plc"),
    FakePoint.join(port, "guard-plc-2", "plc"),
  ]);
  return { hmi, filter, plc1, plc2, all: [hmi, filter, plc1, plc2] };
}

/** An allowed write of 30 m³/h to FIC101.SP by the operator station at time 1000, unless told otherwise. */
export function aReceipt(over: Partial<ReceiptMessage> = {}): ReceiptMessage {
  return {
    point: "switch-filter",
    layer: "switch",
    seq: 1,
    atMs: 1000,
    epoch: null,
    phase: null,
    source: DeviceId("hmi-1"),
    sourceAddress: "127.10.1.11:40001",
    target: DeviceId("plc-1"),
    link: LinkId("hmi-plc1"),
    operation: "write",
    message: "Write Single Register (06)",
    items: [{ tag: TagId("FIC101.SP"), address: "unit 1 holding register 0", value: 30 }],
    verdict: "allow",
    rule: "nm-feed-sp",
    reason: null,
    says: "",
    action: "forwarded",
    ...over,
  };
}

/** Looks every 10 ms until it holds, for at most `ms`. */
export async function until(what: string, holds: () => boolean | Promise<boolean>, ms = 3000): Promise<void> {
  const end = performance.now() + ms;
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`not within ${ms} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
