import type { Observation } from "#specs/decide/observation.ts";
import type { TagId } from "#specs/ids.ts";
import type { Plant } from "#specs/plant.ts";
import type { UaRequest } from "#wire/opcua/request.ts";
import type { UaResponse } from "#wire/opcua/response.ts";
import type { Party } from "./modbus.ts";
import { observeUa, valuesInUaAnswer } from "./opcua.ts";
import { type Owner, UaAliases } from "./opcua-aliases.ts";
import { UaSessionUsers } from "./opcua-session-users.ts";
import { UaSubscriptions } from "./opcua-subscriptions.ts";
import type { UaTags } from "./opcua-tags.ts";

/**
 * What an OPC UA server and its clients call things among themselves: aliases of nodes, handles of monitored items, users of sessions.
 * One for each server, shared by its connections.
 */
export class UaNames {
  readonly tags: UaTags;
  readonly aliases: UaAliases;
  readonly subscriptions: UaSubscriptions;
  readonly users = new UaSessionUsers();

  constructor(tags: UaTags) {
    this.tags = tags;
    this.aliases = new UaAliases(tags);
    this.subscriptions = new UaSubscriptions(tags);
  }

  /** From now on the tags are those of this plant. What the server calls things stays as it is. */
  take(plant: Plant): void {
    this.tags.take(plant);
    this.aliases.tagsChanged();
  }

  /** False: it would bring more names than can be followed, so it must not pass. */
  takes(request: UaRequest): boolean {
    return this.aliases.takes(request) && this.subscriptions.takes(request);
  }

  /** The request in the plant's own NodeIds: what all the rest here asks for. */
  resolved(request: UaRequest): UaRequest {
    return this.aliases.resolved(request);
  }

  /** @param owner the connection; without it the users of its sessions are not known */
  observe(party: Party, resolved: UaRequest, owner?: Owner): readonly Observation[] {
    const role = owner === undefined ? undefined : this.users.nameOf(resolved, owner);
    return observeUa(role === undefined ? party : { ...party, role }, this.tags, resolved, (id) =>
      this.subscriptions.shown(id),
    );
  }

  asked(resolved: UaRequest, owner: Owner): void {
    this.aliases.asked(resolved, owner);
    this.subscriptions.asked(resolved);
    this.users.asked(resolved, owner);
  }

  answered(resolved: UaRequest, response: UaResponse, owner: Owner): void {
    this.subscriptions.answered(resolved, response, owner);
    this.users.answered(resolved, response, owner);
    if (resolved.service === "RegisterNodes" && response.service === "RegisterNodes")
      this.aliases.registered(resolved, response.registeredNodeIds, owner);
    if (resolved.service === "CloseSession" && response.service === "CloseSession")
      this.aliases.closed(resolved.header.authenticationToken.text);
  }

  /** Its answer will not be seen. */
  unanswered(resolved: UaRequest): void {
    this.users.unanswered(resolved);
  }

  /** The tag values that an answer shows its client. */
  values(resolved: UaRequest, response: UaResponse): readonly { readonly tag: TagId; readonly value: number }[] {
    return response.service === "Publish"
      ? this.subscriptions.values(response)
      : valuesInUaAnswer(this.tags, resolved, response);
  }

  left(owner: Owner): void {
    this.aliases.left(owner);
    this.subscriptions.left(owner);
    this.users.left(owner);
  }
}
