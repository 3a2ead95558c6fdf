import type { Layer } from "#specs/decide/observation.ts";
import type { Locus } from "#specs/lifecycle.ts";
import type { LayerSight, Severity } from "./page-messages.ts";

/** What kind of source a message names. */
export type SourceClass = "hmi" | "engineering" | "unknown" | "other" | "program";
/** `command`: something on its way to a PLC. `change`: a variable that changed in a PLC. `output`: what the program did. */
export type CaseKind = "command" | "change" | "output";
export type Sights = Readonly<Record<Layer, LayerSight>>;

/**
 * One pattern of what the layers saw, and where that puts the cause. The table is data: it is shown on the page and tested
 * row by row. The first fitting row wins; what no row names is no detection.
 */
export interface LocusRow {
  readonly id: string;
  readonly kind: CaseKind;
  /** Absent: any source. */
  readonly source?: readonly SourceClass[];
  /** Absent: whatever that layer saw. */
  readonly hmi?: readonly LayerSight[];
  readonly switch?: readonly LayerSight[];
  readonly plc?: readonly LayerSight[];
  readonly locus: readonly Locus[];
  /** 1: no other single cause gives this pattern; less where layers were blind or several causes remain. */
  readonly confidence: number;
  readonly severity: Severity;
  /** Who, what and where for the operator; `detection-words.ts` fills in the names. */
  readonly headline: string;
  /** Why the cause is there. */
  readonly says: string;
  /** MITRE ATT&CK for ICS v16 technique. */
  readonly technique?: string;
}

const SEEN: readonly LayerSight[] = ["seen-fine", "seen-violating"];

