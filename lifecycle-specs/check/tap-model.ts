import type { Locus } from "../lifecycle.ts";

/** What stands on the way of one link. */
export interface Taps {
  /** The HMI layer sees the link at a mirror port, before the switch layer does. */
  readonly hmi: boolean;
  /** The switch layer looks into it; `monitor`: what it denies goes on. */
  readonly switch: "enforce" | "monitor" | "none";
  /** A guard in the server. */
  readonly plc: boolean;
}

/**
 * What one tap makes of one attack: it saw the command and let it pass, saw it and would deny it, saw another value than its
 * neighbour, did not see it; `blind`: there is no tap here.
 */
export type Sight = "seen-fine" | "seen-violating" | "seen-different" | "not-seen" | "blind";

/** An attack by one cause, and what a full set of taps sees of it. The same words as in the coordinator's table of loci. */
export interface AttackClass {
  readonly id: string;
  /** `none`: no attack at all, beside which some attacks look alike. */
  readonly locus: Locus | "none";
  readonly says: string;
  readonly hmi: Sight;
  readonly switch: Sight;
  /** `passed`: what it is where the switch layer only records, and the command goes on. */
  readonly plc: Sight | { readonly held: Sight; readonly passed: Sight };
  /** Something else than the three sights that gives it away. */
  readonly shows?: "unknown-source" | "output" | "silence";
}

const HELD = { held: "not-seen", passed: "seen-violating" } as const;

/** Single causes on one link from a client to a server; `hmi` stands for the client whatever its role is. */
export const ATTACK_CLASSES: readonly AttackClass[] = [
  {
    id: "ordinary",
    locus: "none",
    says: "an operator does what the phase allows",
    hmi: "seen-fine",
    switch: "seen-fine",
    plc: "seen-fine",
  },
  {
    id: "misuse",
    locus: "hmi",
    says: "the client sends a harmful command that the phase allows",
    hmi: "seen-fine",
    switch: "seen-fine",
    plc: "seen-fine",
  },
  {
    id: "forbidden",
    locus: "hmi",
    says: "the client sends a forbidden command",
    hmi: "seen-violating",
    switch: "seen-violating",
    plc: HELD,
  },
  {
    id: "altered-before",
    locus: "path-hmi-switch",
    says: "a command is altered before the switch layer, within bounds",
    hmi: "seen-different",
    switch: "seen-fine",
    plc: "seen-fine",
  },
  {
    id: "altered-before-forbidden",
    locus: "path-hmi-switch",
    says: "a command is altered before the switch layer into a forbidden one",
    hmi: "seen-different",
    switch: "seen-violating",
    plc: HELD,
  },
  {
    id: "injected-before",
    locus: "path-hmi-switch",
    says: "an allowed command is injected, or an old one replayed, before the switch layer",
    hmi: "not-seen",
    switch: "seen-fine",
    plc: "seen-fine",
  },
  {
    id: "injected-before-forbidden",
    locus: "path-hmi-switch",
    says: "a forbidden command is injected before the switch layer",
    hmi: "not-seen",
    switch: "seen-violating",
    plc: HELD,
  },
  {
    id: "dropped-before",
    locus: "path-hmi-switch",
    says: "a command is dropped before the switch layer",
    hmi: "seen-fine",
    switch: "not-seen",
    plc: "not-seen",
  },
  {
    id: "filter-lets-pass",
    locus: "switch",
    says: "the filter lets pass what it should deny, and says that it was allowed",
    hmi: "seen-violating",
    switch: "seen-fine",
    plc: "seen-violating",
  },
  {
    id: "altered-behind",
    locus: "path-switch-plc",
    says: "a command is altered behind the switch layer",
    hmi: "seen-fine",
    switch: "seen-fine",
    plc: "seen-different",
  },
  {
    id: "injected-behind",
    locus: "path-switch-plc",
    says: "a command is injected, or replayed, behind the switch layer",
    hmi: "not-seen",
    switch: "not-seen",
    plc: "seen-fine",
  },
  {
    id: "injected-behind-forbidden",
    locus: "path-switch-plc",
    says: "a forbidden command is injected behind the switch layer",
    hmi: "not-seen",
    switch: "not-seen",
    plc: "seen-violating",
  },
  {
    id: "dropped-behind",
    locus: "path-switch-plc",
    says: "a command is dropped behind the switch layer, and answered all the same",
    hmi: "seen-fine",
    switch: "seen-fine",
    plc: "not-seen",
  },
  {
    id: "program-changes",
    locus: "plc-logic",
    says: "the control program changes a set-point or command by itself",
    hmi: "not-seen",
    switch: "not-seen",
    plc: "seen-fine",
  },
  {
    id: "program-changes-forbidden",
    locus: "plc-logic",
    says: "the control program gives a variable a forbidden value",
    hmi: "not-seen",
    switch: "not-seen",
    plc: "seen-violating",
  },
  {
    id: "program-ignores",
    locus: "plc-logic",
    says: "the control program ignores a command",
    hmi: "seen-fine",
    switch: "seen-fine",
    plc: "not-seen",
  },
  {
    id: "program-output",
    locus: "plc-logic",
    says: "the control program puts out what the phase forbids",
    hmi: "not-seen",
    switch: "not-seen",
    plc: "seen-violating",
    shows: "output",
  },
  {
    id: "stranger",
    locus: "unknown-device",
    says: "a device that is not in the inventory sends a command",
    hmi: "not-seen",
    switch: "seen-violating",
    plc: HELD,
    shows: "unknown-source",
  },
  { id: "quiet", locus: "none", says: "nothing happens", hmi: "not-seen", switch: "not-seen", plc: "not-seen" },
  {
    id: "sensor",
    locus: "field",
    says: "a sensor reports what is not so",
    hmi: "not-seen",
    switch: "not-seen",
    plc: "not-seen",
  },
  {
    id: "point-down",
    locus: "none",
    says: "an enforcement point has failed",
    hmi: "not-seen",
    switch: "not-seen",
    plc: "not-seen",
    shows: "silence",
  },
  {
    id: "point-cut-off",
    locus: "coordinator-link",
    says: "an enforcement point is cut off from the coordinator",
    hmi: "not-seen",
    switch: "not-seen",
    plc: "not-seen",
    shows: "silence",
  },
];

