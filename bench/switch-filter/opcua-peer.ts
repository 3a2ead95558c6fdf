import { type KeyObject, randomBytes, X509Certificate } from "node:crypto";
import {
  BinaryStream,
  type ExtensionObject,
  encodeNodeId,
  MessageSecurityMode,
  OpenSecureChannelRequest,
  OpenSecureChannelResponse,
} from "node-opcua";
import type { Result } from "#specs/result.ts";
import { BinaryWriter } from "#wire/opcua/binary-writer.ts";
import { type UacpFrame, UacpFramer } from "#wire/opcua/framer.ts";
import { MessageAssembler } from "#wire/opcua/message-assembler.ts";
import {
  type AsymmetricChunk,
  type AsymmetricHeader,
  decodeAsymmetricChunk,
  decodeAsymmetricHeader,
  decodeSymmetricChunk,
  encodeMsgChunk,
} from "#wire/opcua/message-chunk.ts";
import { decodeRequest } from "#wire/opcua/request.ts";
import { decodeResponse } from "#wire/opcua/response.ts";
import { type ChannelKeys, deriveKeys, openChunk, type SecuredMode, sealChunk } from "#wire/opcua/secured-chunk.ts";
import { openSecured, sealOpen } from "#wire/opcua/secured-open.ts";
import { SECURITY_POLICY_NONE } from "#wire/opcua/security-policy.ts";
import { type SecurityProfile, securityProfile } from "#wire/opcua/security-profile.ts";
import { writeUacpHeader } from "#wire/opcua/uacp-header.ts";
import { decodeErrorMessage, encodeAcknowledge, encodeHello } from "#wire/opcua/uacp-messages.ts";

/** Sizes that both ends name: what fits one chunk goes in one. */
const SIZES = {
  protocolVersion: 0,
  receiveBufferSize: 65_536,
  sendBufferSize: 65_536,
  maxMessageSize: 0,
  maxChunkCount: 0,
};
const CHANNEL_ID = 77;
const LIFETIME_MS = 3_600_000;
/** Every body is written here first: a stream of its own for each would take longer than to write it. */
const STREAM = new BinaryStream(65_536);
const MODES = { Sign: MessageSecurityMode.Sign, SignAndEncrypt: MessageSecurityMode.SignAndEncrypt };

/** An end's certificate, in DER, and its key. */
export interface PeerIdentity {
  readonly certificate: Buffer;
  readonly privateKey: KeyObject;
}

/** How a channel is secured. Without it: SecurityPolicy None. */
export interface PeerSecurity {
  readonly profile: SecurityProfile;
  readonly mode: SecuredMode;
  readonly own: PeerIdentity;
  readonly otherCertificate: Buffer;
  readonly otherKey: KeyObject;
}

/** Body of a service message, by node-opcua's encoders. */
export function bodyOf(message: ExtensionObject): Buffer {
  STREAM.rewind();
  encodeNodeId(message.schema.encodingDefaultBinary ?? message.schema.dataTypeNodeId, STREAM);
  message.encode(STREAM);
  return Buffer.from(STREAM.buffer.subarray(0, STREAM.length));
}

/**
 * One end of an OPC UA conversation, without sockets: bytes in, messages out, and the other way. A client says how it wants the channel; a
 * server with an identity takes any, of whoever comes.
 */
export class UaPeer {
  readonly #identity: PeerIdentity | undefined;
  readonly #isClient: boolean;
  readonly #write: (bytes: Buffer) => void;
  readonly #framer = new UacpFramer();
  readonly #assembler = new MessageAssembler();
  #security: PeerSecurity | undefined;
  #nonce: Buffer = Buffer.alloc(0);
  #keys: { readonly own: ChannelKeys; readonly theirs: ChannelKeys } | undefined;
  #sequence = 0;
  #channelId = 0;
  #tokenId = 0;
  /** Whole messages, of an open channel. */
  onMessage: (requestId: number, body: Buffer) => void = () => undefined;
  /** The channel is open, or was renewed. */
  onOpen: () => void = () => undefined;
  /** Why the conversation is over. */
  onError: (says: string) => void = (says) => {
    throw new Error(says);
  };

