import { Document, isMap, isScalar, parseDocument, Scalar } from "yaml";
import type { Device, Link, Plant, Tag } from "#specs/plant.ts";
import type { Widening, WrittenDraft } from "./lifecycle-document.ts";

const HEAD = [
  " DRAFT, learned from captures by `sekisho spec learn`. Every link is in mode `monitor`: nothing is blocked before somebody has read",
  " this file. What control programs put out is in no capture: outputs and guards are left out; add them by hand.",
].join("\n");

/** The plant as far as captures show it: links only watched, no guards, and no outputs, which cross no network. */
export function watchedPlant(plant: Plant): Plant {
  const tags = plant.tags.filter(({ kind }) => kind !== "output");
  const kept = new Set(tags.map(({ id }) => id));
  return {
    ...plant,
    devices: plant.devices.map((device) => ({ ...device, guard: false })),
    links: plant.links.map((link) => ({ ...link, mode: "monitor" })),
    tags,
    essential: plant.essential.filter((one) => one.tags.every((tag) => kept.has(tag))),
  };
}

/** What is known of a part of the plant, in a sentence; undefined: nothing. */
export interface PlantEvidence {
  ofLink(link: Link): string | undefined;
  ofTag(tag: Tag): string | undefined;
}

export function newPlant(plant: Plant, evidence: PlantEvidence): string {
  const { id, title } = plant;
  const document = new Document({ id, title, zones: {}, devices: {}, links: {}, tags: {} });
  document.commentBefore = HEAD;
  return written(document, plant, evidence, true).text;
}

/** Adds what is not there, with `widen` alone. What is there stays as it is. @throws Error in one sentence */
export function mergePlant(text: string, plant: Plant, evidence: PlantEvidence, widen: boolean): WrittenDraft {
  const document = parseDocument(text);
  const [first] = document.errors;
  if (first !== undefined) throw new Error(`plant.yaml cannot be read: ${first.message.split("\n")[0] ?? ""}`);
  if (!isMap(document.contents)) throw new Error("plant.yaml is no map of keys; give another folder with -o");
  return written(document, plant, evidence, widen);
}

function written(document: Document, plant: Plant, evidence: PlantEvidence, widen: boolean): WrittenDraft {
  const widenings: Widening[] = [];
  const add = (path: readonly [string, string], value: unknown, comment: string | undefined): void => {
    if (document.hasIn(path)) return;
    widenings.push({ where: `plant.yaml ${path.join(" ")}`, says: comment ?? "not there yet" });
    if (!widen) return;
    const node = document.createNode(value);
    if (isMap(node)) node.flow = true;
    const key = new Scalar(path[1]);
    if (comment !== undefined) key.commentBefore = ` ${comment}`;
    const map = document.getIn([path[0]]);
    if (isMap(map)) map.items.push(document.createPair(key, node));
    else document.setIn(path, node);
  };
  for (const { id, title } of plant.zones) add(["zones", id], title, undefined);
  for (const device of plant.devices) add(["devices", device.id], deviceFields(device), undefined);
  for (const link of plant.links) add(["links", link.id], linkFields(link), evidence.ofLink(link));
  for (const tag of plant.tags) add(["tags", tag.id], tagFields(tag), evidence.ofTag(tag));
  for (const { id, says, tags } of plant.essential) add(["essential", id], { says, tags }, undefined);
  for (const { id, ...raw } of plant.raw) add(["raw", id], raw, undefined);
  for (const name of ["zones", "devices", "links", "tags"]) blockStyle(document.getIn([name]));
  return { text: document.toString({ lineWidth: 0, flowCollectionPadding: true }), widenings };
}

/** An empty map is written `{}`, and stays in that style when it is filled. */
function blockStyle(map: unknown): void {
  if (isMap(map) && map.items.some(({ key }) => isScalar(key) && key.commentBefore !== undefined)) map.flow = false;
}

function deviceFields({ title, role, zone, addresses, guard }: Device) {
  return { title, role, zone, addresses, ...(guard === (role === "plc") ? {} : { guard }) };
}

function linkFields({ client, server, protocol, mode, mirror, tls }: Link) {
  return { client, server, protocol, mode, ...(mirror ? {} : { mirror }), ...(tls === true ? { tls } : {}) };
}

function tagFields({ title, kind, device, unit, range, modbus, opcua, states, safe }: Tag) {
  if (kind === "method") return { title, kind, device, opcua: methodFields(opcua) };
  return {
    ...{ title, kind, device, ...(unit === "" ? {} : { unit }), range },
    ...(modbus === undefined ? {} : { modbus: modbusFields(modbus) }),
    ...(opcua === undefined ? {} : { opcua: { nodeId: opcua.nodeId, type: opcua.type } }),
    ...(states === undefined ? {} : { states }),
    ...(safe === undefined ? {} : { safe }),
  };
}

function methodFields(opcua: Tag["opcua"]) {
  const args = opcua?.arguments ?? [];
  return { nodeId: opcua?.nodeId, objectId: opcua?.objectId, ...(args.length === 0 ? {} : { arguments: args }) };
}

function modbusFields({ unit, table, address, type, wordOrder, byteOrder, scale }: NonNullable<Tag["modbus"]>) {
  return {
    ...{ unit, table, address },
    ...(type === "bool" ? {} : { type }),
    ...(wordOrder === "big" ? {} : { wordOrder }),
    ...(byteOrder === "big" ? {} : { byteOrder }),
    ...(scale === 1 ? {} : { scale }),
  };
}
