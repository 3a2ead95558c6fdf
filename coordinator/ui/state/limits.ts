import type { ChangeRecordView, PlantView, RuleInfo, StateView } from "#coordinator/page-messages.ts";
import { groupOf, phaseInfo } from "./phases.ts";

// What a containment takes away and what it leaves, in words: commands of one phase against those of another.

export interface Limits {
  /** Per device: the commands it had and has no more. */
  readonly lost: readonly { readonly device: string; readonly titles: readonly string[] }[];
  readonly kept: readonly { readonly device: string; readonly titles: readonly string[] }[];
  /** Essential functions; every degraded phase keeps them. */
  readonly essential: readonly string[];
}

const COMMANDS: ReadonlySet<string> = new Set(["write", "call", "program"]);

interface Command {
  readonly device: string;
  readonly tag: string;
}

/** Every command that some step of the phase allows over the network; the control program is not meant. */
function commandsOf(plant: PlantView, phase: string): readonly Command[] {
  const info = phaseInfo(plant, phase);
  const rules: readonly RuleInfo[] = [
    ...plant.rules,
    ...(info?.rules ?? []),
    ...(info?.steps ?? []).flatMap((s) => s.rules),
  ];
  return rules
    .filter((r) => COMMANDS.has(r.operation))
    .flatMap((r) => r.from.filter((f) => f !== "program").flatMap((device) => r.tags.map((tag) => ({ device, tag }))));
}

export function limits(plant: PlantView, from: string, to: string): Limits {
  const before = commandsOf(plant, from);
  const after = new Set(commandsOf(plant, to).map((c) => `${c.device} ${c.tag}`));
  const isKept = (c: Command): boolean => after.has(`${c.device} ${c.tag}`);
  return {
    lost: perDevice(
      plant,
      before.filter((c) => !isKept(c)),
    ),
    kept: perDevice(plant, before.filter(isKept)),
    essential: plant.essential.map((e) => e.says),
  };
}

function perDevice(plant: PlantView, commands: readonly Command[]): Limits["lost"] {
  const devices = [...new Set(commands.map((c) => c.device))];
  return devices.map((device) => ({
    device: plant.devices.find((d) => d.id === device)?.title ?? device,
    titles: [...new Set(commands.filter((c) => c.device === device).map((c) => c.tag))].map(
      (tag) => plant.tags.find((t) => t.id === tag)?.title ?? tag,
    ),
  }));
}

export interface Degraded {
  readonly phase: string;
  readonly sinceMs: number;
  /** Phase before the first containment of this episode. */
  readonly from: string;
  /** What led to it; empty where the record is gone. */
  readonly cause: string;
  readonly limits: Limits;
}

/** Set while the phase is a containment. */
export function degraded(plant: PlantView, state: StateView): Degraded | undefined {
  const info = phaseInfo(plant, state.phase);
  if (info === undefined || !info.containment) return undefined;
  const isContainment = (phase: string | null): boolean => phaseInfo(plant, phase)?.containment === true;
  const episode = recordsOfEpisode(state.history, isContainment);
  const from = episode.at(-1)?.from ?? originByLifecycle(plant, info.id);
  return {
    phase: info.id,
    sinceMs: episode.at(-1)?.atMs ?? state.sinceMs,
    from,
    cause: episode[0]?.cause ?? "",
    limits: limits(plant, from, info.id),
  };
}

/** Changes into containments without a break, newest first. */
function recordsOfEpisode(
  history: readonly ChangeRecordView[],
  isContainment: (phase: string | null) => boolean,
): readonly ChangeRecordView[] {
  const done = history.filter((r) => r.outcome === "done");
  const end = done.findIndex((r) => !isContainment(r.to));
  return end < 0 ? done : done.slice(0, end);
}

/** Without a record: a phase outside the group from which the lifecycle leads here, else the initial one. */
function originByLifecycle(plant: PlantView, phase: string): string {
  const generatedFrom = plant.phases.find((p) => p.id === phase)?.generatedFrom;
  if (generatedFrom !== undefined) return generatedFrom;
  const origin = plant.phases.find(
    (p) => groupOf(p.id) !== groupOf(phase) && p.transitions.some((t) => t.to === phase),
  );
  return origin?.id ?? plant.phases.find((p) => p.id === "normal")?.id ?? plant.initial;
}
