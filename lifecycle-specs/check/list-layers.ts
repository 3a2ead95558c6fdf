import {
  safetyHasSessions,
  safetyHoldsEverywhere,
  safetyIsEverywhere,
  safetyIsUnconditional,
  safetySurvivesProjection,
} from "./g02-safety.ts";
import { excessBelow } from "./g05-excess.ts";
import { instantsAreNested } from "./g05-instants.ts";
import { commandsHaveSessions, layersAreNested } from "./g05-layers.ts";
import { changesCanEnd, windowsCounted, windowsWidenNothing } from "./g06-windows.ts";
import { containmentsCoverAllLoci, containmentsLeadToContainment } from "./g07-containments.ts";
import { containmentsKeepEssentials, essentialsGoOnSomewhere, essentialsKept } from "./g07-essential.ts";
import { containmentsAgainstOrigins, masksAddNothing } from "./g07-widening.ts";
import { causesAlike } from "./g10-alike.ts";
import { plcBounds } from "./g11-plc.ts";
import {
  callsAreComplete,
  causesAreLocal,
  conditionsAreObservable,
  denialsCanBeAnswered,
  rolesAreSeen,
  rulesHaveLinks,
  rulesStayInTheirZone,
} from "./language.ts";
import { containmentsAreNotShadowed } from "./lint.ts";
import { permissivePhasesSayWhy } from "./permissiveness.ts";
import type { Check } from "./report.ts";
import { rulesAreNotShadowed } from "./shadowed.ts";
import { layersSeeWhatTheyJudgeBy, ordersAreSeen, stepCommandsAreSeen } from "./sight.ts";

/** Checks about what the layers allow: G2, G5, G6, G7, G10, G11, the language and lint. */
export const LAYER_CHECK_LIST: readonly Check[] = [
  { what: "G2: safety commands are declared everywhere", run: safetyHoldsEverywhere },
  { what: "G2: safety commands have no conditions", run: safetyIsUnconditional },
  { what: "G2: safety commands can be carried out", run: safetySurvivesProjection },
  { what: "G2: safety commands have sessions", run: safetyHasSessions },
  { what: "G2: safety commands pass in every phase", run: safetyIsEverywhere },
  { what: "G5: layers are nested", run: layersAreNested },
  { what: "G5: layers see what they judge by", run: layersSeeWhatTheyJudgeBy },
  { what: "G5: commands have sessions", run: commandsHaveSessions },
  { what: "G5: layers are nested while a phase changes", run: instantsAreNested },
  { what: "G5: what lower layers allow beyond", run: excessBelow },
  { what: "G6: windows widen nothing", run: windowsWidenNothing },
  { what: "G6: changes end", run: changesCanEnd },
  { what: "G6: commands while a phase changes", run: windowsCounted },
  { what: "G7: containments lead to containments", run: containmentsLeadToContainment },
  { what: "G7: every locus has a containment", run: containmentsCoverAllLoci },
  { what: "G7: containments keep what is essential", run: containmentsKeepEssentials },
  { what: "G7: essential functions can go on", run: essentialsGoOnSomewhere },
  { what: "G7: what is kept for essential functions", run: essentialsKept },
  { what: "G7: containments widen nothing", run: containmentsAgainstOrigins },
  { what: "G7: masks add nothing", run: masksAddNothing },
  { what: "G10: causes that look alike", run: causesAlike },
  { what: "G11: PLC code has bounds and fits them", run: plcBounds },
  { what: "G4: rules that change nothing", run: rulesAreNotShadowed },
  { what: "lint: containments that never fit", run: containmentsAreNotShadowed },
  { what: "conditions can be observed", run: conditionsAreObservable },
  { what: "step commands can be observed", run: stepCommandsAreSeen },
  { what: "orders of messages can be judged", run: ordersAreSeen },
  { what: "causes lie in the same PLC", run: causesAreLocal },
  { what: "rules have links", run: rulesHaveLinks },
  { what: "roles can be seen", run: rolesAreSeen },
  { what: "denials can be answered", run: denialsCanBeAnswered },
  { what: "methods are called with their arguments", run: callsAreComplete },
  { what: "rules stay in their zone", run: rulesStayInTheirZone },
  { what: "permissive phases say why", run: permissivePhasesSayWhy },
];
