import { describe, expect, test } from "vitest";
import { buildBundle } from "#specs/bundle.ts";
import { diffSpecs } from "#specs/diff.ts";
import { openBundle, unsignedBundle } from "#specs/sign.ts";
import { type Edit, variant } from "../variants.ts";
import { linesOf } from "./lines.ts";

const BEFORE = variant("mixer");

interface Case {
  readonly name: string;
  readonly edits: readonly Edit[];
  /** `+` more may happen, `-` less, `~` other; `!` what else a reviewer must see. */
  readonly want: readonly string[];
}

const PRODUCE = "run/produce, contained.run.hmi-1.observe: hmi-1 may";
const FILL = "run/fill, contained.run.hmi-1.observe: hmi-1 may";
const CAUSE = "after: { all: [{ tag: LID, is: 0 }], for: 3s }";

const VALUES: readonly Case[] = [
  {
    name: "a wider range",
    edits: [["min: 20, max: 80, maxStep: 10", "min: 0, max: 100, maxStep: 10"]],
    want: [`+ ${PRODUCE} now write SPEED.SP 0-100 % (was 20-80 %)`],
  },
  {
    name: "a narrower range",
    edits: [["min: 20, max: 80, maxStep: 10", "min: 30, max: 70, maxStep: 10"]],
    want: [`- ${PRODUCE} write SPEED.SP only 30-70 % (was 20-80 %)`],
  },
  {
    name: "a range that moved: what is new and what is gone",
    edits: [["min: 20, max: 80, maxStep: 10", "min: 50, max: 90, maxStep: 10"]],
    want: [
      `+ ${PRODUCE} now write SPEED.SP 50-90 % (was 20-80 %): 80-90 % is new`,
      `- ${PRODUCE} no longer write SPEED.SP 20-50 %: now 50-90 %`,
    ],
  },
  {
    name: "a range below zero",
    edits: [["min: -5, max: 60", "min: -10, max: 60"]],
    want: ["+ run, contained.run.hmi-1.observe: hmi-1 may now write TEMP.SP -10 to 60 °C (was -5 to 60 °C)"],
  },
  {
    name: "states by their names",
    edits: [["oneOf: [slow, fast]", "oneOf: [slow, fast, pulse]"]],
    want: [`+ ${PRODUCE} now write MODE slow, fast or pulse (was slow or fast)`],
  },
  {
    name: "a function more, then all of them",
    edits: [["tags: [SPEED.SP], value: { min: 20", "tags: [SPEED.SP], functions: [6], value: { min: 20"]],
    want: [`- ${PRODUCE} write SPEED.SP, now by function 6 (was by any function)`],
  },
  {
    name: "less at once",
    edits: [["tags: [SPEED.SP], value: { min: 20", "tags: [SPEED.SP], quantity: 1, value: { min: 20"]],
    want: [`- ${PRODUCE} write SPEED.SP, now at most 1 at once (was however much at once)`],
  },
  {
    name: "a role",
    edits: [
      [
        "may: write, tags: [SPEED.SP], value: { min: 20",
        "roles: [operator], may: write, tags: [SPEED.SP], value: { min: 20",
      ],
    ],
    want: [`- ${PRODUCE} write SPEED.SP, now in the role operator (was in whatever role)`],
  },
  {
    name: "files",
    edits: [
      [
        "        min: 5s\n",
        "          files: { says: Recipes., from: [hmi-1], may: read, to: [plc-1], files: [{ file: 4, records: [0, 9] }] }\n        min: 5s\n",
      ],
    ],
    want: ["+ run/produce, the 2 containments generated from run: hmi-1 may now read plc-1: file 4 records 0-9"],
  },
  {
    name: "a second rule for the same tag",
    edits: [
      [
        "        min: 5s\n",
        "          crawl: { says: Slow., from: [hmi-1], may: write, tags: [SPEED.SP], value: { max: 10 } }\n        min: 5s\n",
      ],
    ],
    want: [
      `+ ${PRODUCE} now write SPEED.SP 20-80 %, in steps of 10 % at most, at most 2 in 5 s; or 0-10 % (was 20-80 %, in steps of 10 % at most, at most 2 in 5 s)`,
    ],
  },
  {
    name: "an output",
    edits: [["tags: [MOTOR.OUT], value: { max: 50 }", "tags: [MOTOR.OUT], value: { max: 60 }"]],
    want: ["+ limited.look, limited.local: the control program may now set MOTOR.OUT 0-60 % (was 0-50 %)"],
  },
];

