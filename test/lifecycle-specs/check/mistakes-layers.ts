import type { LayerMistake } from "./works.ts";

/** Put in before the rules of phase `run`. */
const IN_RUN = "      run-flow: {";
const inRun = (rule: string) => [[IN_RUN, `      ${rule}\n${IN_RUN}`]] as const;
const EVERYWHERE = "  stop: {";
const everywhere = (rule: string) => [[EVERYWHERE, `  ${rule}\n${EVERYWHERE}`]] as const;

/** One mistake each about what the layers allow. Every code has at least one. */
export const LAYER_MISTAKES: readonly LayerMistake[] = [
  // G2: safety commands
  {
    code: "SAFETY_NOT_EVERYWHERE",
    what: "a safety command in one phase only",
    change: inRun(
      "halt: { says: The pump may be halted., from: [hmi-1], may: write, tags: [STOP], value: { oneOf: [1] }, safety: true }",
    ),
    at: "halt:",
    says: "safety rule `halt` holds in every phase but is declared in one",
  },
  {
    code: "SAFETY_CONDITIONAL",
    what: "a safety command with a cause",
    change: [["per: 10s }, safety: true", "per: 10s }, after: { all: [{ tag: OPEN, is: 1 }] }, safety: true"]],
    at: "stop: {",
    says: "safety rule `stop` asks for `after`",
  },
  {
    code: "SAFETY_CONDITIONAL",
    what: "a safety command with a largest step, which is denied while the present value is unknown",
    change: [["value: { oneOf: [1] }, most", "value: { oneOf: [1], maxStep: 1 }, most"]],
    at: "stop: {",
    says: "asks for `maxStep`",
  },
  {
    code: "SAFETY_LOST",
    what: "a safety command that no link carries",
    change: [
      [
        "  stop: { says: The operator station may stop at any time., from: [hmi-1]",
        "  stop: { says: Both stations may stop at any time., from: [hmi-1, ews-1]",
      ],
    ],
    inPlant: [["  ews-plc1: { client: ews-1, server: plc-1, protocol: modbus, mode: enforce }\n", ""]],
    at: "stop: {",
    says: "ews-1 may write STOP, and no link from ews-1 to plc-1 carries it",
    trace: ["ews-1 may write STOP"],
  },
  {
    code: "SAFETY_LOST",
    what: "a safety command with a value that the register has no number for",
    change: everywhere(
      "trickle: { says: The flow may be cut to a trickle., from: [hmi-1], may: write, tags: [FLOW.SP], value: { oneOf: [0, 0.25] }, safety: true }",
    ),
    at: "trickle:",
    says: "hmi-1 may write FLOW.SP, and its binding has no number for 0.25 m³/h",
  },
  {
    code: "SAFETY_LOST",
    what: "a safety call without its argument",
    change: everywhere(
      "cool: { says: The heater may be called off., from: [hmi-1], may: call, tags: [HEAT], safety: true }",
    ),
    at: "cool:",
    says: "no safety rule that holds with it allows its argument `DUTY`",
  },
  {
    code: "SAFETY_WITHOUT_SESSION",
    what: "a safety command over OPC UA, and sessions that a containment ends",
    change: everywhere(
      "cold: { says: The heater may be turned down., from: [hmi-1], may: write, tags: [TEMP.SP], value: { oneOf: [0] }, safety: true }",
    ),
    at: "cold:",
    says: "safety rule `cold` needs an OPC UA session from hmi-1 to plc-2",
    trace: ["only safety rules hold", "opens a session with plc-2: denied", "`cold` cannot be sent"],
  },

  // G5: nested layers, paths, instants
  {
    code: "VALUE_UNSAYABLE",
    what: "a value between two raw numbers",
    change: [["value: { min: 5, max: 40, maxStep: 5 }", "value: { oneOf: [5, 7.25] }"]],
    at: "run-flow: {",
    says: "rule `run-flow` allows 7.25 m³/h for `FLOW.SP`, and its binding has no number for that",
    trace: ["in phase `run`", "HMI layer: hmi-1 may write FLOW.SP: 7.25", "switch layer: 5 m³/h"],
  },
  {
    code: "VALUE_UNSAYABLE",
    what: "values beyond what the register can hold",
    inPlant: [
      [
        "range: [0, 60], modbus: { unit: 1, table: holding-register, address: 0, type: uint16, scale: 0.1 }",
        "range: [0, 60], modbus: { unit: 1, table: holding-register, address: 0, type: uint16, scale: 0.0005 }",
      ],
    ],
    at: "run-flow: {",
    says: "rule `run-flow` allows 32.7675–40 m³/h for `FLOW.SP`",
    trace: ["switch layer: 5–32.7675 m³/h"],
  },
  {
    code: "LAYER_UNSIGHTED",
    what: "a cause that the HMI layer never sees, for the link is not mirrored there",
    change: [
      ["may: read, tags: { device: plc-1 }", "may: read, tags: [LEVEL]"],
      [
        "  stop: {",
        "  reads-open: { says: The workstation may read the inlet., from: [ews-1], may: read, tags: [OPEN] }\n  stop: {",
      ],
    ],
    inPlant: [
      [
        "client: ews-1, server: plc-1, protocol: modbus, mode: enforce",
        "client: ews-1, server: plc-1, protocol: modbus, mode: enforce, mirror: false",
      ],
    ],
    at: "fill-pump: {",
    says: "rule `fill-pump` depends on `OPEN`, which the hmi layer never sees",
  },
  {
    code: "LAYER_UNSIGHTED",
    what: "a largest step from a value that nobody may read",
    change: [
      ["may: read, tags: { device: plc-1 }", "may: read, tags: [LEVEL, OPEN]"],
      [
        "may: call, tags: [HEAT, DUTY] }",
        "may: call, tags: [HEAT] }\n      run-duty: { says: The duty may be changed a little., from: [hmi-1], may: call, tags: [DUTY], value: { maxStep: 10 } }",
      ],
    ],
    at: "run-duty: {",
    says: "rule `run-duty` measures a change from the last known value of `DUTY`, which the hmi layer never sees",
  },
  {
    code: "PATH_WITHOUT_SESSION",
    what: "a call over OPC UA in a phase without a session",
    change: [
      [
        "  session: { says: The operator station may hold a session with PLC 2., from: [hmi-1], may: session, to: [plc-2] }\n",
        "",
      ],
      [
        "      off-output: {",
        "      session: { says: The operator station may hold a session with PLC 2., from: [hmi-1], may: session, to: [plc-2] }\n      off-output: {",
      ],
      ["may: subscribe, tags: { device: plc-2 }", "may: read, tags: { device: plc-1 }, most: { count: 1, per: 1s }"],
      [
        "  reads: { says: The operator station may read PLC 1., from: [hmi-1], may: read, tags: { device: plc-1 } }\n",
        "",
      ],
    ],
    at: "run-temp: {",
    says: "rule `run-temp` needs an OPC UA session from hmi-1 to plc-2, and in step `fill` of phase `run` no rule allows that",
    trace: ["in step `fill` of phase `run`", "HMI layer: hmi-1 may write at plc-2", "switch layer: no session"],
  },
  {
    code: "WINDOW_NOT_NESTED",
    what: "a window with a rule of the new phase",
    change: [
      [
        "{ request: start, roles: [operator], to: run }",
        "{ request: start, roles: [operator], to: run, window: [run-flow] }",
      ],
    ],
    at: "{ request: start",
    says: "during the change from `off` to `run` a command of the window can pass one layer and be denied by the next",
    trace: [
      "the hmi layer holds the window list and lets `run-flow` through, the switch layer holds `off`",
      "the switch layer holds the window list and lets `run-flow` through, the plc layer holds `off`",
    ],
  },
  {
    code: "WINDOW_NOT_NESTED",
    what: "a window with a rule of the old phase",
    change: [["to: off, window: [stop]", "to: off, window: [stop, keep-pump]"]],
    at: "{ request: stop, roles: [operator], to: off, window",
    says: "during the change from `run` to `off`",
    trace: ["the switch layer holds `run`, step `fill` and does not", "the plc layer holds `off` and does not"],
  },

  // G6: windows
  {
    code: "WINDOW_WIDENS",
    what: "a window with a rule of a third phase",
    change: [
      [
        "{ request: start, roles: [operator], to: run }",
        "{ request: start, roles: [operator], to: run, window: [sv-mass] }",
      ],
    ],
    at: "{ request: start",
    says: "lists rule `sv-mass`, and neither phase allows `ews-1 write MASS.SP`",
    trace: ["`off` is in force", "the change to `run` begins", "`ews-1 write MASS.SP`: allowed by the window alone"],
  },
  {
    code: "WINDOW_WIDENS",
    what: "a window that lets through what the mask of the containment it leaves had taken",
    change: [["to: off, window: [stop]", "to: off, window: [run-flow]"]],
    at: "{ levels: [rate-limit, cut]",
    says: "the window from `contained.run.hmi-1.cut` to `off` lists rule `run-flow`",
    trace: ["`contained.run.hmi-1.cut` is in force", "`hmi-1 write FLOW.SP`: allowed by the window alone"],
  },
  {
    code: "CHANGE_UNBOUNDED",
    what: "a change that must end before its orders can have arrived",
    change: [["skew: 100ms", "skew: 2s"]],
    at: "# Passes",
    says: "a change of phase is to end within 5000 ms, and its 6 orders can take 2000 ms each, and the mirror port is judged up to 1500 ms late; set `change` to 13500 ms or more, or `skew` lower",
  },
  {
    code: "CHANGE_UNBOUNDED",
    what: "a change that must end before the mirror port has shown what was before it",
    change: [["skew: 100ms", "skew: 100ms\nmirrorDelay: 5s"]],
    at: "# Passes",
    says: "the mirror port is judged up to 5000 ms late; set `change` to 5600 ms or more, or `mirrorDelay` lower",
  },

  // G7: containments
  {
    code: "CONTAINMENT_TARGET",
    what: "a detection leads to an ordinary phase",
    change: [["suspect., to: limited.look", "suspect., to: service"]],
    at: "{ locus: [hmi], from: [run], says: The operator",
    says: "the containment leads to `service`",
  },
  {
    code: "CONTAINMENT_GAP",
    what: "attacks of some kinds lead nowhere",
    change: [["plc-logic, field, engineering", "engineering"]],
    at: "run:\n",
    says: "phase `run` has containments, but none for every attack at plc-logic, field",
  },
  {
    code: "ISOLATED_NOT_CONTAINMENT",
    what: "the isolated phase is an ordinary one",
    change: [["isolated: limited.local", "isolated: service"]],
    at: "service\nsafe",
    says: "the isolated phase `service` is not marked",
  },
  {
    code: "ESSENTIAL_LOST",
    what: "a containment that stops the pump",
    change: [
      [
        "lim-output: { says: The pump may go on., from: [program], may: output, tags: [PUMP.OUT] }",
        "lim-output: { says: The pump may go on., from: [program], may: output, tags: [PUMP.OUT], value: { oneOf: [0] } }",
      ],
      ["isolated: limited.local", "isolated: limited.look"],
      ["to: limited.local }", "to: limited.look }"],
      [
        "      local:\n        says: Nobody writes over the network.\n        containment: true\n        on: *leave\n",
        "",
      ],
    ],
    at: "look:\n",
    says: "containment `limited.look` ends the essential function `hold-level` (The tank keeps its level): the control program may no longer move `PUMP.OUT`",
    trace: [
      "in `run` the control program may move `PUMP.OUT`",
      "a detection, or the end of the lease, leads to `limited.look`",
      "may only be 0",
    ],
  },
  {
    code: "ESSENTIAL_LOST",
    what: "a command is essential, and a containment takes an output of its PLC",
    inPlant: [["tags: [PUMP, PUMP.OUT]", "tags: [PUMP]"]],
    change: [
      [
        "      local:\n",
        "      local:\n        rules:\n          loc-drain: { says: The drain may go on., from: [program], may: output, tags: [DRAIN.OUT] }\n",
      ],
    ],
    at: "look:\n",
    says: "the control program may no longer move `DRAIN.OUT`",
  },
  {
    code: "ESSENTIAL_LOST",
    what: "a containment that lets the pump turn on a condition that never holds",
    change: [
      [
        "tags: [PUMP.OUT] }\n    phases:",
        "tags: [PUMP.OUT], after: { all: [{ tag: LEVEL, atLeast: 2 }, { tag: LEVEL, atMost: 1 }] } }\n    phases:",
      ],
    ],
    at: "look:\n",
    says: "containment `limited.look` ends the essential function `hold-level`",
  },
  {
    code: "ESSENTIAL_LOST",
    what: "a phase in which points are alone, and nothing may move",
    change: [
      ["isolated: limited.local", "isolated: dark"],
      [
        "  service:\n",
        "  dark:\n    says: Nothing moves.\n    containment: true\n    on:\n      - { request: back, roles: [operator], to: run }\n\n  service:\n",
      ],
    ],
    at: "dark:\n",
    says: "containment `dark` ends the essential function `hold-level`",
    trace: ["in `run` the control program may move `PUMP.OUT`", "the end of the lease, leads to `dark`"],
  },
  {
    code: "ESSENTIAL_NEVER",
    what: "an essential output that no phase lets move",
    inPlant: [["essential:\n", "essential:\n  drain-down: { says: The tank can be drained, tags: [DRAIN.OUT] }\n"]],
    change: [["tags: [DRAIN.OUT, HEAT.OUT] }", "tags: [HEAT.OUT] }"]],
    at: "plant: drain-down:",
    says: "essential function `drain-down` needs `DRAIN.OUT`, and no phase lets the control program move it",
  },
  {
    code: "CONTAINMENT_WIDENS",
    what: "a containment in a group of ordinary phases",
    change: [
      [
        "  limited:\n    says: A part is limited.\n    rules:\n",
        "  limited:\n    says: A part is limited.\n    rules:\n      lim-mass: { says: The mass may be set., from: [hmi-1], may: write, tags: [MASS.SP], value: { max: 100 } }\n",
      ],
      [
        "      local:\n",
        "      rest:\n        says: Nothing is limited any more.\n        on:\n          - { request: on, roles: [operator], to: run }\n      local:\n",
      ],
      [
        "      - { request: service, roles",
        "      - { request: rest, roles: [operator], to: limited.rest }\n      - { request: service, roles",
      ],
    ],
    at: "look:\n",
    says: "containment `limited.look` allows what `run`, from where it is entered, does not: hmi-1 may write MASS.SP, by rule `lim-mass` of its group",
    trace: ["`run` is in force, and denies it", "a detection leads to `limited.look`", "allowed by `lim-mass`"],
  },

  // G11: generated PLC code
  {
    code: "PLC_MEMORY",
    what: "rates that count more messages than a PLC remembers",
    change: inRun(
      Array.from(
        { length: 9 },
        (_, n) =>
          `mass-${n}: { says: The mass may be set often., from: [hmi-1], may: write, tags: [MASS.SP], value: { min: ${n}, max: ${1000 + n} }, most: { count: 1000, per: 10s } }`,
      ).join("\n      "),
    ),
    at: "plant: plc-1: {",
    says: "the guard of `plc-1` needs",
  },

  // language
  {
    code: "CONDITION_UNOBSERVABLE",
    what: "a condition on a tag behind an opaque link, in a device without a guard",
    inPlant: [
      ["plc-2: { title: Heater, role: plc", "plc-2: { title: Heater, role: opcua-server"],
      ["protocol: opcua, mode: enforce", "protocol: opcua, mode: enforce, opaque: true"],
    ],
    change: [["tag: LEVEL, atMost: 1 }", "tag: TEMP, atMost: 1 }"]],
    at: "keep:\n",
    says: "step `keep` depends on `TEMP`, which no enforcement point can observe",
  },
  {
    code: "STEP_EVENT_UNOBSERVABLE",
    what: "a step that waits for a command on an opaque link",
    inPlant: [["protocol: opcua, mode: enforce", "protocol: opcua, mode: enforce, opaque: true"]],
    change: [["{ to: fill, when: { all: [{ tag: LEVEL, atMost: 1 }] } }", "{ to: fill, command: run-temp }"]],
    at: "keep:\n",
    says: "step `keep` of phase `run` waits for `run-temp`, which is about links that nobody looks into",
  },
  {
    code: "STEP_EVENT_UNOBSERVABLE",
    what: "a step that waits for the answer to an output",
    change: [["{ to: fill, when: { all: [{ tag: LEVEL, atMost: 1 }] } }", "{ to: fill, command: run-outputs }"]],
    at: "keep:\n",
    says: "which is an output, which nothing answers; use `outcome: forwarded`",
  },
  {
    code: "ORDER_UNSEEN",
    what: "an order of messages on an opaque link",
    inPlant: [["protocol: opcua, mode: enforce", "protocol: opcua, mode: enforce, opaque: true"]],
    change: [["value: { max: 60 } }", "value: { max: 60 }, apart: { rules: [run-flow], within: 1s } }"]],
    at: "run-temp: {",
    says: "asks for an order of messages that no layer sees",
  },
  {
    code: "ORDER_UNSEEN",
    what: "an order after messages that the HMI layer does not see",
    inPlant: [["protocol: opcua, mode: enforce", "protocol: opcua, mode: enforce, mirror: false"]],
    change: [["maxStep: 5 }, most", "maxStep: 5 }, follows: { rule: run-temp, within: 10s }, most"]],
    at: "run-flow: {",
    says: "the hmi layer cannot judge: it sees no message of `run-temp`",
  },
  {
    code: "CAUSE_OTHER_DEVICE",
    what: "a cause in another PLC",
    change: [
      ["after: { all: [{ tag: OPEN, is: 1 }], for: 3s }", "after: { all: [{ tag: TEMP, atLeast: 20 }], for: 3s }"],
    ],
    at: "fill-pump: {",
    says: "rule `fill-pump` on plc-1 depends on `TEMP` of plc-2",
  },
  {
    code: "RULE_WITHOUT_LINK",
    what: "a rule for a device without a link",
    change: [["from: [hmi-1], may: subscribe", "from: [hmi-1, ews-1], may: subscribe"]],
    at: "watches: {",
    says: "rule `watches` allows `ews-1` what no declared link to `plc-2` carries",
  },
  {
    code: "CALL_INCOMPLETE",
    what: "a method without its argument",
    change: [["may: call, tags: [HEAT, DUTY]", "may: call, tags: [HEAT]"]],
    at: "run-heat: {",
    says: "no rule that holds with it allows its argument `DUTY`",
  },
  {
    code: "PERMISSIVE",
    what: "a phase that allows nearly everything",
    change: [
      [
        "      sv-flow: { says: The flow may be tested., from: [ews-1], may: write, tags: [FLOW.SP], value: { max: 10 } }\n      sv-mass: { says: The mass may be tested., from: [ews-1], may: write, tags: [MASS.SP] }\n",
        "      sv-flow: { says: The flow may be set to nothing., from: [ews-1], may: write, tags: [FLOW.SP], value: { max: 0.1 } }\n",
      ],
    ],
    at: "run:\n",
    says: "phase `run` allows 100 % of the state-changing commands of all phases",
    trace: ["hmi-1 may write FLOW.SP: 5–40 m³/h"],
  },

  // G4 and lint: what changes nothing
  {
    code: "RULE_SHADOWED",
    what: "a rule within another of the same phase",
    change: inRun(
      "low-temp: { says: A low temperature may be set., from: [hmi-1], may: write, tags: [TEMP.SP], value: { max: 40 } }",
    ),
    at: "low-temp:",
    says: "rule `low-temp` changes nothing: wherever it holds, `run-temp` allows all of it",
    trace: ["`run-temp`: The temperature may be set.", "`low-temp`: A low temperature may be set."],
  },
  {
    code: "RULE_SHADOWED",
    what: "a rule of a step within one of every phase",
    change: [
      ...everywhere("pump: { says: The pump may be switched., from: [hmi-1], may: write, tags: [PUMP] }"),
      [
        "          fill-pump: { says: The pump may be started once the inlet is open., from: [hmi-1], may: write, tags: [PUMP], after: { all: [{ tag: OPEN, is: 1 }], for: 3s } }\n",
        "          fill-flow: { says: The flow may be small., from: [hmi-1], may: write, tags: [FLOW.SP], value: { max: 4 } }\n",
      ],
    ],
    at: "keep-pump: {",
    says: "rule `keep-pump` changes nothing: wherever it holds, `pump` allows all of it",
  },
  {
    code: "RULE_DUPLICATE",
    what: "the same rule under another name, with a rate of its own",
    change: [
      [
        "most: { count: 2, per: 5s } }\n",
        "most: { count: 2, per: 5s } }\n      run-flow-2: { says: The flow may be set too., from: [hmi-1], may: write, tags: [FLOW.SP], value: { min: 5, max: 40, maxStep: 5 }, most: { count: 2, per: 5s } }\n",
      ],
    ],
    at: "run-flow-2:",
    says: "rule `run-flow-2` is the same as `run-flow`, which holds wherever it does, and the two together allow twice its rate",
  },
  {
    code: "CONTAINMENT_SHADOWED",
    what: "an entry that never comes to its turn",
    change: [
      [
        "  - { locus: [hmi], from: [run], says: The operator station is suspect., to: limited.look }\n",
        "  - { locus: [hmi], from: [run], says: The operator station is suspect., to: limited.look }\n  - { locus: [hmi], from: [run], says: It still is., to: limited.local }\n",
      ],
    ],
    at: "{ locus: [hmi], from: [run], says: It still",
    says: "earlier entries fit wherever this one does",
  },

  // The form of messages, and who asks
  {
    code: "FORM_UNUSABLE",
    what: "a function that cannot carry all of the value",
    change: inRun(
      "wide: { says: Coils may be set as registers., from: [hmi-1], may: write, tags: [PUMP], functions: [6], value: { oneOf: [1] } }",
    ),
    at: "wide:",
    says: "rule `wide` allows `hmi-1` nothing of `PUMP`: no message",
  },
  {
    code: "FORM_UNUSABLE",
    what: "a function code for what only OPC UA carries",
    change: inRun(
      "warm: { says: The temperature may be set by Modbus., from: [hmi-1], may: write, tags: [TEMP.SP], functions: [16], value: { max: 20 } }",
    ),
    at: "warm:",
    says: "nothing of `TEMP.SP`",
  },
  {
    code: "SAFETY_LOST",
    what: "a safety command by a function that does not reach it",
    change: [["value: { oneOf: [1] }, most", "functions: [6], value: { oneOf: [1] }, most"]],
    at: "stop: {",
    says: "no link from hmi-1 to plc-1 carries it",
  },
  {
    code: "SAFETY_CONDITIONAL",
    what: "a safety command that asks who it is",
    change: [["value: { oneOf: [1] }, most", "roles: [operator], value: { oneOf: [1] }, most"]],
    inPlant: [
      [
        "hmi-plc1: { client: hmi-1, server: plc-1, protocol: modbus, mode: enforce }",
        "hmi-plc1: { client: hmi-1, server: plc-1, protocol: modbus, mode: enforce, tls: true }",
      ],
    ],
    at: "stop: {",
    says: "asks for `roles`",
  },
  {
    code: "DENIAL_ENDS_CHANNEL",
    what: "a link that is signed from end to end",
    inPlant: [["protocol: opcua, mode: enforce }", "protocol: opcua, mode: enforce, way: signed }"]],
    at: "plant: hmi-plc2",
    says: "what is denied there can only end the channel",
  },
  {
    code: "ROLE_UNSEEN",
    what: "a role over plain Modbus",
    change: inRun(
      "fill: { says: An engineer may fill., from: [hmi-1], roles: [engineer], may: write, tags: [PUMP], value: { oneOf: [1] } }",
    ),
    at: "fill:",
    says: "over link `hmi-plc1` no layer can see one; mark it `tls: true`",
  },
  {
    code: "ROLE_UNSEEN",
    what: "the user of a session that nobody looks into",
    change: inRun(
      "warm: { says: An engineer may warm up., from: [hmi-1], roles: [engineer], may: write, tags: [TEMP.SP], value: { max: 20 } }",
    ),
    inPlant: [["protocol: opcua, mode: enforce }", "protocol: opcua, mode: enforce, opaque: true }"]],
    at: "warm:",
    says: "use a link that is looked into",
  },
];
