import type { Guarantee } from "#specs/check/report.ts";

/** Each guarantee in a few words, as a heading. */
export const GUARANTEE_TITLES: Readonly<Record<Guarantee, string>> = {
  G1: "the safe state can be reached in time",
  G2: "safety commands pass everywhere",
  G3: "no event enables two transitions",
  G4: "nothing is dead, shadowed or without a way out",
  G5: "what one layer allows, the next one allows",
  G6: "every instant of a phase change is ruled and bounded",
  G7: "containments keep the essential and allow nothing new",
  G8: "every restriction can be undone",
  G9: "from every phase there is a way back with one device compromised",
  G10: "which attacks the taps cannot tell apart",
  G11: "generated PLC code decides as the model does",
  G12: "timing windows can be met",
  language: "what the language refuses besides",
  lint: "what misleads a reader",
};