const LIMITS: readonly Case[] = [
  {
    name: "a larger step",
    edits: [["maxStep: 10", "maxStep: 20"]],
    want: [`+ ${PRODUCE} write SPEED.SP, now in steps of 20 % at most (was in steps of 10 % at most)`],
  },
  {
    name: "no largest step",
    edits: [[", maxStep: 10", ""]],
    want: [`+ ${PRODUCE} write SPEED.SP, now in steps of any size (was in steps of 10 % at most)`],
  },
  {
    name: "a ramp",
    edits: [[", maxStep: 10", ", maxStep: 10, ramp: 5"]],
    want: [`- ${PRODUCE} write SPEED.SP, now no faster than 5 % per s (was at any speed)`],
  },
  {
    name: "a higher rate",
    edits: [["count: 2, per: 5s", "count: 3, per: 5s"]],
    want: [`+ ${PRODUCE} write SPEED.SP, now at most 3 in 5 s (was at most 2 in 5 s)`],
  },
  {
    name: "a period in the place of a rate",
    edits: [["most: { count: 2, per: 5s }", "every: { period: 5s, jitter: 1s }"]],
    want: [`- ${PRODUCE} write SPEED.SP, now every 5 s ± 1 s (was at most 2 in 5 s)`],
  },
  {
    name: "only after something else",
    edits: [[CAUSE, "after: { all: [{ tag: LEVEL, atLeast: 1 }], for: 3s }"]],
    want: [`~! ${FILL} write MOTOR, now once LEVEL ≥ 1 m for 3 s (was once LID = 0 for 3 s)`],
  },
  {
    name: "a cause that need not last as long",
    edits: [[CAUSE, "after: { all: [{ tag: LID, is: 0 }], for: 1s }"]],
    want: [`+ ${FILL} write MOTOR, now once LID = 0 for 1 s (was once LID = 0 for 3 s)`],
  },
  {
    name: "no cause any more",
    edits: [[`, ${CAUSE}`, ""]],
    want: [`+ ${FILL} write MOTOR, now without a condition before it (was once LID = 0 for 3 s)`],
  },
  {
    name: "not while something holds",
    edits: [[CAUSE, `${CAUSE}, notWhile: { all: [{ tag: LEVEL, atMost: 1 }] }`]],
    want: [`- ${FILL} write MOTOR, now not while LEVEL ≤ 1 m (was whatever else holds)`],
  },
  {
    name: "longer after another message, but once for each",
    edits: [["follows: { rule: speed, within: 10s }", "follows: { rule: speed, within: 20s, once: true }"]],
    want: [`~! ${PRODUCE} write MODE, now within 20 s after speed, once for each (was within 10 s after speed)`],
  },
  {
    name: "apart from another message",
    edits: [
      [
        "follows: { rule: speed, within: 10s }",
        "follows: { rule: speed, within: 10s }, apart: { rules: [speed], within: 2s }",
      ],
    ],
    want: [`- ${PRODUCE} write MODE, now 2 s apart from speed (was however close to others)`],
  },
  {
    name: "a rule that is only recorded",
    edits: [["follows: { rule: speed, within: 10s } }", "follows: { rule: speed, within: 10s }, mode: monitor }"]],
    want: [
      `+ ${PRODUCE} write MODE, now only recorded when it breaks its limits (mode monitor) (was held to its limits (mode enforce))`,
    ],
  },
  {
    name: "no safety command any more",
    edits: [["tags: [STOP], safety: true }", "tags: [STOP] }"]],
    want: [
      "- every phase, 2 of the 4 generated containments: hmi-1 may write STOP, no longer as a safety command: phases, windows and containments may deny it",
      "- contained.run.hmi-1.read-only, contained.service.hmi-1.read-only: hmi-1 may no longer write STOP (was 0 or 1, always (safety))",
    ],
  },
];

const WHO: readonly Case[] = [
  {
    name: "another device",
    edits: [["stop at any time., from: [hmi-1]", "stop at any time., from: [hmi-1, ews-1]"]],
    want: ["+ every phase: ews-1 may now write STOP 0 or 1, always (safety)"],
  },
  {
    name: "a raw function that nobody may use any more",
    edits: [
      [
        "      test-clock: { says: The clock may be set., from: [ews-1], may: raw, raw: [vendor-clock], to: [plc-1] }\n",
        "",
      ],
    ],
    want: ["- service, the 2 containments generated from service: ews-1 may no longer send vendor-clock to plc-1"],
  },
  {
    name: "a rate that counts two tags together",
    edits: [["tags: [SPEED.SP], value: { min: 20", "tags: [SPEED.SP, TEMP.SP], value: { min: 20"]],
    want: [
      `+ ${PRODUCE} now write TEMP.SP -5 to 60 °C; or 20-80 °C, in steps of 10 °C at most, at most 2 in 5 s (was -5 to 60 °C)`,
      `~! ${PRODUCE} write SPEED.SP, its rate counted over SPEED.SP and TEMP.SP from hmi-1 (was over SPEED.SP from hmi-1)`,
      `~! ${PRODUCE} write MODE, now within 10 s after speed (was within 10 s after speed as it was)`,
    ],
  },
];

