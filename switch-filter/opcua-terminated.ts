import { randomBytes } from "node:crypto";
import { err, ok, type Result } from "#specs/result.ts";
import { BinaryReader } from "#wire/opcua/binary-reader.ts";
import {
  type AsymmetricChunk,
  type AsymmetricHeader,
  decodeAsymmetricHeader,
  decodeSymmetricHeader,
} from "#wire/opcua/message-chunk.ts";
import { readRequest } from "#wire/opcua/request.ts";
import { readResponse } from "#wire/opcua/response.ts";
import {
  type ChannelKeys,
  deriveKeys,
  MAX_SECURED_OVERHEAD_BYTES,
  openChunk,
  type SecuredMode,
  sealChunk,
} from "#wire/opcua/secured-chunk.ts";
import { openSecured, sealOpen } from "#wire/opcua/secured-open.ts";
import type { SecurityProfile } from "#wire/opcua/security-profile.ts";
import type { ServiceName } from "#wire/opcua/services/service-table.ts";
import { byteStringBytes, fieldsOf, splice } from "#wire/opcua/splice.ts";
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
import type { Credentials, UaTermination } from "./opcua-identity.ts";
import { type SessionStore, TerminatedSessions } from "./opcua-sessions.ts";
import type { Peer } from "./opcua-trust.ts";

/** Keys of one token; `clients` and `servers` as the sender of the bytes, on the side of either. */
interface TokenKeys {
  readonly clientSide: { readonly clients: ChannelKeys; readonly servers: ChannelKeys };
  readonly serverSide: { readonly clients: ChannelKeys; readonly servers: ChannelKeys };
}

/** The token in use and the one before it, which messages under way may still carry (OPC 10000-4 v1.05 §5.6.2). */
const MAX_TOKENS = 2;

/** Nonces of an OpenSecureChannel under way. */
interface Opening {
  readonly theirs: Buffer;
  readonly towardsServer: Buffer;
  readonly towardsClient: Buffer;
}

export interface TerminatedOptions {
  readonly termination: UaTermination;
  readonly profile: SecurityProfile;
  readonly urls: UaUrls;
  readonly client: Peer;
  readonly sessions: SessionStore;
}

/**
 * A secured channel that ends here, and goes on to the server as another of the same policy and mode. What is between the two is plain:
 * it is judged and rewritten like any other.
 */
export class TerminatedChannel implements UaChannel {
  readonly overheadBytes = MAX_SECURED_OVERHEAD_BYTES;
  readonly policyUri: string;
  readonly discoveryOnly = false;
  readonly #options: TerminatedOptions;
  readonly #sessions: TerminatedSessions;
  readonly #tokens = new Map<number, TokenKeys>();
  #mode: SecuredMode | undefined;
  #chunk: AsymmetricChunk | undefined;
  #opening: Opening | undefined;

  constructor(options: TerminatedOptions) {
    this.#options = options;
    this.policyUri = options.profile.uri;
    const { termination, profile, client, sessions } = options;
    this.#sessions = new TerminatedSessions(termination, profile, client, sessions);
  }

  openRequest(frame: Buffer): Result<OpenChunk, Refusal> {
    const { termination, client } = this.#options;
    return this.#openedBy(frame, termination.towardsClients, client);
  }

