/** Where every process of a simulated run listens, and from where it connects. */
export interface AddressPlan {
  readonly hmi: string;
  readonly engineering: string;
  readonly rogue: string;
  /** Listeners of the access switch towards the operator's side. */
  readonly access: { readonly plc1: Endpoint; readonly plc2: Endpoint; readonly plc2Ua: Endpoint };
  readonly mirror: Endpoint;
  readonly patch: Endpoint;
  /** The PLCs' network addresses: the switch filter listens there. */
  readonly filter: { readonly plc1: Endpoint; readonly plc2: Endpoint; readonly plc2Ua: Endpoint };
  /** Source address of the filter towards the PLCs; they accept no other. */
  readonly filterUpstream: string;
  /** Source address of the guards' agent towards the PLCs; their agent links accept no other. */
  readonly agent: string;
  readonly plc: { readonly plc1: Endpoint; readonly plc2: Endpoint; readonly plc2Ua: Endpoint };
  readonly field: Endpoint;
  readonly clock: Endpoint;
  readonly agentLink: { readonly plc1: Endpoint; readonly plc2: Endpoint };
  /** Engineering ports of the soft PLCs, by which a changed program forces outputs. */
  readonly engineeringPort: { readonly plc1: Endpoint; readonly plc2: Endpoint };
  readonly broker: Endpoint;
  readonly page: Endpoint;
  /**
   * Where one loopback address serves everybody, source ports tell client devices apart. Inclusive ranges; undefined where
   * addresses do.
   */
  readonly sourcePorts:
    | {
        readonly hmi: PortRange;
        readonly engineering: PortRange;
        readonly rogue: PortRange;
        readonly filter: PortRange;
      }
    | undefined;
}

export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

export interface PortRange {
  readonly low: number;
  readonly high: number;
}

/** Offsets of ports within one instance of the single-address plan; an instance takes 400 ports, from 16 000 up. */
const SINGLE_BASE = 16_000;
const SINGLE_SPAN = 400;

/**
 * @param instance 10 for the default run; second number of every address (1..99), so that several runs stand beside each other
 * @param single true where the platform has only 127.0.0.1
 */
export function addressPlan(instance: number, single: boolean): AddressPlan {
  if (!Number.isInteger(instance) || instance < 1 || instance > 99) {
    throw new RangeError(`instance ${instance} is outside 1..99; choose another number for this run`);
  }
  return single ? singlePlan(instance) : netPlan(instance);
}

/** Every address that a run listens on, but for its page. */
export function listenersOf(plan: AddressPlan): readonly Endpoint[] {
  const servers = [plan.access, plan.filter, plan.plc, plan.agentLink].flatMap((group) => Object.values(group));
  return [plan.field, plan.clock, plan.broker, plan.mirror, plan.patch, ...servers];
}

function netPlan(instance: number): AddressPlan {
  const at = (net: number, host: number, port: number): Endpoint => ({ host: `127.${instance}.${net}.${host}`, port });
  return {
    hmi: `127.${instance}.1.11`,
    engineering: `127.${instance}.1.21`,
    rogue: `127.${instance}.9.66`,
    access: { plc1: at(0, 1, 11502), plc2: at(0, 1, 12502), plc2Ua: at(0, 1, 14840) },
    mirror: at(0, 1, 9502),
    patch: at(0, 1, 9503),
    filter: { plc1: at(2, 1, 1502), plc2: at(2, 2, 1502), plc2Ua: at(2, 2, 4840) },
    filterUpstream: `127.${instance}.3.254`,
    agent: `127.${instance}.3.253`,
    plc: { plc1: at(3, 1, 1502), plc2: at(3, 2, 1502), plc2Ua: at(3, 2, 4840) },
    field: at(4, 1, 9100),
    clock: at(4, 1, 9101),
    agentLink: { plc1: at(3, 1, 9200), plc2: at(3, 2, 9200) },
    engineeringPort: { plc1: at(3, 1, 9300), plc2: at(3, 2, 9300) },
    broker: at(5, 1, 1883),
    page: { host: "127.0.0.1", port: instance === 10 ? 8080 : 8000 + instance },
    sourcePorts: undefined,
  };
}

function singlePlan(instance: number): AddressPlan {
  const host = "127.0.0.1";
  // Instances of the single plan share one address, so their ports may not overlap: 16 000 + 400 × instance ≤ 55 999.
  const base = SINGLE_BASE + SINGLE_SPAN * instance;
  const at = (offset: number): Endpoint => ({ host, port: base + offset });
  const range = (offset: number): PortRange => ({ low: base + offset, high: base + offset + 59 });
  return {
    hmi: host,
    engineering: host,
    rogue: host,
    access: { plc1: at(0), plc2: at(1), plc2Ua: at(2) },
    mirror: at(3),
    patch: at(4),
    filter: { plc1: at(5), plc2: at(6), plc2Ua: at(7) },
    filterUpstream: host,
    agent: host,
    plc: { plc1: at(8), plc2: at(9), plc2Ua: at(10) },
    field: at(11),
    clock: at(12),
    agentLink: { plc1: at(13), plc2: at(14) },
    engineeringPort: { plc1: at(15), plc2: at(16) },
    broker: at(17),
    page: { host, port: instance === 10 ? 8080 : base + 18 },
    sourcePorts: { hmi: range(100), engineering: range(160), rogue: range(220), filter: range(280) },
  };
}
