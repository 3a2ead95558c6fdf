import { copyFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import {
  AttributeIds,
  type ClientSession,
  DataType,
  MessageSecurityMode,
  OPCUACertificateManager,
  OPCUAClient,
  type OPCUAClientOptions,
  OPCUAServer,
  SecurityPolicy,
  type ServerSession,
  type StatusCode,
  StatusCodes,
  UserTokenType,
  Variant,
} from "node-opcua";
import { loadTermination, type UaTermination } from "#switch-filter/opcua-identity.ts";
import { PLC } from "./opcua-plant.ts";

export const USER = {
  userName: "operator",
  password: "a long password, longer than one block of any key could ever hold ".repeat(5),
};

/** What the server has done: evidence that is not our own. */
export interface Executed {
  sp: number;
  count: number;
  level: number;
  readonly calls: number[];
}

export interface RunningServer {
  readonly executed: Executed;
  readonly server: OPCUAServer;
  /** All that were ever created. */
  readonly sessions: ServerSession[];
  stop(): Promise<void>;
}

async function manager(folder: string): Promise<OPCUACertificateManager> {
  const made = new OPCUACertificateManager({ rootFolder: folder, automaticallyAcceptUnknownCertificate: true });
  await made.initialize();
  return made;
}

/** A real OPC UA server with the nodes of `opcua-plant.ts`, all policies, anonymous users, one with a password, and any with a certificate. */
export async function startUaServer(
  at: { readonly host: string; readonly port: number },
  pki: string,
): Promise<RunningServer> {
  const executed: Executed = { sp: 30, count: 3, level: 40, calls: [] };
  const server = new OPCUAServer({
    ...at,
    hostname: at.host,
    maxConnectionsPerEndpoint: 200,
    serverCapabilities: { maxSessions: 200 },
    serverCertificateManager: await manager(join(pki, "server")),
    userCertificateManager: await manager(join(pki, "users")),
    userManager: {
      isValidUser: (name: string, password: string) => name === USER.userName && password === USER.password,
    },
  });
  await server.initialize();
  const namespace = server.engine.addressSpace?.getOwnNamespace();
  if (namespace === undefined) throw new Error("the server has no address space");
  const unit = namespace.addObject({ organizedBy: "ObjectsFolder", browseName: "UNIT", nodeId: "s=UNIT" });
  const variable = (name: string, dataType: DataType, get: () => number, set: (value: number) => void): void => {
    namespace.addVariable({
      componentOf: unit,
      browseName: name,
      nodeId: `s=${name}`,
      dataType,
      minimumSamplingInterval: 20,
      value: {
        get: () => new Variant({ dataType, value: get() }),
        set: (variant: Variant) => {
          set(Number(variant.value));
          return StatusCodes.Good;
        },
      },
    });
  };
  variable(
    "SP",
    DataType.Double,
    () => executed.sp,
    (value) => {
      executed.sp = value;
    },
  );
  variable(
    "COUNT",
    DataType.Int16,
    () => executed.count,
    (value) => {
      executed.count = value;
    },
  );
  variable(
    "LEVEL",
    DataType.Double,
    () => executed.level,
    (value) => {
      executed.level = value;
    },
  );
  const method = namespace.addMethod(unit, {
    browseName: "RESET",
    nodeId: "s=RESET",
    inputArguments: [{ name: "code", dataType: DataType.Double, description: "code" }],
    outputArguments: [],
  });
  method.bindMethod((inputArguments, _context, callback) => {
    executed.calls.push(Number(inputArguments[0]?.value));
    callback(null, { statusCode: StatusCodes.Good, outputArguments: [] });
  });
  const sessions: ServerSession[] = [];
  server.on("create_session", (session: ServerSession) => void sessions.push(session));
  await server.start();
  return { executed, server, sessions, stop: () => server.shutdown(0) };
}

export interface Security {
  readonly policy: SecurityPolicy;
  readonly mode: MessageSecurityMode;
}

/** The policies that are not deprecated. */
export const POLICIES = [
  SecurityPolicy.Basic256Sha256,
  SecurityPolicy.Aes128_Sha256_RsaOaep,
  SecurityPolicy.Aes256_Sha256_RsaPss,
] as const;

export const NO_SECURITY: Security = { policy: SecurityPolicy.None, mode: MessageSecurityMode.None };

/** The set-point that the writer may write within its limit. */
export const SP = { nodeId: "ns=1;s=SP", attributeId: AttributeIds.Value };

export function writeSp(session: ClientSession, value: number): Promise<StatusCode> {
  return session.write({ ...SP, value: { value: new Variant({ dataType: DataType.Double, value }) } });
}

/** A real OPC UA client that trusts whoever answers. Its certificates are those of `pki/client`. */
export async function uaClient(
  pki: string,
  { policy, mode }: Security = NO_SECURITY,
  name = "client",
  more: OPCUAClientOptions = {},
): Promise<OPCUAClient> {
  return OPCUAClient.create({
    applicationUri: `urn:sekisho:test:${name}`,
    endpointMustExist: false,
    securityPolicy: policy,
    securityMode: mode,
    connectionStrategy: { maxRetry: 0, initialDelay: 100, maxDelay: 200 },
    requestedSessionTimeout: 60_000,
    ...more,
    certificateFile: join(pki, name, "own.pem"),
    privateKeyFile: join(pki, name, "own", "private", "private_key.pem"),
    clientCertificateManager: await manager(join(pki, name)),
  });
}

export const BY_PASSWORD = { type: UserTokenType.UserName, ...USER } as const;

/** An application certificate, with its key, in `pki/name`. */
export async function makeCertificate(
  pki: string,
  name: string,
): Promise<{ readonly certificate: string; readonly key: string }> {
  const made = await manager(join(pki, name));
  const certificate = join(pki, name, "own.pem");
  await made.createSelfSignedCertificate({
    applicationUri: `urn:sekisho:test:${name}`,
    dns: ["localhost"],
    outputFile: certificate,
    subject: `CN=${name}`,
    startDate: new Date(Date.now() - 60_000),
    validity: 30,
  });
  return { certificate, key: made.privateKey };
}

/** The folder of a listener that ends secured channels: certificates of its own, the server's, and those of the clients named. */
export async function makeTermination(
  pki: string,
  server: OPCUAServer,
  clients: readonly string[],
): Promise<UaTermination> {
  const folder = join(pki, "filter");
  for (const sub of ["own", "servers", "clients"]) mkdirSync(join(folder, sub), { recursive: true });
  for (const side of ["clients", "server"]) {
    const { certificate, key } = await makeCertificate(pki, `filter-${side}`);
    copyFileSync(certificate, join(folder, "own", `${side}.pem`));
    copyFileSync(key, join(folder, "own", `${side}.key`));
  }
  copyFileSync(server.certificateFile, join(folder, "servers", `${PLC}.pem`));
  for (const client of clients) copyFileSync(join(pki, client, "own.pem"), join(folder, "clients", `${client}.pem`));
  return loadTermination(folder, PLC);
}
