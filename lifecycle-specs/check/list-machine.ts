import { safeStateIsNear } from "./g01-safe-state.ts";
import { zonesAreSafeTogether } from "./g01-together.ts";
import { changesTowardsSafety } from "./g01-towards.ts";
import {
  childrenComeFirst,
  exitsAreUnambiguous,
  requestsAreUnambiguous,
  stepsAreUnambiguous,
  zonesTakeTurns,
} from "./g03-ambiguity.ts";
import {
  phasesAreReachable,
  phasesCanBeLeft,
  stepsAreReachable,
  stepsCanBeLeft,
  waysAreAlive,
} from "./g04-dead-ends.ts";
import { causesCanHold, followersHaveLeaders, rulesHaveValues } from "./g04-dead-rules.ts";
import { commandsCanBeUndone, containmentsAreLifted, requestsHaveSomebody } from "./g08-undo.ts";
import { recoveryExists } from "./g09-recovery.ts";
import { followersKeepUp, selectsAreOfOneTagAndDevice } from "./g12-follows.ts";
import {
  changesFitTheirTimes,
  distancesLeaveRoom,
  periodsFitRates,
  readingsStayFresh,
  stepsHaveTime,
  timesOutlastTheSkew,
} from "./g12-timing.ts";
import type { Check } from "./report.ts";

/** Checks about the machine itself: G1, G3, G4, G8, G9, G12. */
export const MACHINE_CHECK_LIST: readonly Check[] = [
  { what: "G1: the safe state is near", run: safeStateIsNear },
  { what: "G1: zones are safe together", run: zonesAreSafeTogether },
  { what: "G1: changes that do not wait for dead points", run: changesTowardsSafety },
  { what: "G3: one request, one answer", run: requestsAreUnambiguous },
  { what: "G3: one observation, one way out of a phase", run: exitsAreUnambiguous },
  { what: "G3: one observation, one way out of a step", run: stepsAreUnambiguous },
  { what: "G3: steps go before phases", run: childrenComeFirst },
  { what: "G3: zones that take each other along", run: zonesTakeTurns },
  { what: "G4: every phase is reached", run: phasesAreReachable },
  { what: "G4: every phase can be left", run: phasesCanBeLeft },
  { what: "G4: every step is reached", run: stepsAreReachable },
  { what: "G4: every step can be left", run: stepsCanBeLeft },
  { what: "G4: every way out can be taken", run: waysAreAlive },
  { what: "G4: every rule allows a value", run: rulesHaveValues },
  { what: "G4: every cause can hold", run: causesCanHold },
  { what: "G4: what follows can follow", run: followersHaveLeaders },
  { what: "G8: containments can be lifted", run: containmentsAreLifted },
  { what: "G8: requests have somebody", run: requestsHaveSomebody },
  { what: "G8: commands can be undone", run: commandsCanBeUndone },
  { what: "G9: recovery from one device taken over", run: recoveryExists },
  { what: "G12: leases and requests", run: changesFitTheirTimes },
  { what: "G12: steps have time", run: stepsHaveTime },
  { what: "G12: periods and rates", run: periodsFitRates },
  { what: "G12: distances between messages", run: distancesLeaveRoom },
  { what: "G12: order of messages in time", run: followersKeepUp },
  { what: "G12: selects", run: selectsAreOfOneTagAndDevice },
  { what: "G12: fresh readings", run: readingsStayFresh },
  { what: "G12: times and the skew", run: timesOutlastTheSkew },
];
