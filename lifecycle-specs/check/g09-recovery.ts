import { containmentFor } from "../containment.ts";
import type { DeviceId, PhaseId } from "../ids.ts";
import type { Lifecycle, Locus, Phase, Rule, Transition } from "../lifecycle.ts";
import { changesState, throughMask } from "../mask.ts";
import type { Device, DeviceRole, Plant } from "../plant.ts";
import { exitInWords, phaseKey, quoted } from "./keys.ts";
import type { Checked, RawFact, RawFinding, Said } from "./report.ts";
import { type Space, spaceOf } from "./state-space.ts";

/** Where a detection puts a device that has been taken over; see the coordinator's table of loci. */
const LOCUS_OF: Readonly<Record<DeviceRole, Locus>> = {
  hmi: "hmi",
  engineering: "engineering",
  plc: "plc-logic",
  rtu: "plc-logic",
  "opcua-server": "plc-logic",
  // Of these the taps only see that something may not do what it does under that address.
  historian: "unknown-device",
  test: "unknown-device",
};

/** Why a pair of phase and device has no recovery. */
type Lack =
  | { readonly kind: "no-containment"; readonly locus: Locus }
  | { readonly kind: "not-limited"; readonly to: Phase; readonly rule: Rule }
  | { readonly kind: "no-trusted-way"; readonly to: Phase; readonly trace: readonly string[] };

/** A pair of phase and device that has no recovery. */
interface Pair {
  readonly phase: Phase;
  readonly device: DeviceId;
  readonly lack: Lack;
}

/**
 * For each phase and each single device that may have been taken over: there is a containment for where that device sits, it leaves
 * the device nothing that changes the plant, and transitions that do not trust the device lead back to the phase, or to the initial
 * or the safe one. Pairs without are listed; a containment that ends only by the word of the device that it is for is warned of.
 */
export function recoveryExists(spec: Checked): readonly Said[] {
  const recovery = new Recovery(spec);
  // A generated containment is limited already, and its ways out are its origin's.
  const written = spec.lifecycle.phases.filter(({ mask }) => mask === undefined);
  const pairs = written.flatMap((phase) =>
    spec.plant.devices.flatMap((device): readonly Pair[] => {
      const lack = recovery.lackOf(phase, device);
      return lack === undefined ? [] : [{ phase, device: device.id, lack }];
    }),
  );
  return [...listed(pairs), ...warnedOf(pairs)];
}

function listed(pairs: readonly Pair[]): readonly RawFact[] {
  return [...Map.groupBy(pairs, ({ phase }) => phase)].flatMap(([phase, ofPhase]) =>
    [...Map.groupBy(ofPhase, ({ lack }) => wordsOf(lack))].map(([why, ofWhy]): RawFact => {
      const devices = ofWhy.map(({ device }) => device);
      return {
        at: phaseKey(phase),
        guarantee: "G9",
        fact: `from phase \`${phase.id}\` there is no sure way back when ${quoted(devices)} ${devices.length === 1 ? "has" : "have"} been taken over: ${why}`,
        detail: { phase: phase.id, devices, why },
      };
    }),
  );
}

/** One warning for each containment and device, at the first phase in which it shows. */
function warnedOf(pairs: readonly Pair[]): readonly RawFinding[] {
  const found = new Map<string, RawFinding>();
  for (const { phase, device, lack } of pairs) {
    if (lack.kind !== "no-trusted-way") continue;
    const key = `${lack.to.id} ${device}`;
    if (found.has(key)) continue;
    found.set(key, {
      at: phaseKey(lack.to),
      code: "RECOVERY_TRUSTS_SUSPECT",
      message: `when \`${device}\` has been taken over in phase \`${phase.id}\`, no transitions lead back from \`${lack.to.id}\` without trusting what \`${device}\` says; add a request by which people who have looked at the plant lead it back`,
      trace: [`\`${phase.id}\`, \`${device}\` taken over`, ...lack.trace],
    });
  }
  return [...found.values()];
}