  private constructor(isClient: boolean, write: (bytes: Buffer) => void, identity: PeerIdentity | undefined) {
    this.#isClient = isClient;
    this.#write = write;
    this.#identity = identity;
  }

  static client(write: (bytes: Buffer) => void, security?: PeerSecurity): UaPeer {
    const peer = new UaPeer(true, write, security?.own);
    peer.#security = security;
    return peer;
  }

  static server(write: (bytes: Buffer) => void, identity?: PeerIdentity): UaPeer {
    return new UaPeer(false, write, identity);
  }

  /** How the channel is secured, from the client's OPN on. */
  get security(): PeerSecurity | undefined {
    return this.#security;
  }

  hello(endpointUrl: string): void {
    this.#write(encodeHello({ ...SIZES, endpointUrl }));
  }

  /** Issues the channel, or renews it; in another mode than it has, where one is given. */
  open(mode = this.#security?.mode): void {
    const nonce = this.#newNonce();
    const body = new OpenSecureChannelRequest({
      requestType: this.#channelId === 0 ? 0 : 1,
      securityMode: mode === undefined ? MessageSecurityMode.None : MODES[mode],
      clientNonce: nonce,
      requestedLifetime: LIFETIME_MS,
    });
    this.#writeOpen(1, bodyOf(body));
  }

  /** The channel's ids, for who writes chunks by itself; {@link next} gives their numbers. */
  get channelId(): number {
    return this.#channelId;
  }

  get tokenId(): number {
    return this.#tokenId;
  }

  get isSecured(): boolean {
    return this.#security !== undefined;
  }

  /** The sequence number of the next chunk. */
  next(): number {
    this.#sequence += 1;
    return this.#sequence;
  }

