import { networkInterfaces } from "node:os";
import type { Command } from "commander";
import type { PhaseId } from "#specs/ids.ts";
import { compilePacketFilter, type PacketPlan } from "#switch-filter/packet-filter/compile.ts";
import { nftCommand } from "#switch-filter/packet-filter/nft.ts";
import { inForce, listTables, PacketFilter, removeTables } from "#switch-filter/packet-filter/packet-filter.ts";
import { loadPacketSite, type PacketSite } from "#switch-filter/packet-filter/site.ts";
import { bundleFrom } from "./bundle.ts";
import { type TrustFlags, trustOptions } from "./bundle-file.ts";
import { AnswerNo, UsageError } from "./part.ts";
import { writeOut } from "./spec/files.ts";

interface PlanFlags extends TrustFlags {
  readonly bundle: string;
  readonly site: string;
  readonly phase?: string;
}

/** `sekisho packet-filter generate|apply|remove|show`: the switch layer's rules below the application, as nftables. */
export function addPacketFilterCommands(program: Command): void {
  const command = program
    .command("packet-filter")
    .description("whitelist addresses, ports and cards with nftables, by the phase of the lifecycle");
  planOptions(command.command("generate"))
    .description("print the rules of a phase, for those who apply them themselves with `nft -f`")
    .option("--out <file>", "where to write them; default: standard output")
    .action((flags: PlanFlags & { readonly out?: string }) => generate(flags));
  planOptions(command.command("apply"))
    .description("put a phase's rules in force on this host, checked first and in one transaction")
    .action((flags: PlanFlags) => apply(flags));
  command.command("remove").description("remove our own tables from this host, and no others").action(remove);
  command
    .command("show")
    .description("show our own tables as the kernel has them, and the phase they are of")
    .option("--json", "print JSON")
    .action((flags: { readonly json?: boolean }) => show(flags.json === true));
}

function planOptions(command: Command): Command {
  return trustOptions(command)
    .requiredOption("--bundle <B>", "a bundle file, or a plant under lifecycle-specs/plants")
    .requiredOption("--site <file>", "how this host is wired: docs/packet-filter.md")
    .option("--phase <phase>", "the phase that is in force; default: none is held, and only safety commands may pass");
}

function generate(flags: PlanFlags & { readonly out?: string }): void {
  const { plan, phase } = planFrom(flags);
  const compiled = compilePacketFilter(plan, phase);
  if (!compiled.ok) throw new UsageError(compiled.error);
  writeOut(flags.out, compiled.value.whole);
}

async function apply(flags: PlanFlags): Promise<void> {
  const { plan, phase } = planFrom(flags);
  const compiled = compilePacketFilter(plan, phase);
  if (!compiled.ok) throw new UsageError(compiled.error);
  await orNo(async () => {
    const filter = await PacketFilter.open(plan, nftCommand());
    for (const line of [...filter.without, ...missingAddresses(plan.site)]) process.stderr.write(`note: ${line}\n`);
    await filter.enter(phase);
  });
  process.stderr.write(`the packet filter of phase ${phase ?? "-"} is in force\n`);
}

async function remove(): Promise<void> {
  const families = await orNo(() => removeTables(nftCommand()));
  process.stderr.write(
    families.length === 0
      ? "there is no packet filter of ours on this host\n"
      : "the packet filter is removed: this host filters nothing any more\n",
  );
}

async function show(json: boolean): Promise<void> {
  const nft = nftCommand();
  const found = await orNo(() => inForce(nft));
  if (found === undefined) throw new AnswerNo("there is no packet filter of ours on this host");
  const text = await orNo(() => listTables(nft));
  process.stdout.write(json ? `${JSON.stringify({ ...found, text })}\n` : `# phase ${found.phase ?? "-"}\n${text}`);
}

/** @throws UsageError */
function planFrom(flags: PlanFlags): { readonly plan: PacketPlan; readonly phase: PhaseId | null } {
  const { plant, lifecycle, projections } = bundleFrom(flags.bundle, flags);
  const phase = lifecycle.phases.find(({ id }) => id === flags.phase)?.id ?? null;
  if (flags.phase !== undefined && phase === null) {
    const known = lifecycle.phases.map(({ id }) => id).join(", ");
    throw new UsageError(`phase \`${flags.phase}\` is not in this bundle; it has ${known}`);
  }
  return { plan: { plant, flows: projections.flows, site: siteFrom(flags.site) }, phase };
}

function siteFrom(file: string): PacketSite {
  try {
    return loadPacketSite(file);
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

/** Addresses that the filter listens at or dials from, and that this host does not have. */
function missingAddresses({ filter }: PacketSite): readonly string[] {
  const own = new Set(Object.values(networkInterfaces()).flatMap((list) => list?.map(({ address }) => address) ?? []));
  const needed = [...(filter?.listeners.map(({ address }) => address) ?? []), ...Object.values(filter?.aliases ?? {})];
  return [...new Set(needed)]
    .filter((address) => !own.has(address))
    .map((address) => `this host does not have ${address} yet; give it with \`ip addr add ${address}/32 dev lo\``);
}

/** What the kernel will not do is no wrong usage. */
async function orNo<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw new AnswerNo(error instanceof Error ? error.message : String(error));
  }
}