class Recovery {
  readonly #plant: Plant;
  readonly #lifecycle: Lifecycle;
  readonly #space: Space;
  readonly #byId: ReadonlyMap<PhaseId, Phase>;
  /** Phases that can be reached without trusting a device, worked out once for each beginning. */
  readonly #known = new Map<string, ReadonlySet<PhaseId>>();

  constructor(spec: Checked) {
    this.#plant = spec.plant;
    this.#lifecycle = spec.lifecycle;
    this.#space = spaceOf(spec);
    this.#byId = new Map(spec.lifecycle.phases.map((phase) => [phase.id, phase]));
  }

  lackOf(phase: Phase, device: Device): Lack | undefined {
    const locus = LOCUS_OF[device.role];
    const to = this.#containmentOf(phase, locus);
    if (to === undefined) return { kind: "no-containment", locus };
    const rule = this.#leftTo(to, device);
    if (rule !== undefined) return { kind: "not-limited", to, rule };
    const there = this.#trusted(to, device.id);
    const region = this.#lifecycle.regions.find(({ zone }) => zone === phase.zone);
    const goals = [...(to === phase ? [] : [phase.id]), region?.initial, region?.safe?.phase];
    if (goals.some((id) => id !== undefined && there.has(id))) return undefined;
    return { kind: "no-trusted-way", to, trace: this.#traceOf(to, device.id, there) };
  }

  /** The phase itself where it is what such a detection leads to. */
  #containmentOf(phase: Phase, locus: Locus): Phase | undefined {
    const isOne = this.#lifecycle.containments.some(
      (entry) => entry.to === phase.id && entry.tags === undefined && entry.locus.includes(locus),
    );
    if (isOne) return phase;
    const choice = containmentFor(this.#lifecycle, phase.id, [locus], []);
    return choice === undefined ? undefined : this.#byId.get(choice.to);
  }

  /** A rule by which the device may still change the plant. A server changes nothing by itself: its program is another matter. */
  #leftTo({ rules, steps, mask }: Phase, { id }: Device): Rule | undefined {
    const all = [...this.#lifecycle.rules, ...rules, ...steps.flatMap((step) => step.rules)];
    return all.find(
      (rule) =>
        changesState(rule.operation) &&
        !rule.safety &&
        rule.from.includes(id) &&
        rule.targets.some(
          (target) => mask === undefined || throughMask(this.#plant, mask, rule, id, target) !== "masked",
        ),
    );
  }

  #trusted(begin: Phase, device: DeviceId): ReadonlySet<PhaseId> {
    const key = `${begin.id} ${device}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const found = new Set([begin.id]);
    for (const id of found) {
      for (const exit of this.#byId.get(id)?.transitions ?? []) if (!this.#dependsOn(exit, device)) found.add(exit.to);
    }
    this.#known.set(key, found);
    return found;
  }

  #dependsOn({ when }: Transition, device: DeviceId): boolean {
    if (!this.#space.canHold(when)) return true;
    return when?.all.some(({ tag }) => this.#space.tagOf(tag)?.device === device) === true;
  }

  #traceOf(to: Phase, device: DeviceId, there: ReadonlySet<PhaseId>): readonly string[] {
    const barred = [...there].flatMap((id) =>
      (this.#byId.get(id)?.transitions ?? [])
        .filter((exit) => this.#dependsOn(exit, device) && !there.has(exit.to))
        .map((exit) => `\`${id}\` → \`${exit.to}\` is not to be trusted: ${exitInWords(exit, this.#space.tagOf)}`),
    );
    return [`contained: \`${to.id}\``, `from there ${quoted([...there])} can be reached`, ...barred];
  }
}

function wordsOf(lack: Lack): string {
  switch (lack.kind) {
    case "no-containment":
      return "no containment is named for where they sit";
    case "not-limited":
      return `\`${lack.to.id}\` leaves it rule \`${lack.rule.id}\``;
    case "no-trusted-way":
      return `no way leads back from \`${lack.to.id}\` without trusting it`;
    default: {
      const never: never = lack;
      throw new Error(`unreachable: ${JSON.stringify(never)}`);
    }
  }
}
