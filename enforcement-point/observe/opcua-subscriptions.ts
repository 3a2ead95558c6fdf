import type { TagId } from "#specs/ids.ts";
import { VALUE_ATTRIBUTE_ID } from "#wire/opcua/attribute-id.ts";
import type { UaRequest } from "#wire/opcua/request.ts";
import type { UaResponse } from "#wire/opcua/response.ts";
import { toldNumber } from "./opcua.ts";
import type { Owner } from "./opcua-aliases.ts";
import type { UaTags } from "./opcua-tags.ts";

/** Monitored items, and handles given to them, of one server in all. */
export const MAX_MONITORED_ITEMS = 20_000;
export const MAX_SUBSCRIPTIONS = 2_000;

/** The NodeId of a tag, in the plant's own text; undefined: something else than the whole value of a tag. */
type Shown = string | undefined;

interface Item {
  readonly shows: Shown;
  /** More than one after ModifyMonitoredItems: what was queued before it still carries the old one. */
  readonly handles: Set<number>;
}

interface Subscription {
  owner: Owner | undefined;
  readonly items: Map<number, Item>;
  /** What each handle was given to, and how often. A client may give one to several items; then a notification does not say which. */
  readonly handles: Map<number, Map<Shown, number>>;
}

type Create = Extract<UaRequest, { service: "CreateMonitoredItems" }>;
type Modify = Extract<UaRequest, { service: "ModifyMonitoredItems" }>;
type Created = Extract<UaResponse, { service: "CreateMonitoredItems" }>;
type Published = Extract<UaResponse, { service: "Publish" }>;

/**
 * Which tag a handle in a Publish answer stands for (OPC 10000-4 v1.05 §5.13, §5.14). Subscriptions outlive connections and move
 * between sessions; their ids are the server's, so they are kept by server.
 */
export class UaSubscriptions {
  readonly #tags: UaTags;
  readonly #subscriptions = new Map<number, Subscription>();
  #handles = 0;

  constructor(tags: UaTags) {
    this.#tags = tags;
  }

  /** Handles that are kept in all. */
  get size(): number {
    return this.#handles;
  }

  /** False: the request would bring more than is kept here. */
  takes(request: UaRequest): boolean {
    if (request.service === "CreateMonitoredItems") return this.#room(request.itemsToCreate.length);
    if (request.service === "ModifyMonitoredItems") return this.#room(request.itemsToModify.length);
    if (request.service === "CreateSubscription") return this.#room(0, 1);
    return true;
  }

