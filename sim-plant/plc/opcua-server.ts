import { Server } from "node:net";
import { join } from "node:path";
import {
  AccessLevelFlag,
  DataType,
  MessageSecurityMode,
  type Namespace,
  OPCUAServer,
  SecurityPolicy,
  type StatusCode,
  StatusCodes,
  type UAObject,
  Variant,
} from "node-opcua";
import type { DeviceId } from "#specs/ids.ts";
import type { Plant, Tag } from "#specs/plant.ts";
import type { Endpoint } from "../address-plan.ts";
import { opcUaCertificates, quietOpcUa } from "../opcua-certificates.ts";
import { type Admission, guardDoor } from "./admission.ts";
import type { WriteLatch } from "./write-latch.ts";

export interface OpcUaServerOptions {
  readonly plant: Plant;
  readonly device: DeviceId;
  readonly at: Endpoint;
  /** Address that clients are told: the one at which the switch filter stands for this server. Default: its own. */
  readonly advertised?: Endpoint | undefined;
  readonly admission: Admission;
  readonly latch: WriteLatch;
  /** Certificates and keys are made and kept below this folder. */
  readonly pkiDir: string;
  readonly log: (says: string) => void;
}

/**
 * The OPC UA server of a soft PLC: a folder with one variable per bound tag. Reads answer from the last scan; a write waits for the
 * next one. Set-points and commands are writable, measurements are not. Endpoints: no security, and Basic256Sha256 signed or
 * signed and encrypted; anonymous users.
 */
export async function serveOpcUa(options: OpcUaServerOptions): Promise<{ close(): Promise<void> }> {
  const { at, advertised } = options;
  quietOpcUa(options.log);
  const server = new OPCUAServer({
    host: at.host,
    hostname: at.host,
    port: at.port,
    ...(advertised === undefined ? {} : { advertisedEndpoints: `opc.tcp://${advertised.host}:${advertised.port}` }),
    securityPolicies: [SecurityPolicy.None, SecurityPolicy.Basic256Sha256],
    securityModes: [MessageSecurityMode.None, MessageSecurityMode.Sign, MessageSecurityMode.SignAndEncrypt],
    allowAnonymous: true,
    maxConnectionsPerEndpoint: 20,
    serverCertificateManager: opcUaCertificates(join(options.pkiDir, options.device)),
    // Only anonymous users come; without a folder of its own the library would make one in the home directory.
    userCertificateManager: opcUaCertificates(join(options.pkiDir, `${options.device}-users`)),
    serverInfo: { applicationUri: `urn:sekisho:${options.device}`, productUri: "urn:sekisho:soft-plc" },
  });
  await server.initialize();
  addVariables(server, options);
  await server.start().catch((error: unknown) => {
    const says = error instanceof Error ? error.message : String(error);
    throw new Error(`the OPC UA server cannot listen on ${at.host}:${at.port} (${says}); choose a free address`);
  });
  for (const endpoint of server.endpoints) {
    guardDoor(netServerOf(endpoint), options.admission, (from) =>
      options.log(`an OPC UA connection from ${from} was reset`),
    );
  }
  return { close: () => server.shutdown(0) };
}

function addVariables(server: OPCUAServer, options: OpcUaServerOptions): void {
  const space = server.engine.addressSpace;
  if (space === null) throw new Error("the OPC UA server has no address space after `initialize`");
  // Namespace 1 is the server's own, OPC 10000-5 §6.3.13; the plant's NodeIds are declared in it.
  const namespace = space.getOwnNamespace();
  const folder = namespace.addObject({ organizedBy: space.rootFolder.objects, browseName: options.device });
  for (const tag of options.plant.tags)
    if (tag.device === options.device) addVariable(namespace, folder, tag, options.latch);
}

function addVariable(namespace: Namespace, folder: UAObject, tag: Tag, latch: WriteLatch): void {
  const binding = tag.opcua;
  if (binding === undefined) return;
  const writable = tag.kind === "command" || tag.kind === "set-point";
  const boolean = binding.type === "Boolean";
  const access = writable ? AccessLevelFlag.CurrentRead | AccessLevelFlag.CurrentWrite : AccessLevelFlag.CurrentRead;
  namespace.addVariable({
    componentOf: folder,
    nodeId: binding.nodeId,
    browseName: tag.id,
    displayName: tag.title,
    dataType: boolean ? DataType.Boolean : DataType.Double,
    accessLevel: access,
    userAccessLevel: access,
    minimumSamplingInterval: 100,
    value: {
      get: () =>
        boolean
          ? new Variant({ dataType: DataType.Boolean, value: latch.read(tag.id) !== 0 })
          : new Variant({ dataType: DataType.Double, value: latch.read(tag.id) }),
      ...(writable ? { set: (variant: Variant): StatusCode => takeWrite(tag, variant, latch) } : {}),
    },
  });
}

function takeWrite(tag: Tag, variant: Variant, latch: WriteLatch): StatusCode {
  const value = Number(variant.value);
  const [low, high] = tag.range;
  if (!(value >= low && value <= high)) return StatusCodes.BadOutOfRange;
  latch.write(tag.id, value);
  return StatusCodes.Good;
}

/** node-opcua keeps its listening socket to itself, and offers no other way to turn a connection away. */
function netServerOf(endpoint: object): Server {
  const inner: unknown = Reflect.get(endpoint, "_server");
  if (inner instanceof Server) return inner;
  throw new Error("node-opcua no longer keeps its listening socket in `_server`; the PLC cannot turn strangers away");
}
