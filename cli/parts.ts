import type { Command } from "commander";
import { openClock } from "#point/clock.ts";
import { endpoint } from "#point/endpoint.ts";
import { DeviceId, PhaseId } from "#specs/ids.ts";
import type { Mode, Plant } from "#specs/plant.ts";
import { bundleFrom, type TrustFlags, trustOptions } from "./bundle.ts";
import { runPart, UsageError } from "./part.ts";

interface PointFlags extends TrustFlags {
  readonly bundle: string;
  readonly mode: string;
  readonly clock: string;
  readonly bus?: string;
  readonly point?: string;
  readonly phase?: string;
  readonly standalone?: boolean;
  readonly runDir?: string;
}

/** `sekisho switch-filter | hmi-monitor | plc-guard | coordinator`: one part of Sekisho as a process of its own. */
export function addPartCommands(program: Command): void {
  pointFlags(program.command("switch-filter").description("stand inline on Modbus and OPC UA links"))
    .requiredOption("--link <id...>", "a link of the plant; one --listen and one --upstream belong to each")
    .requiredOption("--listen <host:port...>", "where clients connect to")
    .requiredOption("--upstream <host:port...>", "the server behind")
    .option("--local-address <address>", "own address towards the servers")
    .option("--deny <class=action,...>", "Modbus: `close`, `drop` or `exception:CODE` for a class of denied requests")
    .option("--framing <framing>", "Modbus links: `mbap` (Modbus/TCP), or `rtu` over TCP", "mbap")
    .option(
      "--tls-clients <cert,key,ca>",
      "Modbus links: TLS towards the clients, who must have a certificate; PEM files",
    )
    .option("--tls-roles <role,...>", "with --tls-clients: only certificates with these roles may connect")
    .option("--tls-server <cert,key,ca>", "Modbus links: TLS towards the servers; PEM files")
    .option(
      "--opcua-pki <folder>",
      "OPC UA links: secured channels end here, with this folder's certificates and trust lists; see switch-filter/README.md",
    )
    .option(
      "--packet-filter <site>",
      "keep this host's nftables in step with the phase; a site file, see docs/packet-filter.md",
    )
    .option("--pair <file>", "with --packet-filter: the second of two filters before the same links")
    .action((flags) => runPart("switch-filter", () => startSwitchFilter(flags)));

  pointFlags(program.command("hmi-monitor").description("judge what the HMI commands, from a mirror port"))
    .requiredOption("--mirror <host:port>", "a live pcap stream")
    .option("--modbus-port <port...>", "TCP ports of the Modbus servers", ["502"])
    .option("--opcua-port <port...>", "TCP ports of the OPC UA servers", ["4840"])
    .action((flags) => runPart("hmi-monitor", () => startHmiMonitor(flags)));

  pointFlags(program.command("plc-guard").description("speak for the guards in the PLCs"))
    .requiredOption("--plc <device=host:port...>", "a PLC and the address of its guard's agent link")
    .option("--local-address <address>", "own address towards the PLCs")
    .action((flags) => runPart("plc-guard", () => startGuardAgent(flags)));

  trustOptions(program.command("coordinator"))
    .description("lead the plant's phases, find where an attack sits, show the operator page")
    .requiredOption("--bundle <B>", "a bundle file, or a plant under lifecycle-specs/plants")
    .requiredOption("--run-dir <folder>", "where records and evidence are kept")
    .option("--mqtt <host:port>", "where the embedded broker listens", "127.0.0.1:1883")
    .option("--http <host:port>", "where the operator page is served", "127.0.0.1:8080")
    .option("--mode <mode>", "off, monitor or enforce", "enforce")
    .option("--policy <policy>", "containment: `auto` takes it, `propose` waits for a person", "auto")
    .option("--clock <clock>", "`system`, or the clock of a simulated plant as tcp:HOST:PORT", "system")
    .option(
      "--fresh",
      "where no phase was ever recorded, begin in the lifecycle's initial phase instead of asking an engineer",
    )
    .action((flags) => runPart("coordinator", () => startCoordinator(flags)));
}

function pointFlags(command: Command): Command {
  return trustOptions(command)
    .requiredOption("--bundle <B>", "a bundle file, or a plant under lifecycle-specs/plants")
    .option("--mode <mode>", "off, monitor or enforce", "enforce")
    .option("--clock <clock>", "`system`, or the clock of a simulated plant as tcp:HOST:PORT", "system")
    .option(
      "--bus <url>",
      "the coordinator's MQTT broker, mqtt://HOST:PORT; the password is read from SEKISHO_BUS_PASSWORD",
    )
    .option("--point <name>", "name on the bus")
    .option("--phase <phase>", "with --standalone: the phase that is in force")
    .option("--standalone", "run alone, without a coordinator")
    .option("--run-dir <folder>", "where what must survive a restart is kept");
}

