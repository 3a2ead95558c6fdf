import type { Layer } from "../decide/observation.ts";
import type { RuleId } from "../ids.ts";
import type { Rule } from "../lifecycle.ts";
import { allRules } from "../positions.ts";
import { isSeenOn, linksOfRule, type Sight, sightOf } from "./observe.ts";
import type { Checked, RawFinding } from "./report.ts";
import { bookOf } from "./whitelist.ts";

const MESSAGE_LAYERS: readonly Layer[] = ["hmi", "switch"];

/**
 * A layer that must know a tag to judge a rule (its cause, the value that a largest step or a ramp is measured from) and never gets to
 * see it denies every such command, for unknown is no. So each layer that sees the messages must see the tag too.
 */
export function layersSeeWhatTheyJudgeBy({ plant, lifecycle }: Checked): readonly RawFinding[] {
  const book = bookOf(plant, lifecycle);
  const sight = sightOf(plant, lifecycle);
  return allRules(lifecycle).flatMap((rule): readonly RawFinding[] => {
    if (rule.safety || rule.operation === "output" || rule.operation === "report") return [];
    const links = linksOfRule(plant, book, rule);
    for (const layer of MESSAGE_LAYERS) {
      if (!links.some((link) => isSeenOn(layer, link))) continue;
      const unseen = neededFor(rule).find(({ tag }) => !sight.seesTag(layer, tag));
      if (unseen === undefined) continue;
      const message = `rule \`${rule.id}\` ${unseen.why} \`${unseen.tag}\`, which the ${layer} layer never sees, so it denies every such command; let somebody read \`${unseen.tag}\` over a link that the ${layer} layer looks into`;
      return [{ at: `rule:${rule.id}`, code: "LAYER_UNSIGHTED", message }];
    }
    return [];
  });
}

function neededFor({
  causality,
  value,
  tags,
}: Rule): readonly { readonly tag: Rule["tags"][number]; readonly why: string }[] {
  const conditions = [...(causality?.after?.all ?? []), ...(causality?.notWhile?.all ?? [])];
  const measured = value?.maxStep === undefined && value?.rampPerS === undefined ? [] : tags;
  return [
    ...conditions.map(({ tag }) => ({ tag, why: "depends on" })),
    ...measured.map((tag) => ({ tag, why: "measures a change from the last known value of" })),
  ];
}

/** The order of messages can be judged only by a layer that sees both. */
export function ordersAreSeen({ plant, lifecycle }: Checked): readonly RawFinding[] {
  const book = bookOf(plant, lifecycle);
  const sight = sightOf(plant, lifecycle);
  const rules = new Map(allRules(lifecycle).map((rule) => [rule.id, rule]));
  return [...rules.values()].flatMap((rule): readonly RawFinding[] => {
    const others = [
      ...(rule.causality?.follows === undefined ? [] : [rule.causality.follows.rule]),
      ...(rule.causality?.apart?.rules ?? []),
    ];
    const why = others.length === 0 ? undefined : whyUnseen(rule, others);
    if (why === undefined) return [];
    const message = `rule \`${rule.id}\` asks for an order of messages that ${why}; leave the order out, or use links that are looked into`;
    return [{ at: `rule:${rule.id}`, code: "ORDER_UNSEEN", message }];
  });

  function whyUnseen(rule: Rule, others: readonly RuleId[]): string | undefined {
    const links = linksOfRule(plant, book, rule);
    const layers = MESSAGE_LAYERS.filter((layer) => links.some((link) => isSeenOn(layer, link)));
    if (layers.length === 0) return "no layer sees";
    for (const layer of layers) {
      const unseen = others.find((id) => !isSeen(sight, layer, rules.get(id)));
      if (unseen !== undefined) return `the ${layer} layer cannot judge: it sees no message of \`${unseen}\``;
    }
    return undefined;
  }
}

/** A rule that follows an output is found elsewhere, as is one that is not declared. */
function isSeen(sight: Sight, layer: Layer, rule: Rule | undefined): boolean {
  return rule === undefined || rule.operation === "output" || sight.seesMessages(layer, rule);
}

/** A step that a command leads out of is left when some point sees that command; outputs are seen by guards, and never answered. */
export function stepCommandsAreSeen({ plant, lifecycle }: Checked): readonly RawFinding[] {
  const book = bookOf(plant, lifecycle);
  const sight = sightOf(plant, lifecycle);
  const rules = new Map(allRules(lifecycle).map((rule) => [rule.id, rule]));
  const why = (rule: Rule | undefined, outcome: string): string | undefined => {
    if (rule === undefined) return undefined; // not declared: loading has said so
    if (rule.operation === "output") {
      if (outcome === "answered-ok") return "is an output, which nothing answers; use `outcome: forwarded`";
      return rule.targets.some(book.isGuarded)
        ? undefined
        : "is an output of a device without a guard; use a condition";
    }
    if (MESSAGE_LAYERS.some((layer) => sight.seesMessages(layer, rule))) return undefined;
    return "is about links that nobody looks into; use a condition on a tag";
  };
  return lifecycle.phases.flatMap((phase) =>
    (phase.mask === undefined ? phase.steps : []).flatMap(({ id, next }) =>
      next.flatMap((way): readonly RawFinding[] => {
        const unseen = way.event === "command" ? why(rules.get(way.rule), way.outcome) : undefined;
        if (way.event !== "command" || unseen === undefined) return [];
        const message = `step \`${id}\` of phase \`${phase.id}\` waits for \`${way.rule}\`, which ${unseen}`;
        return [{ at: `step:${phase.id}/${id}`, code: "STEP_EVENT_UNOBSERVABLE", message }];
      }),
    ),
  );
}
