import { defineLifecycle } from "#specs/builders.ts";
import plant from "./plant.ts";

const anyHand = { from: ["hmi-1"], may: "write", tags: ["LAMP"] } as const;

export default defineLifecycle(plant, {
  plant: "lamp",
  version: 1,
  initial: "day",
  isolated: "day",
  safe: { phase: "day", within: "1m" },
  lease: "10s",
  rules: { off: { ...anyHand, says: "The lamp may be switched off at any time.", value: { oneOf: [0] } } },
  phases: {
    day: {
      says: "There is light enough.",
      containment: true,
      on: [{ request: "dusk", roles: ["operator"], to: "night" }],
    },
    night: {
      says: "It is dark.",
      because: "There is one lamp, and this is when it is needed.",
      rules: { on: { ...anyHand, says: "The lamp may be switched on at night.", value: { oneOf: [1] } } },
      on: [{ request: "dawn", roles: ["operator"], to: "day" }],
    },
  },
});
