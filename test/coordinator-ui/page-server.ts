import { createServer, type IncomingMessage, type Server } from "node:http";
import { type WebSocket, WebSocketServer } from "ws";
import { bundlePage, PAGE_SECURITY_POLICY, type PageFile } from "#coordinator/page-bundle.ts";
import type { ToPage } from "#coordinator/page-messages.ts";

/** Serves the page and plays messages to it; what the page asks for is kept for the test to read. */
export interface PageServer {
  readonly url: string;
  readonly files: readonly PageFile[];
  readonly asked: { readonly path: string; readonly body: string }[];
  play(messages: readonly ToPage[]): void;
  /** Ends every socket and takes no new one. */
  lose(): void;
  close(): Promise<void>;
}

export async function servePage(first: ToPage): Promise<PageServer> {
  const files = await bundlePage();
  const asked: { path: string; body: string }[] = [];
  const sockets = new Set<WebSocket>();
  let lost = false;
  const server = createServer((request, response) => {
    const path = request.url ?? "/";
    const file = files.find((f) => f.path === path);
    if (request.method === "POST") {
      void bodyOf(request).then((body) => {
        asked.push({ path, body });
        response.writeHead(200, { "content-type": "application/json" });
        response.end(JSON.stringify({ accepted: true, says: "The plant is now in degraded: HMI quarantined." }));
      });
    } else if (file === undefined) {
      response.writeHead(404).end();
    } else {
      response
        .writeHead(200, { "content-type": file.contentType, "content-security-policy": PAGE_SECURITY_POLICY })
        .end(file.body);
    }
  });
  const live = new WebSocketServer({ noServer: true, maxPayload: 65_536 });
  server.on("upgrade", (request, socket, head) => {
    if (lost) {
      socket.destroy();
      return;
    }
    live.handleUpgrade(request, socket, head, (ws) => {
      sockets.add(ws);
      ws.on("close", () => sockets.delete(ws));
      ws.send(JSON.stringify(first));
    });
  });
  const port = await listen(server);
  return {
    url: `http://127.0.0.1:${port}/`,
    files,
    asked,
    play: (messages) => {
      for (const message of messages) for (const ws of sockets) ws.send(JSON.stringify(message));
    },
    lose: () => {
      lost = true;
      for (const ws of sockets) ws.terminate();
    },
    close: () => {
      for (const ws of sockets) ws.terminate();
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

function listen(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      if (address === null || typeof address === "string") reject(new Error("the page's server has no port"));
      else resolve(address.port);
    });
  });
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let text = "";
  for await (const chunk of request) text += String(chunk);
  return text;
}
