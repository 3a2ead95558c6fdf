import type { Judged } from "#point/point.ts";
import { brief } from "./brief.ts";
import { type PhaseChange, type Possible, placeName } from "./phase-course.ts";

/** Comments of one frame; what comes beyond is said in one more. */
export const MAX_COMMENTS = 64;
/** Items of a message that a comment names. */
const MAX_ITEMS = 8;

/** What Wireshark shows at a frame: a line for each verdict given with it, and for each change of phase. */
export class FrameComments {
  #lines: string[] = [];
  #beyond = 0;

  verdict(judged: Judged, possible: readonly Possible[], by: Possible | undefined): void {
    const { observation, verdict } = judged;
    const places = (by === undefined ? possible : [by]).map(({ phase, steps }) => placeName(phase, steps));
    const also = by === undefined || possible.length < 2 ? "" : ` (of ${possible.length} that are possible)`;
    const phase = places.length === 0 ? "no phase given" : `phase ${places.join(" or ")}${also}`;
    if (verdict.verdict === "allow") {
      const rules = [verdict.rule, ...(verdict.also ?? [])].join(", ");
      const excess = verdict.excess === true ? ", beyond its rate" : "";
      this.#add(`sekisho: allow, rule ${rules}${excess}, ${phase}: ${whatOf(observation)}`);
      return;
    }
    const rule = verdict.rule === undefined ? "no rule" : `closest rule ${verdict.rule}`;
    this.#add(`sekisho: deny ${verdict.reason}, ${rule}, ${phase}: ${brief(verdict.says)} [${whatOf(observation)}]`);
  }

  changed({ cause, says, possible }: PhaseChange): void {
    this.#add(`sekisho: possible from here on: ${possible.join(", ")} (${cause}: ${says})`);
  }

  /** The comments of the frame in hand; the next one begins with none. */
  take(): readonly string[] {
    const lines = this.#lines;
    if (this.#beyond > 0) lines.push(`sekisho: and ${this.#beyond} more`);
    this.#lines = [];
    this.#beyond = 0;
    return lines;
  }

  #add(line: string): void {
    if (this.#lines.length < MAX_COMMENTS) this.#lines.push(line);
    else this.#beyond += 1;
  }
}

function whatOf({ source, sourceAddress, target, message, items }: Judged["observation"]): string {
  const named = items.slice(0, MAX_ITEMS).map(({ tag, address, value }) => {
    const name = brief(tag ?? address);
    return value === undefined ? name : `${name} ${Math.round(value * 1e6) / 1e6}`;
  });
  const more = items.length > MAX_ITEMS ? ` and ${items.length - MAX_ITEMS} more` : "";
  const what = named.length === 0 ? "" : ` ${named.join(", ")}${more}`;
  return `${source ?? sourceAddress} → ${target} ${message}${what}`;
}