const MACHINE: readonly Case[] = [
  {
    name: "a new phase, and what it allows beyond every phase",
    edits: [
      [
        "  service:\n    says: The w",
        "  extra:\n    says: More.\n    rules:\n      extra-temp: { says: T., from: [ews-1], may: write, tags: [TEMP.SP] }\n    on: [{ request: end, roles: [engineer], to: off }]\n  service:\n    says: The w",
      ],
    ],
    want: ["+ phase extra is new", "+ extra: ews-1 may now write TEMP.SP -20 to 90 °C"],
  },
  {
    name: "a new step, and what it allows beyond the others",
    edits: [
      [
        "      produce:\n        says: The mixer turns.",
        "      idle:\n        says: Idle.\n        rules:\n          idle-temp: { says: T., from: [hmi-1], may: write, tags: [TEMP.SP] }\n        next: [{ to: produce, after: 5s }]\n      produce:\n        says: The mixer turns.",
      ],
    ],
    want: [
      "+ run/idle, contained.run.hmi-1.observe: hmi-1 may now write TEMP.SP -5 to 60 °C; or -20 to 90 °C (was -5 to 60 °C)",
      "+ run, the 2 containments generated from run: step idle is new",
    ],
  },
  {
    name: "how long a step lasts",
    edits: [
      ["min: 5s", "min: 4s"],
      ["max: 10m", "max: 5m"],
    ],
    want: [
      "+ run, the 2 containments generated from run: step produce lasts at least 4 s now (was 5 s)",
      "- run, the 2 containments generated from run: staying in step fill is reported after 5 min now (was 10 min)",
    ],
  },
  {
    name: "what ends a step",
    edits: [["to: fill, command: mode, outcome: forwarded", "to: fill, command: mode"]],
    want: [
      "~! run, the 2 containments generated from run: step produce leads to fill: mode answered now (was mode forwarded)",
    ],
  },
  {
    name: "who may ask",
    edits: [["request: stop, roles: [operator]", "request: stop, roles: [engineer]"]],
    want: [
      "+ run, the 2 containments generated from run: request stop may now also be made by engineer",
      "- run, the 2 containments generated from run: request stop may no longer be made by operator",
    ],
  },
  {
    name: "one person in the place of two, for a shorter time",
    edits: [["persons: 2, ttl: 5m", "ttl: 1m"]],
    want: [
      "+ off: request service needs one person now (was two persons)",
      "- off: request service stands for 1 min now (was 5 min)",
    ],
  },
  {
    name: "a way that leads elsewhere",
    edits: [["[operator, engineer], to: limited.look", "[operator, engineer], to: limited.local"]],
    want: ["~! run: request look-closer leads to limited.local now (was limited.look)"],
  },
  {
    name: "a new way out, and one that is gone",
    edits: [["      - { after: 1h, to: off }\n", "      - { request: again, roles: [engineer], to: run }\n"]],
    want: [
      "+ service, the 2 containments generated from service: a new way out, again, by engineer: to run",
      "- service: a way out is gone, after 1 h: to off",
    ],
  },
  {
    name: "a condition that holds sooner",
    edits: [["atMost: 0.1 }], for: 2s", "atMost: 0.2 }], for: 2s"]],
    want: ["+ run: the way to off (LEVEL ≤ 0.2 m for 2 s) needs LEVEL ≤ 0.2 m for 2 s now (was LEVEL ≤ 0.1 m for 2 s)"],
  },
  {
    name: "times of ways out",
    edits: [
      ["after: 1h", "after: 2h"],
      ["to: off, clean: 5s", "to: off"],
      ["for: 2s }, within: 10m", "for: 2s }, within: 5m"],
    ],
    want: [
      "+ limited.look, limited.local: request back needs no time without a detection now (was 5 s)",
      "~ run: the way to off (LEVEL ≤ 0.1 m for 2 s) is counted on within 5 min now (was 10 min)",
      "- service: the way to off (after 2 h) comes after 2 h now (was 1 h)",
    ],
  },
  {
    name: "the window of a way out",
    edits: [[", window: [start-motor]", ""]],
    want: ["- off: request start no longer lets start-motor through while it is under way"],
  },
  {
    name: "another generated containment",
    edits: [["levels: [observe, read-only]", "levels: [observe, read-only, cut]"]],
    want: ["~ a generated containment of hmi-1 (cut) from run and service is new"],
  },
  {
    name: "where a detection leads",
    edits: [["tags: [SPEED.SP], from: [run]", "tags: [TEMP.SP], from: [run]"]],
    want: [
      "~! run: a detection at unknown-device leads to limited.look for TEMP.SP, else limited.local now (was limited.look for SPEED.SP, else limited.local)",
    ],
  },
  {
    name: "where the plant begins, goes by itself, and is safe",
    edits: [
      ["initial: off", "initial: service"],
      ["isolated: limited.local", "isolated: limited.look"],
      ["within: 5m", "within: 6m"],
    ],
    want: [
      "~! the plant begins in service now (was off)",
      "~! without a coordinator the plant is in limited.look now (was limited.local)",
      "~ the safe state of the plant is off, within 6 min now (was off, within 5 min)",
    ],
  },
];

