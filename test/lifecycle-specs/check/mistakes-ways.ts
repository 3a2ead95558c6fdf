import type { Change, Mistake } from "./support.ts";

const NO_CONFIRMATION: Change = [
  "      - { request: confirm-off, roles: [operator], persons: 2, ttl: 30s, to: off }\n",
  "",
];

/** One mistake each about the ways between phases: G1 and G3. */
export const WAY_MISTAKES: readonly Mistake[] = [
  // G1: the safe state is near
  {
    code: "SAFE_MISSING",
    guarantee: "G1",
    what: "no safe state is named",
    change: [["safe: { phase: off, within: 2m }\n", ""]],
    at: "4:10",
    says: "zone `works` names no safe state",
  },
  {
    code: "SAFE_UNREACHABLE",
    guarantee: "G1",
    what: "two phases lead to each other only",
    change: [
      ["ttl: 30s }\n      - { request: leave, roles: [engineer], to: off }", "ttl: 30s }"],
      ["roles: [engineer], to: off, when", "roles: [engineer], to: rest, when"],
      [
        "\ncontainments:",
        "\n  rest:\n    says: A rest.\n    on:\n      - { request: again, roles: [engineer], to: service }\n\ncontainments:",
      ],
    ],
    at: "78:3",
    says: "from phase `service` no transitions lead to the safe phase `off`; add a request",
    trace: [
      "`service`",
      "not by request end, by engineer, stands for 30 s, if OPEN = 0 for 1 s: nor from `rest`",
      "stuck",
    ],
  },
  {
    code: "SAFE_UNBOUNDED",
    guarantee: "G1",
    what: "the only way to the safe phase waits for a condition without a time",
    change: [NO_CONFIRMATION, [" within: 1m, to: off", " to: off"]],
    at: "66:9",
    says: "from phase `shutdown` the safe phase `off` is reached only by a transition of `shutdown` that states no time (when OPEN = 0 for 2 s); give it `within`",
    trace: ["`shutdown`", "when OPEN = 0 for 2 s → `off` at no stated time"],
  },
  {
    code: "SAFE_UNBOUNDED",
    guarantee: "G1",
    what: "a request with a condition does not wait for it",
    change: [
      ["for: 1s }, ttl: 30s }", "for: 1s } }"],
      ["      - { request: leave, roles: [engineer], to: off }\n", ""],
    ],
    at: "83:9",
    says: "from phase `service` the safe phase `off` is reached only by a transition of `service` that states no time (request end, by engineer, if OPEN = 0 for 1 s); give it `ttl`",
  },
  {
    code: "SAFE_TOO_LATE",
    guarantee: "G1",
    what: "the times add up to more than is stated",
    change: [["within: 2m }", "within: 39s }"]],
    at: "69:3",
    says: "from phase `limited` the safe phase `off` is reached in 40 s at best, and 39 s is stated",
    trace: [
      "`limited`",
      "request shut, by operator → `shutdown` within 5 s",
      "request confirm-off, by operator, two persons, stands for 30 s → `off` within 40 s",
    ],
  },
  {
    code: "SAFE_WITHOUT_POINT",
    guarantee: "G1",
    what: "the only way to the safe phase waits for the word of a guard that may be dead",
    change: [NO_CONFIRMATION],
    at: "61:3",
    says: "from phase `shutdown` no transitions lead to the safe phase `off` while the guard of `plc-1` is dead or refuses; add a request to `shutdown`",
    trace: ["`shutdown`", "not by when OPEN = 0 for 2 s: nobody sees the condition", "stuck"],
  },
  {
    code: "SAFE_WITHOUT_POINT",
    guarantee: "G1",
    what: "a request that leads no nearer waits for every point",
    change: [NO_CONFIRMATION],
    at: "24:3",
    says: "from phase `run` no transitions lead to the safe phase `off` while the guard of `plc-1` is dead or refuses, nor from `limited`, which leads there; add a request to `run`",
    trace: [
      "`limited` leads only here",
      "`run`",
      "not by request stop, by operator: the change allows more, and needs every point",
    ],
  },
  {
    code: "SAFE_WITHOUT_POINT",
    guarantee: "G1",
    what: "without the word of a dead guard the way takes too long",
    change: [["{ request: leave, roles: [engineer], to: off }", "{ after: 1h, to: off }"]],
    at: "78:3",
    says: "from phase `service` the safe phase `off` is reached in 3605 s at best, and 2 min is stated while the guard of `plc-1` is dead or refuses",
    trace: ["`service`", "after 1 h → `off` within 3605 s"],
  },
  {
    code: "SAFE_NOT_TOGETHER",
    guarantee: "G1",
    what: "each zone's way to its safe phase takes the other away from its own",
    plant: "line",
    change: [
      ["to: idle, with: [furnace.cold] }", "to: idle }"],
      ["to: cold }", "to: cold, with: [mill.rolling] }"],
      ["to: idle }", "to: idle, with: [furnace.hot] }"],
    ],
    at: "16:11",
    says: "each of zones `furnace`, `mill` can reach its safe phase, but from `furnace.hot`, `mill.idle` never all at once",
    trace: ["`furnace.cold`, `mill.idle`", "`furnace.hot`, `mill.idle`", "never all reached at once"],
  },

  // G3: one event, one answer
  {
    code: "TRANSITION_AMBIGUOUS",
    guarantee: "G3",
    what: "one request leads to two phases",
    change: [["request: service", "request: start"]],
    at: "22:9",
    says: "phase `off` answers request `start` twice",
  },
  {
    code: "EXITS_OVERLAP",
    guarantee: "G3",
    what: "two conditions of a phase can hold at once",
    change: [["{ tag: STATE, is: ready }", "{ tag: LEVEL, atMost: 0.2 }"]],
    at: "58:9",
    says: "two ways out of phase `run` are open at once (LEVEL = 0.1 m, STATE = idle for 2 s): one leads to `off`, one to `shutdown`",
    trace: ["in `run`", "when LEVEL ≤ 0.1 m and STATE = idle for 2 s → `off`", "→ `shutdown`", "both at LEVEL = 0.1 m"],
  },
  {
    code: "EXITS_OVERLAP",
    guarantee: "G3",
    what: "hysteresis lets a condition hold where another begins",
    change: [
      ["{ tag: LEVEL, atMost: 0.1 }, { tag: STATE, is: idle }", "{ tag: LEVEL, atMost: 0.1, release: 0.3 }"],
      ["{ tag: STATE, is: ready }", "{ tag: LEVEL, atLeast: 0.2 }"],
    ],
    at: "58:9",
    says: "are open at once (LEVEL = 0.2 m for 2 s)",
  },
  {
    code: "EXITS_OVERLAP",
    guarantee: "G3",
    what: "a time with a condition, and a condition",
    change: [
      [
        "{ when: { all: [{ tag: STATE, is: ready }], for: 2s }, within",
        "{ after: 1h, when: { all: [{ tag: STATE, is: idle }] }, within",
      ],
    ],
    at: "58:9",
    says: "are open at once (LEVEL = 0.1 m, STATE = idle for 2 s, 1 h after it began)",
  },
  {
    code: "EXITS_OVERLAP",
    guarantee: "G3",
    what: "two conditions lead to one phase with different windows",
    change: [
      [
        "{ tag: STATE, is: ready }], for: 2s }, within: 30s, to: shutdown",
        "{ tag: LEVEL, atMost: 0.1 }], for: 2s }, within: 30s, to: off, window: [run-flow]",
      ],
    ],
    at: "58:9",
    says: "one leads to `off`, one to `off` in different ways",
  },
  {
    code: "EXITS_SAME",
    guarantee: "G3",
    what: "two times that end a phase are one",
    change: [
      [
        "      - { request: leave, roles: [engineer], to: off }\n",
        "      - { request: leave, roles: [engineer], to: off }\n      - { after: 1h, to: off }\n      - { after: 60m, to: run }\n",
      ],
    ],
    at: "86:9",
    says: "two ways out of phase `service` are open at once (1 h after it began): one leads to `off`, one to `run`",
  },
  {
    code: "STEPS_OVERLAP",
    guarantee: "G3",
    what: "two conditions of a step can hold at once",
    change: [
      [
        "{ to: drain, when: { all: [{ tag: OPEN, is: 0 }], for: 5s } }",
        "{ to: drain, when: { all: [{ tag: LEVEL, atLeast: 2 }] } }",
      ],
    ],
    at: "31:7",
    says: "two ways out of step `fill` of phase `run` are open at once (LEVEL = 2 m, OPEN = 1 for 1 s): one leads to `mix`, one to `drain`",
    trace: ["in `run`, step `fill`", "→ `mix`", "→ `drain`", "both at LEVEL = 2 m"],
  },
  {
    code: "STEPS_SAME",
    guarantee: "G3",
    what: "one time leads to two steps",
    change: [
      [
        "          - { to: fill, after: 5m }\n",
        "          - { to: fill, after: 5m }\n          - { to: mix, after: 5m }\n",
      ],
    ],
    at: "48:7",
    says: "two ways out of step `drain` of phase `run` are open at once (5 min after it began)",
  },
  {
    code: "STEPS_SAME",
    guarantee: "G3",
    what: "one command leads to two steps",
    change: [
      [
        "          - { to: drain, command: mix-drain }\n",
        "          - { to: drain, command: mix-drain }\n          - { to: fill, command: mix-drain }\n",
      ],
    ],
    at: "40:7",
    says: "two ways out of step `mix` of phase `run` are open at once (the message `mix-drain answered-ok`)",
  },

  {
    code: "STEPS_SAME",
    guarantee: "G3",
    what: "a condition counts from the moment at which a time has come",
    change: [
      [
        "          - { to: drain, command: mix-drain }\n",
        "          - { to: drain, when: { all: [{ tag: LEVEL, atMost: 1 }] } }\n          - { to: fill, after: 30s }\n",
      ],
    ],
    at: "40:7",
    says: "two ways out of step `mix` of phase `run` are open at once (30 s after it began, with LEVEL = 1 m)",
  },
  {
    code: "EXITS_SAME",
    guarantee: "G3",
    what: "one time has a condition, the same time has none",
    change: [
      [
        "      - { request: leave, roles: [engineer], to: off }\n",
        "      - { request: leave, roles: [engineer], to: off }\n      - { after: 1h, to: off }\n      - { after: 1h, when: { all: [{ tag: OPEN, is: 1 }] }, within: 1m, to: run }\n",
      ],
    ],
    at: "86:9",
    says: "two ways out of phase `service` are open at once (1 h after it began, with OPEN = 1)",
  },
];
