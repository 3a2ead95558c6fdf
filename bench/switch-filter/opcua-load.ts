import { randomBytes } from "node:crypto";
import { connect } from "node:net";
import { parseArgs } from "node:util";
import {
  ActivateSessionRequest,
  AnonymousIdentityToken,
  CreateSessionRequest,
  DataType,
  type ExtensionObject,
  type NodeId,
  ReadRequest,
  resolveNodeId,
  WriteRequest,
} from "node-opcua";
import { decodeResponse, type UaResponse } from "#wire/opcua/response.ts";
import { rsaSign } from "#wire/opcua/rsa-security.ts";
import { quantile } from "../statistics.ts";
import { bodyOf, type PeerSecurity, UaPeer } from "./opcua-peer.ts";
import { peerSecurity } from "./opcua-pki.ts";

/** Load of a measurement, in a closed loop: each session reads and writes one Double by turns, and asks again when it was answered. */
export interface UaLoad {
  readonly host: string;
  readonly port: number;
  readonly sessions: number;
  readonly seconds: number;
  readonly warmUpSeconds: number;
  readonly nodeId: string;
  readonly security?: PeerSecurity;
}

export interface UaLoadFigures {
  /** ms from a request to its answer. */
  readonly p50: number;
  readonly p99: number;
  readonly per_s: number;
  readonly requests: number;
  readonly errors: number;
  /** Good answers since the sessions were open, warm-up included: what the server must have executed. */
  readonly reads: number;
  readonly writes: number;
}

/** Latencies kept; beyond, a measurement goes on and no more are. */
const MAX_SAMPLES = 4_000_000;
/** Stands in the body of a write where the value goes. */
const PLACE = 12_345.678;
const WRITTEN_BELOW = 100;
const GOOD = 0;

/** One session in the loop. */
class LoadSession {
  readonly #peer: UaPeer;
  readonly #security: PeerSecurity | undefined;
  readonly #answered = new Map<number, (body: Buffer) => void>();
  #token: NodeId = resolveNodeId("i=0");
  #requestId = 1;

  private constructor(write: (bytes: Buffer) => void, security: PeerSecurity | undefined) {
    this.#security = security;
    this.#peer = UaPeer.client(write, security);
    this.#peer.onMessage = (requestId, body) => {
      const answered = this.#answered.get(requestId);
      this.#answered.delete(requestId);
      answered?.(body);
    };
  }

  static async open({ host, port, security }: UaLoad): Promise<LoadSession> {
    const socket = connect({ host, port, noDelay: true });
    const session = new LoadSession((bytes) => socket.write(bytes), security);
    await new Promise<void>((resolve, reject) => {
      socket.once("connect", () => session.#peer.hello(`opc.tcp://${host}:${port}`));
      socket.once("error", reject);
      session.#peer.onError = (says) => reject(new Error(says));
      session.#peer.onOpen = resolve;
      socket.on("data", (bytes) => session.#peer.take(bytes));
    });
    socket.on("error", () => undefined);
    await session.#begin();
    return session;
  }

  /** Bodies of a read and of a write of this session, and where in the latter the value stands. */
  bodies(nodeId: string): { readonly read: Buffer; readonly write: Buffer; readonly valueAt: number } {
    const at = { nodeId, attributeId: 13 };
    const read = new ReadRequest({ nodesToRead: [at] });
    const write = new WriteRequest({
      nodesToWrite: [{ ...at, value: { value: { dataType: DataType.Double, value: PLACE } } }],
    });
    for (const { requestHeader } of [read, write]) requestHeader.authenticationToken = this.#token;
    const body = bodyOf(write);
    const place = Buffer.alloc(8);
    place.writeDoubleLE(PLACE);
    return { read: bodyOf(read), write: body, valueAt: body.indexOf(place) };
  }

  ask(body: Buffer, answered: (body: Buffer) => void): void {
    this.#requestId += 1;
    this.#answered.set(this.#requestId, answered);
    this.#peer.send(this.#requestId, body);
  }

  async #begin(): Promise<void> {
    const security = this.#security;
    const created = await this.#call(
      new CreateSessionRequest({
        sessionName: "load",
        requestedSessionTimeout: 3_600_000,
        clientNonce: randomBytes(32),
        ...(security && { clientCertificate: security.own.certificate }),
        clientDescription: { applicationUri: "urn:sekisho:bench:client" },
      }),
    );
    if (created.service !== "CreateSession") throw new Error(`no session: ${created.service}`);
    this.#token = resolveNodeId(created.authenticationToken.text);
    const policies = created.serverEndpoints.flatMap((endpoint) => endpoint.userIdentityTokens);
    const policyId = policies.find(({ tokenType }) => tokenType === 0)?.policyId ?? "";
    const request = new ActivateSessionRequest({ userIdentityToken: new AnonymousIdentityToken({ policyId }) });
    request.requestHeader.authenticationToken = this.#token;
    if (security !== undefined) {
      const { profile, own, otherCertificate } = security;
      const signed = Buffer.concat([otherCertificate, created.serverNonce ?? Buffer.alloc(0)]);
      request.clientSignature.algorithm = profile.signatureAlgorithm;
      request.clientSignature.signature = rsaSign(profile, own.privateKey, signed);
    }
    const activated = await this.#call(request);
    if (activated.service !== "ActivateSession") throw new Error(`not activated: ${activated.service}`);
  }

  async #call(request: ExtensionObject): Promise<UaResponse> {
    const body = await new Promise<Buffer>((resolve) => this.ask(bodyOf(request), resolve));
    const response = decodeResponse(body);
    if (!response.ok) throw new Error(`cannot be read: ${response.error.code}`);
    return response.value;
  }
}

