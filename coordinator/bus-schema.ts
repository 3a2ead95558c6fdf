import { type TSchema, Type } from "typebox";
import type { AnswerMessage, NoticeMessage, ReceiptMessage, StatusMessage, TagsMessage } from "#point/bus.ts";
import { MAX_ITEMS, MAX_LINKS, MAX_SAYS, MAX_WORDS } from "#point/bus-limits.ts";
import { checked } from "#point/checked.ts";
import { REASONS, type ReasonCode } from "#specs/decide/reasons.ts";
import {
  type DeviceId,
  type Epoch,
  type LinkId,
  NAME_PATTERN,
  type PhaseId,
  type StepId,
  type TagId,
  type ZoneId,
} from "#specs/ids.ts";
import { LOCI, type Locus, OPERATIONS } from "#specs/lifecycle.ts";
import { UA_WAYS } from "#specs/plant.ts";

/** Reads what points send. Everything from outside is validated at this edge; undefined: not such a message. */

const name = Type.String({ pattern: NAME_PATTERN });
const id = <T extends string>() => Type.Unsafe<T>(name);
const words = <T extends string>(list: readonly T[]) =>
  Type.Unsafe<T>(Type.Union(list.map((word) => Type.Literal(word))));
const nullable = <S extends TSchema>(schema: S) => Type.Union([schema, Type.Null()]);
const epoch = Type.Unsafe<Epoch>(Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }));
const text = Type.String({ maxLength: MAX_SAYS });
const short = Type.String({ maxLength: MAX_WORDS });
const count = Type.Number({ minimum: 0 });

const reasonCodes = Object.keys(REASONS).filter((code): code is ReasonCode => code in REASONS);
const layer = words(["hmi", "switch", "plc"] as const);
const operation = words(OPERATIONS);
const outcome = words(["forwarded", "answered-ok", "answered-error", "denied"] as const);
/** As the broker takes it. */
const point = Type.String({ pattern: "^[A-Za-z][A-Za-z0-9_.-]{0,63}$" });

const Status = Type.Object({
  point,
  layer,
  state: words(["joining", "in-force", "isolated", "blind", "down"] as const),
  says: text,
  mode: words(["off", "monitor", "enforce"] as const),
  zone: id<ZoneId>(),
  phase: nullable(id<PhaseId>()),
  steps: Type.Array(id<StepId>(), { maxItems: 64 }),
  epoch: nullable(epoch),
  bundle: Type.String({ maxLength: 128 }),
  pid: Type.Number(),
  atMs: Type.Number(),
  judgedUpToMs: Type.Number(),
  tick: Type.Optional(Type.Number()),
  judged: count,
  denied: count,
  lost: count,
  ways: Type.Optional(
    Type.Record(name, words(UA_WAYS), {
      maxProperties: MAX_LINKS,
      additionalProperties: false,
    }),
  ),
});

const Receipt = Type.Object({
  point,
  layer,
  seq: Type.Integer({ minimum: 0 }),
  atMs: Type.Number(),
  epoch: nullable(epoch),
  phase: nullable(id<PhaseId>()),
  source: nullable(id<DeviceId | "program">()),
  sourceAddress: short,
  target: id<DeviceId>(),
  link: nullable(id<LinkId>()),
  operation,
  message: short,
  items: Type.Array(
    Type.Object({
      tag: nullable(id<TagId>()),
      address: short,
      value: nullable(Type.Number()),
      before: Type.Optional(Type.Number()),
    }),
    { maxItems: MAX_ITEMS },
  ),
  verdict: words(["allow", "deny"] as const),
  rule: nullable(short),
  reason: nullable(words(reasonCodes)),
  says: text,
  action: words(["forwarded", "blocked"] as const),
  outcome: Type.Optional(outcome),
  select: Type.Optional(Type.Object({ seq: Type.Integer({ minimum: 0 }), atMs: Type.Number() })),
  scan: Type.Optional(Type.Number()),
});

const POINT_CODES = [
  "TAP_BLIND",
  "TAP_BACK",
  "RESTARTED",
  "ISOLATED",
  "LEASE_BACK",
  "PLC_SILENT",
  "PLC_BACK",
  "READING_SUSPECT",
  "READING_WITHHELD",
  "PERIOD_MISSED",
  "COMMAND_UNFINISHED",
  "BUNDLE_TAKEN",
  "BUNDLE_REFUSED",
] as const;
const Notice = Type.Object({
  point,
  layer,
  atMs: Type.Number(),
  code: words([...reasonCodes, ...POINT_CODES]),
  severity: words(["info", "detection"] as const),
  locus: Type.Array(words<Locus>(LOCI), { maxItems: LOCI.length }),
  source: short,
  target: short,
  says: text,
});

const Tags = Type.Object({
  point,
  device: id<DeviceId>(),
  scan: Type.Number(),
  atMs: Type.Number(),
  values: Type.Record(name, Type.Number(), { additionalProperties: false }),
});

const Answer = Type.Object({
  point,
  layer,
  change: Type.String({ maxLength: 128 }),
  order: words(["prepare", "window", "take", "abort"] as const),
  agreed: Type.Boolean(),
  says: text,
});

/** Most tags that one tags message may carry. */
export const MAX_TAGS_PER_MESSAGE = 5000;

const rawTags = checked(Tags);

export const readStatus: (payload: unknown) => StatusMessage | undefined = checked(Status);
export const readReceipt: (payload: unknown) => ReceiptMessage | undefined = checked(Receipt);
export const readNotice: (payload: unknown) => NoticeMessage | undefined = checked(Notice);
export const readAnswer: (payload: unknown) => AnswerMessage | undefined = checked(Answer);

export function readTags(payload: unknown): TagsMessage | undefined {
  const message = rawTags(payload);
  return message === undefined || Object.keys(message.values).length > MAX_TAGS_PER_MESSAGE ? undefined : message;
}
