import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Network, whyNoNetwork } from "../support/netns.ts";
import { routedSite } from "./namespaces-routed.ts";

const why = whyNoNetwork();
const RUNNER = fileURLToPath(new URL("./namespaces-command.ts", import.meta.url));

describe.skipIf(why !== undefined)(`sekisho packet-filter${why === undefined ? "" : ` (not run: ${why})`}`, () => {
  const folder = mkdtempSync(join(tmpdir(), "sekisho-packets-"));
  const [site, out] = [join(folder, "site.json"), join(folder, "rules.nft")];
  let network: Network;

  beforeAll(async () => {
    writeFileSync(site, JSON.stringify(routedSite("s-lan", "s-plc")));
    network = await Network.build((net) => net.host("sw"));
  });
  afterAll(async () => {
    await network?.remove();
    rmSync(folder, { recursive: true, force: true });
  });

  const sekisho = async (...args: readonly string[]) => {
    const child = network.start("sw", process.execPath, RUNNER, "packet-filter", ...args);
    let [stdout, stderr] = ["", ""];
    child.stdout?.on("data", (chunk: Buffer) => {
      stdout += chunk.toString();
    });
    child.stderr?.on("data", (chunk: Buffer) => {
      stderr += chunk.toString();
    });
    const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
    return { code, stdout, stderr };
  };
  const plan = (phase: string) => ["--bundle", "water-treatment", "--site", site, "--phase", phase];

  test("generate prints what `nft -f` takes, and apply puts the same in force", async () => {
    const printed = await sekisho("generate", ...plan("normal"));
    expect(printed).toMatchObject({ code: 0, stderr: "" });
    expect(await sekisho("generate", ...plan("normal"), "--out", out)).toMatchObject({ code: 0, stdout: "" });
    expect(readFileSync(out, "utf8")).toBe(printed.stdout);
    await network.run("sw", "nft", "-f", out);
    const byHand = await network.run("sw", "nft", "list", "ruleset");
    expect(await sekisho("remove")).toMatchObject({ code: 0 });
    expect(await network.run("sw", "nft", "list", "ruleset")).toBe("");
    const applied = await sekisho("apply", ...plan("normal"));
    expect(applied).toMatchObject({
      code: 0,
      stdout: "",
      stderr: expect.stringContaining("the packet filter of phase normal is in force"),
    });
    expect(applied.stderr).toContain("note: this host does not have 169.254.7.100 yet");
    expect(await network.run("sw", "nft", "list", "ruleset")).toBe(byHand);
  });

  test("show says which phase is in force, as text and as JSON", async () => {
    await sekisho("apply", ...plan("shutdown"));
    expect(await sekisho("show")).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^# phase shutdown\ntable inet sekisho/),
    });
    const { stdout } = await sekisho("show", "--json");
    expect(JSON.parse(stdout)).toMatchObject({
      phase: "shutdown",
      families: ["inet", "arp"],
      text: expect.any(String),
    });
  });

  test("remove takes our own tables away and no others; then there is nothing to show", async () => {
    await network.run("sw", "nft", "add table inet other");
    expect(await sekisho("remove")).toMatchObject({ code: 0 });
    expect((await network.run("sw", "nft", "list", "tables")).trim()).toBe("table inet other");
    expect(await sekisho("remove")).toMatchObject({
      code: 0,
      stderr: "there is no packet filter of ours on this host\n",
    });
    expect(await sekisho("show")).toMatchObject({
      code: 1,
      stderr: "sekisho: there is no packet filter of ours on this host\n",
    });
  });

  test.each([
    {
      args: ["generate", ...["--bundle", "water-treatment", "--site", "/nowhere.yaml"]],
      says: /^sekisho: \/nowhere.yaml cannot be read/,
    },
    { args: ["apply", ...["--bundle", "water-treatment", "--site"], RUNNER], says: /is not a packet-filter site file/ },
  ])("wrong usage is one sentence and 2", async ({ args, says }) => {
    expect(await sekisho(...args)).toMatchObject({ code: 2, stderr: expect.stringMatching(says) });
  });
});
