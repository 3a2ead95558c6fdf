import { describe, expect, test } from "vitest";
import { systemClock } from "#point/clock.ts";
import { buildBundle } from "#specs/bundle.ts";
import { LinkId } from "#specs/ids.ts";
import type { Link, Plant } from "#specs/plant.ts";
import { listenerProblem, listenerWarning } from "#switch-filter/listener-fits.ts";
import { runSwitchFilter } from "#switch-filter/main.ts";
import { waterTreatment } from "../support/plant.ts";
import { openPlant } from "./modbus-open-plant.ts";
import { IN_FORCE, LINK, uaPlant, WRITER } from "./opcua-plant.ts";

/** What a listener needs for the links that it serves. */
const where = { writer: ["127.0.0.2"], reader: ["127.0.0.3"], plc: ["127.0.0.4"] };
const UA = uaPlant(where);
const MODBUS = openPlant().plant;
const TLS = LinkId("writer-plc1");
const clients = { cert: "", key: "", ca: "" };

function as(plant: Plant, id: string, change: Partial<Link>): Plant {
  return { ...plant, links: plant.links.map((link) => (link.id === id ? { ...link, ...change } : link)) };
}

describe("at the start", () => {
  test.each([
    { declared: false, asks: false, says: undefined },
    { declared: true, asks: true, says: undefined },
    { declared: true, asks: false, says: "without --tls-clients" },
    { declared: false, asks: true, says: "with --tls-clients" },
  ])("tls $declared, clients asked for certificates $asks", ({ declared, asks, says }) => {
    const plant = as(MODBUS, TLS, declared ? { tls: true } : {});
    const problem = listenerProblem({ link: TLS, ...(asks ? { tls: { clients } } : {}) }, plant);
    if (says === undefined) expect(problem).toBeUndefined();
    else expect(problem).toContain(says);
  });

  test("a channel of any client that is to end here needs certificates, and nothing listens without them", async () => {
    for (const id of ["writer-plc1", "reader-plc1"])
      expect(listenerProblem({ link: LINK }, as(UA.plant, id, { way: "ended" }))).toContain(`\`${id}\` is declared`);
    expect(listenerProblem({ link: LINK }, as(UA.plant, "reader-plc1", { way: "ended", mode: "off" }))).toBeUndefined();
    const clock = systemClock();
    const bundle = buildBundle(as(UA.plant, LINK, { way: "ended" }), UA.bundle.lifecycle);
    const at = { listen: { host: "127.252.31.2", port: 48_471 }, upstream: { host: "127.252.31.3", port: 48_472 } };
    const start = runSwitchFilter({
      ...{ bundle, listeners: [{ link: LINK, ...at }], mode: "enforce", clock, standalonePhase: IN_FORCE },
    });
    await expect(start).rejects.toThrow("without --opcua-pki no channel can end here");
    clock.close();
  });

  test.each([
    { name: "undeclared", change: {}, says: "links `writer-plc1`, `reader-plc1` have no certificates" },
    { name: "signed", change: { way: "signed" }, says: "links `writer-plc1`, `reader-plc1` have" },
    { name: "clear", change: { way: "clear" }, says: "link `reader-plc1` has no certificates" },
    { name: "opaque", change: { opaque: true }, says: "link `reader-plc1` has no certificates" },
  ] as const)("without certificates, one link $name: said", async ({ change, says }) => {
    const plant = as(UA.plant, LINK, change);
    expect(listenerWarning({ link: LINK }, plant)).toContain(says);
    const clear = as(plant, "reader-plc1", { way: "clear" });
    const isQuiet = "way" in change ? change.way === "clear" : "opaque" in change;
    expect(listenerWarning({ link: LINK }, clear) === undefined).toBe(isQuiet);
  });

  test.each([
    {
      name: "another client's channels end at the switch",
      id: "reader-plc1",
      change: { way: "ended" },
      says: undefined,
    },
    { name: "its own end there", id: LINK, change: { way: "ended" }, says: "is declared `way: ended`" },
    { name: "its own are signed", id: LINK, change: { way: "signed" }, says: undefined },
  ] as const)("on the station, $name", ({ id, change, says }) => {
    const problem = listenerProblem({ link: LINK, station: WRITER }, as(UA.plant, id, change));
    if (says === undefined) expect(problem).toBeUndefined();
    else expect(problem).toContain(says);
  });

  test("on the station, what is in TLS is left to the switch-filter, and nobody is warned of others", () => {
    const plant = as(MODBUS, TLS, { tls: true });
    expect(listenerProblem({ link: TLS, station: WRITER }, plant)).toContain("leave it to the switch-filter");
    expect(listenerWarning({ link: LINK, station: WRITER }, as(UA.plant, LINK, { way: "clear" }))).toBeUndefined();
  });

  test("Modbus is warned of nothing", () => {
    const { plant } = waterTreatment();
    expect(listenerWarning({ link: "hmi-plc1" }, plant)).toBeUndefined();
    expect(listenerProblem({ link: "hmi-plc1" }, plant)).toBeUndefined();
  });
});
