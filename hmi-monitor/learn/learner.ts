import type { Observation, ObservedItem } from "#specs/decide/observation.ts";
import type { TagId } from "#specs/ids.ts";
import type { Tag } from "#specs/plant.ts";
import { brief, MAX_KEPT } from "../replay/brief.ts";
import { Channels } from "./channels.ts";
import { type Evidence, type LearnedPhase, LearnedPoll, LearnedService, type NotDrafted } from "./evidence.ts";
import { type CommandKind, LearnedCommand, Order } from "./learned-command.ts";
import { LEARN_LIMITS, Overflow } from "./limits.ts";
import { Sightings, type Visit } from "./occasions.ts";
import { type Present, PresentValues } from "./present-values.ts";
import { digestOf, markOf } from "./rule-name.ts";

/**
 * Observations in, evidence out. Pure: time comes with each message. Only what a server did counts: a command that was refused or not
 * answered teaches nothing, and neither does anything from an address that is no device's.
 */
export class Learner {
  readonly #phases = new Map<string, LearnedPhase>();
  readonly #commands = new Map<string, LearnedCommand>();
  readonly #ordered = new Map<string, LearnedCommand[]>();
  readonly #polls = new Map<string, LearnedPoll>();
  readonly #pollOf = new WeakMap<Observation, LearnedPoll>();
  readonly #services = new Map<string, LearnedService>();
  readonly #notDrafted = new Map<string, NotDrafted>();
  readonly #overflow = new Overflow();
  readonly #present: PresentValues;
  readonly #channels = new Channels(this.#overflow);
  #visit: Visit | undefined;
  #here: LearnedPhase | undefined;
  /** The visit before this one, of which answers may still come. */
  #left: { readonly here: LearnedPhase; readonly visit: Visit } | undefined;
  /** The phase that was known last, while none is. */
  #knownLast: { readonly here: LearnedPhase; readonly visit: Visit } | undefined;
  /** Since when the present phase is known without a break. */
  #knownMs = 0;
  #visits = 0;
  #withoutPhase = 0;
  #refused = 0;
  #messages = 0;
  #firstMs = Number.NaN;
  #lastMs = Number.NaN;

  /** @param tagOf what the plant says of a tag: a truth value, a range */
  constructor(tagOf: (tag: TagId) => Tag | undefined) {
    this.#present = new PresentValues(tagOf, this.#overflow);
  }