  /** @returns a refusal where the mode is none, or another than before: a renewal is no place to change it */
  openToServer(sequenceNumber: number): Result<Buffer, Refusal> {
    const chunk = this.#chunk;
    const reader = new BinaryReader(chunk?.body ?? Buffer.alloc(0));
    const request = readRequest(reader);
    if (chunk === undefined || !request.ok || request.value.service !== "OpenSecureChannel")
      return refuse("BadTcpInternalError", "an OPN chunk carries no OpenSecureChannel");
    const { securityMode, clientNonce } = request.value;
    const { profile, termination } = this.#options;
    if (securityMode !== "Sign" && securityMode !== "SignAndEncrypt")
      return refuse("BadSecurityModeRejected", `asks for mode ${securityMode} under a security policy`);
    if (this.#mode !== undefined && this.#mode !== securityMode)
      return refuse("BadSecurityModeRejected", `renews a channel of mode ${this.#mode} as ${securityMode}`);
    if (clientNonce?.length !== profile.nonceBytes) return refuse("BadNonceInvalid", "sends a nonce of a wrong length");
    this.#mode = securityMode;
    this.#sessions.mode = securityMode;
    this.#opening = {
      theirs: Buffer.from(clientNonce),
      towardsServer: randomBytes(profile.nonceBytes),
      towardsClient: randomBytes(profile.nonceBytes),
    };
    const body = withNonce(reader, chunk.body, this.#opening.towardsServer);
    return ok(this.#sealed(chunk, sequenceNumber, body, termination.towardsServer, termination.server));
  }

  openResponse(frame: Buffer): Result<OpenChunk, Refusal> {
    const { termination } = this.#options;
    return this.#openedBy(frame, termination.towardsServer, termination.server);
  }

  openToClient(sequenceNumber: number): Result<Buffer, Refusal> {
    const { profile, termination, client } = this.#options;
    const chunk = this.#chunk;
    const opening = this.#opening;
    const reader = new BinaryReader(chunk?.body ?? Buffer.alloc(0));
    const response = readResponse(reader);
    if (chunk === undefined || opening === undefined || !response.ok)
      return refuse("BadTcpInternalError", "OPN answers no request");
    this.#opening = undefined;
    if (response.value.service !== "OpenSecureChannel")
      return ok(this.#sealed(chunk, sequenceNumber, chunk.body, termination.towardsClients, client));
    const { serverNonce, tokenId } = response.value;
    if (serverNonce?.length !== profile.nonceBytes)
      return refuse("BadNonceInvalid", "the server sends a nonce of a wrong length");
    this.#tokens.set(tokenId, {
      clientSide: {
        clients: deriveKeys(profile, opening.theirs, opening.towardsClient),
        servers: deriveKeys(profile, opening.towardsClient, opening.theirs),
      },
      serverSide: {
        clients: deriveKeys(profile, opening.towardsServer, serverNonce),
        servers: deriveKeys(profile, serverNonce, opening.towardsServer),
      },
    });
    const [oldest] = this.#tokens.keys();
    if (this.#tokens.size > MAX_TOKENS && oldest !== undefined) this.#tokens.delete(oldest);
    const body = withNonce(reader, chunk.body, opening.towardsClient);
    return ok(this.#sealed(chunk, sequenceNumber, body, termination.towardsClients, client));
  }

  fromClient(frame: Buffer): Result<Buffer, Refusal> {
    return this.#read(frame, (keys) => keys.clientSide.clients);
  }

  fromServer(frame: Buffer): Result<Buffer, Refusal> {
    return this.#read(frame, (keys) => keys.serverSide.servers);
  }

  toClient(chunk: Buffer): Buffer {
    return this.#write(chunk, (keys) => keys.clientSide.servers);
  }

  toServer(chunk: Buffer): Buffer {
    return this.#write(chunk, (keys) => keys.serverSide.clients);
  }

  requestBody(requestId: number, body: Buffer): Result<Buffer, Refusal> {
    const service = peekService(body);
    if (service !== "CreateSession" && service !== "ActivateSession")
      return ok(requestForServer(this.#options.urls, service, body));
    const own = this.#sessions.request(requestId, body);
    return own.ok ? ok(requestForServer(this.#options.urls, service, own.value)) : own;
  }

  responseBody(requestId: number, service: ServiceName | undefined, body: Buffer): Result<Buffer, Refusal> {
    const own = this.#sessions.response(requestId, service, body);
    return own.ok ? answerForClient(this.#options.urls, this.#options.termination, service, own.value) : own;
  }

  dropped(requestId: number): void {
    this.#sessions.dropped(requestId);
  }

  /** A client that was renewed twice without a word of its own has the token before the last one at least. */
  tokenFor(lastUsed: number): number {
    const [oldest = lastUsed] = this.#tokens.keys();
    return this.#tokens.has(lastUsed) ? lastUsed : oldest;
  }

  #openedBy(frame: Buffer, own: Credentials, sender: Peer): Result<OpenChunk, Refusal> {
    const header = decodeAsymmetricHeader(frame);
    if (!header.ok) return read(header);
    const wrong =
      otherPolicy(this.policyUri, header.value.securityPolicyUri) ?? wrongParties(header.value, own, sender);
    if (wrong !== undefined) return wrong;
    const { profile } = this.#options;
    const chunk = openSecured(frame, header.value, profile, { own: own.privateKey, sender: sender.key });
    if (!chunk.ok) return refuse("BadSecurityChecksFailed", "an OPN chunk whose encryption or signature does not hold");
    this.#chunk = chunk.value;
    return chunk;
  }

  #sealed(chunk: AsymmetricChunk, sequenceNumber: number, body: Buffer, own: Credentials, receiver: Peer): Buffer {
    return sealOpen(this.#options.profile, {
      channelId: chunk.channelId,
      requestId: chunk.requestId,
      sequenceNumber,
      body,
      certificate: own.certificate,
      privateKey: own.privateKey,
      receiverCertificate: receiver.certificate,
      receiverKey: receiver.key,
    });
  }

  #read(frame: Buffer, keysOf: (keys: TokenKeys) => ChannelKeys): Result<Buffer, Refusal> {
    const header = decodeSymmetricHeader(frame);
    if (!header.ok) return read(header);
    const keys = this.#tokens.get(header.value.tokenId);
    if (keys === undefined || this.#mode === undefined)
      return refuse("BadSecureChannelTokenUnknown", "a chunk under a token that is not in use");
    const chunk = openChunk(frame, this.#options.profile, this.#mode, keysOf(keys));
    return chunk.ok ? chunk : refuse("BadSecurityChecksFailed", "a chunk whose encryption or signature does not hold");
  }

  /** @throws Error for a token that was never opened; our own chunks carry the one that the client used last */
  #write(chunk: Buffer, keysOf: (keys: TokenKeys) => ChannelKeys): Buffer {
    const header = decodeSymmetricHeader(chunk);
    const keys = header.ok ? this.#tokens.get(header.value.tokenId) : undefined;
    if (keys === undefined || this.#mode === undefined) throw new Error("unreachable: a chunk without a token");
    return sealChunk(chunk, this.#options.profile, this.#mode, keysOf(keys));
  }
}

/** Either side is who it was when the channel was chosen, and speaks to us. */
function wrongParties(header: AsymmetricHeader, own: Credentials, sender: Peer): Result<never, Refusal> | undefined {
  const { senderCertificate, receiverThumbprint } = header;
  if (senderCertificate?.subarray(0, sender.certificate.length).equals(sender.certificate) !== true)
    return refuse("BadCertificateInvalid", "an OPN chunk under another certificate than before");
  if (receiverThumbprint?.equals(own.thumbprint) !== true)
    return refuse("BadCertificateInvalid", "an OPN chunk for another certificate than this filter's");
  return undefined;
}

function withNonce(reader: BinaryReader, body: Buffer, nonce: Buffer): Buffer {
  return splice(
    body,
    fieldsOf(reader, "nonce", () => byteStringBytes(nonce)),
  );
}

function refuse(status: Refusal["status"], says: string): Result<never, Refusal> {
  return err({ status, says });
}
