import type { NoticeMessage, ReceiptMessage } from "#point/bus.ts";
import type { Plant } from "#specs/plant.ts";
import type { Finding } from "./correlate.ts";
import { describe, headline, hostOf } from "./detection-words.ts";
import type { Detection, ReceiptRef, Severity } from "./page-messages.ts";

/** Detections kept in memory; older ones are in the evidence log. */
export const MAX_DETECTIONS = 500;
/** Plant ms within which a repeat is counted on the earlier detection. */
export const FOLD_MS = 10_000;
const MAX_EVIDENCE = 20;
/** Of these, kept from its beginning. */
const FIRST_EVIDENCE = 4;

/** A stranger that tries to log on so often within `FOLD_MS` of each other does not stumble: the warning becomes an alarm. */
export const INSISTS_AFTER = 3;

/** A detection that is not yet in the list: it becomes a new entry or raises the count of an old one. */
export interface Draft extends Omit<Detection, "id" | "count" | "lastMs"> {
  /** Repeats of it become an alarm. */
  readonly insistent?: boolean;
}

export interface Noted {
  readonly detection: Detection;
  /** False: folded into an earlier one. */
  readonly fresh: boolean;
}

/** The bounded list of what was detected. Repeats of the same pattern, source and tags are folded with a count. */
export class Detections {
  /** Newest first. */
  #list: Detection[] = [];
  #seq = 0;
  #lastMs: number | undefined;
  #total = 0;

  note({ insistent, ...draft }: Draft): Noted {
    this.#total += 1;
    if (draft.severity !== "notice") this.#lastMs = Math.max(this.#lastMs ?? Number.NEGATIVE_INFINITY, draft.atMs);
    const key = foldKey(draft);
    const index = this.#list.findIndex((old) => foldKey(old) === key && Math.abs(draft.atMs - old.lastMs) <= FOLD_MS);
    const old = this.#list[index];
    if (old !== undefined) {
      const detection: Detection = {
        ...old,
        lastMs: Math.max(old.lastMs, draft.atMs),
        count: old.count + 1,
        severity: insistent === true && old.count + 1 >= INSISTS_AFTER ? "alarm" : worse(old.severity, draft.severity),
        blocked: old.blocked && draft.blocked,
        evidence: firstAndLast([...old.evidence, ...draft.evidence]),
      };
      this.#list[index] = detection;
      return { detection, fresh: false };
    }
    this.#seq += 1;
    const detection: Detection = { ...draft, id: `d-${this.#seq}`, lastMs: draft.atMs, count: 1 };
    this.#list = [detection, ...this.#list].slice(0, MAX_DETECTIONS);
    return { detection, fresh: true };
  }

  /** Records what followed from a detection. */
  markContainment(id: string, to: string): Detection | undefined {
    const index = this.#list.findIndex((detection) => detection.id === id);
    const old = this.#list[index];
    if (old === undefined) return undefined;
    const marked = { ...old, containment: to };
    this.#list[index] = marked;
    return marked;
  }

  latest(count: number): readonly Detection[] {
    return this.#list.slice(0, count);
  }

  /** Plant time of the last one that was more than a notice; conditions that ask for a clean time count from it. */
  get lastMs(): number | undefined {
    return this.#lastMs;
  }

  get total(): number {
    return this.#total;
  }
}

/** How it began, and the newest of it. */
function firstAndLast(evidence: readonly ReceiptRef[]): readonly ReceiptRef[] {
  if (evidence.length <= MAX_EVIDENCE) return evidence;
  return [...evidence.slice(0, FIRST_EVIDENCE), ...evidence.slice(FIRST_EVIDENCE - MAX_EVIDENCE)];
}

/** A pattern is one whatever the reason: the same value may be too high in one phase and forbidden in the next. */
function foldKey(d: Omit<Draft, "insistent">): string {
  return [d.locus.join("+"), d.source, d.target, d.tags.join("+"), d.row ?? d.reason].join("|");
}

const QUIET_OPERATIONS: ReadonlySet<string> = new Set(["read", "browse", "session", "subscribe"]);

/** When the coordinator judged it: plant ms, and wall-clock ms for people. */
export interface Judged {
  readonly nowMs: number;
  readonly wallMs: number;
}