  /** The tags that a subscription shows; undefined: it is not known here. */
  shown(subscriptionId: number): readonly (TagId | undefined)[] | undefined {
    const subscription = this.#subscriptions.get(subscriptionId);
    return subscription && [...subscription.items.values()].map(({ shows }) => this.#tagOf(shows));
  }

  /** A request is on its way. Handles count from now on: a notification may come before the answer. */
  asked(request: UaRequest): void {
    if (request.service === "ModifyMonitoredItems") this.#modified(request);
    if (request.service !== "CreateMonitoredItems") return;
    const subscription = this.#subscriptions.get(request.subscriptionId);
    if (subscription === undefined) return;
    request.itemsToCreate.forEach((create, i) => {
      this.#give(subscription, create.parameters.clientHandle, this.#shows(request, i));
    });
  }

  /** The answer to a resolved request. */
  answered(request: UaRequest, response: UaResponse, owner: Owner): void {
    if (request.service === "CreateMonitoredItems") {
      this.#created(request, response.service === "CreateMonitoredItems" ? response : undefined, owner);
    } else if (response.service === "CreateSubscription") {
      if (this.#room(0, 1)) this.#subscription(response.subscriptionId, owner);
    } else if (request.service === "DeleteMonitoredItems" && response.service === "DeleteMonitoredItems") {
      const subscription = this.#subscriptions.get(request.subscriptionId);
      for (const id of request.monitoredItemIds) this.#deleteItem(subscription, id);
    } else if (request.service === "DeleteSubscriptions" && response.service === "DeleteSubscriptions") {
      request.subscriptionIds.forEach((id, i) => {
        if (response.results[i] === 0) this.#delete(id);
      });
    } else if (response.service === "Publish") {
      const subscription = this.#subscriptions.get(response.subscriptionId);
      if (subscription !== undefined) subscription.owner = owner;
    }
  }

  /** The tag values that a Publish answer tells its client. */
  values(response: Published): readonly { readonly tag: TagId; readonly value: number }[] {
    const handles = this.#subscriptions.get(response.subscriptionId)?.handles;
    if (handles === undefined) return [];
    return response.dataChanges.flatMap(({ clientHandle, value }) => {
      const shown = handles.get(clientHandle);
      const tag = this.#tagOf(shown?.size === 1 ? [...shown.keys()][0] : undefined);
      const told = toldNumber(value);
      return tag === undefined || told === undefined ? [] : [{ tag, value: told }];
    });
  }

  /** The connection has gone; the server keeps its subscriptions for a while. */
  left(owner: Owner): void {
    for (const subscription of this.#subscriptions.values())
      if (subscription.owner === owner) subscription.owner = undefined;
  }

  #shows(request: Create, index: number): Shown {
    const item = request.itemsToCreate[index]?.itemToMonitor;
    if (item === undefined || item.attributeId !== VALUE_ATTRIBUTE_ID || item.indexRange !== null) return undefined;
    return this.#tagOf(item.nodeId.text) === undefined ? undefined : item.nodeId.text;
  }

  /** By the tags of now: a node may belong to another tag than when it was subscribed to. */
  #tagOf(shows: Shown): TagId | undefined {
    return shows === undefined ? undefined : this.#tags.get(shows);
  }

  #created(request: Create, response: Created | undefined, owner: Owner): void {
    const known = this.#subscriptions.get(request.subscriptionId);
    // One that was there before us: known from now on, as far as there is room.
    const isNew = known === undefined && response !== undefined && this.#room(request.itemsToCreate.length, 1);
    const subscription = isNew ? this.#subscription(request.subscriptionId, owner) : known;
    if (subscription === undefined) return;
    request.itemsToCreate.forEach(({ parameters: { clientHandle } }, i) => {
      const result = response?.results[i];
      const shows = this.#shows(request, i);
      const isThere = result !== undefined && result.statusCode >>> 30 === 0;
      if (known === undefined && isThere) this.#give(subscription, clientHandle, shows);
      if (known !== undefined && !isThere) this.#take(subscription, clientHandle, shows);
      if (isThere) subscription.items.set(result.monitoredItemId, { shows, handles: new Set([clientHandle]) });
    });
  }

  #modified(request: Modify): void {
    const subscription = this.#subscriptions.get(request.subscriptionId);
    for (const { monitoredItemId, parameters } of request.itemsToModify) {
      const item = subscription?.items.get(monitoredItemId);
      if (subscription === undefined || item === undefined || item.handles.has(parameters.clientHandle)) continue;
      item.handles.add(parameters.clientHandle);
      this.#give(subscription, parameters.clientHandle, item.shows);
    }
  }

  #deleteItem(subscription: Subscription | undefined, id: number): void {
    const item = subscription?.items.get(id);
    if (subscription === undefined || item === undefined) return;
    subscription.items.delete(id);
    for (const handle of item.handles) this.#take(subscription, handle, item.shows);
  }

  #delete(id: number): void {
    for (const shown of this.#subscriptions.get(id)?.handles.values() ?? [])
      for (const times of shown.values()) this.#handles -= times;
    this.#subscriptions.delete(id);
  }

  #subscription(id: number, owner: Owner): Subscription {
    // An id that comes anew is a new subscription, whatever had it before.
    this.#delete(id);
    const made: Subscription = { owner, items: new Map(), handles: new Map() };
    this.#subscriptions.set(id, made);
    return made;
  }

  #give({ handles }: Subscription, handle: number, shows: Shown): void {
    const shown = handles.get(handle) ?? new Map<Shown, number>();
    handles.set(handle, shown.set(shows, (shown.get(shows) ?? 0) + 1));
    this.#handles += 1;
  }

  #take({ handles }: Subscription, handle: number, shows: Shown): void {
    const shown = handles.get(handle);
    const times = shown?.get(shows);
    if (shown === undefined || times === undefined) return;
    if (times > 1) shown.set(shows, times - 1);
    else shown.delete(shows);
    if (shown.size === 0) handles.delete(handle);
    this.#handles -= 1;
  }

  /** Whether so many more find a place; subscriptions whose connection has gone make it for them, oldest first. */
  #room(items: number, subscriptions = 0): boolean {
    const fits = (): boolean =>
      this.#handles + items <= MAX_MONITORED_ITEMS && this.#subscriptions.size + subscriptions <= MAX_SUBSCRIPTIONS;
    for (const [id, subscription] of this.#subscriptions) {
      if (fits()) return true;
      if (subscription.owner === undefined) this.#delete(id);
    }
    return fits();
  }
}
