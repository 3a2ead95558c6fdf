import fc from "fast-check";
import { expect, test } from "vitest";
import { Conversation, macOf, type Side } from "#sim/access-switch/conversation.ts";
import { LINK_TYPE } from "#wire/packet/link-type.ts";
import { TCP_FLAG } from "#wire/packet/tcp.ts";
import { decodeTcpFrame, type TcpFrame } from "#wire/packet/tcp-frame.ts";

const CLIENT = { host: "127.250.1.11", port: 40_000 };
const SERVER = { host: "127.250.2.1", port: 1502 };

function decoded(frames: readonly Buffer[]): readonly TcpFrame[] {
  return frames.map((bytes) => {
    const frame = decodeTcpFrame(bytes, LINK_TYPE.ETHERNET, { verifyChecksums: true });
    if (!frame.ok || frame.value.kind !== "tcp") throw new Error("a conversation is made of TCP frames");
    return frame.value.frame;
  });
}

const flagsOf = (frames: readonly Buffer[]): readonly number[] => decoded(frames).map((frame) => frame.flags);
const { SYN, ACK, FIN, RST } = TCP_FLAG;

test("opens with a handshake, ends with FIN each way", () => {
  const c = new Conversation(CLIENT, SERVER, 1);
  expect(flagsOf(c.open())).toEqual([SYN, SYN | ACK, ACK]);
  expect(flagsOf(c.end("client"))).toEqual([FIN | ACK, ACK]);
  expect(flagsOf(c.end("server"))).toEqual([FIN | ACK, ACK]);
});

test("a refused connection is SYN and RST, and nothing more", () => {
  const c = new Conversation(CLIENT, SERVER, 1);
  expect(flagsOf(c.refused())).toEqual([SYN, RST | ACK]);
  expect(c.data("client", Buffer.from("x"))).toEqual([]);
});

test("nothing comes after a reset", () => {
  const c = new Conversation(CLIENT, SERVER, 1);
  c.open();
  expect(flagsOf(c.reset("server"))).toEqual([RST | ACK]);
  expect([c.reset("client"), c.end("client"), c.data("server", Buffer.from("x"))]).toEqual([[], [], []]);
});

test("addresses give the MAC addresses", () => {
  expect(macOf("127.10.1.11")).toBe("02:00:7f:0a:01:0b");
});

test("every byte has its own sequence number, without gap or overlap, also where numbers wrap", () => {
  const parts = fc.array(fc.tuple(fc.constantFrom<Side>("client", "server"), fc.uint8Array({ maxLength: 4000 })), {
    maxLength: 12,
  });
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 1e6 }), parts, (number, sent) => {
      const c = new Conversation(CLIENT, SERVER, number);
      const frames = decoded([...c.open(), ...sent.flatMap(([side, bytes]) => c.data(side, Buffer.from(bytes)))]);
      for (const [ip, side] of [
        [CLIENT.host, "client"],
        [SERVER.host, "server"],
      ] as const) {
        const own = frames.filter((frame) => frame.srcIp === ip);
        let next = own[0]?.seq ?? 0;
        for (const frame of own) {
          expect(frame.seq).toBe(next);
          next = (next + frame.payload.length + ((frame.flags & SYN) === 0 ? 0 : 1)) % 2 ** 32;
        }
        const bytes = Buffer.concat(own.map((frame) => frame.payload));
        expect(bytes).toEqual(Buffer.concat(sent.filter(([s]) => s === side).map(([, part]) => part)));
        const acked = frames.filter((frame) => frame.srcIp !== ip).at(-1)?.ack;
        if (sent.at(-1)?.[0] === side) expect(acked).toBe(next);
      }
    }),
    { numRuns: 60 },
  );
});
