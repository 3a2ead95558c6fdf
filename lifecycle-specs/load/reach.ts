import type { Operation } from "../lifecycle.ts";
import type { Tag } from "../plant.ts";

/** Why an operation cannot be about a tag. */
export interface ReachProblem {
  readonly code: "OUTPUT_TAG" | "METHOD_TAG" | "TAG_UNBOUND" | "TAG_READ_ONLY";
  readonly says: string;
}

/** Whether an operation can be about a tag, by the tag's kind and binding; undefined: it can. */
export function reachProblem(tag: Tag, operation: Operation): ReachProblem | undefined {
  return ofOutput(tag, operation) ?? ofMethod(tag, operation) ?? ofBinding(tag, operation) ?? ofWriting(tag, operation);
}

function ofOutput({ id, kind }: Tag, operation: Operation): ReachProblem | undefined {
  if ((operation === "output") === (kind === "output")) return undefined;
  const says =
    operation === "output"
      ? `\`${id}\` is a ${kind}, not an output; name output tags or use another operation`
      : `\`${id}\` is an output; only the control program may \`output\` it`;
  return { code: "OUTPUT_TAG", says };
}

function ofMethod({ id, kind }: Tag, operation: Operation): ReachProblem | undefined {
  const callable = kind === "method" || kind === "argument";
  if ((operation === "call") === callable) return undefined;
  const says =
    operation === "call"
      ? `\`${id}\` is a ${kind}, which cannot be called; name tags of kind \`method\` and \`argument\``
      : `\`${id}\` is ${kind === "method" ? "a method" : "an argument"}; it can be \`call\`ed and nothing else`;
  return { code: "METHOD_TAG", says };
}

function ofBinding({ id, modbus, opcua }: Tag, operation: Operation): ReachProblem | undefined {
  if (operation === "output" || operation === "call") return undefined;
  const overOpcUa = operation === "subscribe";
  if (opcua !== undefined || (modbus !== undefined && !overOpcUa)) return undefined;
  const need = overOpcUa ? "an opcua binding" : "a modbus or opcua binding";
  return {
    code: "TAG_UNBOUND",
    says: `\`${id}\` has no binding over which to \`${operation}\` it; give it ${need} in plant.yaml`,
  };
}

function ofWriting({ id, kind, modbus, opcua }: Tag, operation: Operation): ReachProblem | undefined {
  if (operation !== "write") return undefined;
  const readOnlyTable = modbus?.table === "discrete-input" || modbus?.table === "input-register";
  if (kind !== "measurement" && kind !== "status" && !(readOnlyTable && opcua === undefined)) return undefined;
  return {
    code: "TAG_READ_ONLY",
    says: `\`${id}\` is a ${kind}${readOnlyTable ? ` in a ${modbus.table}` : ""} and cannot be written; name a command or set-point`,
  };
}
