import type { ModbusTags } from "#point/observe/modbus-tags.ts";
import { MBAP_FRAMING, type ModbusFraming, rtuFraming } from "#wire/modbus/index.ts";

export const FRAMINGS = ["mbap", "rtu"] as const;
export type FramingName = (typeof FRAMINGS)[number];

/**
 * @throws Error in one sentence
 */
export function readFraming(text: string): FramingName {
  const name = FRAMINGS.find((known) => known === text);
  if (name === undefined) throw new Error(`framing \`${text}\` is none of ${FRAMINGS.join(", ")}`);
  return name;
}

/** In RTU, a named function code can be framed where the plant declares one length for it, and not a range. */
export function framingOf(name: FramingName, tags: ModbusTags): ModbusFraming {
  if (name === "mbap") return MBAP_FRAMING;
  const fixed = (which: "length" | "answer") => (functionCode: number, mei?: number) => {
    const [least, most] = tags.rawFunction(functionCode, mei)?.[which] ?? [0, -1];
    return least === most ? 1 + least : undefined;
  };
  return rtuFraming({ request: fixed("length"), answer: fixed("answer") });
}
