import { describe, expect, test } from "vitest";
import { PhaseId } from "#specs/ids.ts";
import { err, ok } from "#specs/result.ts";
import { type Nft, nftCommand } from "#switch-filter/packet-filter/nft.ts";
import { inForce, PacketFilter, removeTables } from "#switch-filter/packet-filter/packet-filter.ts";
import { BRIDGE, planOf, ROUTED } from "./plan.ts";

const NORMAL = PhaseId("normal");
const STARTUP = PhaseId("startup");

/** An nft that keeps our table as text, and refuses what `refuses` says. */
function kernel(refuses: (text: string, checks: boolean) => string | undefined = () => undefined) {
  const applied: string[] = [];
  let tables: string[] = ["table inet foreign"];
  let about = "";
  const nft: Nft = async (args, input = "") => {
    if (args[0] === "list" && args[1] === "tables") return ok(`${tables.join("\n")}\n`);
    if (args[0] === "list") return ok(about);
    const problem = refuses(input, args.includes("-c"));
    if (problem !== undefined) return err(problem);
    if (args.includes("-c")) return ok("");
    applied.push(input);
    for (const [, family = ""] of input.matchAll(/^delete table (\w+)/gm))
      tables = tables.filter((t) => t !== `table ${family} sekisho`);
    for (const [, family = ""] of input.matchAll(/^table (\w+)/gm))
      if (!tables.includes(`table ${family} sekisho`)) tables.push(`table ${family} sekisho`);
    about = /chain about \{\n +return[^}]*/.exec(input)?.[0] ?? "";
    return ok("");
  };
  return { nft, applied, tables: () => tables };
}

describe("from phase to phase", () => {
  test("first whole, then in place, and whole again where the wiring is another", async () => {
    const { nft, applied } = kernel();
    const filter = await PacketFilter.open(planOf(BRIDGE), nft);
    await filter.enter(STARTUP);
    await filter.enter(NORMAL);
    expect(applied.map((text) => text.startsWith("add table"))).toEqual([true, false]);
    expect(await inForce(nft)).toMatchObject({ families: ["bridge"], phase: "normal" });
    const other = await PacketFilter.open(planOf({ ...BRIDGE, limits: { connections: 7 } }), nft);
    await other.enter(NORMAL);
    expect(applied.at(-1)).toMatch(/^add table bridge sekisho\ndelete table bridge sekisho\n/);
  });

  test("tables of another mode go in the same transaction", async () => {
    const { nft, applied, tables } = kernel();
    await (await PacketFilter.open(planOf(BRIDGE), nft)).enter(NORMAL);
    await (await PacketFilter.open(planOf(ROUTED), nft)).enter(NORMAL);
    expect(applied.at(-1)).toMatch(/^add table bridge sekisho\ndelete table bridge sekisho\nadd table inet sekisho/);
    expect(tables()).toEqual(["table inet foreign", "table inet sekisho", "table arp sekisho"]);
    expect(await removeTables(nft)).toEqual(["inet", "arp"]);
    expect(tables()).toEqual(["table inet foreign"]);
    expect(await inForce(nft)).toBeUndefined();
  });

  test("of phases that come while one is applied only the last counts, and all wait for it", async () => {
    const { nft, applied } = kernel();
    const filter = await PacketFilter.open(planOf(ROUTED), nft);
    await Promise.all([filter.enter(STARTUP), filter.enter(null), filter.enter(NORMAL)]);
    expect(applied.length).toBe(2);
    expect(await inForce(nft)).toMatchObject({ phase: "normal" });
  });

  test("a refused ruleset is an error, and the next one is tried", async () => {
    const { nft } = kernel((text) => (text.includes("phase=startup") ? "the disk is full" : undefined));
    const filter = await PacketFilter.open(planOf(ROUTED), nft);
    await filter.enter(NORMAL);
    await expect(filter.enter(STARTUP)).rejects.toThrow(
      "the packet filter of phase `startup` was not taken, what was in force still is: the disk is full",
    );
    expect(await inForce(nft)).toMatchObject({ phase: "normal" });
    await filter.enter(null);
    expect(await inForce(nft)).toMatchObject({ phase: null });
  });

  test("if it cannot be replaced in place, it is whole", async () => {
    const { nft, applied } = kernel((text) => (text.includes("flush table") ? "no" : undefined));
    const filter = await PacketFilter.open(planOf(BRIDGE), nft);
    await filter.enter(NORMAL);
    await filter.enter(STARTUP);
    expect(applied.every((text) => text.startsWith("add table"))).toBe(true);
  });
});

describe("what this kernel lacks", () => {
  test("is done without, and said", async () => {
    const { nft, applied } = kernel((text) => (/ct count|table arp/.test(text) ? "not supported" : undefined));
    const filter = await PacketFilter.open(planOf(ROUTED), nft);
    expect(filter.without).toEqual([
      expect.stringContaining("does not count connections"),
      expect.stringContaining("no tables for ARP"),
    ]);
    await filter.enter(NORMAL);
    expect(applied[0]).not.toContain("ct count");
  });

  test.each([
    {
      site: ROUTED,
      lacks: "dnat",
      says: /^this kernel's nftables cannot be used in mode `routed`: address translation/,
    },
    { site: ROUTED, lacks: "reject", says: /resets in the family inet/ },
    { site: BRIDGE, lacks: "update @s", says: /mode `bridge`: sets that rules write to/ },
  ])("is an error where nothing can stand in for it: $lacks", async ({ site, lacks, says }) => {
    const { nft } = kernel((text) => (text.includes(lacks) ? "not supported" : undefined));
    await expect(PacketFilter.open(planOf(site), nft)).rejects.toThrow(says);
  });
});

describe("nft itself", () => {
  test.each([
    { command: ["sekisho-has-no-such-program"], says: "sekisho-has-no-such-program is not installed" },
    {
      command: ["sh", "-c", "echo '/dev/stdin:1:1-3: Error: syntax error, unexpected foo' >&2; exit 1"],
      says: "syntax error, unexpected foo",
    },
    {
      command: ["sh", "-c", "echo 'Operation not permitted (you must be root)' >&2; exit 1"],
      says: "nft may not change packet filters here; run as root or with CAP_NET_ADMIN",
    },
    { command: ["sh", "-c", "exit 1"], says: "nft failed without a word" },
  ] as const)("says why not in one sentence: $says", async ({ command, says }) => {
    expect(await nftCommand([...command])(["-f", "-"], "x".repeat(100_000))).toEqual({ ok: false, error: says });
  });
});
