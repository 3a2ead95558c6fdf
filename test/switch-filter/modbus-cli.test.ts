import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "node:tls";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { buildBundle } from "#specs/bundle.ts";
import { unsignedBundle } from "#specs/sign.ts";
import { sekisho } from "../support/cli.ts";
import { waterTreatment } from "../support/plant.ts";
import { hasTool } from "../support/tools.ts";
import { adu, RawClient } from "./raw-client.ts";
import { SERVER_MAKES } from "./servers.ts";
import { type Authority, makeAuthority } from "./tls-certificates.ts";

/** The filter as a process of its own, by its command line alone: no coordinator, no bus. */
const FILTER = { host: "127.253.2.141", port: 15_141 };
const PLC = { host: "127.253.3.141", port: 15_142 };
const MAIN = fileURLToPath(new URL("../../cli/main.ts", import.meta.url));
const ALONE = [
  ...["switch-filter", "--phase", "normal", "--standalone"],
  ...["--link", "test-plc1", "--listen", `${FILTER.host}:${FILTER.port}`, "--upstream", `${PLC.host}:${PLC.port}`],
];

describe.skipIf(!hasTool("openssl"))("sekisho switch-filter, alone", () => {
  const folder = mkdtempSync(join(tmpdir(), "sekisho-modbus-cli-"));
  /** The same plant, and its link is Modbus/TCP Security. */
  const overTls = join(folder, "bundle.json");
  let authority: Authority;
  let plc: { stop(): Promise<void> } | undefined;

  beforeAll(async () => {
    authority = makeAuthority("site");
    const { plant, lifecycle } = waterTreatment();
    const links = plant.links.map((link) => (link.id === "test-plc1" ? { ...link, tls: true } : link));
    writeFileSync(overTls, unsignedBundle(buildBundle({ ...plant, links }, lifecycle)));
    plc = await SERVER_MAKES[0]?.start(PLC);
  }, 20_000);

  afterAll(async () => {
    await plc?.stop();
    rmSync(folder, { recursive: true, force: true });
    authority.remove();
  });

  async function running(
    args: readonly string[],
    work: () => Promise<void>,
    bundle = "water-treatment",
  ): Promise<void> {
    const child = fork(MAIN, [...ALONE, ...args, "--bundle", bundle], {
      stdio: ["ignore", "ignore", "inherit", "ipc"],
    });
    try {
      expect((await once(child, "message"))[0]).toBe("ready");
      await work();
    } finally {
      const gone = once(child, "exit");
      child.kill("SIGTERM");
      await gone;
    }
  }

  test("--deny: a value is dropped, an address ends the connection, the rest stays as it was", async () => {
    await running(["--deny", "role=drop,address=close,function=exception:4"], async () => {
      const client = await RawClient.open(FILTER, "127.0.0.1");
      client.say(Buffer.concat([adu(1, "06 0001 1234"), adu(2, "08 0000 0000"), adu(3, "04 0000 0001")]));
      expect(await client.answers(2)).toEqual([adu(2, "88 04"), adu(3, "04 02 0000")].map((b) => b.toString("hex")));
      client.say(adu(4, "03 0064 0001"));
      await client.ended();
    });
  });

  test("--tls-clients and --tls-roles: over TLS, with a certificate of that role", async () => {
    const files = authority.files(authority.identity("filter", { address: FILTER.host }));
    const work = async () => {
      const ask = async (role: string): Promise<readonly string[]> => {
        const client = new RawClient(connect({ ...FILTER, ...authority.identity("hmi", { role }) }));
        client.say(adu(1, "04 0000 0001"));
        const answers = await client.answers(1);
        client.close();
        return answers;
      };
      expect(await ask("engineer")).toEqual([adu(1, "04 02 0000").toString("hex")]);
      expect(await ask("viewer")).toEqual([]);
    };
    await running(["--tls-clients", files, "--tls-roles", "operator,engineer", "--unsigned"], work, overTls);
  });

  test.each([
    { args: ["--deny", "value=forward"], says: "`value=forward` does not end in" },
    { args: ["--framing", "ascii"], says: "framing `ascii` is none of mbap, rtu" },
    { args: ["--max-connections", "many"], says: "--max-connections `many` is not a number from 1 to 65535" },
    {
      args: ["--max-connections", "8", "--max-connections-per-source", "9"],
      says: "--max-connections-per-source 9 is more than the 8 of --max-connections",
    },
    { args: ["--tls-roles", "operator"], says: "--tls-roles needs --tls-clients" },
    { args: ["--tls-clients", "one.pem,two.pem"], says: "is not three files: CERT,KEY,CA" },
    { args: ["--tls-clients", "none.pem,none.key,none.pem"], says: "none.pem cannot be read" },
    { args: ["--tls-server", `${MAIN},${MAIN},${MAIN}`], says: "is not a certificate in PEM form" },
  ])("$args: refused in one sentence, exit code 2", async ({ args, says }) => {
    const { code, stderr } = await sekisho([...ALONE, "--bundle", "water-treatment", ...args], 8000);
    expect([code, stderr.trim().split("\n").length]).toEqual([2, 1]);
    expect(stderr).toContain(says);
  });

  test("a link that is declared otherwise than it is served: refused in one sentence, exit code 2", async () => {
    const files = authority.files(authority.identity("filter", { address: FILTER.host }));
    const plain = await sekisho([...ALONE, "--bundle", "water-treatment", "--tls-clients", files], 8000);
    expect([plain.code, plain.stderr.trim().split("\n")]).toEqual([2, [expect.stringContaining("is not declared")]]);
    const declared = await sekisho([...ALONE, "--bundle", overTls, "--unsigned"], 8000);
    expect([declared.code, declared.stderr]).toEqual([2, expect.stringContaining("without --tls-clients")]);
  });
});