export async function measure(load: UaLoad): Promise<UaLoadFigures> {
  const sessions: LoadSession[] = [];
  for (let i = 0; i < load.sessions; i += 1) sessions.push(await LoadSession.open(load));
  const samples = new Float64Array(MAX_SAMPLES);
  const count = { requests: 0, errors: 0, reads: 0, writes: 0 };
  const from = performance.now() + load.warmUpSeconds * 1000;
  const until = from + load.seconds * 1000;
  const loop = (session: LoadSession, ended: () => void): void => {
    const { read, write, valueAt } = session.bodies(load.nodeId);
    let turn = 0;
    const next = (): void => {
      const begun = performance.now();
      if (begun >= until) return ended();
      turn += 1;
      const isWrite = turn % 2 === 0;
      if (isWrite) write.writeDoubleLE(turn % WRITTEN_BELOW, valueAt);
      session.ask(isWrite ? write : read, (answer) => {
        const now = performance.now();
        const isGood = isWrite ? isGoodWrite(answer) : isGoodRead(answer);
        if (isGood) count[isWrite ? "writes" : "reads"] += 1;
        else count.errors += 1;
        if (begun >= from && now < until) {
          if (count.requests < MAX_SAMPLES) samples[count.requests] = now - begun;
          count.requests += 1;
        }
        next();
      });
    };
    next();
  };
  await Promise.all(sessions.map((session) => new Promise<void>((ended) => loop(session, ended))));
  const kept = samples.subarray(0, Math.min(count.requests, MAX_SAMPLES));
  const [p50, p99] = [quantile(kept, 0.5), quantile(kept, 0.99)];
  return { p50, p99, per_s: count.requests / load.seconds, ...count };
}

function isGoodRead(body: Buffer): boolean {
  const answer = decodeResponse(body);
  if (!answer.ok || answer.value.service !== "Read") return false;
  const [result] = answer.value.results;
  return (
    answer.value.header.serviceResult === GOOD &&
    (result?.statusCode ?? GOOD) === GOOD &&
    result?.value?.type === "Double"
  );
}

function isGoodWrite(body: Buffer): boolean {
  const answer = decodeResponse(body);
  return answer.ok && answer.value.service === "Write" && answer.value.results.join() === "0";
}

/** `node opcua-load.ts --to H:P [--sessions N] [--seconds S] [--warm-up S] [--node ID] [--own STEM --other FILE --mode Sign|SignAndEncrypt]` */
if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      to: { type: "string", default: "" },
      sessions: { type: "string", default: "1" },
      seconds: { type: "string", default: "3" },
      "warm-up": { type: "string", default: "1" },
      node: { type: "string", default: "ns=1;s=LOAD" },
      own: { type: "string" },
      other: { type: "string" },
      mode: { type: "string", default: "Sign" },
    },
  });
  const [host = "", port = ""] = values.to.split(":");
  const { own, other } = values;
  const mode = values.mode === "SignAndEncrypt" ? "SignAndEncrypt" : "Sign";
  const figures = await measure({
    host,
    port: Number(port),
    sessions: Number(values.sessions),
    seconds: Number(values.seconds),
    warmUpSeconds: Number(values["warm-up"]),
    nodeId: values.node,
    ...(own === undefined || other === undefined ? {} : { security: peerSecurity(own, other, mode) }),
  });
  process.stdout.write(`${JSON.stringify(figures)}\n`);
  process.exit(figures.errors === 0 ? 0 : 1);
}
