import { X509Certificate } from "node:crypto";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MessageSecurityMode, SecurityPolicy, UserTokenType } from "node-opcua";
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { systemClock } from "#point/clock.ts";
import { Point } from "#point/point.ts";
import { type RunningFilter, runSwitchFilter } from "#switch-filter/main.ts";
import { loadTermination } from "#switch-filter/opcua-identity.ts";
import { Authority } from "./opcua-authority.ts";
import { IN_FORCE, LINK, PLC as SERVER, uaPlant } from "./opcua-plant.ts";
import {
  makeCertificate,
  makeTermination,
  type RunningServer,
  type Security,
  startUaServer,
  USER,
  uaClient,
} from "./opcua-server.ts";

/** Users with certificates: real client and server (node-opcua), the filter between them, an authority by openssl. */
const FILTER = { host: "127.252.7.2", port: 28441 };
const PLC = { host: "127.252.7.3", port: 28442 };
const URL = `opc.tcp://${FILTER.host}:${FILTER.port}`;
const pki = mkdtempSync(join(tmpdir(), "sekisho-ua-users-"));
const folder = join(pki, "filter");
const clock = systemClock();
const says: string[] = [];
let authority: Authority;
let running: RunningServer;
let filter: RunningFilter;

beforeAll(async () => {
  running = await startUaServer(PLC, pki);
  for (const name of ["client", "anna", "own"]) await makeCertificate(pki, name);
  await makeTermination(pki, running.server, ["client"]);
  authority = new Authority(join(pki, "ca"));
  for (const name of ["bert", "carl", "dora"]) authority.issue(name);
  mkdirSync(join(folder, "users", "crl"), { recursive: true });
  copyFileSync(join(pki, "anna", "own.pem"), join(folder, "users", "anna.pem"));
  copyFileSync(authority.certificate, join(folder, "users", "authority.pem"));
  writeFileSync(join(folder, "users", "crl", "authority.crl"), authority.revoke("DER", "carl"));
  writeFileSync(join(folder, "own", "operator.password"), `${USER.password}\n`);
  copyFileSync(join(pki, "own", "own.pem"), join(folder, "own", "user.pem"));
  copyFileSync(join(pki, "own", "own", "private", "private_key.pem"), join(folder, "own", "user.key"));
  const { fingerprint } = new X509Certificate(readFileSync(join(pki, "anna", "own.pem")));
  writeMap([
    { thumbprint: fingerprint, userName: USER.userName, passwordFile: "own/operator.password" },
    { subject: "CN=bert", certificateFile: "own/user.pem", keyFile: "own/user.key" },
    { subject: "CN=carl", userName: USER.userName, passwordFile: "own/operator.password" },
  ]);
  filter = await runSwitchFilter({
    bundle: uaPlant({ writer: ["127.0.0.1"], reader: ["127.252.7.9"], plc: [FILTER.host] }).bundle,
    listeners: [{ link: LINK, listen: FILTER, upstream: PLC, termination: loadTermination(folder, SERVER) }],
    mode: "enforce",
    clock,
    standalonePhase: IN_FORCE,
  });
  vi.spyOn(Point.prototype, "notice").mockImplementation((notice) => void says.push(notice.says));
}, 120_000);

beforeEach(() => {
  says.length = 0;
  running.sessions.length = 0;
});

afterAll(async () => {
  vi.restoreAllMocks();
  await filter.close();
  await running.stop();
  clock.close();
  rmSync(pki, { recursive: true, force: true });
});

function writeMap(entries: unknown): void {
  writeFileSync(join(folder, "users", "users.json"), JSON.stringify(entries));
}

const SIGNED: Security = { policy: SecurityPolicy.Basic256Sha256, mode: MessageSecurityMode.Sign };
const WAYS: readonly Security[] = [
  SIGNED,
  { policy: SecurityPolicy.Aes256_Sha256_RsaPss, mode: MessageSecurityMode.SignAndEncrypt },
];

