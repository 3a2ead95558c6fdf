import { coilAddress, discreteInputAddress, encodeRequest, holdingRegisterAddress } from "#wire/modbus/index.ts";
import type { AttackLog } from "./attack-log.ts";
import { fromRaw, type PlannedWrite, TARGETS, type TargetTag, toRaw } from "./draw.ts";
import type { ModbusMaster } from "./modbus-master.ts";
import type { Watch } from "./watch.ts";

/** Sends each write of a round, in order, and logs what was answered. True: the server took at least one. */
export async function writeRound(
  master: ModbusMaster,
  writes: readonly PlannedWrite[],
  watch: Watch,
  log: AttackLog,
): Promise<boolean> {
  let taken = false;
  for (const write of writes) {
    const [first] = write.items;
    if (first === undefined || write.by === "Write") continue;
    const atMs = watch.now();
    const answer = await master.request(TARGETS[first.tag].unit, encodeWrite(write.by, write.items));
    taken ||= answer.says === "ok";
    for (const { tag, value } of write.items) log({ atMs, action: `FC${write.by}`, tag, value, answer: answer.says });
  }
  return taken;
}

/** The present values of what the writes aim at, as single writes that put them back. Those that cannot be read are left out. */
export async function presentValues(
  master: ModbusMaster,
  writes: readonly PlannedWrite[],
): Promise<readonly PlannedWrite[]> {
  const present: PlannedWrite[] = [];
  for (const tag of new Set(writes.flatMap((write) => write.items.map((item) => item.tag)))) {
    const coil = writes.some((write) => write.by === 5 && write.items.some((item) => item.tag === tag));
    const value = await readTarget(master, tag, coil);
    if (value !== undefined) present.push({ by: coil ? 5 : 6, items: [{ tag, value }] });
  }
  return present;
}

/** An attacker that covers its tracks: it puts back what it found, and logs that without values, which are not its own. */
export async function putBack(
  master: ModbusMaster,
  found: readonly PlannedWrite[],
  watch: Watch,
  log: AttackLog,
): Promise<void> {
  await writeRound(master, found, watch, (action) =>
    log({ ...action, action: `put back by ${action.action}`, value: null }),
  );
}

async function readTarget(master: ModbusMaster, tag: TargetTag, coil: boolean): Promise<number | undefined> {
  const { unit, address } = TARGETS[tag];
  const pdu = coil
    ? encodeRequest({ kind: "read-coils", functionCode: 1, address: coilAddress(address), quantity: 1 })
    : encodeRequest({
        kind: "read-holding-registers",
        functionCode: 3,
        address: holdingRegisterAddress(address),
        quantity: 1,
      });
  const answer = await master.request(unit, pdu);
  if (answer.says !== "ok" || answer.pdu === undefined || answer.pdu.length < (coil ? 3 : 4)) return undefined;
  return coil ? answer.pdu.readUInt8(2) & 1 : fromRaw(tag, answer.pdu.readUInt16BE(2));
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
