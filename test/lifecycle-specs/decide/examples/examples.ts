import type { Layer, Observation } from "#specs/decide/observation.ts";
import type { Permitted } from "#specs/decide/permit.ts";
import type { ReasonCode } from "#specs/decide/reasons.ts";
import { DeviceId, LinkId, PhaseId, RawId, RuleId, StepId, TagId } from "#specs/ids.ts";

/** One situation for each reason, in which the decision core really gives it. Over the plant in `plant.ts`. */
export interface Example {
  readonly reason: ReasonCode;
  /** What happens, in words. */
  readonly situation: string;
  readonly layer?: Layer;
  readonly permitted: Permitted;
  /** What came before, in this order: a tag was seen, a message of a rule was forwarded, or answered with success. */
  readonly before?: readonly Event[];
  readonly nowMs: number;
  readonly observation: Observation;
  /** The rule that came closest. */
  readonly rule?: string;
  readonly says: string;
}

export type Event =
  | { readonly atMs: number; readonly seen: string; readonly value: number }
  | { readonly atMs: number; readonly sent: string }
  | { readonly atMs: number; readonly answered: string };

const NOBODY = { source: undefined, link: undefined } as const;

export function at(phase: string, ...steps: readonly string[]): Permitted {
  return { kind: "phase", position: { phase: PhaseId(phase), steps: steps.map(StepId) } };
}

/** The operator station writes one value to the PLC, unless told otherwise. */
export function writes(tag: string, value: number | undefined, more: Partial<Observation> = {}): Observation {
  return {
    source: DeviceId("hmi-1"),
    sourceAddress: "10.0.0.9:40000",
    target: DeviceId("plc-1"),
    link: LinkId("hmi-plc"),
    operation: "write",
    message: "Write Single Register (06)",
    items: [{ tag: TagId(tag), address: tag, value }],
    ...more,
  };
}

export function sends(raw: string | undefined, bytes: number | undefined): Observation {
  const named = { raw: raw === undefined ? undefined : RawId(raw), ...(bytes === undefined ? {} : { bytes }) };
  return { ...writes("STOP", 0), operation: "raw", message: "function code 100", items: [], ...named };
}

export function tells(tag: string, value: number | undefined, more: Partial<Observation> = {}): Observation {
  return {
    ...writes(tag, value),
    source: DeviceId("plc-1"),
    target: DeviceId("hmi-1"),
    operation: "report",
    message: "Read Holding Registers (03)",
    ...more,
  };
}

const HMI_READ_ONLY = "contained.running.hmi-1.read-only";
const HMI_RATE_LIMIT = "contained.running.hmi-1.rate-limit";

