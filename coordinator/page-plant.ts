import type { Operation } from "#specs/lifecycle.ts";
import type { DeviceRole, Mode, Protocol, TagKind } from "#specs/plant.ts";

/** What does not change while the coordinator runs: inventory and lifecycle. */
export interface PlantView {
  readonly id: string;
  readonly title: string;
  readonly zone: string;
  readonly zoneTitle: string;
  /** Bundle id: sha256 of its canonical content. */
  readonly bundle: string;
  readonly version: number;
  readonly initial: string;
  readonly isolated: string;
  readonly devices: readonly {
    readonly id: string;
    readonly title: string;
    readonly role: DeviceRole;
    readonly addresses: readonly string[];
  }[];
  readonly links: readonly {
    readonly id: string;
    readonly client: string;
    readonly server: string;
    readonly protocol: Protocol;
    readonly mode: Mode;
  }[];
  readonly tags: readonly TagInfo[];
  readonly essential: readonly { readonly id: string; readonly says: string; readonly tags: readonly string[] }[];
  readonly phases: readonly PhaseInfo[];
  /** Rules that hold in every phase. */
  readonly rules: readonly RuleInfo[];
}

export interface TagInfo {
  readonly id: string;
  readonly title: string;
  readonly kind: TagKind;
  readonly device: string;
  readonly unit: string;
  readonly low: number;
  readonly high: number;
}

export interface PhaseInfo {
  readonly id: string;
  readonly says: string;
  readonly containment: boolean;
  /** Generated containments only: the phase whose whitelist they narrow. */
  readonly generatedFrom?: string;
  readonly rules: readonly RuleInfo[];
  readonly steps: readonly { readonly id: string; readonly says: string; readonly rules: readonly RuleInfo[] }[];
  /** Event in words: `request start`, `when FIT101 at least 26 m³/h …, for 3 s`, `after 10 s`. */
  readonly transitions: readonly {
    readonly to: string;
    readonly event: "operator" | "condition" | "after";
    readonly says: string;
    readonly request?: string;
  }[];
}

export interface RuleInfo {
  readonly id: string;
  readonly says: string;
  readonly from: readonly string[];
  readonly operation: Operation;
  readonly tags: readonly string[];
  readonly safety: boolean;
}
