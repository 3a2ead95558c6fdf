import { type FormRule, holdsRecords, holdsSpan } from "../form.ts";
import type { Observation } from "./observation.ts";
import { FLAG } from "./rule-bounds.ts";
import type { Tables } from "./tables.ts";
import { codeOf, NONE } from "./verdict-id.ts";

const ROLE_MISSING = codeOf("ROLE_MISSING");
const ROLE_NOT_ALLOWED = codeOf("ROLE_NOT_ALLOWED");
const FUNCTION_NOT_ALLOWED = codeOf("FUNCTION_NOT_ALLOWED");
const QUANTITY_ABOVE = codeOf("QUANTITY_ABOVE");
const FILE_NOT_ALLOWED = codeOf("FILE_NOT_ALLOWED");
const OBJECT_NOT_ALLOWED = codeOf("OBJECT_NOT_ALLOWED");

/** Flags of rules that ask for more of a message than who, what and value. */
export const MESSAGE_FLAGS: number = FLAG.ROLES | FLAG.FORM;

/** role → function → quantity → files, objects: the code of what the message lacks for a rule, or NONE. What is not known does not fit. */
export function messageLack(tables: Tables, rule: number, flags: number, observation: Observation): number {
  const { roles, form } = tables.rules[rule]?.rule ?? NOTHING;
  if ((flags & FLAG.ROLES) !== 0) {
    const { role } = observation;
    if (role === undefined) return ROLE_MISSING;
    if (roles?.includes(role) !== true) return ROLE_NOT_ALLOWED;
  }
  return (flags & FLAG.FORM) === 0 || form === undefined ? NONE : formLack(form, observation);
}

const NOTHING: { readonly roles?: readonly string[]; readonly form?: FormRule } = {};

function formLack(form: FormRule, observation: Observation): number {
  if (form.functions !== undefined && !isNamed(form.functions, observation)) return FUNCTION_NOT_ALLOWED;
  if (form.quantity !== undefined && !((observation.quantity ?? Number.NaN) <= form.quantity)) return QUANTITY_ABOVE;
  if (form.files !== undefined && fileBeyond(form.files, observation) !== undefined) return FILE_NOT_ALLOWED;
  if (form.objects === undefined) return NONE;
  const { objects } = observation;
  return objects !== undefined && holdsSpan(form.objects, objects[0], objects[1]) ? NONE : OBJECT_NOT_ALLOWED;
}

function isNamed(functions: NonNullable<FormRule["functions"]>, { functionCode, subFunction }: Observation): boolean {
  for (let n = 0; n < functions.length; n += 1) {
    const named = functions[n];
    if (named?.code === functionCode && (named?.sub === undefined || named.sub === subFunction)) return true;
  }
  return false;
}

/** Index of the first group of records that the ranges do not hold; undefined: they hold all. */
export function fileBeyond(
  ranges: NonNullable<FormRule["files"]>,
  { files }: Pick<Observation, "files">,
): number | undefined {
  if (files === undefined) return 0;
  for (let n = 0; n < files.length; n += 1) {
    const group = files[n];
    if (group === undefined || !holdsRecords(ranges, group.file, group.record, group.count)) return n;
  }
  return undefined;
}
