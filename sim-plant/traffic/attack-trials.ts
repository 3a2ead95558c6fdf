import { type History, lastSeen, observeTag } from "#specs/decide/history.ts";
import type { Observation, Position } from "#specs/decide/observation.ts";
import { type Permit, permit } from "#specs/decide/permit.ts";
import { DeviceId, TagId } from "#specs/ids.ts";
import type { Plant } from "#specs/plant.ts";
import { holdingRegisterAddress } from "#wire/modbus/index.ts";
import type { Random } from "../random.ts";
import { allowedBy, type DraftJudge, forked } from "./draft-judge.ts";
import { ObservedTraffic, writeOf } from "./observed-traffic.ts";
import { type AttackScene, type AttackWrite, tampered, WRITE_ATTACKS, type WriteAttack } from "./write-attacks.ts";

/** How one attack fared in one phase. */
export interface AttackScore {
  readonly row: number;
  readonly title: string;
  readonly phase: string;
  /** It comes from the address of a declared device. */
  readonly isKnown: boolean;
  trials: number;
  /** Trials in which no write that it aimed at passed. */
  stopped: number;
}

/** Trials of one attack in one phase. */
const MAX_TRIALS = 40;
/** Share of seconds in which an attack is tried: rare moments in a start-up are all looked at, long phases now and then. */
const CHANCE = { rare: 0.3, long: 0.0015, short: 0.05 } as const;
const ROGUE_ADDRESS = "127.10.9.9:40000";

/** Tries the write attacks while a quiet run goes on, each on a copy of what the switch remembers. The run itself notices nothing. */
export class AttackTrials {
  readonly #judge: DraftJudge;
  readonly #plant: Plant;
  readonly #traffic: ObservedTraffic;
  readonly #rng: Random;
  readonly #scores = new Map<string, AttackScore>();

  constructor(plant: Plant, judge: DraftJudge, rng: Random) {
    this.#plant = plant;
    this.#judge = judge;
    this.#rng = rng;
    this.#traffic = new ObservedTraffic(plant, judge);
  }

  get scores(): readonly AttackScore[] {
    return [...this.#scores.values()].sort((a, b) => a.row - b.row || (a.phase < b.phase ? -1 : 1));
  }

  /** A second has passed. */
  moment(): void {
    for (const attack of WRITE_ATTACKS) {
      if (attack.inWindow === true) continue;
      const { phase } = this.#judge;
      const chance = phase === "normal" ? CHANCE.long : attack.when === undefined ? CHANCE.short : CHANCE.rare;
      if (this.#rng() < chance && (attack.phases?.includes(phase) ?? true))
        this.#try(attack, phase, this.#judge.permit);
    }
  }

  /** A change of phase: for a moment what both allow is allowed. */
  change(from: Position, to: Position): void {
    const window = { kind: "window", old: from, new: to, window: [] } as const;
    const by = permit(this.#judge.tables, window);
    for (const attack of WRITE_ATTACKS)
      if (attack.inWindow === true) this.#try(attack, `${from.phase} to ${to.phase}`, by);
  }

  /** A set-point is under way: the man in the middle makes another one of it. */
  pass(observation: Observation, atMs: number): void {
    const [item] = observation.items;
    if (item?.tag === undefined || item.value === undefined) return;
    const value = tampered(item.tag, item.value, this.#rng);
    if (value === undefined) return;
    const score = this.#score(13, "set-point changed on its way by a man in the middle", this.#judge.phase, true);
    if (score.trials >= MAX_TRIALS) return;
    const forged = { ...observation, items: [{ ...item, value }] };
    score.trials += 1;
    if (allowedBy(this.#judge.tables, this.#judge.permit, forked(this.#judge.history), forged, atMs) === undefined)
      score.stopped += 1;
  }

  #try(attack: WriteAttack, phase: string, by: Permit): void {
    const scene = this.#scene(this.#judge.history);
    if (attack.when?.(scene) === false) return;
    const writes = attack.writes(scene);
    const score = this.#score(
      attack.row,
      attack.title,
      phase,
      writes.every(({ from }) => from !== "rogue"),
    );
    if (score.trials >= MAX_TRIALS) return;
    const history = forked(this.#judge.history);
    let atMs = this.#judge.nowMs;
    for (const { tag, value } of attack.forges ?? []) observeTag(history, TagId(tag), value, atMs);
    let passed = false;
    for (const write of writes) {
      atMs += write.afterMs;
      const all = this.#observe(write).map((one) => allowedBy(this.#judge.tables, by, history, one, atMs));
      if (write.goal && all.every((rule) => rule !== undefined)) passed = true;
    }
    score.trials += 1;
    if (!passed) score.stopped += 1;
  }

  #score(row: number, title: string, phase: string, isKnown: boolean): AttackScore {
    const key = `${title} ${phase}`;
    const score = this.#scores.get(key) ?? { row, title, phase, isKnown, trials: 0, stopped: 0 };
    this.#scores.set(key, score);
    return score;
  }

  #scene(history: History): AttackScene {
    const seen = (tag: string) => lastSeen(history, TagId(tag));
    return {
      ...{ phase: this.#judge.phase, rng: this.#rng },
      read: (tag) => seen(tag)?.value ?? 0,
      heldMs: (tag) => this.#judge.nowMs - (seen(tag)?.sinceMs ?? this.#judge.nowMs),
    };
  }

  #observe({ from, form }: AttackWrite): readonly Observation[] {
    const to = (device: string, protocol: "modbus" | "opcua") => {
      const party = this.#traffic.party(DeviceId(from === "rogue" ? "hmi-1" : from), DeviceId(device), protocol);
      return from === "rogue" ? { ...party, source: undefined, sourceAddress: ROGUE_ADDRESS, link: undefined } : party;
    };
    switch (form.kind) {
      case "tag": {
        const tag = this.#plant.tags.find(({ id }) => id === form.tag);
        if (tag === undefined) throw new Error(`the attack names tag \`${form.tag}\`, which the plant does not have`);
        const party = to(tag.device, form.by);
        if (form.by === "modbus")
          return this.#traffic.modbusRequest(party, tag.modbus?.unit ?? 0, writeOf(tag, form.value));
        const items = [{ tag: tag.id, address: tag.opcua?.nodeId ?? "", value: form.value }];
        return [{ ...party, operation: "write", message: "WriteRequest", items, quantity: 1 }];
      }
      case "registers":
        return this.#traffic.modbusRequest(to("plc-1", "modbus"), 1, {
          ...{ kind: "write-multiple-registers", functionCode: 16 },
          ...{ address: holdingRegisterAddress(form.address), values: form.words },
        });
      case "file":
        return this.#traffic.modbusRequest(to("plc-1", "modbus"), 1, {
          ...{ kind: "write-file-record", functionCode: 21 },
          groups: [{ file: 1, record: 0, values: [0x4100, 0x4101] }],
        });
      case "vendor": {
        const { functionCode } = form;
        return this.#traffic.modbusRequest(to("plc-1", "modbus"), 1, {
          ...{ kind: "unknown", functionCode, data: Buffer.from([0, 0x50]) },
        });
      }
      default: {
        const never: never = form;
        throw new Error(`unreachable: ${String(never)}`);
      }
    }
  }
}