/** Logs on with a certificate, and a key that is not always its own. */
async function logOn(certificate: string, key: string, way = SIGNED): Promise<string> {
  const client = await uaClient(pki, way);
  await client.connect(URL);
  try {
    const session = await client.createSession({
      type: UserTokenType.Certificate,
      certificateData: new X509Certificate(readFileSync(certificate)).raw,
      privateKey: readFileSync(key, "utf8"),
    });
    await session.close();
    return "logged on";
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    await client.disconnect();
  }
}

const anna = [join(pki, "anna", "own.pem"), join(pki, "anna", "own", "private", "private_key.pem")] as const;
const issued = (name: string) => [join(pki, "ca", `${name}.pem`), join(pki, "ca", `${name}.key`)] as const;

describe.each(WAYS)("$policy, mode $mode", (way) => {
  test("who is mapped to a password is that user to the server", async () => {
    expect(await logOn(...anna, way)).toBe("logged on");
    expect(running.sessions.at(-1)?.userIdentityToken).toMatchObject({ userName: USER.userName });
  }, 60_000);

  test("who is mapped to a certificate of the filter's comes with that to the server", async () => {
    expect(await logOn(...issued("bert"), way)).toBe("logged on");
    const token: unknown = running.sessions.at(-1)?.userIdentityToken;
    const own = new X509Certificate(readFileSync(join(folder, "own", "user.pem"))).raw;
    expect(token).toMatchObject({ certificateData: own });
  }, 60_000);
});

test.each([
  {
    name: "whose certificate is mapped to nobody",
    with: issued("dora"),
    status: "BadIdentityTokenRejected",
    says: "CN=dora, which is mapped to no user",
  },
  {
    name: "whose certificate was revoked",
    with: issued("carl"),
    status: "BadIdentityTokenRejected",
    says: "CN=carl was revoked",
  },
  {
    name: "whose certificate nobody trusts",
    with: [join(pki, "client", "own.pem"), join(pki, "client", "own", "private", "private_key.pem")] as const,
    status: "BadIdentityTokenRejected",
    says: "CN=client is not trusted",
  },
  {
    name: "who has another's certificate and not its key",
    with: [anna[0], issued("bert")[1]] as const,
    status: "BadUserSignatureInvalid",
    says: "a signature that does not hold",
  },
])(
  "a user $name is refused, and it is said",
  async ({ with: [certificate, key], status, says: told }) => {
    expect(await logOn(certificate, key)).toContain(status);
    expect(says.join("\n")).toContain(told);
    expect(running.sessions.every(({ userIdentityToken }) => userIdentityToken === undefined)).toBe(true);
  },
  60_000,
);

describe("a map that cannot be used is refused with file and entry", () => {
  test.each([
    { entries: {}, says: "is not a list" },
    {
      entries: [{ userName: "x", passwordFile: "own/operator.password" }],
      says: "entry 1, needs a thumbprint or a subject",
    },
    { entries: [{ thumbprint: "12", userName: "x", passwordFile: "y" }], says: "not SHA-1 in hex" },
    { entries: [{ subject: "CN=a" }], says: "entry 1, needs `userName` and `passwordFile`" },
    { entries: [{ subject: "CN=a", userName: "x", passwordFile: "nowhere" }], says: "nowhere cannot be read" },
    {
      entries: [{ subject: "CN=a", userName: "x", passwordFile: "own/operator.password", keyFile: "z" }],
      says: "entry 1, needs",
    },
    {
      entries: [{ subject: "CN=a", certificateFile: "own/user.pem", keyFile: "own/clients.key" }],
      says: "is not the key of",
    },
    {
      entries: [
        { subject: "CN=a", userName: "x", passwordFile: "own/operator.password" },
        { subject: "CN=a", userName: "y", passwordFile: "own/operator.password" },
      ],
      says: "entry 2, names CN=a a second time",
    },
  ])("$says", ({ entries, says: told }) => {
    writeMap(entries);
    expect(() => loadTermination(folder, SERVER)).toThrow(told);
  });
});