const PLANT: readonly Case[] = [
  {
    name: "the same tag at another register",
    edits: [["table: holding-register, address: 0", "table: holding-register, address: 7"]],
    want: [
      "~! tag SPEED.SP lies at plc-1: unit 1 holding-register 7 now (was plc-1: unit 1 holding-register 0): the same name, another place",
    ],
  },
  {
    name: "another scale",
    edits: [["address: 0, type: uint16, scale: 0.1", "address: 0, type: uint16, scale: 0.01"]],
    want: ["~! tag SPEED.SP is uint16 × 0.01, big words of big bytes now (was uint16 × 0.1, big words of big bytes)"],
  },
  {
    name: "a link that is less looked at",
    edits: [
      [
        "hmi-1, server: plc-1, protocol: modbus, mode: enforce }",
        "hmi-1, server: plc-1, protocol: modbus, mode: monitor, failOpen: true, opaque: true, mirror: false }",
      ],
    ],
    want: [
      "+ link hmi-plc (hmi-1 to plc-1) is in mode monitor now (was enforce)",
      "+ link hmi-plc (hmi-1 to plc-1) forwards now where it cannot be judged",
      "+ link hmi-plc (hmi-1 to plc-1) is opaque now: nobody looks into it",
      "+ link hmi-plc (hmi-1 to plc-1) no longer passes the mirror port",
    ],
  },
  {
    name: "another address",
    edits: [["[127.10.1.11]", "[127.10.1.12]"]],
    want: ["~! device hmi-1 is known by 127.10.1.12 now (was 127.10.1.11)"],
  },
  {
    name: "a PLC without a guard",
    edits: [["title: Mixer, role: plc,", "title: Mixer, role: rtu,"]],
    want: ["+ no guard runs in device plc-1 any more", "~ device plc-1 is a rtu now (was a plc)"],
  },
  {
    name: "a longer raw message",
    edits: [["length: [2, 10]", "length: [0, 20]"]],
    want: ["+ function vendor-clock may be 0-20 bytes long now (was 2-10)"],
  },
  {
    name: "the times of the whole",
    edits: [["lease: 10s", "lease: 20s\nskew: 200ms\nchange: 4s\nmirrorDelay: 2s"]],
    want: [
      "+ the lease is 20 s now (was 10 s)",
      "+ times are judged more widely from layer to layer by 200 ms now (was 100 ms)",
      "+ what the mirror port shows is judged within 2 s now (was 1.5 s)",
      "- a change of phase ends within 4 s now (was 5 s)",
    ],
  },
];

describe.each([
  ["values", VALUES],
  ["limits", LIMITS],
  ["who", WHO],
  ["the machine", MACHINE],
  ["the plant", PLANT],
])("a difference in %s", (_, cases) => {
  test.each(cases)("$name", ({ edits, want }) => {
    expect(linesOf(BEFORE, variant("mixer", edits))).toEqual(want);
  });
});

test.each([...VALUES, ...LIMITS])("$name: the way back is the opposite", ({ edits }) => {
  const after = variant("mixer", edits);
  const effects = (lines: readonly string[], swap: boolean) =>
    lines.map((line) => (swap ? ({ "+": "-", "-": "+" }[line[0] ?? ""] ?? line[0]) : line[0])).sort();
  expect(effects(linesOf(after, BEFORE), true)).toEqual(effects(linesOf(BEFORE, after), false));
});

