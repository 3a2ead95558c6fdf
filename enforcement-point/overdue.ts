import type { Judge } from "./judge.ts";
import { type MissedPeriods, missedInWords } from "./missed-periods.ts";
import type { OwnNotice } from "./point-messages.ts";
import type { Selects } from "./selects.ts";

/**
 * What should have come by now and has not, each told once: messages of a period, and the operates of selects.
 *
 * @param sees false: this point is blind at present, so it may all have come
 */
export function overdueNotices(
  { history, holder, tables }: Judge,
  missed: MissedPeriods,
  selects: Selects,
  nowMs: number,
  sees: boolean,
): readonly OwnNotice[] {
  const position = sees ? holder.position : undefined;
  const periods = missed.look(history, tables.lifecycle, position, nowMs).map((rule): OwnNotice => {
    const [source = "", target = ""] = [rule.from[0], rule.targets[0]];
    const says = missedInWords(rule);
    return { code: "PERIOD_MISSED", severity: "detection", locus: [], source, target, says };
  });
  const operates = selects.expired(nowMs).map(({ judged, says }): OwnNotice => {
    const { source = "", target } = judged.observation;
    return { code: "COMMAND_UNFINISHED", severity: "info", locus: [], source, target, says };
  });
  return sees ? [...periods, ...operates] : [];
}
