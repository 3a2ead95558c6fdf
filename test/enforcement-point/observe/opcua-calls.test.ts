import { describe, expect, test } from "vitest";
import { observeUa } from "#point/observe/opcua.ts";
import { UaTags } from "#point/observe/opcua-tags.ts";
import { DeviceId, LinkId, PlantId, RawId, TagId, ZoneId } from "#specs/ids.ts";
import type { Plant } from "#specs/plant.ts";
import type { NodeId } from "#wire/opcua/node-id.ts";
import type { UaRequest } from "#wire/opcua/request.ts";
import type { Variant } from "#wire/opcua/variant.ts";

const PLC = DeviceId("plc");
const PARTY = { source: DeviceId("hmi"), sourceAddress: "127.0.0.1:1", target: PLC, link: LinkId("link") };
const common = { title: "", device: PLC, unit: "", range: [0, 100] } as const;
const PLANT: Plant = {
  id: PlantId("boiler"),
  title: "",
  zones: [{ id: ZoneId("z"), title: "" }],
  devices: [],
  links: [],
  tags: [
    {
      ...common,
      id: TagId("Blowdown"),
      kind: "method",
      opcua: {
        nodeId: "ns=1;s=Blowdown",
        type: "Boolean",
        objectId: "ns=1;s=Boiler",
        arguments: [TagId("Blowdown.s")],
      },
    },
    { ...common, id: TagId("Blowdown.s"), kind: "argument" },
  ],
  essential: [],
  raw: [
    { id: RawId("query"), says: "", protocol: "opcua", service: 615, length: [0, 99], answer: [0, 99], changes: false },
  ],
};
const TAGS = new UaTags(PLANT, PLC);

const node = (text: string): NodeId => ({ text, namespace: 1, idType: "string", identifier: text.slice(7) }) as NodeId;
const double = (value: number): Variant => ({ type: "Double", isArray: false, value });
const header = {} as Extract<UaRequest, { service: "Call" }>["header"];
const call = (object: string, method: string, ...inputArguments: readonly Variant[]): UaRequest => ({
  service: "Call",
  header,
  methodsToCall: [{ objectId: node(object), methodId: node(method), inputArguments }],
});
const items = (request: UaRequest) => observeUa(PARTY, TAGS, request)[0]?.items.map(({ tag, value }) => [tag, value]);

describe("a method call", () => {
  test("is the method's tag and one item for each argument", () => {
    expect(items(call("ns=1;s=Boiler", "ns=1;s=Blowdown", double(12)))).toEqual([
      ["Blowdown", undefined],
      ["Blowdown.s", 12],
    ]);
  });

  test("on another object is unknown, and so are its arguments", () => {
    expect(items(call("ns=1;s=Other", "ns=1;s=Blowdown", double(12)))).toEqual([
      [undefined, undefined],
      [undefined, 12],
    ]);
  });

  test("with an argument too many, or one too few, has an item that no rule can allow by its value", () => {
    expect(items(call("ns=1;s=Boiler", "ns=1;s=Blowdown", double(12), double(13)))).toEqual([
      ["Blowdown", undefined],
      ["Blowdown.s", 12],
      [undefined, 13],
    ]);
    expect(items(call("ns=1;s=Boiler", "ns=1;s=Blowdown"))).toEqual([
      ["Blowdown", undefined],
      ["Blowdown.s", undefined],
    ]);
  });

  test("a method's node is no variable: writing to it is writing to an unknown node", () => {
    expect(TAGS.get("ns=1;s=Blowdown")).toBeUndefined();
  });
});

describe("a service that is not looked into", () => {
  const query = (service: "QueryFirst" | "QueryNext"): UaRequest => ({ service, header, bodyBytes: 17 });
  test("has the name and the length that the plant may rule", () => {
    expect(observeUa(PARTY, TAGS, query("QueryFirst"))).toMatchObject([{ operation: "raw", raw: "query", bytes: 17 }]);
  });
  test("counts as programming where the plant does not name it", () => {
    expect(observeUa(PARTY, TAGS, query("QueryNext"))).toMatchObject([{ operation: "program" }]);
    const unknown: UaRequest = { service: "unknown", typeId: "i=99", header: undefined, bodyBytes: 0 };
    expect(observeUa(PARTY, TAGS, unknown)).toMatchObject([{ operation: "program" }]);
  });
});
