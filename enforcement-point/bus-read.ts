import { Type } from "typebox";
import { Epoch, NAME_PATTERN, PhaseId, RuleId, StepId, ZoneId } from "#specs/ids.ts";
import type { LeaseMessage, OrderMessage, PositionMessage } from "./bus.ts";
import { checked } from "./checked.ts";

/** Reads what the coordinator sends. Everything from outside is validated at this edge; undefined: not such a message. */
const Name = Type.String({ pattern: NAME_PATTERN });
const Steps = Type.Array(Name, { maxItems: 64 });
const LayerName = Type.Union([Type.Literal("hmi"), Type.Literal("switch"), Type.Literal("plc")]);
const common = {
  zone: Name,
  change: Type.String({ maxLength: 128 }),
  epoch: Type.Integer({ minimum: 0 }),
  to: Name,
  steps: Steps,
  atMs: Type.Number(),
};

const Order = Type.Union([
  Type.Object({
    ...common,
    order: Type.Literal("prepare"),
    from: Name,
    window: Type.Array(Name, { maxItems: 1000 }),
    bundle: Type.Optional(Type.String({ maxLength: 128 })),
  }),
  Type.Object({ ...common, order: Type.Literal("window"), layer: LayerName }),
  Type.Object({ ...common, order: Type.Literal("take"), layer: Type.Union([LayerName, Type.Literal("all")]) }),
  Type.Object({ ...common, order: Type.Literal("abort"), from: Name }),
]);
const Position = Type.Object({
  zone: Name,
  phase: Name,
  steps: Steps,
  epoch: Type.Integer({ minimum: 0 }),
  atMs: Type.Number(),
});
const Lease = Type.Object({
  coordinator: Type.String({ maxLength: 128 }),
  atMs: Type.Number(),
  leaseMs: Type.Number({ minimum: 0, maximum: 86_400_000 }),
});

const rawOrder = checked(Order);
const rawPosition = checked(Position);
const rawLease = checked(Lease);

export function readOrder(payload: unknown): OrderMessage | undefined {
  const m = rawOrder(payload);
  if (m === undefined) return undefined;
  return attempt(() => {
    const base = {
      zone: ZoneId(m.zone),
      change: m.change,
      epoch: Epoch(m.epoch),
      to: PhaseId(m.to),
      steps: m.steps.map(StepId),
      atMs: m.atMs,
    };
    switch (m.order) {
      case "prepare":
        return {
          ...base,
          ...(m.bundle === undefined ? {} : { bundle: m.bundle }),
          order: "prepare",
          from: PhaseId(m.from),
          window: m.window.map(RuleId),
        };
      case "window":
        return { ...base, order: "window", layer: m.layer };
      case "take":
        return { ...base, order: "take", layer: m.layer };
      default:
        return { ...base, order: "abort", from: PhaseId(m.from) };
    }
  });
}

export function readPosition(payload: unknown): PositionMessage | undefined {
  const m = rawPosition(payload);
  if (m === undefined) return undefined;
  return attempt(() => ({
    zone: ZoneId(m.zone),
    phase: PhaseId(m.phase),
    steps: m.steps.map(StepId),
    epoch: Epoch(m.epoch),
    atMs: m.atMs,
  }));
}

export function readLease(payload: unknown): LeaseMessage | undefined {
  return rawLease(payload);
}

/** The id constructors throw on what is not a name; from the bus that is an ordinary case. */
function attempt<T>(make: () => T): T | undefined {
  try {
    return make();
  } catch {
    return undefined;
  }
}
