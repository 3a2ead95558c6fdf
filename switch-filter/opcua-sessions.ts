import { err, ok, type Result } from "#specs/result.ts";
import { BinaryReader } from "#wire/opcua/binary-reader.ts";
import { readRequest, type UaRequest } from "#wire/opcua/request.ts";
import { readResponse } from "#wire/opcua/response.ts";
import { rsaSign, rsaVerify } from "#wire/opcua/rsa-security.ts";
import type { SecurityMode } from "#wire/opcua/security-policy.ts";
import type { SecurityProfile } from "#wire/opcua/security-profile.ts";
import { signatureBytes } from "#wire/opcua/services/endpoint-writer.ts";
import type { ServiceName } from "#wire/opcua/services/service-table.ts";
import { byteStringBytes, fieldsOf, splice, stringBytes } from "#wire/opcua/splice.ts";
import { describeWireError } from "#wire/wire-error.ts";
import type { Refusal } from "./opcua-channel.ts";
import { withOwnEndpoints } from "./opcua-endpoints.ts";
import type { UaTermination } from "./opcua-identity.ts";
import type { Peer } from "./opcua-trust.ts";
import { type ServerPolicies, serverPolicies } from "./opcua-user-policies.ts";
import { logOn } from "./opcua-users.ts";

/** Sessions of one server whose nonces are kept; the one that has been idle longest goes first, and has to be created anew. */
export const MAX_SESSIONS = 1_000;
/** CreateSession and ActivateSession requests under way on one channel. */
const MAX_OPENING = 16;

/** What the signatures of a session are about. */
interface SessionSecrets {
  /** The server's last nonce. */
  readonly nonce: Buffer;
  /** How the server lets users log on, as it said when the session was created. */
  readonly policies: ServerPolicies;
  /** Only the client that created it may activate it: the server sees the same client, this filter, in all of them. */
  readonly client: Buffer;
}

/** By authentication token; a session may move to another channel. */
export type SessionStore = Map<string, SessionSecrets>;

type Opening =
  | { readonly kind: "create"; readonly nonce: Buffer }
  | { readonly kind: "activate"; readonly token: string };
type CreateSession = Extract<UaRequest, { service: "CreateSession" }>;
type ActivateSession = Extract<UaRequest, { service: "ActivateSession" }>;

/**
 * CreateSession and ActivateSession between two secured channels (OPC 10000-4 v1.05 §5.7.2, §5.7.3): each side's signatures are checked
 * here, and made anew with this filter's keys. Nonces pass unchanged.
 */
export class TerminatedSessions {
  readonly #termination: UaTermination;
  readonly #profile: SecurityProfile;
  readonly #client: Peer;
  readonly #store: SessionStore;
  readonly #opening = new Map<number, Opening>();
  /** Of the channel, once it is open. */
  mode: SecurityMode = "Invalid";

  constructor(termination: UaTermination, profile: SecurityProfile, client: Peer, store: SessionStore) {
    this.#termination = termination;
    this.#profile = profile;
    this.#client = client;
    this.#store = store;
  }

