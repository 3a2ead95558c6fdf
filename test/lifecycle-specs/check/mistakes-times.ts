import { FRESH, type Mistake } from "./support.ts";

/** One mistake each about undoing, recovery and times: G8, G9 and G12. */
export const TIME_MISTAKES: readonly Mistake[] = [
  // G8: every restriction can be undone
  {
    code: "CONTAINMENT_FOR_GOOD",
    guarantee: "G8",
    what: "nothing leads back to what a containment limits",
    change: FRESH,
    at: "77:3",
    says: "containment `limited` can be entered from `fresh` and no transitions lead back",
    trace: ["`fresh`", "contained: `limited`", "from there only"],
  },
  {
    code: "CONTAINMENT_FOR_GOOD",
    guarantee: "G8",
    what: "a generated containment leads elsewhere, and from there nothing leads back",
    change: [
      ...FRESH,
      [
        "\ncontainments:",
        "\nmasks:\n  - { levels: [read-only], of: [hmi-1], from: [fresh], back: { to: off, request: lift, roles: [operator] } }\n\ncontainments:",
      ],
    ],
    at: "95:5",
    says: "containment `contained.fresh.hmi-1.read-only` can be entered from `fresh` and no transitions lead back to what was allowed there; let its `back` lead there",
    trace: ["`fresh`", "contained: `contained.fresh.hmi-1.read-only`"],
  },
  {
    code: "REQUEST_FOR_NOBODY",
    guarantee: "G8",
    what: "only viewers may lift a containment",
    change: [["request: lift, roles: [operator]", "request: lift, roles: [viewer]"]],
    at: "75:9",
    says: "request `lift` of phase `limited` names no role that may command",
  },
  {
    code: "COMMAND_FOR_GOOD",
    guarantee: "G8",
    what: "a set-point may be given one value and never again another",
    change: [...FRESH, ["value: { min: 5, max: 40, maxStep: 5 }", "value: { oneOf: [5] }"]],
    at: "39:7",
    says: "in step `fill` of phase `run` `FLOW.SP` may be set to 5 m³/h, and nothing that can be reached from there",
    trace: ["`FLOW.SP` is set to 5 m³/h", "from there only"],
  },

  // G9: recovery from one device taken over
  {
    code: "RECOVERY_TRUSTS_SUSPECT",
    guarantee: "G9",
    severity: "warning",
    what: "a containment ends by the word of the device that it is for",
    change: [
      ["      - { request: shut, roles: [operator], to: shutdown }\n", ""],
      ["clean: 10s, to: run }", "clean: 10s, to: run, when: { all: [{ tag: STATE, is: idle }] }, ttl: 30s }"],
    ],
    at: "69:3",
    says: "when `plc-1` has been taken over in phase `run`, no transitions lead back from `limited` without trusting what `plc-1` says",
    trace: [
      "`run`, `plc-1` taken over",
      "contained: `limited`",
      "`limited` → `run` is not to be trusted: request lift",
    ],
  },

  // G12: timing windows can be met
  {
    code: "LEASE_SHORT",
    guarantee: "G12",
    what: "the lease ends during a change",
    change: [["lease: 30s", "lease: 4s"]],
    at: "7:8",
    says: "the lease of 4 s may end during a change of phase, which takes up to 5 s",
  },
  {
    code: "TTL_SHORT",
    guarantee: "G12",
    what: "a request lapses during a change",
    change: [["persons: 2, ttl: 30s", "persons: 2, ttl: 3s"]],
    at: "67:9",
    says: "request `confirm-off` of phase `shutdown` stands for 3 s only, and a change that is under way takes up to 5 s",
  },
  {
    code: "TTL_SHORT",
    guarantee: "G12",
    what: "a request lapses before its condition can have held",
    change: [["for: 1s }, ttl: 30s", "for: 1m }, ttl: 30s"]],
    at: "83:9",
    says: "request `end` of phase `service` stands for 30 s only, and its condition must hold for 1 min",
  },
  {
    code: "DWELL_CROSSED",
    guarantee: "G12",
    what: "a step lasts at least as long as it may",
    change: [["min: 30s", "min: 60m"]],
    at: "40:7",
    says: "step `mix` of phase `run` lasts at least 1 h and is reported after 1 h",
  },
  {
    code: "STEP_TIME",
    guarantee: "G12",
    what: "a time ends a step after its max is reported",
    change: [["after: 5m", "after: 15m"]],
    at: "48:7",
    says: "a way out of step `drain` of phase `run` takes 15 min, and its `max` of 10 min is reported before",
  },
  {
    code: "STEP_TIME",
    guarantee: "G12",
    what: "a time ends a step before its min",
    change: [
      [
        "        next:\n          - { to: fill, after: 5m }",
        "        min: 6m\n        next:\n          - { to: fill, after: 5m }",
      ],
    ],
    at: "48:7",
    says: "a way out of step `drain` of phase `run` comes after 5 min, but none counts before its `min` of 6 min",
  },
  {
    code: "CADENCE_CONFLICT",
    guarantee: "G12",
    what: "a period breaks a rate",
    change: [["jitter: 200ms }", "jitter: 200ms }, most: { count: 1, per: 5s }"]],
    at: "12:3",
    says: "rule `hmi-polls` comes every 800 ms to 1.2 s, so up to 7 times in 5 s, and `most` allows 1",
  },
  {
    code: "APART_NEVER",
    guarantee: "G12",
    what: "a rule keeps a distance from what comes more often",
    change: [["apart: { rules: [run-flow], within: 1s }", "apart: { rules: [run-flow, hmi-polls], within: 2s }"]],
    at: "52:11",
    says: "rule `drain-pump` keeps 2 s from `hmi-polls`, which comes every 1.2 s at the latest",
  },
  {
    code: "APART_NEVER",
    guarantee: "G12",
    what: "a rule follows what it keeps away from",
    change: [
      [
        "follows: { rule: mix-drain, within: 10m, once: true }",
        "follows: { rule: mix-drain, within: 10m, once: true }, apart: { rules: [mix-drain], within: 15m }",
      ],
    ],
    at: "51:11",
    says: "rule `drain-close` follows `mix-drain` within 10 min and keeps 15 min from it",
  },
  {
    code: "SELECT_MANY",
    guarantee: "G12",
    what: "a select of two tags",
    change: [
      ["tags: [DRAIN], value: { oneOf: [1] }", "tags: [DRAIN, PUMP], value: { oneOf: [1] }"],
      [
        "follows: { rule: mix-drain, within: 10m, once: true }",
        "follows: { rule: mix-drain, within: 10m, select: true }",
      ],
    ],
    at: "51:11",
    says: "rule `drain-close` operates what `mix-drain` selects, and `mix-drain` is about 2 tags",
  },
  {
    code: "SELECT_MANY",
    guarantee: "G12",
    what: "a select that another device may operate",
    change: [
      [
        "from: [hmi-1], may: write, tags: [DRAIN], value: { oneOf: [0] }, follows: { rule: mix-drain, within: 10m, once: true }",
        "from: [hmi-1, ews-1], may: write, tags: [DRAIN], value: { oneOf: [0] }, follows: { rule: mix-drain, within: 10m, select: true }",
      ],
    ],
    at: "51:11",
    says: "rule `drain-close` operates what `mix-drain` selects, from hmi-1, ews-1: what one selects another could operate",
  },
  {
    code: "FOLLOWS_TIMING",
    guarantee: "G12",
    what: "steps in between take longer than the time to follow",
    change: [
      ["follows: { rule: mix-drain, within: 10m", "follows: { rule: fill-start, within: 10s"],
      ["          - { to: drain, when: { all: [{ tag: OPEN, is: 0 }], for: 5s } }\n", ""],
    ],
    at: "50:11",
    says: "rule `drain-close` follows `fill-start` within 10 s, but at least 30 s pass between the two",
    trace: ["`run`, step `fill` after 0 ms", "`run`, step `mix` after 0 ms", "`run`, step `drain` after 30 s"],
  },
  {
    code: "FOLLOWS_TIMING",
    guarantee: "G12",
    what: "a rule's period is shorter than what it follows allows",
    change: [["jitter: 200ms }", "jitter: 200ms }, follows: { rule: hmi-reads-meter, within: 1s }"]],
    at: "12:3",
    says: "rule `hmi-polls` comes every 1.2 s at the latest, but follows `hmi-reads-meter`, which comes every 4.5 s at the latest, only within 1 s of it: up to 3.5 s pass without",
  },
  {
    code: "FRESH_SHORT",
    guarantee: "G12",
    what: "a cause asks for fresher readings than are read",
    change: [["for: 3s, fresh: 3s", "for: 3s, fresh: 500ms"]],
    at: "34:11",
    says: "rule `fill-start` asks for readings of `OPEN` of the last 500 ms, which is read every 1.2 s at the latest: it never holds for 3 s without a break",
  },
  {
    code: "FRESH_SHORT",
    guarantee: "G12",
    what: "a step waits for fresher readings than a device without a guard gives",
    change: [
      [
        "{ to: drain, when: { all: [{ tag: OPEN, is: 0 }], for: 5s } }",
        "{ to: drain, when: { all: [{ tag: OPEN, is: 0 }, { tag: FLOW, atMost: 1 }], fresh: 2s } }",
      ],
    ],
    at: "31:7",
    says: "step `fill` of phase `run` asks for readings of `FLOW` of the last 2 s, which is read every 4.5 s at the latest: the condition is unknown in between",
  },
  {
    code: "SKEW_EATS_TIME",
    guarantee: "G12",
    severity: "warning",
    what: "a rate is shorter than the skew of the PLC layer",
    change: [["most: { count: 2, per: 5s }", "most: { count: 2, per: 200ms }"]],
    at: "28:7",
    says: "rule `run-flow` has a `per` of 200 ms, and the PLC layer judges times by 200 ms more widely",
  },
];
