import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import fc from "fast-check";
import { expect, test, vi } from "vitest";
import { Monitor } from "#hmi-monitor/monitor.ts";
import type { ProtocolPorts } from "#hmi-monitor/parties.ts";
import type { PlantClock } from "#point/clock.ts";
import { type Judged, Point } from "#point/point.ts";
import { type Bundle, buildBundle, relocatePlant } from "#specs/bundle.ts";
import { PhaseId } from "#specs/ids.ts";
import { CaptureReader } from "#wire/pcap/index.ts";
import { waterTreatment } from "../../support/plant.ts";
import { bundle, PORTS, phase, replayed, Talk } from "./talk.ts";

const line = ({ observation, verdict, atMs }: Judged): string =>
  `${atMs} ${observation.message} ${observation.items.map(({ tag, value }) => `${tag} ${value}`)} ${verdict.verdict} ${
    verdict.verdict === "deny"
      ? `${verdict.reason} ${verdict.rule} ${verdict.says}`
      : [verdict.rule, ...(verdict.also ?? [])]
  }`;

/** What a live monitor that stands alone in this phase says of the same frames. */
async function live(bytes: Buffer, held: string, of: Bundle, ports: ProtocolPorts): Promise<readonly string[]> {
  let nowMs = 0;
  const clock: PlantClock = { now: () => nowMs, on: () => undefined, close: () => undefined };
  const point = new Point({
    ...{ point: "hmi-monitor", layer: "hmi", bundle: of, mode: "enforce", passive: true, clock },
    standalonePhase: PhaseId(held),
  });
  await point.start();
  const said: string[] = [];
  vi.spyOn(point, "report").mockImplementation((judged) => void said.push(line(judged)));
  const monitor = new Monitor(point, of.plant, ports, { verifyChecksums: false });
  for (const frame of new CaptureReader().push(bytes)) {
    nowMs = frame.timeMs;
    monitor.frame(frame);
  }
  await point.close();
  return said;
}

function replayedLines(bytes: Buffer, held: string, of: Bundle, ports: ProtocolPorts): readonly string[] {
  const said: string[] = [];
  const onVerdict = (judged: Judged) => void said.push(line(judged));
  replayed(bytes, phase(held), { bundle: of, ports, onVerdict });
  return said;
}

test("a recorded start-up: the same verdicts, rules and sentences as a live monitor, in three phases", async () => {
  const bytes = gunzipSync(readFileSync(new URL("captures/simulated-startup.pcap.gz", import.meta.url)));
  const { plant, lifecycle } = waterTreatment();
  const moved = buildBundle(relocatePlant(plant, "127.10.", "127.44."), lifecycle);
  const ports: ProtocolPorts = new Map([
    [1502, "modbus"],
    [4840, "opcua"],
  ]);
  for (const held of ["stopped", "startup", "normal"]) {
    const said = await live(bytes, held, moved, ports);
    expect(said.length).toBeGreaterThan(2000);
    expect([...replayedLines(bytes, held, moved, ports)].sort()).toEqual([...said].sort());
  }
});

/** Something that an operator, or somebody else, may do. */
const act = fc.oneof(
  fc.record({
    kind: fc.constant("register" as const),
    address: fc.constantFrom(0, 0, 0, 1, 2, 3),
    word: fc.integer({ min: 150, max: 420 }),
  }),
  fc.record({ kind: fc.constant("coil" as const), address: fc.integer({ min: 0, max: 5 }), on: fc.boolean() }),
  fc.record({
    kind: fc.constant("see" as const),
    level: fc.integer({ min: 0, max: 3000 }),
    bits: fc.integer({ min: 0, max: 7 }),
  }),
  fc.record({ kind: fc.constant("wait" as const), ms: fc.integer({ min: 1, max: 6000 }) }),
  fc.record({ kind: fc.constant("mask" as const), and: fc.integer({ min: 0, max: 0xffff }) }),
  fc.constant({ kind: "lose" as const }),
);

test("whatever is said on the wire: the same verdicts as a live monitor", async () => {
  // Mostly what phases have rules about, so that what was said before matters for what follows.
  const who = fc.constantFrom(
    "hmi-1" as const,
    "hmi-1" as const,
    "hmi-1" as const,
    "ews-1" as const,
    "nobody" as const,
  );
  const acts = fc.array(fc.record({ who, plc: fc.constantFrom(1 as const, 1 as const, 1 as const, 2 as const), act }), {
    maxLength: 40,
  });
  await fc.assert(
    fc.asyncProperty(
      acts,
      fc.constantFrom("normal", "normal", "startup", "shutdown", "maintenance"),
      async (said, held) => {
        const talk = new Talk();
        for (const { who: from, plc, act: what } of said) {
          if (what.kind === "wait") talk.wait(what.ms);
          else if (what.kind === "lose") talk.lose(from, plc);
          else if (what.kind === "register") talk.setRegister(what.address, what.word, plc, from);
          else if (what.kind === "coil") talk.setCoil(what.address, what.on, plc, from);
          else if (what.kind === "mask") {
            const pdu = `16 0001 ${what.and.toString(16).padStart(4, "0")} 0010`;
            talk.exchange(from, plc, pdu, pdu);
          } else
            talk.see1(
              [what.level, what.level, what.level >> 3, 0],
              [what.bits & 1, (what.bits >> 1) & 1, what.bits >> 2],
            );
        }
        const bytes = talk.pcap();
        // The order within a frame is not part of it: a deny is counted when its reason is final.
        expect([...replayedLines(bytes, held, bundle, PORTS)].sort()).toEqual(
          [...(await live(bytes, held, bundle, PORTS))].sort(),
        );
      },
    ),
    { numRuns: 60 },
  );
});
