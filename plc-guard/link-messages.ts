import { type Static, Type } from "typebox";
import type { AnswerMessage, OrderMessage, PositionMessage, ReceiptMessage } from "#point/bus.ts";
import { readOrder, readPosition } from "#point/bus-read.ts";
import { checked } from "#point/checked.ts";
import { NAME_PATTERN, TagId } from "#specs/ids.ts";
import type { GuardStatus } from "./guard.ts";

/**
 * What crosses the link between the guard in a PLC and its agent: one JSON value per line. The agent carries; it decides
 * nothing. Everything read is validated here; undefined: not such a message.
 */

/** PLC → agent, after a scan with news, and at least each half second of plant time. */
export interface ScanReport extends GuardStatus {
  readonly scan: number;
  readonly atMs: number;
  readonly device: string;
  readonly bundle: string;
  readonly says: string;
  readonly tags: Readonly<Record<string, number>>;
  readonly receipts: readonly ReceiptMessage[];
}

/** Agent → PLC. `tags` are those that other PLCs reported: conditions and steps may speak of them. */
export type ToGuard =
  | { readonly order: OrderMessage }
  | { readonly position: PositionMessage }
  | { readonly leaseMs: number }
  | { readonly atMs: number; readonly tags: Readonly<Record<string, number>> };

/** PLC → agent. A beat says that the process lives, also while no scan has news. */
export type FromGuard = ScanReport | { readonly answer: AnswerMessage } | { readonly beat: number };

/** Longest line towards the PLC, in bytes. */
export const MAX_TO_GUARD_BYTES = 64 * 1024;
/** Longest line from the PLC, in bytes: a full ring of receipts fits. */
export const MAX_FROM_GUARD_BYTES = 2 * 1024 * 1024;
/** Longest lease that is taken, in real ms: one day. */
const MAX_LEASE_MS = 86_400_000;
const MAX_TAGS = 4096;

/** What the id constructors take: a name that is none makes the whole message unreadable, not an exception later. */
const Name = Type.String({ pattern: NAME_PATTERN });
const Tags = Type.Record(Type.String({ maxLength: 128 }), Type.Number(), { maxProperties: MAX_TAGS });
const Lease = Type.Object({ leaseMs: Type.Number({ minimum: 0, maximum: MAX_LEASE_MS }) });
const ForeignTags = Type.Object({ atMs: Type.Number(), tags: Tags });
const Report = Type.Object({
  scan: Type.Integer({ minimum: 0 }),
  atMs: Type.Number(),
  device: Name,
  bundle: Type.String({ maxLength: 128 }),
  says: Type.String(),
  state: Type.Union([Type.Literal("joining"), Type.Literal("in-force"), Type.Literal("isolated")]),
  mode: Type.Union([Type.Literal("off"), Type.Literal("monitor"), Type.Literal("enforce")]),
  zone: Name,
  phase: Type.Union([Name, Type.Null()]),
  steps: Type.Array(Name, { maxItems: 64 }),
  epoch: Type.Union([Type.Integer({ minimum: 0 }), Type.Null()]),
  judged: Type.Integer({ minimum: 0 }),
  denied: Type.Integer({ minimum: 0 }),
  waiting: Type.Integer({ minimum: 0 }),
  lost: Type.Integer({ minimum: 0 }),
  suppressed: Type.Integer({ minimum: 0 }),
  tags: Tags,
  receipts: Type.Array(Type.Object({ seq: Type.Integer({ minimum: 1 }), point: Name, atMs: Type.Number() }), {
    maxItems: 4096,
  }),
});
const Answer = Type.Object({
  answer: Type.Object({
    point: Name,
    layer: Type.Literal("plc"),
    change: Type.String({ maxLength: 128 }),
    order: Type.Union([Type.Literal("prepare"), Type.Literal("window"), Type.Literal("take"), Type.Literal("abort")]),
    agreed: Type.Boolean(),
    says: Type.String(),
  }),
});

/** A report as the agent reads it: names are checked, receipts are carried whole and unread. */
export type ReadReport = Static<typeof Report>;
export type ReadAnswer = Static<typeof Answer>;

export const readReport = checked(Report);
export const readAnswer = checked(Answer);
const readLease = checked(Lease);
const readTags = checked(ForeignTags);

export function readToGuard(payload: unknown): ToGuard | undefined {
  if (typeof payload !== "object" || payload === null) return undefined;
  if ("order" in payload) {
    const order = readOrder(payload.order);
    return order === undefined ? undefined : { order };
  }
  if ("position" in payload) {
    const position = readPosition(payload.position);
    return position === undefined ? undefined : { position };
  }
  return readLease(payload) ?? readTags(payload);
}

/** Tags from the link, without names that no tag can have. */
export function toTagMap(tags: Readonly<Record<string, number>>): ReadonlyMap<TagId, number> {
  const map = new Map<TagId, number>();
  for (const [name, value] of Object.entries(tags)) {
    try {
      map.set(TagId(name), value);
    } catch {
      // Not a name of a tag, so no tag either.
    }
  }
  return map;
}
