/** Branded names: what must not be swapped cannot be swapped. The constructors are the only casts. */
declare const brand: unique symbol;
type Brand<T, B extends string> = T & { readonly [brand]: B };

export type PlantId = Brand<string, "PlantId">;
export type ZoneId = Brand<string, "ZoneId">;
export type DeviceId = Brand<string, "DeviceId">;
export type LinkId = Brand<string, "LinkId">;
export type TagId = Brand<string, "TagId">;
/** Dotted path of a phase, for example `degraded.hmi-quarantined`. */
export type PhaseId = Brand<string, "PhaseId">;
/** Name of a step, unique within its phase, for example `fill`. */
export type StepId = Brand<string, "StepId">;
export type RuleId = Brand<string, "RuleId">;
/** A vendor's own function code or service that the plant file names. */
export type RawId = Brand<string, "RawId">;
/** Per zone, counter of phase changes. INVARIANT (phase epoch): never decreases. */
export type Epoch = Brand<number, "Epoch">;

/** What a name looks like, wherever one is read. Long enough for the path of a phase: groups, and what a generated containment is of. */
export const NAME_PATTERN = "^[A-Za-z][A-Za-z0-9_.-]{0,127}$";
const NAME = new RegExp(NAME_PATTERN);

function name<B extends string>(kind: string, text: string): Brand<string, B> {
  if (!NAME.test(text)) {
    throw new RangeError(
      `${kind} \`${text}\` is not a name: a letter, then up to 127 letters, digits, \`_\`, \`.\` or \`-\``,
    );
  }
  return text as Brand<string, B>;
}

export const PlantId = (text: string): PlantId => name("plant", text);
export const ZoneId = (text: string): ZoneId => name("zone", text);
export const DeviceId = (text: string): DeviceId => name("device", text);
export const LinkId = (text: string): LinkId => name("link", text);
export const TagId = (text: string): TagId => name("tag", text);
export const PhaseId = (text: string): PhaseId => name("phase", text);
export const StepId = (text: string): StepId => name("step", text);
export const RuleId = (text: string): RuleId => name("rule", text);
export const RawId = (text: string): RawId => name("raw function", text);

export function Epoch(n: number): Epoch {
  if (!Number.isSafeInteger(n) || n < 0) throw new RangeError(`epoch ${n} is not a whole number from 0`);
  return n as Epoch;
}