describe("no difference", () => {
  test("between a plant and itself, and its bundle", () => {
    const bundle = openBundle(unsignedBundle(buildBundle(BEFORE.plant, BEFORE.lifecycle)), {
      trusted: [],
      allowUnsigned: true,
    });
    if (!bundle.ok) throw new Error(bundle.error);
    expect(diffSpecs(BEFORE, variant("mixer"))).toEqual({ same: true, changes: [] });
    expect(linesOf(BEFORE, bundle.value)).toEqual([]);
    expect(linesOf(bundle.value, BEFORE)).toEqual([]);
  });

  test("in sentences, titles and the version", () => {
    const after = variant("mixer", [
      ["version: 4", "version: 5"],
      ["says: Everything is off.", "says: All is off."],
      ["title: Operator station", "title: Panel"],
    ]);
    expect(linesOf(BEFORE, after)).toEqual([]);
  });

  test("where rules have other names, also where rules, steps and windows refer to them", () => {
    const after = variant("mixer", [
      ["          speed: {", "          new-speed: {"],
      ["follows: { rule: speed,", "follows: { rule: new-speed,"],
      ["          mode: {", "          new-mode: {"],
      ["command: mode,", "command: new-mode,"],
      ["          start-motor: {", "          new-start: {"],
      ["window: [start-motor]", "window: [new-start]"],
    ]);
    expect(linesOf(BEFORE, after)).toEqual([]);
  });

  test("where one rule for two tags becomes two", () => {
    const two = variant("mixer", [
      ["may: write, tags: [TEMP.SP], value: { min: -5, max: 60 }", "may: write, tags: [TEMP.SP, MOTOR]"],
    ]);
    const split = variant("mixer", [
      [
        "may: write, tags: [TEMP.SP], value: { min: -5, max: 60 } }",
        "may: write, tags: [TEMP.SP] }\n      run-motor: { says: M., from: [hmi-1], may: write, tags: [MOTOR], value: { oneOf: [0, 1] } }",
      ],
    ]);
    expect(linesOf(two, split)).toEqual([]);
  });

  test("where a rule of a group is written out in its phases", () => {
    const after = variant("mixer", [
      [
        "    rules:\n      limited-output: { says: The motor goes on., from: [program], may: output, tags: [MOTOR.OUT], value: { max: 50 } }\n",
        "",
      ],
      [
        "        says: The operator station may look.\n",
        "        says: The operator station may look.\n        rules: { a: { says: A., from: [program], may: output, tags: [MOTOR.OUT], value: { max: 50 } } }\n",
      ],
      [
        "        says: Nobody writes over the network.\n",
        "        says: Nobody writes over the network.\n        rules: { b: { says: B., from: [program], may: output, tags: [MOTOR.OUT], value: { min: 0, max: 50 } } }\n",
      ],
    ]);
    expect(linesOf(BEFORE, after)).toEqual([]);
  });
});

test("a rule that now follows another rule than before is a difference", () => {
  const other: Edit = [
    "          mode: {",
    "          speed-too: { says: S., from: [ews-1], may: write, tags: [TEMP.SP], value: { max: 10 } }\n          mode: {",
  ];
  const before = variant("mixer", [other]);
  const after = variant("mixer", [other, ["follows: { rule: speed,", "follows: { rule: speed-too,"]]);
  expect(linesOf(before, after)).toEqual([
    `~! ${PRODUCE} write MODE, now within 10 s after speed-too (was within 10 s after speed)`,
  ]);
});

test("the order in which conditions are tried", () => {
  const way = "      - { when: { all: [{ tag: LEVEL, atMost: 0.1 }], for: 2s }, within: 10m, to: off }\n";
  const other = "      - { after: 2h, to: off }\n";
  const [before, after] = [other + way, way + other].map((ways) => variant("mixer", [[way, ways]]));
  if (before === undefined || after === undefined) throw new Error("unreachable: two variants");
  expect(linesOf(before, after)).toEqual([
    "~! run: the ways out are tried in another order now: the way to off (LEVEL ≤ 0.1 m for 2 s) and the way to off (after 2 h)",
  ]);
});

test("zones are compared by themselves", () => {
  const after = variant("pair", [
    ["may: write, tags: [R.RUN] }", "may: write, tags: [R.RUN], value: { oneOf: [0] } }"],
  ]);
  expect(linesOf(variant("pair"), after)).toEqual(["- right.run: hmi-1 may write R.RUN only 0 (was 0 or 1)"]);
  const all = variant("pair", [["tags: [L.RUN, R.RUN] }", "tags: [L.RUN] }"]]);
  expect(linesOf(variant("pair"), all)).toEqual(["- every phase of right: hmi-1 may no longer read R.RUN"]);
});
