import { coilAddress, discreteInputAddress, encodeRequest, holdingRegisterAddress } from "#wire/modbus/index.ts";
import type { AttackLog } from "./attack-log.ts";
import { type PlannedWrite, TARGETS, toRaw } from "./draw.ts";
import type { ModbusMaster } from "./modbus-master.ts";
import type { Watch } from "./watch.ts";

/** Sends each write of a round, in order, and logs what was answered. */
export async function writeRound(
  master: ModbusMaster,
  writes: readonly PlannedWrite[],
  watch: Watch,
  log: AttackLog,
): Promise<void> {
  for (const write of writes) {
    const [first] = write.items;
    if (first === undefined || write.by === "Write") continue;
    const atMs = watch.now();
    const answer = await master.request(TARGETS[first.tag].unit, encodeWrite(write.by, write.items));
    for (const { tag, value } of write.items) log({ atMs, action: `FC${write.by}`, tag, value, answer: answer.says });
  }
}

/** Reads discrete input `address`; undefined: no answer that tells. */
export async function readDiscreteInput(
  master: ModbusMaster,
  unit: number,
  address: number,
): Promise<boolean | undefined> {
  const pdu = encodeRequest({
    kind: "read-discrete-inputs",
    functionCode: 2,
    address: discreteInputAddress(address),
    quantity: 1,
  });
  const answer = await master.request(unit, pdu);
  if (answer.says !== "ok" || answer.pdu === undefined || answer.pdu.length < 3) return undefined;
  return (answer.pdu.readUInt8(2) & 1) === 1;
}

function encodeWrite(by: 5 | 6 | 16, items: PlannedWrite["items"]): Buffer {
  const [first] = items;
  if (first === undefined) throw new Error("unreachable: a write without items");
  const { address } = TARGETS[first.tag];
  switch (by) {
    case 5:
      return encodeRequest({
        kind: "write-single-coil",
        functionCode: 5,
        address: coilAddress(address),
        on: first.value !== 0,
      });
    case 6:
      return encodeRequest({
        kind: "write-single-register",
        functionCode: 6,
        address: holdingRegisterAddress(address),
        value: toRaw(first.tag, first.value),
      });
    case 16:
      return encodeRequest({
        kind: "write-multiple-registers",
        functionCode: 16,
        address: holdingRegisterAddress(address),
        values: items.map(({ tag, value }) => toRaw(tag, value)),
      });
    default: {
      const never: never = by;
      throw new Error(`unreachable: ${String(never)}`);
    }
  }
}
