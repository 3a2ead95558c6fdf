import { join } from "node:path";
import {
  AttributeIds,
  type ClientSession,
  ClientSubscription,
  DataType,
  MessageSecurityMode,
  OPCUACertificateManager,
  OPCUAClient,
  OPCUAServer,
  SecurityPolicy,
  StatusCodes,
  TimestampsToReturn,
  Variant,
} from "node-opcua";

interface At {
  readonly host: string;
  readonly port: number;
}

/** PLC 2 of the water-treatment plant as a real server (node-opcua): a set-point that is kept in `done`, and a flow that never stands still. */
export async function startPlc2(at: At, pki: string, done: { flow: number }): Promise<OPCUAServer> {
  const serverCertificateManager = new OPCUACertificateManager({ rootFolder: join(pki, "server") });
  const server = new OPCUAServer({ ...at, hostname: at.host, serverCertificateManager });
  await server.initialize();
  const space = server.engine.addressSpace?.getOwnNamespace();
  const device = space?.addObject({ organizedBy: "ObjectsFolder", browseName: "PLC2" });
  const variable = (name: string, get: () => number, set?: (value: number) => void) =>
    space?.addVariable({
      ...(device === undefined ? {} : { componentOf: device }),
      ...{ browseName: name, nodeId: `s=${name}`, dataType: "Double", minimumSamplingInterval: 20 },
      value: {
        get: () => new Variant({ dataType: DataType.Double, value: get() }),
        set: (value: Variant) => {
          set?.(Number(value.value));
          return StatusCodes.Good;
        },
      },
    });
  const setFlow = (value: number): void => {
    done.flow = value;
  };
  variable("FIC401.SP", () => done.flow, setFlow);
  variable("FIT401", () => 20 + Math.random());
  await server.start();
  return server;
}

/** A client (node-opcua) in the clear with one session and one subscription, to the flow, that counts what it is told. */
export class FlowWatcher {
  lost = 0;
  told = 0;
  readonly #client: OPCUAClient;
  #session: ClientSession | undefined;

  constructor(pki: string) {
    this.#client = OPCUAClient.create({
      ...{ endpointMustExist: false, securityPolicy: SecurityPolicy.None, securityMode: MessageSecurityMode.None },
      connectionStrategy: { maxRetry: 0, initialDelay: 100, maxDelay: 200 },
      clientCertificateManager: new OPCUACertificateManager({ rootFolder: join(pki, "client") }),
    });
    for (const event of ["connection_lost", "connection_reestablished", "close"] as const)
      this.#client.on(event, () => {
        this.lost += 1;
      });
  }

  async connect({ host, port }: At): Promise<void> {
    await this.#client.connect(`opc.tcp://${host}:${port}`);
    this.#session = await this.#client.createSession();
    const how = { requestedPublishingInterval: 50, publishingEnabled: true };
    const subscription = ClientSubscription.create(this.#session, how);
    const item = await subscription.monitor(
      { nodeId: "ns=1;s=FIT401", attributeId: AttributeIds.Value },
      { samplingInterval: 20, queueSize: 10, discardOldest: true },
      TimestampsToReturn.Both,
    );
    item.on("changed", () => {
      this.told += 1;
    });
  }

  /** `Good`, or why the set-point was not written. */
  async write(value: number): Promise<string> {
    const item = {
      ...{ nodeId: "ns=1;s=FIC401.SP", attributeId: AttributeIds.Value },
      value: { value: new Variant({ dataType: DataType.Double, value }) },
    };
    return (
      this.#session?.write(item).then(
        (status) => status.name,
        (error: Error) => error.message,
      ) ?? "not connected"
    );
  }

  async close(): Promise<void> {
    await this.#session?.close();
    await this.#client.disconnect();
  }
}
