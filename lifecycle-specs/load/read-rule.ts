import { RuleId } from "../ids.ts";
import { OPERATIONS, type Rule } from "../lifecycle.ts";
import { type Cursor, type Fields, quote } from "./cursor.ts";
import type { PlantIndex } from "./plant-index.ts";
import { MODES, readById } from "./read-by-id.ts";
import { type NamedRule, readCausality } from "./read-causality.ts";
import { readAbout, readSources } from "./read-rule-about.ts";
import { readForm, readRoles } from "./read-rule-form.ts";
import { readCadence, readValue } from "./read-rule-limits.ts";
import { suggest } from "./suggest.ts";

const KEYS = [
  ...["says", "from", "roles", "may", "to", "tags", "raw"],
  ...["functions", "quantity", "files", "objects", "value", "every", "most"],
  ...["after", "notWhile", "follows", "apart", "safety", "mode"],
];

/** Reads rules and keeps ids unique over the whole lifecycle. A rule that an alias repeats is one rule. */
export class RuleReader {
  readonly #index: PlantIndex;
  readonly #seen = new Map<string, { readonly at: Cursor; readonly rule: Rule | undefined }>();
  /** Rules may be named before they are declared. */
  readonly #named: { readonly id: RuleId; readonly at: Cursor }[] = [];

  constructor(index: PlantIndex) {
    this.#index = index;
  }

  read(map: Cursor | undefined): readonly Rule[] {
    return readById(map, "rules", RuleId, (id, value, key) => {
      const seen = this.#seen.get(id);
      if (seen?.at.node === value.node) return seen.rule;
      if (seen !== undefined)
        return key.fail("DUPLICATE_ID", `rule \`${id}\` is declared ${seen.at.where} already; rename one of the two`);
      key.remember(`rule:${id}`);
      const fields = value.fields(`rule \`${id}\``, KEYS);
      const rule = fields === undefined ? undefined : readRule(id, value, fields, this.#index, this.named);
      this.#seen.set(id, { at: value, rule });
      return rule;
    });
  }

  /** A rule by name. It may be declared later: `checkNamed` tells whether it is. */
  readonly named: NamedRule = (cursor) => {
    const id = cursor?.named(RuleId);
    if (cursor !== undefined && id !== undefined) this.#named.push({ id, at: cursor });
    return id;
  };

  /** Reports names of rules that nothing declares. To be called when all rules have been read. */
  checkNamed(): void {
    for (const { id, at } of this.#named) {
      if (this.#seen.has(id)) continue;
      const near = suggest(id, this.#seen.keys());
      at.fail("RULE_UNKNOWN", `unknown rule \`${quote(id)}\`${near}; name a rule of this lifecycle`);
    }
  }
}

function readRule(id: RuleId, value: Cursor, fields: Fields, index: PlantIndex, named: NamedRule): Rule | undefined {
  const says = fields.need("says")?.text("says");
  const operation = fields.need("may")?.word("operation", OPERATIONS);
  if (operation === undefined) {
    readSources(fields.need("from"), undefined, index);
    return undefined;
  }
  const from = readSources(fields.need("from"), operation, index);
  const about = readAbout({ id, operation, fields, at: value, from: from ?? [] }, index);
  const roles = readRoles(fields.get("roles"), operation);
  const form = readForm(fields, operation);
  const bounds = readValue(fields.get("value"), operation, about?.tags ?? []);
  const cadence = readCadence(fields.get("most"), fields.get("every"));
  const causality = readCausality(fields, operation, index, named);
  const safety = fields.get("safety")?.boolean("safety") ?? false;
  const mode = fields.get("mode")?.word("mode", MODES) ?? (operation === "report" ? "monitor" : "enforce");
  if (says === undefined || from === undefined || about === undefined) return undefined;
  return {
    id,
    says,
    from,
    ...(roles === undefined ? {} : { roles }),
    operation,
    targets: about.targets,
    tags: about.tags.map((tag) => tag.id),
    raw: about.raw,
    ...(form === undefined ? {} : { form }),
    ...(bounds === undefined ? {} : { value: bounds }),
    ...(cadence === undefined ? {} : { cadence }),
    ...(causality === undefined ? {} : { causality }),
    mode,
    safety,
  };
}
