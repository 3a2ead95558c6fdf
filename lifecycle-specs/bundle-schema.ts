import { Ajv, type ValidateFunction } from "ajv";
import { Type } from "typebox";
import { LOCI } from "./lifecycle.ts";

/** The JSON Schema of a bundle's plant and lifecycle. Its projections are not described: they follow from these two. */
const closed = { additionalProperties: false } as const;
const words = <W extends string>(list: readonly W[]) => Type.Union(list.map((word) => Type.Literal(word)));
const list = <T extends Parameters<typeof Type.Array>[0]>(items: T, max = 10_000) =>
  Type.Array(items, { maxItems: max });

const Name = Type.String({ pattern: "^[A-Za-z][A-Za-z0-9_.-]{0,63}$" });
const Says = Type.String({ maxLength: 1000 });
const Ms = Type.Integer({ minimum: 0, maximum: 30 * 24 * 3_600_000 });
const Mode = words(["off", "monitor", "enforce"]);

const Modbus = Type.Object(
  {
    unit: Type.Integer({ minimum: 0, maximum: 255 }),
    table: words(["coil", "discrete-input", "holding-register", "input-register"]),
    address: Type.Integer({ minimum: 0, maximum: 65_535 }),
    type: words(["bool", "uint16", "int16", "uint32", "int32", "float32"]),
    wordOrder: words(["big", "little"]),
    scale: Type.Number({ exclusiveMinimum: 0 }),
  },
  closed,
);

const Tag = Type.Object(
  {
    id: Name,
    title: Says,
    kind: words(["command", "set-point", "measurement", "status", "output"]),
    device: Name,
    unit: Type.String({ maxLength: 32 }),
    range: Type.Array(Type.Number(), { minItems: 2, maxItems: 2 }),
    modbus: Type.Optional(Modbus),
    opcua: Type.Optional(
      Type.Object({ nodeId: Type.String({ maxLength: 4200 }), type: words(["Boolean", "Double"]) }, closed),
    ),
    safe: Type.Optional(Type.Number()),
  },
  closed,
);

const Plant = Type.Object(
  {
    id: Name,
    title: Says,
    zones: list(Type.Object({ id: Name, title: Says }, closed)),
    devices: list(
      Type.Object(
        {
          id: Name,
          title: Says,
          role: words(["hmi", "engineering", "historian", "plc", "test"]),
          zone: Name,
          addresses: list(Type.String({ maxLength: 64 })),
        },
        closed,
      ),
    ),
    links: list(
      Type.Object({ id: Name, client: Name, server: Name, protocol: words(["modbus", "opcua"]), mode: Mode }, closed),
    ),
    tags: list(Tag, 100_000),
    essential: list(Type.Object({ id: Name, says: Says, tags: list(Name) }, closed)),
  },
  closed,
);

const Condition = Type.Object(
  {
    all: list(Type.Object({ tag: Name, test: words(["at-least", "at-most", "is"]), value: Type.Number() }, closed)),
    forMs: Ms,
  },
  closed,
);

const Rule = Type.Object(
  {
    id: Name,
    says: Says,
    from: list(Name),
    operation: words(["read", "write", "call", "subscribe", "browse", "session", "program", "diagnose", "output"]),
    targets: list(Name),
    tags: list(Name),
    value: Type.Optional(
      Type.Object(
        {
          min: Type.Optional(Type.Number()),
          max: Type.Optional(Type.Number()),
          oneOf: Type.Optional(list(Type.Number())),
          maxStep: Type.Optional(Type.Number()),
        },
        closed,
      ),
    ),
    cadence: Type.Optional(Type.Object({ most: Type.Integer({ minimum: 1, maximum: 1000 }), perMs: Ms }, closed)),
    causality: Type.Optional(Type.Object({ after: Condition }, closed)),
    mode: Mode,
    safety: Type.Boolean(),
  },
  closed,
);

const exit = { to: Name, cleanMs: Type.Optional(Ms), window: list(Name) };
const Transition = Type.Union([
  Type.Object(
    {
      ...exit,
      event: Type.Literal("operator"),
      request: Name,
      roles: list(words(["viewer", "operator", "engineer", "admin"])),
      when: Type.Optional(Condition),
    },
    closed,
  ),
  Type.Object({ ...exit, event: Type.Literal("condition"), when: Condition }, closed),
  Type.Object({ ...exit, event: Type.Literal("after"), ms: Ms, when: Type.Optional(Condition) }, closed),
]);

const Phase = Type.Object(
  {
    id: Name,
    says: Says,
    rules: list(Rule),
    steps: list(
      Type.Object(
        {
          id: Name,
          says: Says,
          rules: list(Rule),
          next: list(Type.Object({ to: Name, when: Condition }, closed)),
          maxMs: Type.Optional(Ms),
        },
        closed,
      ),
    ),
    initial: Type.Optional(Name),
    transitions: list(Transition),
    containment: Type.Boolean(),
  },
  closed,
);

const Lifecycle = Type.Object(
  {
    plant: Name,
    version: Type.Integer({ minimum: 0 }),
    initial: Name,
    isolated: Name,
    leaseMs: Ms,
    rules: list(Rule),
    phases: list(Phase, 1000),
    containments: list(
      Type.Object(
        { from: list(Name), locus: list(words(LOCI)), tags: Type.Optional(list(Name)), to: Name, says: Says },
        closed,
      ),
    ),
  },
  closed,
);

const BundleSchema = Type.Object(
  {
    schema: Type.Literal("sekisho-bundle/1"),
    id: Type.String({ pattern: "^[0-9a-f]{64}$" }),
    plant: Plant,
    lifecycle: Lifecycle,
    projections: Type.Object({ hmi: Type.Object({}), switch: Type.Object({}), plc: Type.Object({}) }, closed),
  },
  closed,
);

let compiled: ValidateFunction | undefined;

/** Why a value is not a bundle's shape: the first place and what is wrong there; undefined: it is. */
export function shapeProblem(value: unknown): string | undefined {
  compiled ??= new Ajv({ strict: true }).compile(BundleSchema);
  if (compiled(value)) return undefined;
  const [first] = compiled.errors ?? [];
  return `${first?.instancePath === "" ? "the root" : (first?.instancePath ?? "it")} ${first?.message ?? "does not fit"}`;
}
