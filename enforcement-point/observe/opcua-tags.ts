import type { DeviceId, RawId, TagId } from "#specs/ids.ts";
import type { OpcUaType, Plant, Tag } from "#specs/plant.ts";

/** The tags of one OPC UA server, by the canonical text of their NodeId. Asked for each message, as `ModbusTags` is. */
export class UaTags {
  readonly #server: DeviceId;
  readonly #tags = new Map<string, Tag>();
  readonly #raw = new Map<string, RawId>();

  constructor(plant: Plant, server: DeviceId) {
    this.#server = server;
    this.take(plant);
  }

  /** From now on the tags are those of this plant. */
  take(plant: Plant): void {
    this.#tags.clear();
    this.#raw.clear();
    for (const raw of plant.raw) if (raw.protocol === "opcua") this.#raw.set(`i=${raw.service}`, raw.id);
    for (const tag of plant.tags)
      if (tag.device === this.#server && tag.opcua !== undefined) this.#tags.set(tag.opcua.nodeId, tag);
  }

  /** The tag of a variable node. A method is no variable. */
  get(nodeId: string): TagId | undefined {
    const tag = this.#tags.get(nodeId);
    return tag?.kind === "method" ? undefined : tag?.id;
  }

  /** The built-in type that the plant declares for a variable node. */
  typeOf(nodeId: string): OpcUaType | undefined {
    return this.#tags.get(nodeId)?.opcua?.type;
  }

  /** Whether the plant names this node itself, as a variable or a method: then it is no server's alias for another. */
  declares(nodeId: string): boolean {
    return this.#tags.has(nodeId);
  }

  /** A method, where it is called on the object that the plant names, with the tags of its arguments in their order. */
  method(objectId: string, methodId: string): { readonly tag: TagId; readonly args: readonly TagId[] } | undefined {
    const tag = this.#tags.get(methodId);
    if (tag?.kind !== "method" || tag.opcua?.objectId !== objectId) return undefined;
    return { tag: tag.id, args: tag.opcua.arguments ?? [] };
  }

  /** The name that the plant gives a service of which only the header is decoded. */
  rawService(typeId: string): RawId | undefined {
    return this.#raw.get(typeId);
  }
}
