import { describe, expect, test } from "vitest";
import { MAX_NAME_LENGTH } from "#point/observe/opcua-aliases.ts";
import { UaNames } from "#point/observe/opcua-names.ts";
import { MAX_SESSION_USERS, UaSessionUsers } from "#point/observe/opcua-session-users.ts";
import { UaTags } from "#point/observe/opcua-tags.ts";
import { DeviceId, LinkId, PlantId } from "#specs/ids.ts";
import { NULL_NODE_ID, numericNodeId, parseNodeId } from "#wire/opcua/node-id.ts";
import type { UaRequest } from "#wire/opcua/request.ts";
import type { UaResponse } from "#wire/opcua/response.ts";

type Request<S extends UaRequest["service"]> = Extract<UaRequest, { service: S }>;
const PLC = DeviceId("plc");
const PARTY = { source: DeviceId("hmi"), sourceAddress: "127.0.0.1:1", target: PLC, link: LinkId("link") };
const [HERE, THERE] = [{}, {}];
const BAD = 0x8020_0000;

const additionalHeader = { typeId: NULL_NODE_ID, encoding: "none", body: null } as const;
const headerOf = (session: number | string) => {
  const named = parseNodeId(`ns=1;s=${session}`);
  if (typeof session === "string" && !named.ok) throw new Error(session);
  const authenticationToken = named.ok && typeof session === "string" ? named.value : numericNodeId(Number(session));
  return {
    ...{ authenticationToken, timestampMs: 0, requestHandle: 1, returnDiagnostics: 0 },
    ...{ auditEntryId: null, timeoutHintMs: 0, additionalHeader },
  };
};
const answerHeader = (serviceResult = 0) => ({
  ...{ timestampMs: 0, requestHandle: 1, serviceResult, serviceDiagnostics: {}, stringTable: [], additionalHeader },
});

type Identity = Request<"ActivateSession">["identity"];
const named = (userName: string | null): Identity => ({ kind: "user-name", policyId: null, userName });
const signature = { algorithm: null, signature: null };
const activate = (identity: Identity, session: number | string = 1): UaRequest => ({
  ...{ service: "ActivateSession", header: headerOf(session), clientSignature: signature, localeIds: [] },
  ...{ identity, userTokenSignature: signature },
});
const write = (session = 1): UaRequest => ({ service: "Write", header: headerOf(session), nodesToWrite: [] });
const close = (session = 1): UaRequest => ({
  ...{ service: "CloseSession", header: headerOf(session), deleteSubscriptions: true },
});
const activated = (serviceResult = 0): UaResponse => ({
  ...{ service: "ActivateSession", header: answerHeader(serviceResult), serverNonce: null, results: [] },
});
const fault: UaResponse = { service: "ServiceFault", header: answerHeader(BAD) };

function known(...done: readonly (readonly [UaRequest, UaResponse])[]): UaSessionUsers {
  const users = new UaSessionUsers();
  for (const [request, response] of done) {
    users.asked(request, HERE);
    users.answered(request, response, HERE);
  }
  return users;
}

describe("the user of a session", () => {
  test("is the one with whom the server let it be activated", () => {
    const users = known([activate(named("anna")), activated()]);
    expect(users.nameOf(write(), HERE)).toBe("anna");
    expect(users.nameOf(write(2), HERE)).toBeUndefined();
  });

  test.each([
    { name: "anonymous", identity: { kind: "anonymous", policyId: null } as const },
    { name: "a certificate", identity: { kind: "certificate", policyId: null, certificate: null } as const },
    { name: "no name", identity: named(null) },
    { name: "an empty name", identity: named("") },
    { name: "a name with a line break", identity: named("anna\nengineer") },
    { name: "a name of 65 characters", identity: named("a".repeat(65)) },
  ])("$name is nobody", ({ identity }) => {
    expect(known([activate(identity), activated()]).nameOf(write(), HERE)).toBeUndefined();
  });

  test("stays when another is refused, and goes with the session", () => {
    for (const refused of [fault, activated(BAD)]) {
      const users = known([activate(named("anna")), activated()], [activate(named("root")), refused]);
      expect(users.nameOf(write(), HERE)).toBe("anna");
    }
    const users = known([activate(named("anna")), activated()]);
    users.answered(close(), { service: "CloseSession", header: answerHeader() }, HERE);
    expect([users.nameOf(write(), HERE), users.size]).toEqual([undefined, 0]);
  });

  test("is nobody while an activation is under way, and after several at once", () => {
    const users = known([activate(named("anna")), activated()]);
    users.asked(activate(named("bert")), HERE);
    expect(users.nameOf(write(), HERE)).toBeUndefined();
    users.asked(activate(named("cleo")), HERE);
    users.answered(activate(named("bert")), activated(), HERE);
    users.answered(activate(named("cleo")), activated(), HERE);
    expect(users.nameOf(write(), HERE)).toBeUndefined();
    users.asked(activate(named("dora")), HERE);
    users.answered(activate(named("dora")), activated(), HERE);
    expect(users.nameOf(write(), HERE)).toBe("dora");
  });

  test("is nobody on another connection until it is activated there, and on the first one after that", () => {
    const users = known([activate(named("anna")), activated()]);
    expect(users.nameOf(write(), THERE)).toBeUndefined();
    users.asked(activate(named("anna")), THERE);
    users.answered(activate(named("anna")), activated(), THERE);
    expect([users.nameOf(write(), THERE), users.nameOf(write(), HERE)]).toEqual(["anna", undefined]);
    users.left(HERE);
    expect(users.nameOf(write(), THERE)).toBe("anna");
    users.left(THERE);
    expect(users.size).toBe(0);
  });

  test("of more sessions than are kept is nobody, nor of one with a longer token", () => {
    const users = new UaSessionUsers();
    for (let n = 1; n <= MAX_SESSION_USERS + 1; n += 1) {
      users.asked(activate(named("anna"), n), HERE);
      users.answered(activate(named("anna"), n), activated(), HERE);
    }
    expect([users.size, users.nameOf(write(MAX_SESSION_USERS), HERE)]).toEqual([MAX_SESSION_USERS, "anna"]);
    expect(users.nameOf(write(MAX_SESSION_USERS + 1), HERE)).toBeUndefined();
    const long = known([activate(named("anna"), "t".repeat(MAX_NAME_LENGTH)), activated()]);
    expect(long.size).toBe(0);
  });

  test("is the role of what is observed on its connection", () => {
    const plant = { id: PlantId("p"), title: "", zones: [], devices: [], links: [], tags: [], essential: [], raw: [] };
    const names = new UaNames(new UaTags(plant, PLC));
    names.asked(activate(named("anna")), HERE);
    names.answered(activate(named("anna")), activated(), HERE);
    expect(names.observe(PARTY, write(), HERE)).toMatchObject([{ operation: "write", role: "anna" }]);
    for (const [observation] of [names.observe(PARTY, write(), THERE), names.observe(PARTY, write())])
      expect(observation?.role).toBeUndefined();
  });
});
