import { expect, test } from "vitest";
import { plantChanges } from "#specs/diff/plant-changes.ts";
import type { UaWay } from "#specs/plant.ts";
import { waterTreatment } from "../../support/plant.ts";

const { plant, lifecycle } = waterTreatment();

function as(way: UaWay | undefined) {
  const links = plant.links.map(({ way: declared, ...link }) => {
    const its = link.id === "hmi-plc2-ua" ? way : declared;
    return its === undefined ? link : { ...link, way: its };
  });
  return { plant: { ...plant, links }, lifecycle };
}

/** The less can be done about a message, the more may happen. */
test.each([
  { was: undefined, is: "ended", effect: "narrowed", says: "is ended now (was undeclared)" },
  { was: undefined, is: "signed", effect: "widened", says: "is signed now (was undeclared)" },
  { was: "ended", is: "signed", effect: "widened", says: "is signed now (was ended)" },
  { was: "signed", is: "clear", effect: "narrowed", says: "is clear now (was signed)" },
  { was: "clear", is: undefined, effect: "widened", says: "is opened in any way now (was clear)" },
  { was: "clear", is: "ended", effect: "other", says: "is ended now (was clear)" },
] as const)("from $was to $is: $effect", ({ was, is, effect, says }) => {
  const found = plantChanges(as(was), as(is));
  expect(found).toMatchObject([{ effect, topic: "link", says: `link hmi-plc2-ua (hmi-1 to plc-2) ${says}` }]);
  expect(plantChanges(as(was), as(was))).toEqual([]);
});
