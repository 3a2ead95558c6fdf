import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { adu, type RawClient } from "../raw-client.ts";
import { Program, READ, READER, SOAKS, TIME_OUT_MS } from "./filter-process.ts";
import { established } from "./latency.ts";

/** Links that have asked once and then say nothing: what each costs, with its two sockets, and that each is still answered. */
const FILTER = { host: "127.253.2.151", port: 15_252 };
const PLC = { host: "127.253.3.151", port: 15_253 };
const LINKS = SOAKS ? 6000 : 2000;
/** The first ones bring what the process has once, and fill what its heap has free. */
const BEFORE = 500;
const KIB_PER_LINK = 60;
const AT_ONCE = 40;
const SETTLE_MS = 500;
const here = (file: string): string => fileURLToPath(new URL(file, import.meta.url));

let plc: Program;
let filter: Program;

beforeAll(async () => {
  plc = await Program.start(here("./server-process.ts"), [PLC.host, String(PLC.port), "modbus"]);
  const limits = ["--max-connections", "8000", "--max-connections-per-source", "7000"];
  filter = await Program.filter([{ link: "test-plc1", listen: FILTER, upstream: PLC }], limits);
}, TIME_OUT_MS);

afterAll(async () => {
  await filter?.stop();
  await plc?.stop();
});

async function open(count: number): Promise<readonly RawClient[]> {
  const links: RawClient[] = [];
  while (links.length < count) {
    links.push(...(await Promise.all(Array.from({ length: AT_ONCE }, () => established(FILTER, READER, READ)))));
  }
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
  return links;
}

test(
  `${LINKS} idle links take at most ${KIB_PER_LINK} KiB each, and are all answered afterwards`,
  async () => {
    const first = await open(BEFORE);
    const before = filter.rssKib;
    const links = [...first, ...(await open(LINKS))];
    const perLink = (filter.rssKib - before) / LINKS;
    console.log(`${LINKS} idle links: ${perLink.toFixed(1)} KiB each, from ${before} to ${filter.rssKib} KiB`);
    expect(perLink).toBeLessThanOrEqual(KIB_PER_LINK);
    for (const link of links) link.say(adu(2, READ));
    const answer = adu(2, "04 02 0000").toString("hex");
    for (const link of links) expect((await link.answers(2))[1]).toBe(answer);
    for (const link of links) link.close();
  },
  TIME_OUT_MS,
);
