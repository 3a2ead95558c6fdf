import type { Locate } from "../diagnostic.ts";
import type { Rule } from "../lifecycle.ts";
import type { Link, Plant } from "../plant.ts";
import { allRules } from "../positions.ts";
import type { Checked, Exemption, ExemptionKind } from "./report.ts";

/** An exemption before it has a position. */
type Raw = Omit<Exemption, "file" | "line" | "column"> & { readonly at: string };

/** What is allowed whatever the phase, or not looked into: rules in the order of the file, then links in theirs. */
export function exemptionsOf({
  plant,
  lifecycle,
  locate,
}: Checked & { readonly locate: Locate }): readonly Exemption[] {
  const found = [...allRules(lifecycle).flatMap((rule) => ofRule(plant, rule)), ...plant.links.flatMap(ofLink)];
  return found.map(({ at, ...exemption }) => ({ ...locate(at), ...exemption }));
}

function ofRule(plant: Plant, rule: Rule): readonly Raw[] {
  const exempt = (kind: ExemptionKind, says: string): Raw => ({
    kind,
    subject: rule.id,
    says,
    abusableBy: rule.from.map((source) => (source === "program" ? "the control program" : source)),
    at: `rule:${rule.id}`,
  });
  const what = rule.tags.length > 0 ? rule.tags.join(", ") : rule.targets.join(", ");
  return [
    ...(rule.safety ? [exempt("safety", `no phase, window or containment denies \`${rule.id}\`: ${rule.says}`)] : []),
    ...ofMode(rule, exempt),
    ...rule.raw.map((id) =>
      exempt("raw", `nobody looks into \`${id}\` (${saysOf(plant, id)}): anything may stand in it`),
    ),
    ...(rule.operation === "program" || (rule.operation === "diagnose" && rule.form?.objects === undefined)
      ? [exempt(rule.operation, `what is done with the right to ${rule.operation} ${what} is not looked into`)]
      : []),
  ];
}

/** What the operator is told is forwarded by default; there it is withholding that is out of the ordinary. */
function ofMode(rule: Rule, exempt: (kind: ExemptionKind, says: string) => Raw): readonly Raw[] {
  if (rule.operation === "report") {
    if (rule.mode !== "enforce") return [];
    const says = `what \`${rule.id}\` does not allow is kept from ${rule.targets.join(", ")}: whoever makes a reading implausible blinds the operator`;
    return [exempt("report", says)];
  }
  if (rule.mode === "enforce") return [];
  const recorded = rule.mode === "monitor" ? "recorded and forwarded" : "forwarded and not recorded";
  return [exempt(rule.mode, `what the bounds, rates and causes of \`${rule.id}\` forbid is ${recorded}`)];
}

function saysOf(plant: Plant, id: string): string {
  return plant.raw.find((named) => named.id === id)?.says ?? "not declared";
}

function ofLink(link: Link): readonly Raw[] {
  const exempt = (kind: ExemptionKind, says: string): Raw => ({
    kind,
    subject: link.id,
    says,
    abusableBy: [link.client],
    at: `link:${link.id}`,
  });
  const way = `from ${link.client} to ${link.server}`;
  return [
    ...(link.opaque ? [exempt("opaque", `nobody looks into what passes ${way}`)] : []),
    ...(link.way === "signed"
      ? [exempt("signed", `a denial ${way} can only end the channel: nothing is answered, put in or left out there`)]
      : []),
    ...(link.failOpen
      ? [exempt("fail-open", `what passes ${way} is forwarded unjudged while the filter cannot judge`)]
      : []),
    ...(link.mode === "monitor" ? [exempt("monitor", `what is denied ${way} is recorded and forwarded`)] : []),
    ...(link.mode === "off" ? [exempt("off", `nothing is judged ${way}`)] : []),
  ];
}
