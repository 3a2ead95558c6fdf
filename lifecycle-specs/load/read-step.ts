import { type PhaseId, StepId } from "../ids.ts";
import type { Step, StepTransition } from "../lifecycle.ts";
import { type Cursor, quote } from "./cursor.ts";
import type { PlantIndex } from "./plant-index.ts";
import { readById } from "./read-by-id.ts";
import { readCondition } from "./read-condition.ts";
import type { RuleReader } from "./read-rule.ts";
import { suggest } from "./suggest.ts";

const KEYS = ["says", "rules", "next", "min", "max"];
const EXIT_KEYS = ["to", "when", "command", "outcome", "after"];
export const OUTCOMES = ["forwarded", "answered"] as const;

/** Reads the steps of one phase, which may be written in several maps: the template's and the file's. */
export class StepReader {
  readonly #phase: PhaseId;
  readonly #index: PlantIndex;
  readonly #rules: RuleReader;
  readonly #known: ReadonlySet<string>;
  readonly #read = new Set<string>();

  constructor(phase: PhaseId, maps: readonly Cursor[], index: PlantIndex, rules: RuleReader) {
    this.#phase = phase;
    this.#index = index;
    this.#rules = rules;
    this.#known = new Set(maps.flatMap((map) => map.keys));
  }

  read(map: Cursor): readonly Step[] {
    return readById(map, "steps", StepId, (id, value, key) => {
      if (this.#read.has(id))
        return key.fail("DUPLICATE_ID", `step \`${id}\` is in the phase's template already; rename it`);
      this.#read.add(id);
      return this.#readStep(id, value, key);
    });
  }

  /** A step of the phase. */
  reference(cursor: Cursor | undefined): StepId | undefined {
    const text = cursor?.text("a step");
    if (cursor === undefined || text === undefined) return undefined;
    if (this.#known.has(text)) return StepId(text);
    const steps = this.#known.size === 0 ? "it has none" : `its steps are ${[...this.#known].join(", ")}`;
    return cursor.fail(
      "STEP_UNKNOWN",
      `phase \`${this.#phase}\` has no step \`${quote(text)}\`${suggest(text, this.#known)}; ${steps}`,
    );
  }

  #readStep(id: StepId, value: Cursor, key: Cursor): Step | undefined {
    key.remember(`step:${this.#phase}/${id}`);
    const fields = value.fields(`step \`${id}\``, KEYS);
    const says = fields?.need("says")?.text("says");
    if (fields === undefined) return undefined;
    const rules = this.#rules.read(fields.get("rules"));
    const next = (fields.get("next")?.items("next") ?? []).flatMap((item) => this.#readExit(item) ?? []);
    const minMs = fields.get("min")?.duration("min");
    const maxMs = fields.get("max")?.duration("max");
    if (minMs !== undefined && maxMs !== undefined && minMs > maxMs)
      fields.get("min")?.fail("RANGE_CROSSED", "min is longer than max; exchange them");
    if (says === undefined) return undefined;
    return {
      id,
      says,
      rules,
      next,
      ...(minMs === undefined ? {} : { minMs }),
      ...(maxMs === undefined ? {} : { maxMs }),
    };
  }

  #readExit(item: Cursor): StepTransition | undefined {
    const fields = item.fields("a step transition", EXIT_KEYS);
    const to = this.reference(fields?.need("to"));
    if (fields === undefined) return undefined;
    const [when, command, after] = [fields.get("when"), fields.get("command"), fields.get("after")];
    const [event, ...more] = [when, command, after].filter((found) => found !== undefined);
    if (event === undefined || more.length > 0)
      return item.fail(
        "TRANSITION_EVENT",
        "a step ends by exactly one of `when`, `command` and `after`; write two entries for two events",
      );
    const outcome = fields.get("outcome")?.word("outcome", OUTCOMES) ?? "answered";
    if (command === undefined)
      fields.get("outcome")?.fail("KEY_UNKNOWN", "`outcome` has no meaning without `command`; remove it");
    const condition = readCondition(when, this.#index);
    const rule = this.#rules.named(command);
    const ms = after?.duration("after");
    if (to === undefined) return undefined;
    if (condition !== undefined) return { to, event: "condition", when: condition };
    if (ms !== undefined) return { to, event: "after", ms };
    if (rule === undefined) return undefined;
    return { to, event: "command", rule, outcome: outcome === "answered" ? "answered-ok" : outcome };
  }
}
