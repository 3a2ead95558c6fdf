import type { NodeId } from "#wire/opcua/node-id.ts";
import type { UaRequest } from "#wire/opcua/request.ts";
import type { UaTags } from "./opcua-tags.ts";

/** Aliases of one server in all, over all its sessions. */
export const MAX_ALIASES = 10_000;
/** Longest text of a NodeId or session token that is kept. */
export const MAX_NAME_LENGTH = 512;

/** A connection; what it left behind may be forgotten first. */
export type Owner = object;

interface SessionAliases {
  owner: Owner | undefined;
  /** null: the server gave one alias to two nodes, so it means neither. */
  readonly nodes: Map<string, NodeId | null>;
}

/**
 * What a server calls nodes within a session after RegisterNodes (OPC 10000-4 v1.05 §5.9.5). A session outlives its connection, so the
 * aliases are kept by server, under the token of the session.
 *
 * INVARIANT (no unknown alias): an alias that is not followed is judged as the node it looks like, which no rule names.
 */
export class UaAliases {
  readonly #tags: UaTags;
  readonly #sessions = new Map<string, SessionAliases>();
  #count = 0;

  constructor(tags: UaTags) {
    this.#tags = tags;
  }

  get size(): number {
    return this.#count;
  }

  /** False: the request would bring more, or longer, names than are kept here. */
  takes(request: UaRequest): boolean {
    if (request.service !== "RegisterNodes") return true;
    const { authenticationToken } = request.header;
    if (authenticationToken.text.length > MAX_NAME_LENGTH) return false;
    if (request.nodeIds.some(({ text }) => text.length > MAX_NAME_LENGTH)) return false;
    return this.#room(request.nodeIds.length);
  }

  /** The request with each alias replaced by the node it stands for. The same request where there is none. */
  resolved(request: UaRequest): UaRequest {
    const aliases = this.#sessionOf(request)?.nodes;
    if (aliases === undefined || aliases.size === 0) return request;
    const real = (nodeId: NodeId): NodeId => aliases.get(nodeId.text) ?? nodeId;
    switch (request.service) {
      case "Read":
        return { ...request, nodesToRead: request.nodesToRead.map((n) => ({ ...n, nodeId: real(n.nodeId) })) };
      case "Write":
        return { ...request, nodesToWrite: request.nodesToWrite.map((n) => ({ ...n, nodeId: real(n.nodeId) })) };
      case "Call":
        return {
          ...request,
          methodsToCall: request.methodsToCall.map((call) => ({
            ...call,
            objectId: real(call.objectId),
            methodId: real(call.methodId),
          })),
        };
      case "CreateMonitoredItems":
        return {
          ...request,
          itemsToCreate: request.itemsToCreate.map((create) => ({
            ...create,
            itemToMonitor: { ...create.itemToMonitor, nodeId: real(create.itemToMonitor.nodeId) },
          })),
        };
      case "RegisterNodes":
        return { ...request, nodeIds: request.nodeIds.map(real) };
      default:
        return request;
    }
  }

  /** A request is on its way. What it takes back is gone from now on: the server may give the alias to another node in the next breath. */
  asked(request: UaRequest, owner: Owner): void {
    const session = this.#sessionOf(request);
    if (session === undefined) return;
    session.owner = owner;
    if (request.service !== "UnregisterNodes") return;
    for (const { text } of request.nodeIds) if (session.nodes.delete(text)) this.#count -= 1;
  }

  /** The server has registered the nodes of a resolved request, in their order. */
  registered(
    request: Extract<UaRequest, { service: "RegisterNodes" | "UnregisterNodes" }>,
    aliases: readonly NodeId[],
    owner: Owner,
  ): void {
    const session = this.#sessionFor(request.header.authenticationToken.text, owner);
    aliases.forEach((alias, index) => {
      const node = request.nodeIds[index];
      if (node === undefined || alias.text === node.text || alias.text.length > MAX_NAME_LENGTH) return;
      // A node that the plant names is that node, whatever a server says.
      if (this.#tags.declares(alias.text)) return;
      const before = session.nodes.get(alias.text);
      if (before === undefined) {
        if (!this.#room(1)) return;
        this.#count += 1;
      }
      session.nodes.set(alias.text, before === undefined || before?.text === node.text ? node : null);
    });
  }

  /** A node that the plant now names is that node, whatever a server called so before. */
  tagsChanged(): void {
    for (const { nodes } of this.#sessions.values())
      for (const alias of nodes.keys()) if (this.#tags.declares(alias) && nodes.delete(alias)) this.#count -= 1;
  }

  closed(sessionToken: string): void {
    this.#count -= this.#sessions.get(sessionToken)?.nodes.size ?? 0;
    this.#sessions.delete(sessionToken);
  }

  /** The connection has gone; its sessions may come back on another. */
  left(owner: Owner): void {
    for (const session of this.#sessions.values()) if (session.owner === owner) session.owner = undefined;
  }

  #sessionOf(request: UaRequest): SessionAliases | undefined {
    return request.header === undefined ? undefined : this.#sessions.get(request.header.authenticationToken.text);
  }

  #sessionFor(token: string, owner: Owner): SessionAliases {
    const known = this.#sessions.get(token);
    if (known !== undefined) return known;
    const made: SessionAliases = { owner, nodes: new Map() };
    this.#sessions.set(token, made);
    return made;
  }

  /** Whether so many more find a place; sessions whose connection has gone make it for them, oldest first. */
  #room(more: number): boolean {
    if (more > MAX_ALIASES) return false;
    for (const [token, session] of this.#sessions) {
      if (this.#count + more <= MAX_ALIASES && this.#sessions.size < MAX_ALIASES) return true;
      if (session.owner === undefined) this.closed(token);
    }
    return this.#count + more <= MAX_ALIASES && this.#sessions.size < MAX_ALIASES;
  }
}
