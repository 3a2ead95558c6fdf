import type { Plant } from "#specs/plant.ts";
import { type AddressPlan, addressPlan, type Endpoint, type PortRange } from "../address-plan.ts";
import type { Site } from "./site-file.ts";
import type { ProcessSpec } from "./supervisor.ts";

/** Enforcement points of the simulated plant, by their names on the bus. */
export const POINTS = ["hmi-monitor", "switch-filter", "guard-plc-1", "guard-plc-2"] as const;

/** Participants that plant time waits for before its first tick, in lockstep. */
export const LOCKSTEP_PARTICIPANTS = [
  "hmi-monitor",
  "switch-filter",
  "plc-guard",
  "access-switch",
  "coordinator",
  "hmi",
] as const;

/** Gives the plant's devices the addresses of this run. */
export function plantAt(plant: Plant, plan: AddressPlan): Plant {
  const addresses = new Map<string, readonly string[]>([
    ["hmi-1", [client(plan.hmi, plan.sourcePorts?.hmi)]],
    ["ews-1", [client(plan.engineering, plan.sourcePorts?.engineering)]],
    ["plc-1", plan.sourcePorts === undefined ? [plan.filter.plc1.host] : [at(plan.filter.plc1)]],
    [
      "plc-2",
      plan.sourcePorts === undefined ? [plan.filter.plc2.host] : [at(plan.filter.plc2), at(plan.filter.plc2Ua)],
    ],
  ]);
  return { ...plant, devices: plant.devices.map((d) => ({ ...d, addresses: addresses.get(d.id) ?? d.addresses })) };
}

/** The processes of a run in the order they are started; those of one group start together. */
export function processGroups(
  site: Site,
  siteFile: string,
  passwords: Readonly<Record<string, string>>,
): readonly (readonly ProcessSpec[])[] {
  const plan = addressPlan(site.instance, site.single);
  const clock = site.time === "free" ? "system" : `tcp:${text(plan.clock)}`;
  const point = [
    "--bundle",
    site.bundle,
    "--trust",
    site.trust,
    "--mode",
    site.mode,
    "--clock",
    clock,
    "--bus",
    `mqtt://${text(plan.broker)}`,
    "--run-dir",
    site.runDir,
  ];
  const sim = (name: string, ...args: string[]): ProcessSpec => ({
    name,
    args: ["plant", ...args, "--site", siteFile],
  });
  const secret = (name: string): Record<string, string> => ({ SEKISHO_BUS_PASSWORD: passwords[name] ?? "" });
  return [
    [sim("plant", "physics")],
    [
      {
        name: "coordinator",
        args: coordinatorArgs(site, plan, clock),
        env: { SEKISHO_BUS_PASSWORDS: JSON.stringify(passwords) },
      },
      sim("plc-1", "plc", "plc-1"),
      sim("plc-2", "plc", "plc-2"),
    ],
    [
      { name: "switch-filter", args: ["switch-filter", ...point, ...filterArgs(plan)], env: secret("switch-filter") },
      sim("access-switch", "access-switch"),
      {
        name: "plc-guard",
        args: [
          "plc-guard",
          ...point,
          "--plc",
          `plc-1=${text(plan.agentLink.plc1)}`,
          `plc-2=${text(plan.agentLink.plc2)}`,
          "--local-address",
          plan.agent,
        ],
        env: secret("guard-plc-1"),
      },
      { name: "hmi-monitor", args: ["hmi-monitor", ...point, ...monitorArgs(plan)], env: secret("hmi-monitor") },
    ],
    [sim("hmi", "operator")],
  ];
}

function coordinatorArgs(site: Site, plan: AddressPlan, clock: string): string[] {
  return [
    "coordinator",
    ...["--bundle", site.bundle, "--trust", site.trust, "--run-dir", site.runDir],
    ...["--mqtt", text(plan.broker), "--http", text(site.page)],
    ...["--mode", site.mode, "--policy", site.policy, "--clock", clock, "--fresh"],
  ];
}

function filterArgs(plan: AddressPlan): string[] {
  return [
    ...["--link", "hmi-plc1", "hmi-plc2", "hmi-plc2-ua"],
    ...["--listen", text(plan.filter.plc1), text(plan.filter.plc2), text(plan.filter.plc2Ua)],
    ...["--upstream", text(plan.plc.plc1), text(plan.plc.plc2), text(plan.plc.plc2Ua)],
    ...(plan.sourcePorts === undefined ? ["--local-address", plan.filterUpstream] : []),
  ];
}

function monitorArgs(plan: AddressPlan): string[] {
  return [
    ...["--mirror", text(plan.mirror)],
    ...[
      "--modbus-port",
      String(plan.filter.plc1.port),
      ...(plan.filter.plc2.port === plan.filter.plc1.port ? [] : [String(plan.filter.plc2.port)]),
    ],
    ...["--opcua-port", String(plan.filter.plc2Ua.port)],
  ];
}

function client(host: string, range: PortRange | undefined): string {
  return range === undefined ? host : `${host}:${range.low}-${range.high}`;
}

function at({ host, port }: Endpoint): string {
  return `${host}:${port}-${port}`;
}

function text({ host, port }: Endpoint): string {
  return `${host}:${port}`;
}
