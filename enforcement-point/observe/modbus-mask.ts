import { REASONS } from "#specs/decide/reasons.ts";
import type { ModbusRequest } from "#wire/modbus/index.ts";
import type { Judged } from "../receipt.ts";

/** A mask write of what nobody knows is one of no value, which the decision can only take for one of a wrong type. */
export function namedReason(judged: Judged, request: ModbusRequest): Judged {
  const { verdict, observation } = judged;
  if (request.kind !== "mask-write-register" || verdict.verdict !== "deny" || verdict.reason !== "TYPE_MISMATCH") {
    return judged;
  }
  const [item] = observation.items;
  const reason = "MASK_REFERENCE_UNKNOWN";
  return { ...judged, verdict: { ...verdict, reason, says: `${item?.tag ?? item?.address}: ${REASONS[reason]}` } };
}