export const LOCUS_TABLE: readonly LocusRow[] = [
  {
    id: "unknown-source",
    kind: "command",
    source: ["unknown"],
    switch: ["seen-violating"],
    locus: ["unknown-device"],
    confidence: 1,
    severity: "alarm",
    headline: "{from} {did} at {to}",
    says: "a device that is not in the plant's inventory spoke to a PLC",
    technique: "T0855",
  },
  {
    id: "unknown-source-at-mirror",
    kind: "command",
    source: ["unknown"],
    hmi: ["seen-violating"],
    locus: ["unknown-device"],
    confidence: 0.8,
    severity: "alarm",
    headline: "{from} {did} at {to}",
    says: "a device that is not in the plant's inventory spoke on the operator network",
    technique: "T0855",
  },
  {
    id: "engineering-source",
    kind: "command",
    source: ["engineering"],
    switch: ["seen-violating"],
    locus: ["engineering"],
    confidence: 1,
    severity: "alarm",
    headline: "{from} {did} at {to}",
    says: "the engineering workstation tried what the phase does not allow it",
    technique: "T0855",
  },
  {
    id: "other-source",
    kind: "command",
    source: ["other"],
    switch: ["seen-violating"],
    locus: ["unknown-device"],
    confidence: 0.5,
    severity: "alarm",
    headline: "{from}, or something with its address, {did} at {to}",
    says: "a device that may only read tried more, or something else uses its address",
    technique: "T0855",
  },
  {
    id: "hmi-blind",
    kind: "command",
    source: ["hmi"],
    hmi: ["blind"],
    switch: ["seen-violating"],
    locus: ["hmi", "path-hmi-switch"],
    confidence: 0.5,
    severity: "alarm",
    headline: "{from}, or something with its address, {did} at {to}",
    says: "a forbidden command bears the operator station's address; the HMI layer could not see whether the station sent it",
    technique: "T0855",
  },
  {
    id: "hmi-sent-it",
    kind: "command",
    source: ["hmi"],
    hmi: SEEN,
    switch: ["seen-violating"],
    locus: ["hmi"],
    confidence: 1,
    severity: "alarm",
    headline: "{from} {did} at {to}",
    says: "the operator station itself sent a forbidden command: the HMI layer saw the same command leave it",
    technique: "T0855",
  },
  {
    id: "altered-and-forbidden",
    kind: "command",
    source: ["hmi"],
    hmi: ["seen-different"],
    switch: ["seen-violating"],
    locus: ["path-hmi-switch"],
    confidence: 1,
    severity: "alarm",
    headline: "A command of {id} to {to} was altered: {value} arrived, {sent} was sent",
    says: "the operator station sent another value: the command was altered on its way to the switch layer, into a forbidden one",
    technique: "T0830",
  },
  {
    id: "injected-and-forbidden",
    kind: "command",
    source: ["hmi"],
    hmi: ["not-seen"],
    switch: ["seen-violating"],
    locus: ["path-hmi-switch"],
    confidence: 1,
    severity: "alarm",
    headline: "Something with the address of {id} {did} at {to}",
    says: "a forbidden command bears the operator station's address, but the station did not send it: it was put in on the way",
    technique: "T0830",
  },
  {
    id: "altered",
    kind: "command",
    source: ["hmi"],
    hmi: ["seen-different"],
    switch: ["seen-fine"],
    locus: ["path-hmi-switch"],
    confidence: 1,
    severity: "alarm",
    headline: "A command of {id} to {to} was altered: {value} arrived, {sent} was sent",
    says: "the operator station sent another value: the command was altered on its way to the switch layer",
    technique: "T0830",
  },
  {
    id: "injected",
    kind: "command",
    source: ["hmi"],
    hmi: ["not-seen"],
    switch: ["seen-fine"],
    locus: ["path-hmi-switch"],
    confidence: 1,
    severity: "alarm",
    headline: "Something with the address of {id} {did} at {to}",
    says: "the switch layer saw a command that the operator station did not send: it was put in on the way",
    technique: "T0830",
  },
  {
    id: "dropped",
    kind: "command",
    source: ["hmi"],
    hmi: ["seen-fine"],
    switch: ["not-seen"],
    locus: ["path-hmi-switch"],
    confidence: 1,
    severity: "alarm",
    headline: "A command of {id} to {to} never arrived: {value}",
    says: "the operator station sent a command that never reached the switch layer",
    technique: "T0803",
  },
  {
    id: "forbidden-and-dropped",
    kind: "command",
    source: ["hmi"],
    hmi: ["seen-violating"],
    switch: ["not-seen", "blind"],
    locus: ["hmi"],
    confidence: 0.8,
    severity: "alarm",
    headline: "{from} {did} at {to}",
    says: "the operator station sent a forbidden command; the switch layer has not reported it",
    technique: "T0855",
  },
  {
    id: "layers-differ",
    kind: "command",
    source: ["hmi"],
    hmi: ["seen-violating"],
    switch: ["seen-fine"],
    locus: ["hmi", "switch"],
    confidence: 0.3,
    severity: "warning",
    headline: "{from} {did} at {to}: denied by the HMI layer, allowed by the switch layer",
    says: "the HMI layer denies what the switch layer allowed: the two hold different views, or the switch layer does not do its work",
  },
  {
    id: "program-output",
    kind: "output",
    plc: ["seen-violating"],
    locus: ["plc-logic"],
    confidence: 1,
    severity: "alarm",
    headline: "The control program of {to} {did}",
    says: "the control program did what the phase does not allow it",
    technique: "T0889",
  },
  {
    id: "change-switch-blind",
    kind: "change",
    switch: ["blind"],
    plc: SEEN,
    locus: ["path-hmi-switch", "path-switch-plc", "plc-logic"],
    confidence: 0.3,
    severity: "notice",
    headline: "{value} in {to}, by what could not be seen",
    says: "a variable changed in a PLC while the switch layer could not see whether a command was the cause",
  },
  {
    id: "change-unexplained",
    kind: "change",
    switch: ["not-seen"],
    plc: SEEN,
    locus: ["path-switch-plc", "plc-logic"],
    confidence: 0.5,
    severity: "alarm",
    headline: "{value} in {to} without a command for it",
    says: "a variable changed in a PLC, and no command for it passed the switch layer",
    technique: "T0831",
  },
  {
    id: "change-altered",
    kind: "change",
    switch: ["seen-different"],
    plc: SEEN,
    locus: ["path-switch-plc"],
    confidence: 1,
    severity: "alarm",
    headline: "{value} in {to}, but the command said {sent}",
    says: "a variable took another value than the command that passed the switch layer carried",
    technique: "T0830",
  },
  {
    id: "change-denied",
    kind: "change",
    switch: ["seen-fine"],
    plc: ["seen-violating"],
    locus: ["switch"],
    confidence: 0.3,
    severity: "warning",
    headline: "{value} in {to}: denied by the PLC layer, allowed by the switch layer",
    says: "the PLC layer denies what the switch layer allowed: the two hold different views, or the switch layer does not do its work",
  },
  {
    id: "change-missing",
    kind: "change",
    switch: ["seen-fine", "seen-violating"],
    plc: ["not-seen"],
    locus: ["path-switch-plc", "plc-logic"],
    confidence: 0.5,
    severity: "alarm",
    headline: "{to} did not take over {value}",
    says: "a command that passed the switch layer and was answered as done did not change the variable",
    technique: "T0803",
  },
];

export function locate(kind: CaseKind, source: SourceClass, sights: Sights, table = LOCUS_TABLE): LocusRow | undefined {
  return table.find(
    (row) =>
      row.kind === kind &&
      fits(row.source, source) &&
      fits(row.hmi, sights.hmi) &&
      fits(row.switch, sights.switch) &&
      fits(row.plc, sights.plc),
  );
}

function fits<T>(allowed: readonly T[] | undefined, value: T): boolean {
  return allowed === undefined || allowed.includes(value);
}
