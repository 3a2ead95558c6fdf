import type { Observation } from "#specs/decide/observation.ts";
import type { Overflow } from "./limits.ts";
import type { Visit } from "./occasions.ts";
import { TimedAutomaton } from "./timed-automaton.ts";

/** A client and a server over one protocol, in one phase. */
export class Channel {
  readonly phase: string;
  readonly client: string;
  readonly server: string;
  readonly protocol: "modbus" | "opcua";
  /** Of all commands. */
  readonly all = new TimedAutomaton();
  /** Of truth values and calls alone: set-points are adjusted in between whenever somebody thinks fit, and hide the order of the rest. */
  readonly switching = new TimedAutomaton();

  constructor(phase: string, { source, target }: Observation, protocol: "modbus" | "opcua") {
    this.phase = phase;
    this.client = source ?? "";
    this.server = target;
    this.protocol = protocol;
  }
}

/** The automata of all phases and channels. */
export class Channels {
  readonly #channels = new Map<string, Channel>();
  readonly #overflow: Overflow;

  constructor(overflow: Overflow) {
    this.#overflow = overflow;
  }

  get all(): readonly Channel[] {
    return [...this.#channels.values()];
  }

  command(
    observation: Observation,
    {
      name,
      protocol,
      isSetPoint,
    }: { readonly name: string; readonly protocol: Channel["protocol"]; readonly isSetPoint: boolean },
    visit: Visit,
    atMs: number,
  ): void {
    const key = `${visit.phase} ${observation.source} ${observation.target} ${protocol}`;
    const channel = this.#overflow.get("channels", this.#channels, key, () => {
      return new Channel(visit.phase, observation, protocol);
    });
    channel?.all.command(name, visit, atMs);
    if (!isSetPoint) channel?.switching.command(name, visit, atMs);
  }

  /** A phase ends, and another begins. */
  leave(visit: Visit, atMs: number): void {
    for (const { all, switching } of this.#channels.values()) {
      all.leave(visit, atMs);
      switching.leave(visit, atMs);
    }
  }

  /** Nobody sees what comes next. */
  forget(): void {
    for (const { all, switching } of this.#channels.values()) {
      all.forget();
      switching.forget();
    }
  }
}