/** @param why why it is no sign of an attack, in words; undefined: it is one */
export function fromFinding(plant: Plant, finding: Finding, why: string | undefined, judged: Judged): Draft {
  const { row, about, receipts, sights, tags } = finding;
  const says = headline(plant, finding);
  return {
    atMs: about.atMs,
    judgedMs: Math.max(about.atMs, judged.nowMs),
    realMs: judged.wallMs,
    severity: severityOf(finding, why),
    locus: why === undefined ? row.locus : [],
    confidence: why === undefined ? row.confidence : 0,
    says: why === undefined ? says : `${says}; no sign of an attack`,
    because: why ?? row.says,
    row: row.id,
    sight: sights,
    reason: about.reason ?? row.id,
    rule: about.rule,
    tags,
    source: about.source ?? hostOf(about.sourceAddress),
    target: about.target,
    phase: about.phase,
    epoch: about.epoch,
    blocked: receipts.some((receipt) => receipt.action === "blocked"),
    evidence: receipts.map(refOf),
    insistent: why === undefined && isInsistent(finding),
    ...(row.technique === undefined ? {} : { technique: row.technique }),
  };
}

/**
 * Looking around does less than reaching for something: that is shown and proposed on, never acted on by itself. Whoever writes,
 * calls or loads a program against the rules raises an alarm; a declared device that has never been more than a reader is first taken
 * to have made a mistake.
 */
function severityOf({ row, about, source }: Finding, why: string | undefined): Severity {
  if (why !== undefined) return "notice";
  const mild = QUIET_OPERATIONS.has(about.operation) || source === "other";
  return row.severity === "alarm" && mild ? "warning" : row.severity;
}

/** What nobody does three times by mistake: a stranger that logs on, a reader that writes. */
function isInsistent({ row, about, source }: Finding): boolean {
  if (!row.locus.includes("unknown-device")) return false;
  return about.operation === "session" || (source === "other" && !QUIET_OPERATIONS.has(about.operation));
}

const BY_WEIGHT: readonly Severity[] = ["notice", "warning", "alarm"];

function worse(a: Severity, b: Severity): Severity {
  return BY_WEIGHT.indexOf(a) >= BY_WEIGHT.indexOf(b) ? a : b;
}

/** What was seen to be wrong and passed all the same. */
const WATCHED: ReadonlySet<string> = new Set(["READING_SUSPECT", "PERIOD_MISSED"]);
const SUSPECT: ReadonlySet<string> = new Set(["READING_SUSPECT", "READING_WITHHELD"]);

/** Codes of a point's own life: worth a person's look, no reason to limit anything by itself. */
const LIFE: ReadonlySet<string> = new Set([
  "TAP_BLIND",
  "TAP_BACK",
  "RESTARTED",
  "ISOLATED",
  "LEASE_BACK",
  "PLC_SILENT",
  "PLC_BACK",
]);

export function fromNotice(notice: NoticeMessage, phase: string | null, epoch: number | null, judged: Judged): Draft {
  return {
    atMs: notice.atMs,
    judgedMs: Math.max(notice.atMs, judged.nowMs),
    realMs: judged.wallMs,
    severity: notice.severity === "info" ? "notice" : isMild(notice) ? "warning" : "alarm",
    locus: notice.locus,
    confidence: notice.locus.length === 0 ? 0 : 1 / notice.locus.length,
    says: notice.says,
    reason: notice.code,
    rule: null,
    tags: [],
    source: hostOf(notice.source) || notice.point,
    target: notice.target,
    phase,
    epoch,
    blocked: notice.severity === "detection" && !LIFE.has(notice.code) && !WATCHED.has(notice.code),
    evidence: [],
  };
}

/** What is only watched, or says nothing of where it sits, limits no plant by itself: blinding or binding an operator is harm too. */
function isMild({ code, locus }: NoticeMessage): boolean {
  return LIFE.has(code) || SUSPECT.has(code) || locus.length === 0;
}

function refOf(receipt: ReceiptMessage): ReceiptRef {
  const { point, layer, seq, atMs } = receipt;
  return { point, layer, seq, atMs, says: describe(receipt) };
}
