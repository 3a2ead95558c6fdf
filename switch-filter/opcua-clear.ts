import { ok, type Result } from "#specs/result.ts";
import { decodeAsymmetricChunk, decodeAsymmetricHeader, rewriteSequenceNumber } from "#wire/opcua/message-chunk.ts";
import { SECURITY_POLICY_NONE } from "#wire/opcua/security-policy.ts";
import type { ServiceName } from "#wire/opcua/services/service-table.ts";
import {
  type OpenChunk,
  otherPolicy,
  peekService,
  type Refusal,
  read,
  type UaChannel,
  type UaUrls,
} from "./opcua-channel.ts";
import { answerForClient, requestForServer } from "./opcua-endpoints.ts";
import type { UaTermination } from "./opcua-identity.ts";

/** SecurityPolicy None: nothing to read or write but sequence numbers and URLs. */
export class ClearChannel implements UaChannel {
  readonly overheadBytes = 0;
  readonly policyUri = SECURITY_POLICY_NONE;
  readonly discoveryOnly: boolean;
  readonly #urls: UaUrls;
  readonly #termination: UaTermination | undefined;
  #opening: Buffer = Buffer.alloc(0);

  /** With `termination`, clients come to find the secured endpoints that end here. */
  constructor(urls: UaUrls, discoveryOnly: boolean, termination: UaTermination | undefined) {
    this.#urls = urls;
    this.discoveryOnly = discoveryOnly;
    this.#termination = termination;
  }

  openRequest(frame: Buffer): Result<OpenChunk, Refusal> {
    this.#opening = frame;
    const header = decodeAsymmetricHeader(frame);
    const changed = header.ok ? otherPolicy(this.policyUri, header.value.securityPolicyUri) : undefined;
    return changed ?? read(decodeAsymmetricChunk(frame));
  }

  openResponse(frame: Buffer): Result<OpenChunk, Refusal> {
    return this.openRequest(frame);
  }

  openToServer(sequenceNumber: number): Result<Buffer, Refusal> {
    return read(rewriteSequenceNumber(this.#opening, sequenceNumber));
  }

  openToClient(sequenceNumber: number): Result<Buffer, Refusal> {
    return this.openToServer(sequenceNumber);
  }

  fromClient(frame: Buffer): Result<Buffer, Refusal> {
    return ok(frame);
  }

  fromServer(frame: Buffer): Result<Buffer, Refusal> {
    return ok(frame);
  }

  toClient(chunk: Buffer): Buffer {
    return chunk;
  }

  toServer(chunk: Buffer): Buffer {
    return chunk;
  }

  requestBody(_requestId: number, body: Buffer): Result<Buffer, Refusal> {
    return ok(requestForServer(this.#urls, peekService(body), body));
  }

  responseBody(_requestId: number, service: ServiceName | undefined, body: Buffer): Result<Buffer, Refusal> {
    return answerForClient(this.#urls, this.#termination, service, body);
  }

  dropped(): void {
    // Nothing is kept of a request here.
  }

  tokenFor(lastUsed: number): number {
    return lastUsed;
  }
}
