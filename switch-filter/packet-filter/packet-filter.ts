import type { PhaseId } from "#specs/ids.ts";
import { ok, type Result } from "#specs/result.ts";
import { compilePacketFilter, type PacketPlan } from "./compile.ts";
import { type Probed, probe } from "./features.ts";
import type { Nft } from "./nft.ts";
import { ABOUT, clear, FAMILIES, type Family, type Ruleset, readAbout, TABLE } from "./ruleset.ts";

/** What is in force in the kernel. */
export interface InForce {
  readonly families: readonly Family[];
  /** null: none is held. */
  readonly phase: string | null;
  readonly structure: string;
}

/**
 * Keeps the host's own nftables tables at the phase that is held. Phases come one after another; of those that came while one was
 * being applied only the last counts.
 */
export class PacketFilter {
  /** What this kernel is without, a sentence each. */
  readonly without: readonly string[];
  #plan: PacketPlan;
  readonly #features: Probed["features"];
  readonly #nft: Nft;
  #wanted: PhaseId | null | undefined;
  #working: Promise<void> | undefined;

  private constructor(plan: PacketPlan, { features, without }: Probed, nft: Nft) {
    this.#plan = plan;
    this.#features = features;
    this.#nft = nft;
    this.without = without;
  }

  /** Asks the kernel what it can do. @throws Error in one sentence */
  static async open(plan: PacketPlan, nft: Nft): Promise<PacketFilter> {
    const probed = await probe(nft, plan.site);
    if (!probed.ok) throw new Error(probed.error);
    return new PacketFilter(plan, probed.value, nft);
  }

  /** What can be said against a plan before it is tried, in one sentence; undefined: nothing. */
  whyNot(plan: PacketPlan, phase: PhaseId | null): string | undefined {
    const compiled = compilePacketFilter(plan, phase, this.#features);
    return compiled.ok ? undefined : compiled.error;
  }

  /** The next phase that is entered is one of this plan. */
  take(plan: PacketPlan): void {
    this.#plan = plan;
  }

  /**
   * Puts a phase in force, in one transaction, checked first. Sessions of links that stay open go on.
   *
   * @param phase null: none is held
   * @throws Error in one sentence; what was in force still is
   */
  enter(phase: PhaseId | null): Promise<void> {
    this.#wanted = phase;
    this.#working ??= this.#work().finally(() => {
      this.#working = undefined;
    });
    return this.#working;
  }

  /** Removes our own tables: this host filters nothing any more. @throws Error in one sentence */
  async remove(): Promise<void> {
    await this.#working?.catch(() => undefined);
    await removeTables(this.#nft);
  }

  async #work(): Promise<void> {
    while (this.#wanted !== undefined) {
      const phase = this.#wanted;
      this.#wanted = undefined;
      await this.#apply(phase);
    }
  }

  async #apply(phase: PhaseId | null): Promise<void> {
    const compiled = compilePacketFilter(this.#plan, phase, this.#features);
    if (!compiled.ok) throw new Error(`no packet filter can be made for phase \`${phase ?? "-"}\`: ${compiled.error}`);
    const text = await this.#checked(compiled.value);
    const done = text.ok ? await this.#nft(["-f", "-"], text.value) : text;
    if (done.ok) return;
    throw new Error(
      `the packet filter of phase \`${phase ?? "-"}\` was not taken, what was in force still is: ${done.error}`,
    );
  }

  /** In place where the structure is the same; else, or if the kernel would not have that, whole: own tables of another mode go. */
  async #checked({ families, structure, whole, inPlace }: Ruleset): Promise<Result<string, string>> {
    const before = await inForce(this.#nft);
    const check = async (text: string): Promise<Result<string, string>> => {
      const checked = await this.#nft(["-c", "-f", "-"], text);
      return checked.ok ? ok(text) : checked;
    };
    if (before?.structure === structure && sameFamilies(before.families, families)) {
      const checked = await check(inPlace);
      if (checked.ok) return checked;
    }
    const leftovers = before?.families.filter((family) => !families.includes(family)) ?? [];
    return check(leftovers.map(clear).join("") + whole);
  }
}

function sameFamilies(a: readonly Family[], b: readonly Family[]): boolean {
  return a.length === b.length && a.every((family) => b.includes(family));
}

/** undefined: there is no table of ours. @throws Error in one sentence */
export async function inForce(nft: Nft): Promise<InForce | undefined> {
  const families = await ownFamilies(nft);
  const [first] = families;
  if (first === undefined) return undefined;
  const listed = await nft(["list", "chain", first, TABLE, ABOUT]);
  const about = listed.ok ? readAbout(listed.value) : undefined;
  // A table of this name that does not say what it is: it is replaced whole.
  return { families, phase: about?.phase ?? null, structure: about?.structure ?? "" };
}

/** The text of our tables as the kernel has them. @throws Error in one sentence */
export async function listTables(nft: Nft): Promise<string> {
  const texts: string[] = [];
  for (const family of await ownFamilies(nft)) texts.push(must(await nft(["list", "table", family, TABLE])));
  return texts.join("");
}

/** @returns the families that had a table of ours. @throws Error in one sentence */
export async function removeTables(nft: Nft): Promise<readonly Family[]> {
  const families = await ownFamilies(nft);
  if (families.length > 0) must(await nft(["-f", "-"], families.map(clear).join("")));
  return families;
}

async function ownFamilies(nft: Nft): Promise<readonly Family[]> {
  const lines = must(await nft(["list", "tables"])).split("\n");
  return FAMILIES.filter((family) => lines.includes(`table ${family} ${TABLE}`));
}

function must(result: Awaited<ReturnType<Nft>>): string {
  if (!result.ok) throw new Error(`the packet filter cannot be looked at: ${result.error}`);
  return result.value;
}