/** What the taps that there are see of an attack, as one text. */
export function patternOf({ hmi, switch: atSwitch, plc, shows }: AttackClass, taps: Taps): string {
  const filterSees = taps.switch !== "none";
  const first = taps.hmi ? hmi : "blind";
  // Another value than its neighbour: where there is no neighbour, it is just a command.
  const second = filterSees ? atSwitch : "blind";
  const inPlc = typeof plc === "string" ? plc : taps.switch === "enforce" ? plc.held : plc.passed;
  const sights = [
    withNeighbour(first, filterSees || taps.plc),
    second,
    taps.plc ? withNeighbour(inPlc, filterSees || taps.hmi) : "blind",
  ];
  return [...sights, seenOf(shows, taps)].join(" ");
}

function withNeighbour(sight: Sight, hasNeighbour: boolean): Sight {
  return sight === "seen-different" && !hasNeighbour ? "seen-fine" : sight;
}

/** A source is read on the network, an output in the PLC; silence shows wherever a point was. */
function seenOf(shows: AttackClass["shows"], taps: Taps): string {
  if (shows === "unknown-source") return taps.hmi || taps.switch !== "none" ? shows : "";
  if (shows === "output") return taps.plc ? shows : "";
  return shows ?? "";
}

/** Classes that look the same through these taps; only groups of several. */
export function alike(taps: Taps): readonly (readonly AttackClass[])[] {
  const groups = Map.groupBy(ATTACK_CLASSES, (attack) => patternOf(attack, taps));
  return [...groups.values()].filter((group) => new Set(group.map(({ locus }) => locus)).size > 1);
}

/** Whether the classes would fall apart into several patterns with these taps. */
export function separates(group: readonly AttackClass[], taps: Taps): boolean {
  return new Set(group.map((attack) => patternOf(attack, taps))).size > 1;
}
