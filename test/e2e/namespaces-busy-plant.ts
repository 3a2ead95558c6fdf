import { relocatePlant } from "#specs/addresses.ts";
import { type Bundle, buildBundle } from "#specs/bundle.ts";
import { DeviceId, PhaseId, RuleId, TagId } from "#specs/ids.ts";
import type { Rule } from "#specs/lifecycle.ts";
import { waterTreatment } from "../support/plant.ts";

/** What the session of `namespaces-session.ts` writes, in the order of their registers from 0. */
export const SET_POINTS = ["FIC101.SP", "DOS201.SP", "LIT101.SP"] as const;

const MAY_WRITE: Rule = {
  id: RuleId("scripted-session"),
  says: "The scripted session writes set-points as fast as it likes.",
  from: [DeviceId("hmi-1")],
  operation: "write",
  targets: [DeviceId("plc-1")],
  tags: SET_POINTS.map((tag) => TagId(tag)),
  raw: [],
  mode: "enforce",
  safety: false,
};

/** The water-treatment plant in 10.97.0.0/16, where phase normal also allows set-points of any value at any rate. */
export function busyPlant(): Bundle {
  const { plant, lifecycle } = waterTreatment();
  // Generated containments are masks over the phases as they were written.
  const written = lifecycle.phases.filter(({ mask }) => mask === undefined);
  const phases = written.map((phase) =>
    phase.id === PhaseId("normal") ? { ...phase, rules: [...phase.rules, MAY_WRITE] } : phase,
  );
  const moved = relocatePlant(plant, "127.10.", "10.97.");
  const tags = moved.tags.map((tag) =>
    SET_POINTS.some((name) => name === tag.id) ? { ...tag, range: [0, 10_000] as const } : tag,
  );
  return buildBundle({ ...moved, tags }, { ...lifecycle, phases });
}
