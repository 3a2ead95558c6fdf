// Somebody at FUXA's page, on FUXA's host: uploads a project, watches values and gives commands, as the page does.
import { setTimeout as pause } from "node:timers/promises";
import { MessageSecurityMode, SecurityPolicy } from "node-opcua";
import { WebSocket } from "ws";
import { serveOrders } from "./orders.ts";

export interface OperatorOrder {
  readonly do: "open" | "look" | "set";
  readonly port?: number;
  readonly project?: object;
  /** FUXA's names of the tags to watch. */
  readonly tags?: readonly string[];
  /** The OPC UA device that is to sign and encrypt. */
  readonly secured?: string;
  readonly device?: string;
  readonly tag?: string;
  readonly value?: number;
}

export interface Shown {
  /** Last value told of a tag, by FUXA's names. */
  readonly values: Readonly<Record<string, unknown>>;
  /** How often values of a device were told. */
  readonly rounds: Readonly<Record<string, number>>;
  readonly status: Readonly<Record<string, string>>;
}

const OPEN_MS = 60_000;
const values: Record<string, unknown> = {};
const rounds: Record<string, number> = {};
const status: Record<string, string> = {};
let socket: WebSocket | undefined;

await serveOrders(carryOut);

async function carryOut(order: OperatorOrder): Promise<object> {
  switch (order.do) {
    case "open":
      await open(order);
      break;
    case "set": {
      const { device: source, tag: id, value } = order;
      emit("device-values", { cmd: "set", var: { source, id, value } });
      break;
    }
    case "look":
      break;
  }
  return { values, rounds, status };
}

async function open({ port = 0, project = {}, tags = [], secured }: OperatorOrder): Promise<void> {
  const base = `http://127.0.0.1:${port}`;
  const until = performance.now() + OPEN_MS;
  while (!(await answers(`${base}/api/project`))) {
    if (performance.now() > until) throw new Error(`FUXA does not answer within ${OPEN_MS} ms`);
    await pause(200);
  }
  if (secured !== undefined) {
    const value = {
      mode: { securityMode: MessageSecurityMode.SignAndEncrypt, securityPolicy: SecurityPolicy.Basic256Sha256 },
    };
    await post(`${base}/api/device`, { params: { query: "security", name: secured, value } });
  }
  await post(`${base}/api/project`, project);
  await connectPage(port);
  emit("device-tags-subscribe", { tagsId: tags, sendLastValue: true });
  emit("device-status", "get");
}

async function post(url: string, body: object): Promise<void> {
  const headers = { "content-type": "application/json" };
  const answer = await fetch(url, { method: "POST", headers, body: JSON.stringify(body) });
  if (!answer.ok) throw new Error(`FUXA refuses ${url}: ${answer.status} ${await answer.text()}`);
}

async function answers(url: string): Promise<boolean> {
  return fetch(url).then(
    (answer) => answer.ok,
    () => false,
  );
}

/** The page's connection: events of Socket.IO 4 over a WebSocket of Engine.IO 4. */
function connectPage(port: number): Promise<void> {
  const page = new WebSocket(`ws://127.0.0.1:${port}/socket.io/?EIO=4&transport=websocket`);
  socket = page;
  return new Promise((resolve, reject) => {
    page.on("error", reject);
    page.on("message", (data) => {
      const text = String(data);
      if (text.startsWith("0")) page.send("40");
      else if (text.startsWith("40")) resolve();
      else if (text === "2") page.send("3");
      else if (text.startsWith("42")) told(JSON.parse(text.slice(2)));
    });
  });
}

function emit(event: string, message: unknown): void {
  if (socket === undefined) throw new Error("the page is not open");
  socket.send(`42${JSON.stringify([event, message])}`);
}

function told([event, message]: [string, { id: string; status?: string; values?: { id: string; value: unknown }[] }]) {
  if (event === "device-status" && message.status !== undefined) status[message.id] = message.status;
  if (event !== "device-values" || message.values === undefined) return;
  rounds[message.id] = (rounds[message.id] ?? 0) + 1;
  for (const { id, value } of message.values) values[id] = value;
}
