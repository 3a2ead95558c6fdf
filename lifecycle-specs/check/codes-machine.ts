import type { CodeOfCheck } from "./codes.ts";

/** Codes about the machine: G1, G3, G4, G8, G9, G12; with their sentences. */
export const MACHINE_CODES = {
  SAFE_MISSING: "a zone names no safe state",
  SAFE_UNREACHABLE: "from a phase no transitions lead to the safe one",
  SAFE_UNBOUNDED: "the safe phase is reached only by a transition that states no time",
  SAFE_TOO_LATE: "the safe phase is not reached within the stated time",
  SAFE_WITHOUT_POINT: "with one enforcement point dead or refusing, the safe phase is not reached in time",
  SAFE_NOT_TOGETHER: "zones that take each other along cannot all be safe at once",
  TRANSITION_AMBIGUOUS: "two transitions of one phase answer the same request",
  EXITS_OVERLAP: "the conditions of two transitions of one phase can hold at once",
  EXITS_SAME: "two transitions of one phase come at the same time",
  STEPS_OVERLAP: "the conditions of two ways out of a step can hold at once",
  STEPS_SAME: "two ways out of a step come at the same time or with the same message",
  PHASE_UNREACHABLE: "no transition and no containment leads to the phase",
  PHASE_STUCK: "no transition leads out of the phase",
  STEP_UNREACHABLE: "no step leads to the step",
  STEP_STUCK: "nothing leads out of the step, and it has no `max`",
  WAY_NEVER: "a way out of a phase or step is never taken",
  CONDITION_IMPOSSIBLE: "a condition never holds within the ranges of its tags",
  RULE_EMPTY: "a rule leaves no value of one of its tags",
  RULE_NEVER: "a rule's cause contradicts itself or the steps it stands in",
  FOLLOWS_NEVER: "a rule follows one that never comes before it",
  CONTAINMENT_FOR_GOOD: "no transitions lead back from a containment to what it limits",
  REQUEST_FOR_NOBODY: "a request names no role that may command",
  COMMAND_FOR_GOOD: "a command may be given one value, and afterwards no other",
  RECOVERY_TRUSTS_SUSPECT: "no way leads back from a containment without trusting the device it is for",
  LEASE_SHORT: "the lease may end during a change of phase",
  TTL_SHORT: "a request lapses before what it waits for can have come",
  DWELL_CROSSED: "a step's `min` is not shorter than its `max`",
  STEP_TIME: "a way out of a step does not fit the step's `min` and `max`",
  CADENCE_CONFLICT: "a message that keeps its period breaks its rate",
  APART_NEVER: "a rule keeps a distance that leaves it no turn",
  FOLLOWS_TIMING: "a rule follows another in less time than passes between the two",
  SELECT_MANY: "a select and its operate are about several tags, or for several devices",
  FRESH_SHORT: "a condition asks for fresher readings than are read",
  SKEW_EATS_TIME: "a time is so short that a lower layer does not hold it at all",
} as const satisfies Record<string, string>;

const error = (guarantee: CodeOfCheck["guarantee"], advice: string): CodeOfCheck => ({
  guarantee,
  severity: "error",
  advice,
});

const warning = (guarantee: CodeOfCheck["guarantee"], advice: string): CodeOfCheck => ({
  guarantee,
  severity: "warning",
  advice,
});

export const MACHINE_CHECKS: Readonly<Record<keyof typeof MACHINE_CODES, CodeOfCheck>> = {
  SAFE_MISSING: error(
    "G1",
    "name the phase in which nothing can go wrong, and the time in which a person can count on it",
  ),
  SAFE_UNREACHABLE: error("G1", "give every phase a request, without a condition, that leads towards the safe one"),
  SAFE_UNBOUNDED: error(
    "G1",
    "state with `within` in what time the plant fulfils a condition, and with `ttl` how long a request waits for its own",
  ),
  SAFE_TOO_LATE: error("G1", "the times of the best way are in the trace: shorten the longest, or state a longer time"),
  SAFE_WITHOUT_POINT: error(
    "G1",
    "only its guard says what is in a PLC: let people who have looked at the plant themselves confirm by a request, by two persons where it matters",
  ),
  SAFE_NOT_TOGETHER: error("G1", "let one request take all zones along to their safe phases"),
  TRANSITION_AMBIGUOUS: error("G3", "one request has one answer in a phase: give different requests different names"),
  EXITS_OVERLAP: error(
    "G3",
    "let one condition exclude the other: a tag that is 0 in one and 1 in the other is enough",
  ),
  EXITS_SAME: error("G3", "of two times that end a phase, one must be the first"),
  STEPS_OVERLAP: error(
    "G3",
    "let one condition exclude the other: a tag that is 0 in one and 1 in the other is enough",
  ),
  STEPS_SAME: error("G3", "of two ways out of a step, one event opens one"),
  PHASE_UNREACHABLE: error(
    "G4",
    "a phase that nothing leads to is read by people and never in force: lead to it, or remove it",
  ),
  PHASE_STUCK: error("G4", "give the phase a request by which people end it"),
  STEP_UNREACHABLE: error(
    "G4",
    "a step that nothing leads to is never in force: name it in a `next` that can happen, or remove it",
  ),
  STEP_STUCK: error("G4", "a last step has a `max`, so that a plant that stays in it is noticed"),
  WAY_NEVER: error("G4", "what is never taken misleads its reader: correct it or remove it"),
  CONDITION_IMPOSSIBLE: error("G4", "compare the values with the ranges of the tags in plant.yaml"),
  RULE_EMPTY: error("G4", "a rule that allows no value of a tag is a denial in disguise: name the tags it is for"),
  RULE_NEVER: error("G4", "a rule that never allows anything is read by people and never in force"),
  FOLLOWS_NEVER: error("G4", "a rule can follow a message that is answered, in the same run of the plant"),
  CONTAINMENT_FOR_GOOD: error(
    "G8",
    "every containment has a request by which people lift it, by stages where it matters",
  ),
  REQUEST_FOR_NOBODY: error("G8", "a viewer only looks: name a role that commands"),
  COMMAND_FOR_GOOD: error(
    "G8",
    "whatever may be switched on may somewhere after it be switched off, and the other way round",
  ),
  RECOVERY_TRUSTS_SUSPECT: warning(
    "G9",
    "conditions on the tags of a PLC that has been taken over prove nothing: let people confirm them by a request",
  ),
  LEASE_SHORT: error(
    "G12",
    "the lease is longer than a change of phase takes, by several times where the network is slow",
  ),
  TTL_SHORT: error("G12", "a request stands longer than a change of phase takes and than its condition must hold"),
  DWELL_CROSSED: error("G12", "a step has time between its `min` and its `max`"),
  STEP_TIME: error("G12", "a way out of a step comes after its `min` and before its `max` is reported"),
  CADENCE_CONFLICT: error("G12", "state the period alone, or a rate that it keeps however the jitter falls"),
  APART_NEVER: error("G12", "keep distances shorter than the periods of what they are from"),
  FOLLOWS_TIMING: error("G12", "count the steps between the two rules, and the periods of both"),
  SELECT_MANY: error(
    "G12",
    "write one pair of rules for each tag and device: else what selects one would let another be operated, or another operate it",
  ),
  FRESH_SHORT: error("G12", "ask for readings no fresher than twice the time in which they are read"),
  SKEW_EATS_TIME: warning("G12", "times of less than a few times the skew are kept by the HMI layer alone"),
};
