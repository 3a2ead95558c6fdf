import { MAX_NAME_LENGTH } from "#point/observe/opcua-aliases.ts";
import { OPCUA_TYPES } from "#specs/plant.ts";
import { VALUE_ATTRIBUTE_ID } from "#wire/opcua/attribute-id.ts";
import { type UacpFrame, UacpFramer } from "#wire/opcua/framer.ts";
import { MessageAssembler } from "#wire/opcua/message-assembler.ts";
import { decodeSymmetricChunk } from "#wire/opcua/message-chunk.ts";
import { decodeRequest, type UaRequest } from "#wire/opcua/request.ts";
import { decodeResponse, type UaResponse } from "#wire/opcua/response.ts";
import type { DataValue } from "#wire/opcua/variant.ts";
import type { Direction } from "#wire/packet/index.ts";
import type { Overflow } from "./limits.ts";
import type { Listener, Saw } from "./survey.ts";

const MAX_PENDING = 64;
const GOOD = 0;

type Side = { readonly framer: UacpFramer; readonly assembler: MessageAssembler };

/** Which nodes and methods of a server one connection shows, and of what type they are. */
export class UaListener implements Listener {
  readonly #up: Side = { framer: new UacpFramer(), assembler: new MessageAssembler() };
  readonly #down: Side = { framer: new UacpFramer(), assembler: new MessageAssembler() };
  readonly #pending = new Map<number, UaRequest>();
  /** What the server calls a node within the session: alias → NodeId. */
  readonly #aliases = new Map<string, string>();
  /** What the client calls a node within a subscription: subscription and handle → NodeId. */
  readonly #handles = new Map<string, string>();
  readonly #saw: Saw;
  readonly #overflow: Overflow;
  #failed = false;

  constructor(saw: Saw, overflow: Overflow) {
    this.#saw = saw;
    this.#overflow = overflow;
  }

  data(direction: Direction, bytes: Buffer): void {
    const isUp = direction === "client-to-server";
    const { framer, assembler } = isUp ? this.#up : this.#down;
    for (const frame of framer.push(bytes)) if (!this.#failed) this.#frame(frame, assembler, isUp);
  }

  #frame(frame: UacpFrame, assembler: MessageAssembler, isUp: boolean): void {
    if (frame.type !== "MSG") return;
    const chunk = decodeSymmetricChunk(frame.bytes);
    const assembly = chunk.ok ? assembler.push(chunk.value) : chunk;
    if (!assembly.ok) this.#failed = true;
    else if (assembly.value.kind === "message") this.#message(assembly.value.requestId, assembly.value.body, isUp);
  }

  #message(requestId: number, body: Buffer, isUp: boolean): void {
    if (isUp) {
      const request = decodeRequest(body);
      if (!request.ok) this.#failed = true;
      else this.#ask(requestId, request.value);
      return;
    }
    const request = this.#pending.get(requestId);
    this.#pending.delete(requestId);
    const response = decodeResponse(body);
    if (request !== undefined && response.ok) this.#answered(request, response.value);
  }

  /** What was never answered makes room for what may be. */
  #ask(requestId: number, request: UaRequest): void {
    const [oldest] = this.#pending.keys();
    if (this.#pending.size >= MAX_PENDING && oldest !== undefined) this.#pending.delete(oldest);
    this.#pending.set(requestId, request);
  }

  #answered(request: UaRequest, response: UaResponse): void {
    if (request.service === "Read" && response.service === "Read") {
      for (const [n, node] of request.nodesToRead.entries()) this.#node(node, response.results[n], false);
    } else if (request.service === "Write" && response.service === "Write") {
      for (const [n, node] of request.nodesToWrite.entries())
        if (response.results[n] === GOOD) this.#node(node, node.value, true);
    } else if (request.service === "Call" && response.service === "Call") {
      for (const [n, { objectId, methodId, inputArguments }] of request.methodsToCall.entries())
        if (response.results[n]?.statusCode === GOOD)
          this.#saw(
            { kind: "method", ...this.#method(objectId.text, methodId.text), count: inputArguments.length },
            true,
          );
    } else if (request.service === "RegisterNodes" && response.service === "RegisterNodes") {
      for (const [n, { text }] of response.registeredNodeIds.entries())
        this.#name(this.#aliases, text, request.nodeIds[n]?.text);
    } else if (request.service === "CreateMonitoredItems" && response.service === "CreateMonitoredItems") {
      for (const [n, { itemToMonitor, parameters }] of request.itemsToCreate.entries())
        if (response.results[n]?.statusCode === GOOD && itemToMonitor.attributeId === VALUE_ATTRIBUTE_ID)
          this.#name(
            this.#handles,
            `${request.subscriptionId} ${parameters.clientHandle}`,
            this.#real(itemToMonitor.nodeId.text),
          );
    } else if (response.service === "Publish") {
      for (const { clientHandle, value } of response.dataChanges) {
        const text = this.#handles.get(`${response.subscriptionId} ${clientHandle}`);
        if (text !== undefined) this.#node({ nodeId: { text }, attributeId: VALUE_ATTRIBUTE_ID }, value, false);
      }
    }
  }

  #name(names: Map<string, string>, name: string, nodeId: string | undefined): void {
    if (nodeId === undefined || name === nodeId) return;
    if (name.length > MAX_NAME_LENGTH || nodeId.length > MAX_NAME_LENGTH) return this.#overflow.add("names");
    if (this.#overflow.get("names", names, name, () => nodeId) !== undefined) names.set(name, nodeId);
  }

  #real(text: string): string {
    return this.#aliases.get(text) ?? text;
  }

  #method(objectId: string, nodeId: string) {
    return { objectId: this.#real(objectId), nodeId: this.#real(nodeId) };
  }

  #node(
    { nodeId, attributeId }: { readonly nodeId: { readonly text: string }; readonly attributeId: number },
    data: DataValue | undefined,
    written: boolean,
  ): void {
    const type = OPCUA_TYPES.find((name) => name === data?.value?.type);
    if (attributeId === VALUE_ATTRIBUTE_ID && type !== undefined && data?.value?.isArray === false)
      this.#saw({ kind: "opcua", nodeId: this.#real(nodeId.text), type }, written);
  }
}
