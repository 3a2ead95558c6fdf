import { observeModbus, type Party } from "#point/observe/modbus.ts";
import type { ModbusImage } from "#point/observe/modbus-image.ts";
import { namedReason } from "#point/observe/modbus-mask.ts";
import { wordsWritten } from "#point/observe/modbus-registers.ts";
import type { ModbusTags } from "#point/observe/modbus-tags.ts";
import type { Judged, Point } from "#point/point.ts";
import type { ModbusRequest } from "#wire/modbus/index.ts";

/** What a connection's requests are judged with. */
export interface ModbusContext {
  readonly point: Point;
  readonly tags: ModbusTags;
  readonly party: Party;
  readonly image: ModbusImage;
}

/** The verdicts on one request, and the words that it writes, both by what its registers hold at this moment. */
export function judgeModbus(
  { point, tags, party, image }: ModbusContext,
  unit: number,
  request: ModbusRequest,
): { readonly judged: readonly Judged[]; readonly words: readonly number[] | undefined } {
  const nowMs = point.options.clock.now();
  const present = (of: number, address: number): number | undefined => image.present(of, address, nowMs);
  const observations = observeModbus(party, tags, unit, request, present);
  return {
    judged: observations.map((observation) => namedReason(point.judge(observation, nowMs), request)),
    words: wordsWritten(request, (address) => present(unit, address)),
  };
}