  request(requestId: number, body: Buffer): Result<Buffer, Refusal> {
    const reader = new BinaryReader(body);
    const request = readRequest(reader);
    // What cannot be decoded is left to the judgement.
    if (!request.ok) return ok(body);
    const { value } = request;
    if (value.service !== "CreateSession" && value.service !== "ActivateSession") return ok(body);
    if (this.#opening.size >= MAX_OPENING || this.#opening.has(requestId))
      return refuse("BadTooManyOperations", "opens too many sessions at once");
    return value.service === "CreateSession"
      ? this.#create(requestId, value, reader, body)
      : this.#activate(requestId, value, reader, body);
  }

  dropped(requestId: number): void {
    this.#opening.delete(requestId);
  }

  response(requestId: number, service: ServiceName | undefined, body: Buffer): Result<Buffer, Refusal> {
    const opening = this.#opening.get(requestId);
    this.#opening.delete(requestId);
    if (opening === undefined) return ok(body);
    if (service === "CreateSession" && opening.kind === "create") return this.#created(opening.nonce, body);
    if (service === "ActivateSession" && opening.kind === "activate") this.#activated(opening.token, body);
    return ok(body);
  }

  #create(requestId: number, request: CreateSession, reader: BinaryReader, body: Buffer): Result<Buffer, Refusal> {
    const { clientCertificate, clientNonce } = request;
    if (clientCertificate === null || !startsWith(clientCertificate, this.#client.certificate))
      return refuse("BadCertificateInvalid", "creates a session under another certificate than its channel's");
    if (clientNonce === null || clientNonce.length < this.#profile.nonceBytes)
      return refuse("BadNonceInvalid", "creates a session with a nonce that is too short");
    this.#opening.set(requestId, { kind: "create", nonce: Buffer.from(clientNonce) });
    const { certificate, applicationUri } = this.#termination.towardsServer;
    return ok(
      splice(body, [
        ...fieldsOf(reader, "application-uri", () => stringBytes(applicationUri)),
        ...fieldsOf(reader, "certificate", () => byteStringBytes(certificate)),
      ]),
    );
  }

  #created(clientNonce: Buffer, body: Buffer): Result<Buffer, Refusal> {
    const { towardsClients, towardsServer, server } = this.#termination;
    const reader = new BinaryReader(body);
    const response = readResponse(reader);
    if (!response.ok) return refuse("BadTcpInternalError", describeWireError(response.error));
    if (response.value.service !== "CreateSession") return ok(body);
    const { serverCertificate, serverSignature, serverNonce, serverEndpoints, authenticationToken } = response.value;
    const signed = Buffer.concat([towardsServer.certificate, clientNonce]);
    if (serverCertificate === null || !startsWith(serverCertificate, server.certificate))
      return refuse("BadCertificateInvalid", "the session is under another certificate than the channel's");
    if (!rsaVerify(this.#profile, server.key, signed, serverSignature.signature ?? Buffer.alloc(0)))
      return refuse("BadApplicationSignatureInvalid", "the server's signature of the session does not hold");
    this.#keep(authenticationToken.text, serverNonce, serverPolicies(serverEndpoints, this.#profile, this.mode));
    const signature = rsaSign(
      this.#profile,
      towardsClients.privateKey,
      Buffer.concat([this.#client.certificate, clientNonce]),
    );
    const own = splice(body, [
      ...fieldsOf(reader, "certificate", () => byteStringBytes(towardsClients.certificate)),
      ...fieldsOf(reader, "signature", () => signatureBytes(this.#profile.signatureAlgorithm, signature)),
    ]);
    return withOwnEndpoints(this.#termination, own);
  }

  #activate(requestId: number, request: ActivateSession, reader: BinaryReader, body: Buffer): Result<Buffer, Refusal> {
    const token = request.header.authenticationToken.text;
    const session = this.#store.get(token);
    if (session === undefined || !session.client.equals(this.#client.certificate))
      return refuse("BadSessionIdInvalid", "activates a session that it did not create here");
    const { towardsClients, towardsServer, server } = this.#termination;
    const signed = Buffer.concat([towardsClients.certificate, session.nonce]);
    if (!rsaVerify(this.#profile, this.#client.key, signed, request.clientSignature.signature ?? Buffer.alloc(0)))
      return refuse("BadApplicationSignatureInvalid", "activates a session with a signature that does not hold");
    const field = reader.fieldSpans.find(({ kind }) => kind === "identity");
    if (field === undefined) return refuse("BadIdentityTokenInvalid", "activates a session without a user");
    const user = logOn(this.#termination, this.#profile, session, {
      identity: request.identity,
      field: body.subarray(field.start, field.end),
      signature: request.userTokenSignature,
    });
    if (!user.ok) return user;
    this.#opening.set(requestId, { kind: "activate", token });
    const own = rsaSign(this.#profile, towardsServer.privateKey, Buffer.concat([server.certificate, session.nonce]));
    return ok(
      splice(body, [
        ...fieldsOf(reader, "signature", (index) =>
          index === 0 ? signatureBytes(this.#profile.signatureAlgorithm, own) : user.value.signature,
        ),
        ...fieldsOf(reader, "identity", () => user.value.identity),
      ]),
    );
  }

  #activated(token: string, body: Buffer): void {
    const response = readResponse(new BinaryReader(body));
    if (response.ok && response.value.service === "ActivateSession") this.#keep(token, response.value.serverNonce);
  }

  #keep(token: string, nonce: Buffer | null, policies?: ServerPolicies): void {
    const before = this.#store.get(token);
    this.#store.delete(token);
    this.#store.set(token, {
      nonce: Buffer.from(nonce ?? before?.nonce ?? Buffer.alloc(0)),
      policies: policies ?? before?.policies ?? {},
      client: before?.client ?? this.#client.certificate,
    });
    const [oldest] = this.#store.keys();
    if (this.#store.size > MAX_SESSIONS && oldest !== undefined) this.#store.delete(oldest);
  }
}

/** A certificate, or one with those of its issuers behind it. */
function startsWith(chain: Buffer, certificate: Buffer): boolean {
  return chain.subarray(0, certificate.length).equals(certificate);
}

function refuse(status: Refusal["status"], says: string): Result<never, Refusal> {
  return err({ status, says });
}
