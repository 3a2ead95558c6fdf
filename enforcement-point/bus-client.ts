import mqtt, { type MqttClient } from "mqtt";
import { type StatusMessage, topic } from "./bus.ts";

export type BusState = "connected" | "lost";

/** A point's connection to the bus. It keeps trying for good; while it is lost the point goes on enforcing. */
export interface Bus {
  /** Keeps the order of one point's messages. While the bus is lost, messages wait in a bounded outbox, unless retained. */
  publish(topicName: string, payload: object, options?: { readonly retain?: boolean }): void;
  subscribe(topicName: string, handler: (payload: unknown) => void): void;
  onState(handler: (state: BusState) => void): void;
  /** Messages given up since the start because the outbox was full. */
  readonly dropped: number;
  close(): Promise<void>;
}

export interface BusOptions {
  /** For example `mqtt://127.10.5.1:1883`. */
  readonly url: string;
  readonly point: string;
  readonly password?: string;
  /** Published by the broker when this point vanishes. */
  readonly will: StatusMessage;
}

/** Messages kept while the bus is lost; the oldest go first. */
export const MAX_OUTBOX = 2000;
/** Largest payload that is read, in bytes. */
export const MAX_PAYLOAD_BYTES = 256 * 1024;
const RECONNECT_MS = 500;
const CONNECT_TIMEOUT_MS = 3000;

export function joinBus(options: BusOptions): Promise<Bus> {
  return Promise.resolve(new BusClient(options));
}

class BusClient implements Bus {
  readonly #client: MqttClient;
  readonly #handlers = new Map<string, (payload: unknown) => void>();
  readonly #stateHandlers: ((state: BusState) => void)[] = [];
  readonly #outbox: { readonly topicName: string; readonly text: string }[] = [];
  #dropped = 0;
  #connected = false;

  constructor(options: BusOptions) {
    this.#client = mqtt.connect(options.url, {
      clientId: options.point,
      username: options.point,
      ...(options.password === undefined ? {} : { password: options.password }),
      clean: true,
      resubscribe: false,
      reconnectPeriod: RECONNECT_MS,
      connectTimeout: CONNECT_TIMEOUT_MS,
      keepalive: 2,
      will: {
        topic: topic.status(options.point),
        payload: Buffer.from(JSON.stringify(options.will)),
        qos: 0,
        retain: true,
      },
    });
    this.#client.on("connect", () => this.#onConnect());
    this.#client.on("close", () => this.#onLost());
    this.#client.on("error", () => this.#onLost());
    this.#client.on("message", (topicName, payload) => this.#onMessage(topicName, payload));
  }

  get dropped(): number {
    return this.#dropped;
  }

  publish(topicName: string, payload: object, options: { readonly retain?: boolean } = {}): void {
    const text = JSON.stringify(payload);
    if (this.#connected) {
      this.#client.publish(topicName, text, { qos: 0, retain: options.retain ?? false });
      return;
    }
    if (options.retain) return;
    if (this.#outbox.length >= MAX_OUTBOX) {
      this.#outbox.shift();
      this.#dropped += 1;
    }
    this.#outbox.push({ topicName, text });
  }

  subscribe(topicName: string, handler: (payload: unknown) => void): void {
    this.#handlers.set(topicName, handler);
    if (this.#connected) this.#client.subscribe(topicName, { qos: 0 });
  }

  onState(handler: (state: BusState) => void): void {
    this.#stateHandlers.push(handler);
    if (this.#connected) handler("connected");
  }

  close(): Promise<void> {
    return this.#client.endAsync(false).catch(() => undefined);
  }

  #onConnect(): void {
    this.#connected = true;
    for (const topicName of this.#handlers.keys()) this.#client.subscribe(topicName, { qos: 0 });
    for (const { topicName, text } of this.#outbox.splice(0)) this.#client.publish(topicName, text, { qos: 0 });
    for (const handler of this.#stateHandlers) handler("connected");
  }

  #onLost(): void {
    if (!this.#connected) return;
    this.#connected = false;
    for (const handler of this.#stateHandlers) handler("lost");
  }

  #onMessage(topicName: string, payload: Buffer): void {
    const handler = this.#handlers.get(topicName);
    if (handler === undefined || payload.length > MAX_PAYLOAD_BYTES) return;
    const value = parse(payload);
    if (value !== undefined) handler(value);
  }
}

function parse(payload: Buffer): unknown {
  try {
    return JSON.parse(payload.toString("utf8"));
  } catch {
    return undefined;
  }
}