export const EXAMPLES: readonly Example[] = [
  {
    reason: "SOURCE_UNKNOWN",
    situation: "a laptop that nobody declared writes a set-point",
    permitted: at("running", "dose"),
    nowMs: 0,
    observation: writes("DOSE.SP", 2, NOBODY),
    says: "10.0.0.9:40000: no declared device has this source address",
  },
  {
    reason: "LINK_UNKNOWN",
    situation: "the test device, which has no link to the PLC, writes a set-point",
    permitted: at("running", "dose"),
    nowMs: 0,
    observation: writes("DOSE.SP", 2, { source: DeviceId("tester") }),
    says: "tester to plc-1: no link is declared from this device to this server over this protocol",
  },
  {
    reason: "PHASE_UNKNOWN",
    situation: "a filter that was started a moment ago gets a write before it holds a phase",
    permitted: { kind: "none" },
    nowMs: 0,
    observation: writes("DOSE.SP", 2),
    says: "this point holds no phase yet",
  },
  {
    reason: "TAG_UNKNOWN",
    situation: "a register is written to which no tag is bound",
    permitted: at("running", "dose"),
    nowMs: 0,
    observation: writes("STOP", 1, { items: [{ tag: undefined, address: "unit 1 holding register 40", value: 1 }] }),
    says: "unit 1 holding register 40 of plc-1: no tag is bound to this address",
  },
  {
    reason: "TAG_PARTIAL",
    situation: "a write covers one of the two registers of a `float32`",
    permitted: at("running", "dose"),
    nowMs: 0,
    observation: writes("STOP", 1, {
      items: [{ tag: undefined, address: "unit 1 holding register 1", value: undefined, partOf: TagId("DOSE.SP") }],
    }),
    says: "unit 1 holding register 1 of plc-1: the message touches only a part of a tag (DOSE.SP)",
  },
  {
    reason: "TYPE_MISMATCH",
    situation: "a text is written to a number",
    permitted: at("running", "dose"),
    nowMs: 0,
    observation: writes("DOSE.SP", undefined),
    rule: "dose",
    says: "DOSE.SP: the value is not of the tag's type (dose)",
  },
  {
    reason: "NO_RULE",
    situation: "the operator station wants to program the PLC",
    permitted: at("running", "dose"),
    nowMs: 0,
    observation: writes("STOP", 0, { operation: "program", items: [] }),
    says: "hmi-1 may not program to plc-1: no phase allows this",
  },
  {
    reason: "PHASE_FORBIDS",
    situation: "the dose is set while everything is off",
    permitted: at("stopped"),
    nowMs: 0,
    observation: writes("DOSE.SP", 2),
    says: "hmi-1 may not write DOSE.SP of plc-1: another phase allows this, the present one does not (dose in running/dose)",
  },
  {
    reason: "STEP_FORBIDS",
    situation: "the dose is set while the tank is still being filled",
    permitted: at("running", "fill"),
    nowMs: 0,
    observation: writes("DOSE.SP", 2),
    says: "hmi-1 may not write DOSE.SP of plc-1: another step of this phase allows this, the present one does not (dose in running/dose)",
  },
  {
    reason: "SOURCE_FORBIDS",
    situation: "the operator station does what only the engineering workstation may",
    permitted: at("service"),
    nowMs: 0,
    observation: writes("TEST", 1),
    says: "hmi-1 may not write TEST of plc-1: another device may do this, this one may not (test in service)",
  },
  {
    reason: "CONTAINED",
    situation: "the operator station is suspect and may only read; it sets the speed",
    permitted: at(HMI_READ_ONLY, "fill"),
    nowMs: 0,
    observation: writes("SPEED.SP", 2),
    says: "hmi-1 may not write SPEED.SP of plc-1: the phase allows this, the containment in force withholds it (speed in running)",
  },
  {
    reason: "ROLE_MISSING",
    situation: "the lamp is switched by somebody whose certificate names no role",
    permitted: at("running", "dose"),
    nowMs: 0,
    observation: writes("LAMP", 1),
    rule: "lamp",
    says: "hmi-1 needs the role operator or engineer and is known by none here (lamp)",
  },
  {
    reason: "ROLE_NOT_ALLOWED",
    situation: "the lamp is switched by somebody who may only view",
    permitted: at("running", "dose"),
    nowMs: 0,
    observation: writes("LAMP", 1, { role: "viewer" }),
    rule: "lamp",
    says: "hmi-1 has the role viewer, and operator or engineer may do this (lamp)",
  },
  {
    reason: "FUNCTION_NOT_ALLOWED",
    situation: "the horn is blown by a message that can write many coils at once",
    permitted: at("running", "dose"),
    nowMs: 0,
    observation: writes("HORN", 1, { message: "Write Multiple Coils (15)", functionCode: 15, quantity: 1 }),
    rule: "horn",
    says: "HORN may be done by function 5, not by Write Multiple Coils (15) (horn)",
  },
  {
    reason: "QUANTITY_ABOVE",
    situation: "the two set-points are read with all that lies around them",
    permitted: at("running", "dose"),
    nowMs: 0,
    observation: writes("SPEED.SP", undefined, {
      ...{ operation: "read", message: "Read Holding Registers (03)", functionCode: 3, quantity: 125 },
    }),
    rule: "look",
    says: "Read Holding Registers (03) is about 125, and 2 at once are allowed (look)",
  },
  {
    reason: "FILE_NOT_ALLOWED",
    situation: "more records are read than the file of recipes has",
    permitted: at("running", "dose"),
    nowMs: 0,
    observation: writes("STOP", undefined, {
      ...{ operation: "read", message: "Read File Record (20)", functionCode: 20, quantity: 11 },
      ...{ items: [], files: [{ file: 4, record: 90, count: 11 }] },
    }),
    rule: "recipes",
    says: "file 4 records 90-100 is not within file 4 records 0-99 (recipes)",
  },
  {
    reason: "OBJECT_NOT_ALLOWED",
    situation: "a scanner asks for every object by which the PLC identifies itself",
    permitted: at("running", "dose"),
    nowMs: 0,
    observation: writes("STOP", undefined, {
      ...{ operation: "diagnose", message: "Read Device Identification (43/14)", functionCode: 43, subFunction: 14 },
      ...{ items: [], objects: [0, 255] },
    }),
    rule: "name-plate",
    says: "Read Device Identification (43/14) shows objects 0-255, and 0-2 may be read (name-plate)",
  },
  {
    reason: "VALUE_BELOW",
    situation: "the dose is set to less than the rule allows",
    permitted: at("running", "dose"),
    nowMs: 0,
    observation: writes("DOSE.SP", 0.9),
    rule: "dose",
    says: "DOSE.SP 0.9 mg/L is below 1 mg/L (dose)",
  },
  {
    reason: "VALUE_ABOVE",
    situation: "the dose is set to more than the rule allows",
    permitted: at("running", "dose"),
    nowMs: 0,
    observation: writes("DOSE.SP", 3.1),
    rule: "dose",
    says: "DOSE.SP 3.1 mg/L is above 3 mg/L (dose)",
  },
  {
    reason: "VALUE_NOT_LISTED",
    situation: "a mode is chosen that the rule does not list",
    permitted: at("running", "fill"),
    nowMs: 0,
    observation: writes("MODE.SP", 1),
    rule: "mode",
    says: "MODE.SP 1 is not one of 0, 2 (mode)",
  },
  {
    reason: "STEP_TOO_LARGE",
    situation: "the dose goes from 2 to 2.6 mg/L at once",
    permitted: at("running", "dose"),
    before: [{ atMs: 0, seen: "DOSE.SP", value: 2 }],
    nowMs: 60_000,
    observation: writes("DOSE.SP", 2.6),
    rule: "dose",
    says: "DOSE.SP 2.6 mg/L is more than 0.5 mg/L away from 2 mg/L (dose)",
  },
  {
    reason: "STEP_REFERENCE_UNKNOWN",
    situation: "the dose is set before anybody has read what it is",
    permitted: at("running", "dose"),
    nowMs: 0,
    observation: writes("DOSE.SP", 2),
    rule: "dose",
    says: "DOSE.SP 2 mg/L: the present value is not known here, so the step cannot be judged (dose)",
  },
  {
    reason: "RAMP_TOO_FAST",
    situation: "half a second after the last change the speed goes up by 3 %",
    permitted: at("running", "fill"),
    before: [{ atMs: 0, seen: "SPEED.SP", value: 20 }],
    nowMs: 500,
    observation: writes("SPEED.SP", 23),
    rule: "speed",
    says: "SPEED.SP 23 % is farther from 20 % than 5 % per second allow (speed)",
  },
  {
    reason: "STALE",
    situation: "the level that the operator is told has been the same for more than ten seconds",
    permitted: at("running", "fill"),
    before: [{ atMs: 0, seen: "LEVEL", value: 1.5 }],
    nowMs: 10_001,
    observation: tells("LEVEL", 1.5),
    rule: "level-told",
    says: "LEVEL 1.5 m has not changed for 10 s (level-told)",
  },
  {
    reason: "LENGTH_FORBIDDEN",
    situation: "the vendor's function comes with three bytes more than it is declared to have",
    permitted: at("running", "fill"),
    nowMs: 0,
    observation: sends("vendor-clock", 13),
    rule: "clock",
    says: "function code 100 has 13 bytes, and 8 to 10 are declared (clock)",
  },
  {
    reason: "FUNCTION_FORBIDDEN",
    situation: "a function code that the plant file does not name",
    permitted: at("running", "fill"),
    nowMs: 0,
    observation: sends(undefined, 3),
    says: "function code 100 of plc-1: the function code or service is not one that a rule can allow",
  },
  {
    reason: "TOO_OFTEN",
    situation: "a third rinse within a minute",
    permitted: at("running", "fill"),
    before: [
      { atMs: 0, sent: "rinse" },
      { atMs: 30_000, sent: "rinse" },
    ],
    nowMs: 59_999,
    observation: writes("RINSE", 1),
    rule: "rinse",
    says: "RINSE: 2 in 60 s at most (rinse)",
  },
  {
    reason: "TOO_EARLY",
    situation: "the life counter is written 700 ms after the last time",
    permitted: at("running", "fill"),
    before: [{ atMs: 0, sent: "beat" }],
    nowMs: 700,
    observation: writes("BEAT", 1),
    rule: "beat",
    says: "BEAT: one each 1 s, at most 0.2 s early (beat)",
  },
  {
    reason: "RATE_LIMITED",
    situation: "the operator station is suspect and writes the mode twice within ten seconds",
    permitted: at(HMI_RATE_LIMIT, "fill"),
    before: [{ atMs: 0, sent: "mode" }],
    nowMs: 9999,
    observation: writes("MODE.SP", 2),
    rule: "mode",
    says: "MODE.SP: the containment in force lets this rule pass less often, once in 10 s (mode)",
  },
  {
    reason: "CAUSE_MISSING",
    situation: "the drain is opened while there is too little water",
    permitted: at("running", "dose"),
    before: [{ atMs: 0, seen: "LEVEL", value: 0.3 }],
    nowMs: 4000,
    observation: writes("DRAIN", 1),
    rule: "drain",
    says: "DRAIN needs LEVEL at least 0.5 (until below 0.4), for 3 s, seen within 5 s: what must come before has not happened, or not for long enough (drain)",
  },
  {
    reason: "CAUSE_UNKNOWN",
    situation: "the drain is opened, and the level was seen too long ago to count",
    permitted: at("running", "dose"),
    before: [{ atMs: 0, seen: "LEVEL", value: 2 }],
    nowMs: 5001,
    observation: writes("DRAIN", 1),
    rule: "drain",
    says: "DRAIN needs LEVEL at least 0.5 (until below 0.4), for 3 s, seen within 5 s: what must come before was not seen here (drain)",
  },
  {
    reason: "CAUSE_AGAINST",
    situation: "the heater is started while the door is open",
    permitted: at("running", "fill"),
    before: [{ atMs: 0, seen: "DOOR", value: 1 }],
    nowMs: 0,
    observation: writes("HEAT", 1),
    rule: "heat",
    says: "HEAT must not be while DOOR is 1: what must not hold at the time of the command does (heat)",
  },
  {
    reason: "CAUSE_AGAINST_UNKNOWN",
    situation: "the heater is started, and nobody has seen the door",
    permitted: at("running", "fill"),
    nowMs: 0,
    observation: writes("HEAT", 1),
    rule: "heat",
    says: "HEAT must not be while DOOR is 1: what must not hold at the time of the command was not seen here (heat)",
  },
  {
    reason: "ORDER_MISSING",
    situation: "the second key without the first",
    permitted: at("running", "fill"),
    nowMs: 0,
    observation: writes("FIRE", 1),
    rule: "fire",
    says: "FIRE needs arm within 10 s before: the message that must come before has not been answered with success in time (fire)",
  },
  {
    reason: "ORDER_USED",
    situation: "the second key twice after the first",
    permitted: at("running", "fill"),
    before: [
      { atMs: 0, answered: "arm" },
      { atMs: 1000, sent: "fire" },
    ],
    nowMs: 2000,
    observation: writes("FIRE", 1),
    rule: "fire",
    says: "FIRE needs arm within 10 s before: the message that must come before has permitted one message already (fire)",
  },
  {
    reason: "TOO_CLOSE",
    situation: "the inlet is moved a second after the outlet",
    permitted: at("running", "fill"),
    before: [{ atMs: 0, sent: "outlet" }],
    nowMs: 1000,
    observation: writes("INLET", 1),
    rule: "inlet",
    says: "INLET needs 2 s after outlet: a message that this one must be kept apart from was forwarded a moment ago (inlet)",
  },
  {
    reason: "WINDOW_FORBIDS",
    situation: "the mode is set while the plant is on its way from running to stopped",
    permitted: {
      kind: "window",
      old: { phase: PhaseId("running"), steps: [StepId("fill")] },
      new: { phase: PhaseId("stopped"), steps: [] },
      window: [RuleId("rinse")],
    },
    nowMs: 0,
    observation: writes("MODE.SP", 2),
    says: "during the change from running to stopped: hmi-1 may not write MODE.SP of plc-1: another phase allows this, the present one does not (mode in running)",
  },
];

/** Reasons that are given before it comes to a decision, and when. */
export const GIVEN_ELSEWHERE: Readonly<Partial<Record<ReasonCode, string>>> = {
  SECURITY_POLICY: "an OPC UA channel is opened with a policy that encrypts",
  MALFORMED: "a Modbus frame is longer than it says",
  UNSOLICITED: "an answer comes to which there was no request",
  MASK_REFERENCE_UNKNOWN: "a mask write to a Modbus register that was not read here of late",
  OVERLOADED: "128 requests of an OPC UA client wait for their answers, and another comes",
  CONNECTION_LIMIT: "one device opens more connections than the limit",
  INTERNAL: "the decision itself throws",
};