  /** From now on this phase is active. The same one again is no change. */
  enterPhase(phase: string, atMs: number): void {
    const [before, visit] = [this.#here, this.#visit];
    if (before?.phase === phase) return;
    this.#leave(atMs);
    if (visit !== undefined) this.#channels.leave(visit, atMs);
    this.#left = before === undefined || visit === undefined ? undefined : { here: before, visit };
    const here = this.#overflow.get("phases", this.#phases, phase, () => ({
      ...{ phase, visits: 0, totalMs: 0, messages: 0, firstMs: atMs, lastMs: atMs },
      ...{ next: new Map(), bits: new Map() },
    }));
    const last = this.#knownLast;
    const from = before ?? last?.here;
    if (from !== undefined && from !== here) from.next.set(phase, (from.next.get(phase) ?? 0) + 1);
    this.#here = here;
    this.#knownMs = atMs;
    this.#knownLast = undefined;
    if (here === undefined) {
      this.#visit = undefined;
    } else if (last?.here === here) {
      // Nothing says that it was left in between: the same visit goes on, and what comes next follows nothing.
      this.#visit = { ...last.visit, isWhole: false };
    } else {
      this.#visits += 1;
      here.visits += 1;
      this.#visit = { phase, number: this.#visits, sinceMs: atMs, isWhole: before !== undefined };
    }
  }

  /**
   * Nobody knows which phase is active: nothing is learned until one is. The one that is known next follows the one that was, or goes on
   * where it is the same.
   */
  noPhase(atMs: number): void {
    this.#leave(atMs);
    if (this.#here !== undefined) this.#channels.forget();
    if (this.#here !== undefined && this.#visit !== undefined)
      this.#knownLast = { here: this.#here, visit: this.#visit };
    this.#here = undefined;
    this.#visit = undefined;
    this.#left = undefined;
  }

  /** Nobody sees what happens from now on: what comes next follows nothing. */
  gap(atMs: number): void {
    this.noPhase(atMs);
    this.#knownLast = undefined;
  }

  #leave(atMs: number): void {
    if (this.#here === undefined || this.#visit === undefined) return;
    this.#here.totalMs += Math.max(0, atMs - this.#knownMs);
    this.#here.lastMs = atMs;
  }

  /**
   * A request and what became of it.
   *
   * @param atMs when it was asked
   * @param phase in which it was asked: the answer may come in the next one. Default: the present one
   */
  exchange(observation: Observation, outcome: "ok" | "error", atMs: number, phase = this.#here?.phase): void {
    this.#messages += 1;
    if (Number.isNaN(this.#firstMs)) this.#firstMs = atMs;
    this.#lastMs = atMs;
    const isLate = phase !== this.#here?.phase && phase === this.#left?.here.phase;
    const { visit, here } = isLate && this.#left !== undefined ? this.#left : { visit: this.#visit, here: this.#here };
    if (visit === undefined || here === undefined) {
      this.#withoutPhase += 1;
      return;
    }
    here.messages += 1;
    const { operation } = observation;
    if (observation.source === undefined) return this.#stranger(observation, visit, atMs);
    switch (operation) {
      case "read":
      case "subscribe":
        if (outcome === "ok") this.#poll(observation, operation, visit, atMs);
        return;
      case "write":
      case "call":
        if (outcome === "ok") this.#command(observation, operation, visit, here, atMs);
        else this.#refused += 1;
        return;
      case "session":
      case "browse":
      case "diagnose":
        if (outcome === "ok") this.#service(observation, operation, visit, atMs);
        return;
      default:
        this.#leaveOut(`${observation.source} → ${observation.target}: ${observation.message}`, visit, atMs);
    }
  }

  /** A server tells a value. */
  told(tag: TagId, value: number, atMs: number): void {
    const present = this.#present.of(tag);
    if (present === undefined) return;
    present.becomes(value, atMs);
    if (!present.isBit || this.#here === undefined) return;
    const bits =
      this.#here.bits.get(tag) ?? this.#overflow.get("causes", this.#here.bits, tag, () => ({ set: 0, not: 0 }));
    if (bits === undefined) return;
    if (value === 0) bits.not += 1;
    else bits.set += 1;
  }

  /** What was learned so far. @param atMs end of the capture */
  evidence(atMs = this.#lastMs): Evidence {
    this.#leave(atMs);
    return {
      phases: this.#phases,
      commands: [...this.#commands.values()],
      channels: this.#channels.all,
      polls: [...this.#polls.values()],
      services: [...this.#services.values()],
      notDrafted: [...this.#notDrafted.values()],
      overflow: this.#overflow,
      ...{ withoutPhase: this.#withoutPhase, refused: this.#refused },
      ...{ messages: this.#messages, firstMs: this.#firstMs, lastMs: this.#lastMs },
    };
  }

  #stranger({ sourceAddress, target, message }: Observation, visit: Visit, atMs: number): void {
    const address = sourceAddress.replace(/:\d+$/, "");
    this.#leaveOut(`${address}, which is no device of the plant → ${target}: ${message}`, visit, atMs);
  }

  #leaveOut(text: string, visit: Visit, atMs: number): void {
    const says = brief(text);
    const kept = this.#overflow.get("strangers", this.#notDrafted, says, () => ({ says, sightings: new Sightings() }));
    kept?.sightings.add(visit, atMs);
  }

  #poll(observation: Observation, operation: "read" | "subscribe", visit: Visit, atMs: number): void {
    const poll = this.#pollOf.get(observation) ?? this.#findPoll(observation, operation);
    if (poll === undefined) return;
    // Whoever asks for the same over and over is handed the same observation again: then nothing is looked up.
    this.#pollOf.set(observation, poll);
    poll.sightings.add(visit, atMs);
    poll.gaps.add(atMs);
    poll.quantity = Math.max(poll.quantity, observation.quantity ?? 0);
  }

  #findPoll(observation: Observation, operation: "read" | "subscribe"): LearnedPoll | undefined {
    const { source, target, functionCode, items } = observation;
    const what = items.map(({ tag, address }) => tag ?? address).join(" ");
    const key = `${source} ${target} ${operation} ${functionCode} ${what.length > MAX_KEPT ? digestOf(what) : what}`;
    return this.#overflow.get("polls", this.#polls, key, () => new LearnedPoll(observation, operation));
  }

  #service(observation: Observation, operation: "session" | "browse" | "diagnose", visit: Visit, atMs: number): void {
    const { source, target, functionCode, subFunction } = observation;
    const service = this.#overflow.get("services", this.#services, `${source} ${target} ${operation}`, () => {
      return new LearnedService(observation, operation);
    });
    service?.sightings.add(visit, atMs);
    if (functionCode !== undefined)
      service?.functions.add(subFunction === undefined ? `${functionCode}` : `${functionCode}/${subFunction}`);
  }

  /** One message is one command in the order of things, however many tags it writes: none of them comes before another. */
  #command(
    observation: Observation,
    operation: "write" | "call",
    visit: Visit,
    here: LearnedPhase,
    atMs: number,
  ): void {
    const found = observation.items.flatMap((item) =>
      this.#oneCommand(observation, operation, item, here.phase, visit, atMs),
    );
    for (const { command } of found) this.#note(command, observation.target, visit, atMs);
    for (const { command, present, item } of found) {
      command.add(visit, atMs);
      if (observation.functionCode !== undefined) command.functions.add(observation.functionCode);
      command.quantity = Math.max(command.quantity, observation.quantity ?? 0);
      if (item.value === undefined || present === undefined) continue;
      command.values.add(item.value, present.valuesAt(atMs));
      present.becomes(item.value, atMs);
    }
    // Arguments are no commands of their own.
    const said = found.filter(({ present }) => present?.tag.kind !== "argument");
    const [first, ...others] = said.map(({ command }) => command.id);
    if (first === undefined) return;
    const name = others.length === 0 ? first : `${first} and ${others.length} more (${markOf(others.join(" "))})`;
    const isSetPoint = operation === "write" && said.every(({ command }) => command.kind.bit === undefined);
    this.#channels.command(observation, { name, protocol: protocolOf(observation), isSetPoint }, visit, atMs);
  }

  #oneCommand(
    observation: Observation,
    operation: "write" | "call",
    item: ObservedItem,
    phase: string,
    visit: Visit,
    atMs: number,
  ): readonly {
    readonly command: LearnedCommand;
    readonly present: Present | undefined;
    readonly item: ObservedItem;
  }[] {
    const { source, target, message } = observation;
    const { tag, value, address } = item;
    if (tag === undefined) {
      this.#leaveOut(`${source} → ${target}: ${message} to ${address}`, visit, atMs);
      return [];
    }
    const present = this.#present.of(tag);
    const bit = present?.isBit === true && value !== undefined ? (value === 0 ? 0 : 1) : undefined;
    const protocol = protocolOf(observation);
    const kind: CommandKind = { phase, source: source ?? "", protocol, operation, tag, bit };
    const key = `${phase} ${source} ${protocol} ${operation} ${tag} ${bit ?? ""}`;
    const command = this.#overflow.get("commands", this.#commands, key, () => this.#enlist(new LearnedCommand(kind)));
    return command === undefined ? [] : [{ command, present, item }];
  }

  #enlist(command: LearnedCommand): LearnedCommand {
    const channel = `${command.kind.phase} ${command.kind.source}`;
    const list = this.#ordered.get(channel) ?? [];
    if (list.length < LEARN_LIMITS.ordered) list.push(command);
    else this.#overflow.add("ordered");
    this.#ordered.set(channel, list);
    return command;
  }

  /** What came before it, and what was so at that time. */
  #note(command: LearnedCommand, target: string, visit: Visit, atMs: number): void {
    const others = this.#ordered.get(`${visit.phase} ${command.kind.source}`) ?? [];
    let apartMs = Number.POSITIVE_INFINITY;
    for (const other of others) {
      if (other === command) continue;
      const sinceMs = atMs - other.lastMs;
      if (sinceMs < (command.apart.get(other) ?? Number.POSITIVE_INFINITY)) command.apart.set(other, sinceMs);
      apartMs = Math.min(apartMs, sinceMs);
      if (other.sightings.lastVisit !== visit.number) continue;
      const order = command.after.get(other) ?? new Order();
      command.after.set(other, order);
      order.add(atMs - other.lastMs, other.sightings.count);
    }
    if (Number.isFinite(apartMs)) {
      command.aparts += 1;
      command.apartMs = Math.min(command.apartMs, apartMs);
    }
    this.#present.noteCauses(command, target, atMs);
  }
}

function protocolOf({ functionCode }: Observation): "modbus" | "opcua" {
  return functionCode === undefined ? "opcua" : "modbus";
}