async function common(flags: PointFlags, name: string) {
  const bundle = bundleFrom(flags.bundle, flags);
  const bus = busFrom(flags);
  const standalonePhase = phaseFrom(flags);
  if (bus === undefined && standalonePhase === undefined) {
    throw new UsageError(
      "say where the coordinator's broker is with --bus, or run alone with --standalone --phase PHASE",
    );
  }
  if (standalonePhase !== undefined && !bundle.lifecycle.phases.some((phase) => phase.id === standalonePhase)) {
    const known = bundle.lifecycle.phases.map((phase) => phase.id).join(", ");
    throw new UsageError(`phase \`${standalonePhase}\` is not in this bundle; it has ${known}`);
  }
  return {
    bundle,
    mode: modeFrom(flags.mode),
    clock: await openClock(flags.clock, flags.point ?? name),
    ...(flags.point === undefined ? {} : { point: flags.point }),
    ...(bus === undefined ? {} : { bus }),
    ...(standalonePhase === undefined ? {} : { standalonePhase }),
    ...(flags.runDir === undefined ? {} : { runDir: flags.runDir }),
  };
}

function busFrom(flags: PointFlags): { url: string; password?: string } | undefined {
  if (flags.bus === undefined || flags.standalone === true) return undefined;
  if (!/^mqtts?:\/\//.test(flags.bus))
    throw new UsageError(`bus \`${flags.bus}\` is not an MQTT address; write mqtt://HOST:PORT`);
  const password = process.env["SEKISHO_BUS_PASSWORD"];
  return password === undefined ? { url: flags.bus } : { url: flags.bus, password };
}

function phaseFrom(flags: PointFlags): PhaseId | undefined {
  if (flags.standalone !== true) return undefined;
  if (flags.phase === undefined) throw new UsageError("--standalone needs --phase: the phase that is in force");
  return PhaseId(flags.phase);
}

/** @throws UsageError */
export function modeFrom(text: string): Mode {
  if (text === "off" || text === "monitor" || text === "enforce") return text;
  throw new UsageError(`mode \`${text}\` is none of off, monitor, enforce`);
}

async function startSwitchFilter(
  flags: PointFlags & {
    readonly link: readonly string[];
    readonly listen: readonly string[];
    readonly upstream: readonly string[];
    readonly localAddress?: string;
    readonly opcuaPki?: string;
    readonly packetFilter?: string;
    readonly pair?: string;
  } & ModbusFlags,
) {
  const { link, listen, upstream } = flags;
  if (link.length !== listen.length || link.length !== upstream.length) {
    throw new UsageError(
      `each --link needs one --listen and one --upstream; there are ${link.length}, ${listen.length} and ${upstream.length}`,
    );
  }
  const shared = await common(flags, "switch-filter");
  const { modbus, deny } = await modbusOptions(flags);
  const modbusLinks = new Set(
    shared.bundle.plant.links.flatMap((l) => (l.protocol === "modbus" ? [String(l.id)] : [])),
  );
  const terminated = await terminations(flags.opcuaPki, shared.bundle.plant);
  const listeners = link.map((id, i) => ({
    link: id,
    listen: endpoint(listen[i] ?? ""),
    upstream: endpoint(upstream[i] ?? ""),
    ...(modbusLinks.has(id) ? modbus : terminated(id)),
  }));
  const { runSwitchFilter } = await import("#switch-filter/main.ts");
  return runSwitchFilter({
    ...shared,
    ...deny,
    listeners,
    ...(await packetFilterOptions(flags)),
    ...(flags.localAddress === undefined ? {} : { localAddress: flags.localAddress }),
  });
}

/** Who the filter is, and whom it believes, on each OPC UA link. @throws UsageError in one sentence */
async function terminations(folder: string | undefined, { links }: Plant) {
  const { loadTermination } = await import("#switch-filter/opcua-identity.ts");
  return (id: string) => {
    const link = links.find((candidate) => candidate.id === id && candidate.protocol === "opcua");
    if (folder === undefined || link === undefined) return {};
    try {
      return { termination: loadTermination(folder, link.server) };
    } catch (error) {
      throw new UsageError(`--opcua-pki: ${error instanceof Error ? error.message : String(error)}`);
    }
  };
}

/** @throws UsageError in one sentence */
async function packetFilterOptions(flags: { readonly packetFilter?: string; readonly pair?: string }) {
  if (flags.packetFilter === undefined) {
    if (flags.pair !== undefined) throw new UsageError("--pair needs --packet-filter");
    return {};
  }
  const { loadPacketSite } = await import("#switch-filter/packet-filter/site.ts");
  const { loadPair } = await import("#switch-filter/packet-filter/pair-file.ts");
  try {
    const pair = flags.pair === undefined ? {} : { pair: loadPair(flags.pair) };
    return { packetFilter: { site: loadPacketSite(flags.packetFilter), ...pair } };
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

interface ModbusFlags {
  readonly deny?: string;
  readonly framing: string;
  readonly tlsClients?: string;
  readonly tlsRoles?: string;
  readonly tlsServer?: string;
}

/** @throws UsageError in one sentence */
async function modbusOptions({ deny, framing, tlsClients, tlsRoles, tlsServer }: ModbusFlags) {
  const { readDenyActions } = await import("#switch-filter/actions.ts");
  const { readFraming } = await import("#switch-filter/modbus-framing.ts");
  const { readIdentity } = await import("#switch-filter/tls-files.ts");
  if (tlsRoles !== undefined && tlsClients === undefined) throw new UsageError("--tls-roles needs --tls-clients");
  try {
    const roles = tlsRoles === undefined ? {} : { roles: tlsRoles.split(",") };
    const clients = tlsClients === undefined ? {} : { clients: { ...readIdentity(tlsClients), ...roles } };
    const server = tlsServer === undefined ? {} : { server: readIdentity(tlsServer) };
    return {
      modbus: { framing: readFraming(framing), tls: { ...clients, ...server } },
      deny: deny === undefined ? {} : { deny: readDenyActions(deny) },
    };
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

async function startHmiMonitor(
  flags: PointFlags & {
    readonly mirror: string;
    readonly modbusPort: readonly string[];
    readonly opcuaPort: readonly string[];
  },
) {
  const { runHmiMonitor } = await import("#hmi-monitor/main.ts");
  return runHmiMonitor({
    ...(await common(flags, "hmi-monitor")),
    mirror: endpoint(flags.mirror),
    ports: { modbus: flags.modbusPort.map(Number), opcua: flags.opcuaPort.map(Number) },
  });
}

async function startGuardAgent(
  flags: PointFlags & { readonly plc: readonly string[]; readonly localAddress?: string },
) {
  const { runPlcGuardAgent } = await import("#plc-guard/main.ts");
  const { bus, ...rest } = await common(flags, "plc-guard");
  if (bus === undefined)
    throw new UsageError("the guard agent needs --bus: it speaks for the guards, and has nothing to say alone");
  const guards = flags.plc.map((text) => {
    const [device, address] = text.split("=");
    if (device === undefined || address === undefined) throw new UsageError(`\`${text}\` is not DEVICE=HOST:PORT`);
    return { device: DeviceId(device), ...endpoint(address) };
  });
  return runPlcGuardAgent({
    ...rest,
    bus,
    guards,
    ...(flags.localAddress === undefined ? {} : { localAddress: flags.localAddress }),
  });
}

async function startCoordinator(flags: CoordinatorFlags) {
  const { policy } = flags;
  if (policy !== "auto" && policy !== "propose")
    throw new UsageError(`policy \`${policy}\` is neither auto nor propose`);
  const mode = modeFrom(flags.mode);
  const { runCoordinator } = await import("#coordinator/main.ts");
  const secrets = passwordsFrom(process.env["SEKISHO_BUS_PASSWORDS"]);
  return runCoordinator({
    bundle: bundleFrom(flags.bundle, flags),
    runDir: flags.runDir,
    mqtt: endpoint(flags.mqtt),
    http: endpoint(flags.http),
    // With the layers off there is nothing to judge; what is left is phases and the page.
    mode: mode === "off" ? "monitor" : mode,
    policy,
    clock: flags.clock,
    fresh: flags.fresh ?? false,
    ...(secrets === undefined ? {} : { secrets }),
  });
}

interface CoordinatorFlags extends TrustFlags {
  readonly bundle: string;
  readonly runDir: string;
  readonly mqtt: string;
  readonly http: string;
  readonly mode: string;
  readonly policy: string;
  readonly clock: string;
  readonly fresh?: boolean;
}

/** Password per point, as a JSON object. @throws UsageError */
function passwordsFrom(text: string | undefined): ReadonlyMap<string, string> | undefined {
  if (text === undefined) return undefined;
  const passwords = new Map<string, string>();
  try {
    for (const [point, password] of Object.entries(JSON.parse(text))) passwords.set(point, String(password));
  } catch {
    throw new UsageError("SEKISHO_BUS_PASSWORDS is not a JSON object of passwords by point");
  }
  return passwords;
}
