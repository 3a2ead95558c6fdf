import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { afterEach, expect, test } from "vitest";
import { DirectSocket, direct } from "#switch-filter/direct-socket.ts";

const open: { destroy(): void }[] = [];
const servers: { close(): void }[] = [];
afterEach(() => {
  for (const socket of open.splice(0)) socket.destroy();
  for (const server of servers.splice(0)) server.close();
});

/** A client, and its connection as the server has it, made direct. */
async function pair(): Promise<{ readonly client: Socket; readonly server: Socket }> {
  const listener = createServer({ pauseOnConnect: true, noDelay: true }).listen(0, "127.0.0.1");
  servers.push(listener);
  await once(listener, "listening");
  const address = listener.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const accepted = once(listener, "connection");
  const client = connect({ host: "127.0.0.1", port });
  const [raw]: Socket[] = await accepted;
  if (raw === undefined) throw new Error("nobody was accepted");
  const server = direct(raw);
  open.push(client, server);
  return { client, server };
}

function collect(socket: Socket): { text: () => string } {
  const chunks: Buffer[] = [];
  if (!(socket instanceof DirectSocket)) throw new Error("the socket is not a direct one");
  socket.onBytes = (chunk) => chunks.push(chunk);
  return { text: () => Buffer.concat(chunks).toString("latin1") };
}

test("an accepted connection becomes a direct socket with the same ends", async () => {
  const { client, server } = await pair();
  expect(server).toBeInstanceOf(DirectSocket);
  expect([server.remoteAddress, server.remotePort]).toEqual([client.localAddress, client.localPort]);
});

test("it is paused until it is asked for, and a chunk is never written into again", async () => {
  const { client, server } = await pair();
  const heard = collect(server);
  client.write("first");
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(heard.text()).toBe("");
  server.resume();
  await expect.poll(heard.text).toBe("first");
  client.write("second");
  await expect.poll(heard.text).toBe("firstsecond");
});

test("a pause holds the sender up, and nothing is lost or doubled over it", async () => {
  const { client, server } = await pair();
  const heard = collect(server);
  const sent = Array.from({ length: 200_000 }, (_, n) => String(n)).join(",");
  const ended = once(server, "end");
  server.resume();
  client.end(sent);
  for (let n = 0; n < 20; n += 1) {
    server.pause();
    await new Promise((resolve) => setTimeout(resolve, 2));
    server.resume();
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  await ended;
  expect(heard.text() === sent).toBe(true);
});

test("two connections that read at once do not see each other's bytes", async () => {
  const [one, two] = [await pair(), await pair()];
  const heard = [collect(one.server), collect(two.server)] as const;
  one.server.resume();
  two.server.resume();
  for (let n = 0; n < 500; n += 1) {
    one.client.write("a".repeat(100));
    two.client.write("b".repeat(100));
  }
  await expect.poll(() => [heard[0].text().length, heard[1].text().length]).toEqual([50_000, 50_000]);
  expect([/^a+$/.test(heard[0].text()), /^b+$/.test(heard[1].text())]).toEqual([true, true]);
});

test("its end, its close and its reset are told as those of any socket", async () => {
  const ended = await pair();
  ended.server.resume();
  ended.client.end();
  await once(ended.server, "end");
  const reset = await pair();
  reset.server.resume();
  reset.client.resetAndDestroy();
  const [error]: NodeJS.ErrnoException[] = await once(reset.server, "error");
  expect(error?.code).toBe("ECONNRESET");
});

test("what is no connection of Node's own comes back as it is", () => {
  const closed = connect({ host: "127.0.0.1", port: 1 });
  open.push(closed);
  closed.on("error", () => undefined);
  closed.destroy();
  expect(direct(closed)).toBe(closed);
});