  /** A message in one chunk, which is what every message of a measurement is. */
  send(requestId: number, body: Buffer): void {
    const ids = { channelId: this.#channelId, tokenId: this.#tokenId };
    this.sendChunk(encodeMsgChunk({ ...ids, sequenceNumber: this.next(), requestId, body }));
  }

  /** A chunk of SecurityPolicy None, secured as the channel is. */
  sendChunk(chunk: Buffer): void {
    if (this.#security === undefined || this.#keys === undefined) return this.#write(chunk);
    this.#write(sealChunk(chunk, this.#security.profile, this.#security.mode, this.#keys.own));
  }

  take(bytes: Buffer): void {
    for (const frame of this.#framer.push(bytes)) this.#frame(frame);
    if (this.#framer.failed !== undefined) this.onError(`bad framing: ${this.#framer.failed.code}`);
  }

  #frame(frame: UacpFrame): void {
    switch (frame.type) {
      case "HEL":
        return this.#write(encodeAcknowledge(SIZES));
      case "ACK":
        return this.open();
      case "OPN":
        return this.#opened(frame.bytes);
      case "MSG":
        return this.#message(frame.bytes);
      case "ERR": {
        const error = decodeErrorMessage(frame.bytes);
        return this.onError(error.ok ? `ERR ${error.value.error.toString(16)}: ${error.value.reason}` : "ERR");
      }
      default:
        return undefined;
    }
  }

  #message(bytes: Buffer): void {
    const plain =
      this.#security === undefined || this.#keys === undefined
        ? bytes
        : got(openChunk(bytes, this.#security.profile, this.#security.mode, this.#keys.theirs));
    const taken = got(this.#assembler.push(got(decodeSymmetricChunk(plain))));
    if (taken.kind === "message") this.onMessage(taken.requestId, taken.body);
  }

  #opened(frame: Buffer): void {
    const header = got(decodeAsymmetricHeader(frame));
    if (!this.#isClient && this.#channelId === 0) this.#security = this.#securityAsked(header);
    const security = this.#security;
    const chunk = got(
      security === undefined
        ? decodeAsymmetricChunk(frame)
        : openSecured(frame, header, security.profile, { own: security.own.privateKey, sender: security.otherKey }),
    );
    if (this.#isClient) return this.#openedAsClient(chunk.body);
    this.#openedAsServer(chunk);
  }

  /** The mode is in the request, which is to be decrypted first. */
  #securityAsked({ securityPolicyUri, senderCertificate }: AsymmetricHeader): PeerSecurity | undefined {
    const profile = securityProfile(securityPolicyUri);
    if (profile === undefined || this.#identity === undefined || senderCertificate === null) return undefined;
    const { raw, publicKey } = new X509Certificate(senderCertificate);
    return { profile, mode: "Sign", own: this.#identity, otherCertificate: raw, otherKey: publicKey };
  }

  #openedAsClient(body: Buffer): void {
    const response = got(decodeResponse(body));
    if (response.service !== "OpenSecureChannel") return this.onError(`OPN was answered by ${response.service}`);
    this.#channelId = response.channelId;
    this.#tokenId = response.tokenId;
    this.#derive(response.serverNonce);
    this.onOpen();
  }

  #openedAsServer(chunk: AsymmetricChunk): void {
    const request = got(decodeRequest(chunk.body));
    if (request.service !== "OpenSecureChannel") return this.onError(`OPN carries ${request.service}`);
    const { securityMode: mode, header } = request;
    if (this.#security !== undefined && (mode === "Sign" || mode === "SignAndEncrypt"))
      this.#security = { ...this.#security, mode };
    this.#channelId = CHANNEL_ID;
    this.#tokenId += 1;
    const serverNonce = this.#newNonce();
    const token = { channelId: CHANNEL_ID, tokenId: this.#tokenId, revisedLifetime: LIFETIME_MS };
    const body = new OpenSecureChannelResponse({
      responseHeader: { requestHandle: header.requestHandle },
      serverProtocolVersion: 0,
      securityToken: { ...token, createdAt: new Date() },
      serverNonce,
    });
    this.#writeOpen(chunk.requestId, bodyOf(body));
    this.#derive(request.clientNonce);
    this.onOpen();
  }

  #newNonce(): Buffer {
    this.#nonce = this.#security === undefined ? Buffer.alloc(0) : randomBytes(this.#security.profile.nonceBytes);
    return this.#nonce;
  }

  #derive(otherNonce: Buffer | null): void {
    if (this.#security === undefined) return;
    const { profile } = this.#security;
    const other = Buffer.from(otherNonce ?? Buffer.alloc(0));
    this.#keys = { own: deriveKeys(profile, this.#nonce, other), theirs: deriveKeys(profile, other, this.#nonce) };
  }

  #writeOpen(requestId: number, body: Buffer): void {
    const security = this.#security;
    const ids = { channelId: this.#channelId, sequenceNumber: this.next(), requestId, body };
    if (security !== undefined) {
      const { own, otherCertificate, otherKey } = security;
      const to = { receiverCertificate: otherCertificate, receiverKey: otherKey };
      return this.#write(sealOpen(security.profile, { ...ids, ...own, ...to }));
    }
    const head = new BinaryWriter().raw(Buffer.alloc(8)).u32(ids.channelId).string(SECURITY_POLICY_NONE);
    const bytes = head.byteString(null).byteString(null).u32(ids.sequenceNumber).u32(requestId).raw(body).toBuffer();
    writeUacpHeader(bytes, "OPN", "F");
    this.#write(bytes);
  }
}

/** The value. @throws Error where an end of ours cannot read what it was sent */
function got<T, E extends { readonly code: string }>(result: Result<T, E>): T {
  if (result.ok) return result.value;
  throw new Error(`cannot be read: ${result.error.code}`);
}
