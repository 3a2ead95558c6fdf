import type { PackedBundle } from "./bundle.ts";
import { ms, name, names, says } from "./bundle-schema/parts.ts";
import { plant } from "./bundle-schema/plant.ts";
import { condition, rule } from "./bundle-schema/rule.ts";
import {
  type ContainmentChoice,
  LEVELS,
  LOCI,
  type Mask,
  type Region,
  type Rule,
  type SafeState,
  type StepTransition,
  type Transition,
} from "./lifecycle.ts";
import type { ContainedPhase, OwnPhase, PackedLifecycle, PackedStep } from "./pack.ts";
import type { Device, Link } from "./plant.ts";
import {
  byKey,
  integer,
  list,
  map,
  optional,
  type Problem,
  pattern,
  type Shape,
  text,
  truth,
  variants,
  words,
} from "./shape.ts";

/** The shape of a bundle file's plant and lifecycle. Its projections are not described: they follow from these two. */
const stepTransition = variants<StepTransition, "event">("event", {
  condition: map({ to: name(), event: words(["condition"]), when: condition }),
  command: map({ to: name(), event: words(["command"]), rule: name(), outcome: words(["forwarded", "answered-ok"]) }),
  after: map({ to: name(), event: words(["after"]), ms }),
});

const step = map<PackedStep>({
  id: name(),
  says,
  rules: names(),
  next: list(stepTransition),
  minMs: optional(ms),
  maxMs: optional(ms),
});

const exit = {
  to: name<Transition["to"]>(),
  with: names<Transition["to"]>(),
  cleanMs: optional(ms),
  window: names<Rule["id"]>(),
};
type TransitionBy<E extends Transition["event"]> = Extract<Transition, { readonly event: E }>;
const transition = variants<Transition, "event">("event", {
  operator: map<TransitionBy<"operator">>({
    ...exit,
    event: words(["operator"]),
    request: text(128),
    roles: list(words(["viewer", "operator", "engineer", "admin"])),
    persons: words([1, 2]),
    ttlMs: optional(ms),
    when: optional(condition),
  }),
  condition: map<TransitionBy<"condition">>({
    ...exit,
    event: words(["condition"]),
    when: condition,
    withinMs: optional(ms),
  }),
  after: map<TransitionBy<"after">>({
    ...exit,
    event: words(["after"]),
    ms,
    when: optional(condition),
    withinMs: optional(ms),
  }),
});

const ownPhase = map<OwnPhase>({
  id: name(),
  zone: name(),
  says,
  rules: names(),
  steps: list(step),
  initial: optional(name()),
  transitions: list(transition),
  containment: truth,
  because: optional(says),
});

const subject: Shape<Mask["subject"]> = byKey(
  "device",
  map<{ readonly device: Device["id"] }>({ device: name() }),
  map<{ readonly link: Link["id"] }>({ link: name() }),
);
const containedPhase = map<ContainedPhase>({
  id: name(),
  says,
  mask: map<Mask>({ origin: name(), level: words(LEVELS), subject }),
  transitions: list(transition),
  because: optional(says),
});

const region = map<Region>({
  zone: name(),
  initial: name(),
  isolated: name(),
  safe: optional(map<SafeState>({ phase: name(), withinMs: ms })),
});

const containment = map<ContainmentChoice>({
  from: names(),
  locus: list(words(LOCI)),
  tags: optional(names()),
  to: name(),
  says,
});

const lifecycle = map<PackedLifecycle>({
  plant: name(),
  version: integer(0, Number.MAX_SAFE_INTEGER),
  regions: list(region, 1),
  leaseMs: ms,
  skewMs: ms,
  changeMs: ms,
  mirrorDelayMs: optional(ms),
  everywhere: names(),
  rules: list(rule),
  phases: list(byKey("mask", containedPhase, ownPhase)),
  containments: list(containment),
});

const core = map<Omit<PackedBundle, "projections">>({
  schema: words(["sekisho-bundle/2"]),
  id: pattern(/^[0-9a-f]{64}$/, "is not a SHA-256 hash in hex"),
  plant,
  lifecycle,
});

/** Whether a value is a packed bundle without its projections; if not, the first place and what is wrong there. */
export function shapeProblem(given: unknown): Problem | undefined {
  return core.problem(given);
}
