import type { AddressInfo } from "node:net";
import Fastify, { type FastifyInstance, type FastifyReply } from "fastify";
import { type Static, Type } from "typebox";
import { WebSocketServer } from "ws";
import { NAME_PATTERN } from "#specs/ids.ts";
import { isLoopback } from "./broker.ts";
import type { Coordinator } from "./coordinator.ts";
import { Live } from "./live.ts";
import { PAGE_SECURITY_POLICY, type PageFile } from "./page-bundle.ts";
import type { ApiAnswer, PlantView, StateAnswer } from "./page-messages.ts";
import { verdictView } from "./verdict-feed.ts";

export interface ApiOptions {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  readonly coordinator: Coordinator;
  readonly plant: PlantView;
  readonly files: readonly PageFile[];
}

export interface Api {
  readonly port: number;
  close(): Promise<void>;
}

const MAX_BODY_BYTES = 4096;
const MAX_SOCKET_MESSAGE_BYTES = 4096;
const MAX_CONNECTIONS = 128;
const REQUEST_TIMEOUT_MS = 30_000;

const Role = Type.Union([
  Type.Literal("viewer"),
  Type.Literal("operator"),
  Type.Literal("engineer"),
  Type.Literal("admin"),
]);
const Word = Type.String({ pattern: NAME_PATTERN });
const Person = Type.String({ minLength: 1, maxLength: 100, pattern: "^[^\\u0000-\\u001f]+$" });
const Request = Type.Object(
  { request: Word, role: Role, person: Person, phase: Type.Optional(Word) },
  { additionalProperties: false },
);
const Containment = Type.Object(
  { proposal: Word, approve: Type.Boolean(), role: Role, person: Person },
  { additionalProperties: false },
);

/** Page, API and live connection over HTTP. There is no login yet: bind it to loopback and let nobody else in. */
export async function openApi(options: ApiOptions): Promise<Api> {
  const { coordinator, plant } = options;
  const app = Fastify({
    bodyLimit: MAX_BODY_BYTES,
    requestTimeout: REQUEST_TIMEOUT_MS,
    forceCloseConnections: true,
    // A wrong type is refused, never turned into a right one.
    ajv: { customOptions: { coerceTypes: false, removeAdditional: false } },
  });
  app.server.maxConnections = MAX_CONNECTIONS;
  const live = new Live({ plant, state: () => coordinator.state(), trend: () => coordinator.trend() });
  coordinator.onDetection((detection) => live.detection(detection));
  coordinator.onReceipt((receipt) => live.verdict(verdictView(receipt)));

  app.addHook("onRequest", (request, reply, done) => {
    const refusal = refuseForeign(options.host, request.headers.host, request.headers.origin);
    reply.headers({
      "x-content-type-options": "nosniff",
      "referrer-policy": "no-referrer",
      "cache-control": "no-store",
      "content-security-policy": PAGE_SECURITY_POLICY,
    });
    if (refusal !== undefined) void reply.code(403).send({ accepted: false, says: refusal } satisfies ApiAnswer);
    else done();
  });
  app.setErrorHandler((error: Error & { readonly statusCode?: number }, _request, reply) => {
    const status = error.statusCode ?? 500;
    const says = status < 500 ? error.message : "the coordinator failed to answer; see its log";
    void reply.code(status).send({ accepted: false, says } satisfies ApiAnswer);
  });
  app.setNotFoundHandler((_request, reply) => {
    void reply.code(404).send({ accepted: false, says: "there is nothing here" } satisfies ApiAnswer);
  });

  app.get("/api/state", (): StateAnswer => ({ plant, state: coordinator.state() }));
  app.get("/api/detections", () => coordinator.detections(500));
  app.post<{ Body: Static<typeof Request> }>("/api/request", { schema: { body: Request } }, async (request, reply) =>
    answer(reply, await coordinator.request(request.body)),
  );
  app.post<{ Body: Static<typeof Containment> }>(
    "/api/containment",
    { schema: { body: Containment } },
    async (request, reply) => answer(reply, await coordinator.containment(request.body)),
  );
  servePage(app, options.files);
  const sockets = serveLive(app, options.host, live);

  try {
    await app.listen({ host: options.host, port: options.port });
  } catch (error) {
    live.close();
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(
      `the page cannot listen on ${options.host}:${options.port} (${why}); free the port or name another`,
    );
  }
  return {
    port: portOf(app.server.address()) ?? options.port,
    close: async () => {
      live.close();
      for (const socket of sockets.clients) socket.terminate();
      sockets.close();
      await app.close();
    },
  };
}

function answer(reply: FastifyReply, says: ApiAnswer): FastifyReply {
  return reply.code(says.accepted ? 200 : 409).send(says);
}

function servePage(app: FastifyInstance, files: readonly PageFile[]): void {
  for (const file of files) {
    app.get(file.path, (_request, reply) => reply.type(file.contentType).send(file.body));
  }
}

function serveLive(app: FastifyInstance, host: string, live: Live): WebSocketServer {
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_SOCKET_MESSAGE_BYTES,
    perMessageDeflate: false,
  });
  app.server.on("upgrade", (request, socket, head) => {
    socket.on("error", () => socket.destroy());
    const path = request.url?.split("?")[0];
    const refusal = refuseForeign(host, request.headers.host, request.headers.origin);
    if (path !== "/api/live" || refusal !== undefined) {
      socket.end(`HTTP/1.1 ${path === "/api/live" ? "403 Forbidden" : "404 Not Found"}\r\nConnection: close\r\n\r\n`);
      return;
    }
    sockets.handleUpgrade(request, socket, head, (client) => {
      if (!live.join(client)) client.close(1013, "too many pages are open");
    });
  });
  return sockets;
}

/**
 * Pages of other sites may not talk to the coordinator through somebody's browser. A name other than our own in `Host` is
 * how DNS rebinding looks. Programs that send no `Origin` are no browsers.
 */
export function refuseForeign(bound: string, host: string | undefined, origin: string | undefined): string | undefined {
  const name = host === undefined ? undefined : nameOf(`http://${host}`);
  const ours = name === bound || name === "localhost" || name === "[::1]" || isLoopback(name);
  if (!ours) return "this is not the name under which the page is served";
  if (origin !== undefined && originHost(origin) !== host) return "requests from other sites are refused";
  return undefined;
}

function nameOf(url: string): string | undefined {
  return URL.canParse(url) ? new URL(url).hostname : undefined;
}

function originHost(origin: string): string | undefined {
  return URL.canParse(origin) ? new URL(origin).host : undefined;
}

function portOf(address: AddressInfo | string | null): number | undefined {
  return typeof address === "object" && address !== null ? address.port : undefined;
}
