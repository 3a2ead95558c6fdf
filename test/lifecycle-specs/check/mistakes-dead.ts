import { FRESH, type Mistake } from "./support.ts";

/** One mistake each about what is dead: G4. */
export const DEAD_MISTAKES: readonly Mistake[] = [
  // G4: nothing is dead
  {
    code: "PHASE_UNREACHABLE",
    guarantee: "G4",
    what: "no transition leads to a phase",
    change: [["      - { request: service, roles: [engineer], to: service }\n", ""]],
    at: "77:3",
    says: "nothing leads to phase `service`",
  },
  {
    code: "PHASE_UNREACHABLE",
    guarantee: "G4",
    what: "the only transition to a phase waits for what never holds",
    change: [
      [
        "{ request: service, roles: [engineer], to: service }",
        "{ when: { all: [{ tag: LEVEL, atLeast: 2 }, { tag: LEVEL, atMost: 1 }] }, to: service }",
      ],
    ],
    at: "78:3",
    says: "nothing leads to phase `service`",
  },
  {
    code: "PHASE_STUCK",
    guarantee: "G4",
    what: "no transition leads out of a phase",
    change: [
      [
        "      - { request: end, roles: [engineer], to: off, when: { all: [{ tag: OPEN, is: 0 }], for: 1s }, ttl: 30s }\n",
        "",
      ],
      ["{ request: leave, roles: [engineer], to: off }", "{ request: leave, roles: [engineer], to: service }"],
    ],
    at: "78:3",
    says: "no transition leads out of phase `service`",
  },
  {
    code: "STEP_UNREACHABLE",
    guarantee: "G4",
    what: "no step leads to a step",
    change: [["{ to: mix, when", "{ to: drain, when"]],
    at: "40:7",
    says: "no step leads to `mix` of phase `run`",
  },
  {
    code: "STEP_STUCK",
    guarantee: "G4",
    what: "nothing leads out of a step that has no max",
    change: [["        next:\n          - { to: fill, after: 5m }\n        max: 10m\n", ""]],
    at: "48:7",
    says: "nothing leads out of step `drain`",
  },
  {
    code: "WAY_NEVER",
    guarantee: "G4",
    what: "a time comes after another that always ends the phase",
    change: [
      [
        "      - { request: leave, roles: [engineer], to: off }\n",
        "      - { after: 1h, to: off }\n      - { after: 2h, to: run }\n",
      ],
    ],
    at: "85:9",
    says: "a way out of phase `service` (after 2 h) is never taken, for another leads to `off` before (after 1 h)",
  },
  {
    code: "WAY_NEVER",
    guarantee: "G4",
    what: "a step waits for a command that it does not allow",
    change: [["command: mix-drain }", "command: fill-start }"]],
    at: "40:7",
    says: "a way out of step `mix` of phase `run` (once fill-start answered) is never taken, for the step does not allow what `fill-start` does",
  },
  {
    code: "CONDITION_IMPOSSIBLE",
    guarantee: "G4",
    what: "the condition of a transition contradicts itself",
    change: [
      [
        "{ tag: LEVEL, atMost: 0.1 }, { tag: STATE, is: idle }",
        "{ tag: LEVEL, atMost: 0.1 }, { tag: LEVEL, atLeast: 0.2 }",
      ],
    ],
    at: "57:9",
    says: "a way out of phase `run` (when LEVEL ≤ 0.1 m and LEVEL ≥ 0.2 m for 2 s) waits for what never holds",
  },
  {
    code: "CONDITION_IMPOSSIBLE",
    guarantee: "G4",
    what: "the condition of a step asks for a truth value in between",
    change: [
      [
        "{ to: drain, when: { all: [{ tag: OPEN, is: 0 }], for: 5s } }",
        "{ to: drain, when: { all: [{ tag: OPEN, is: 0.5 }], for: 5s } }",
      ],
    ],
    at: "31:7",
    says: "a way out of step `fill` of phase `run` (when OPEN = 0.5 for 5 s) waits for what never holds",
  },
  {
    code: "RULE_EMPTY",
    guarantee: "G4",
    what: "a rule lists a value that its own bounds exclude",
    change: [["value: { min: 5, max: 40, maxStep: 5 }", "value: { min: 5, max: 40, oneOf: [2] }"]],
    at: "28:7",
    says: "rule `run-flow` leaves no value of `FLOW.SP` between 0 and 60",
  },
  {
    code: "RULE_NEVER",
    guarantee: "G4",
    what: "a cause contradicts itself",
    change: [
      [
        "after: { all: [{ tag: OPEN, is: 1 }], for: 3s",
        "after: { all: [{ tag: OPEN, is: 1 }, { tag: OPEN, is: 0 }], for: 3s",
      ],
    ],
    at: "34:11",
    says: "rule `fill-start` never allows anything: its `after` never holds",
  },
  {
    code: "RULE_NEVER",
    guarantee: "G4",
    what: "a rule is withheld at every value of a tag",
    change: [["notWhile: { all: [{ tag: LEVEL, atMost: 0.5 }] }", "notWhile: { all: [{ tag: LEVEL, atMost: 3 }] }"]],
    at: "43:11",
    says: "rule `mix-drain` never allows anything: its `notWhile` holds at every value of its tags",
  },
  {
    code: "RULE_NEVER",
    guarantee: "G4",
    what: "a rule is withheld whenever its cause holds",
    change: [
      [
        "notWhile: { all: [{ tag: LEVEL, atMost: 0.5 }] }",
        "after: { all: [{ tag: LEVEL, atMost: 0.4 }] }, notWhile: { all: [{ tag: LEVEL, atMost: 0.5 }] }",
      ],
    ],
    at: "43:11",
    says: "rule `mix-drain` never allows anything: its `notWhile` holds whenever its `after` does",
  },
  {
    code: "RULE_NEVER",
    guarantee: "G4",
    what: "the step has ended where the cause holds",
    change: [
      [
        "after: { all: [{ tag: OPEN, is: 1 }], for: 3s",
        "after: { all: [{ tag: OPEN, is: 1 }, { tag: LEVEL, atLeast: 1.5 }], for: 3s",
      ],
    ],
    at: "34:11",
    says: "rule `fill-start` never allows anything: where its `after` holds, the step it stands in has ended (`fill` leads to `mix` when LEVEL ≥ 1.2 m and OPEN = 1 for 1 s)",
  },
  {
    code: "FOLLOWS_NEVER",
    guarantee: "G4",
    what: "rules wait for each other in a circle",
    change: [
      [
        "tags: [DRAIN], value: { oneOf: [1] }, notWhile",
        "tags: [DRAIN], value: { oneOf: [1] }, follows: { rule: drain-close, within: 1h }, notWhile",
      ],
    ],
    at: "43:11",
    says: "rule `mix-drain` never allows anything: each of mix-drain, drain-close waits for the one before",
  },
  {
    code: "FOLLOWS_NEVER",
    guarantee: "G4",
    what: "no run of the plant has the leader before the follower",
    change: [
      ...FRESH,
      [
        "tags: [DRAIN] }\n    on:\n      - { request: hand",
        "tags: [DRAIN], follows: { rule: run-flow, within: 1h } }\n    on:\n      - { request: hand",
      ],
    ],
    at: "22:7",
    says: "rule `fr-drain` never allows anything: no run of the plant has `run-flow` before it",
  },
];
