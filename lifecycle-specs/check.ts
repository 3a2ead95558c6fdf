import { CODES_OF_CHECK } from "./check/codes.ts";
import { exemptionsOf } from "./check/exemptions.ts";
import { CHECKS } from "./check/list.ts";
import { permissivenessOf } from "./check/permissiveness.ts";
import {
  type Checked,
  type Fact,
  type Finding,
  GUARANTEES,
  MAX_FACTS,
  type RawFact,
  type RawFinding,
  type Report,
  type Said,
} from "./check/report.ts";
import { type Locate, type Location, MAX_DIAGNOSTICS } from "./diagnostic.ts";

export type { Checked, Fact, Finding, Report } from "./check/report.ts";

/** Called before each check with how many are done, of how many, and what comes now. */
export type Progress = (done: number, of: number, what: string) => void;

/**
 * Everything that can be said of a plant and its lifecycle before anything is enforced: the guarantees G1 to G12, what is refused
 * besides, and what is always listed. What each check proves and what it assumes stands in `check/README.md`.
 */
export function checkSpec(spec: Checked, onProgress: Progress = () => undefined): Report {
  const locate: Locate = spec.locate ?? (() => ({ file: "lifecycle.yaml", line: 1, column: 1 }));
  const of = CHECKS.length + 2;
  const said = CHECKS.flatMap(({ what, run }, done) => {
    onProgress(done, of, what);
    return run(spec);
  });
  onProgress(of - 2, of, "exemptions");
  const exemptions = exemptionsOf({ ...spec, locate });
  onProgress(of - 1, of, "permissiveness");
  const permissiveness = permissivenessOf({ ...spec, locate });
  onProgress(of, of, "done");
  const findings = said.filter(isFinding).map((raw) => findingOf(raw, locate));
  const facts = said.filter(isFact).map((raw) => factOf(raw, locate));
  return {
    passed: findings.every(({ severity }) => severity !== "error"),
    findings: worstFirst(findings).slice(0, MAX_DIAGNOSTICS).sort(byPlace),
    findingsLeftOut: Math.max(0, findings.length - MAX_DIAGNOSTICS),
    facts: facts.sort(byGuarantee).slice(0, MAX_FACTS),
    factsLeftOut: Math.max(0, facts.length - MAX_FACTS),
    exemptions,
    permissiveness,
  };
}

function isFinding(said: Said): said is RawFinding {
  return "code" in said;
}

function isFact(said: Said): said is RawFact {
  return "fact" in said;
}

function findingOf({ at, code, message, trace }: RawFinding, locate: Locate): Finding {
  return { ...locate(at), code, message, ...CODES_OF_CHECK[code], ...(trace === undefined ? {} : { trace }) };
}

function factOf({ at, guarantee, fact, detail }: RawFact, locate: Locate): Fact {
  return { ...locate(at), guarantee, says: fact, ...(detail === undefined ? {} : { detail }) };
}

function worstFirst(findings: readonly Finding[]): Finding[] {
  const rank = ({ severity }: Finding) => (severity === "error" ? 0 : 1);
  return [...findings].sort((a, b) => rank(a) - rank(b) || byPlace(a, b));
}

/** What lies in the plant's file comes after the lifecycle's, for `lifecycle` sorts before `plant`. */
function byPlace(a: Location, b: Location): number {
  return compare(a.file, b.file) || a.line - b.line || a.column - b.column;
}

const ORDER: readonly string[] = [...GUARANTEES, "language", "lint"];

function byGuarantee(a: Fact, b: Fact): number {
  return ORDER.indexOf(a.guarantee) - ORDER.indexOf(b.guarantee) || byPlace(a, b);
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
