import { readFileSync } from "node:fs";
import { isIP } from "node:net";
import type { Source } from "#hmi-monitor/main.ts";
import { endpoint } from "#point/endpoint.ts";
import { DeviceId } from "#specs/ids.ts";
import { type ChecksumFlags, checksumsFrom } from "../checksums.ts";
import { type Part, UsageError } from "../part.ts";
import { type PortFlags, portLists } from "../protocol-ports.ts";
import { common, type PointFlags, reloading } from "./point-flags.ts";

export interface HmiMonitorFlags extends PointFlags, ChecksumFlags, PortFlags {
  readonly mirror?: string;
  readonly interface?: string;
  readonly capture?: string;
  readonly captureTool?: string;
  readonly captureUser?: string;
  readonly captureBuffer?: string;
  readonly captureImmediate?: boolean;
  readonly inline?: boolean;
  readonly station?: string;
  readonly link?: readonly string[];
  readonly listen?: readonly string[];
  readonly upstream?: readonly string[];
}

export async function startHmiMonitor(flags: HmiMonitorFlags): Promise<Part> {
  if (flags.inline === true) return startInline(flags);
  if ((flags.station ?? flags.link ?? flags.listen ?? flags.upstream) !== undefined)
    throw new UsageError("--station, --link, --listen and --upstream belong to --inline");
  const ports = portLists(flags);
  const source = await sourceFrom(flags);
  const { runHmiMonitor } = await import("#hmi-monitor/main.ts");
  const running = await runHmiMonitor({
    ...(await common(flags, "hmi-monitor")),
    source,
    ports,
    verifyChecksums: checksumsFrom(flags, source.kind === "capture" ? "auto" : true),
  });
  void running.ended.then(async (says) => {
    for (const line of running.summary()) process.stderr.write(`${line}\n`);
    process.stderr.write(`sekisho: ${says ?? "the capture has ended"}\n`);
    await running.close();
    process.exit(says === undefined ? 0 : 2);
  });
  return reloading(running, flags);
}

/** @throws UsageError */
async function sourceFrom(flags: HmiMonitorFlags): Promise<Source> {
  const { mirror, interface: name, capture } = flags;
  const given = [mirror, name, capture].filter((source) => source !== undefined);
  if (given.length !== 1)
    throw new UsageError("give one of --mirror HOST:PORT, --interface NAME, --capture FILE and --inline");
  if (mirror !== undefined) return { kind: "mirror", at: endpoint(mirror) };
  if (capture !== undefined) return { kind: "capture", path: capture };
  const { isInterfaceName } = await import("#hmi-monitor/capture-command.ts");
  if (name === undefined || !isInterfaceName(name))
    throw new UsageError(`\`${name ?? ""}\` is not the name of a network interface; \`ip link\` lists them`);
  return { kind: "interface", interface: name, ...(await captureOptions(flags)) };
}

/** @throws UsageError */
async function captureOptions({ captureTool, captureUser, captureBuffer, captureImmediate }: HmiMonitorFlags) {
  const tool = toolFrom(captureTool);
  const bufferMib = captureBuffer === undefined ? undefined : Number(captureBuffer);
  if (bufferMib !== undefined && !(Number.isInteger(bufferMib) && bufferMib >= 1 && bufferMib <= 1024))
    throw new UsageError(`capture buffer \`${captureBuffer}\` is not a whole number of MiB from 1 to 1024`);
  const user = captureUser ?? (await userHere());
  return {
    ...(tool === undefined ? {} : { tool }),
    ...(bufferMib === undefined ? {} : { bufferKib: bufferMib * 1024 }),
    ...(user === undefined ? {} : { user }),
    ...(captureImmediate === undefined ? {} : { immediate: captureImmediate }),
  };
}

/** @throws UsageError */
function toolFrom(text: string | undefined): "tcpdump" | "dumpcap" | undefined {
  if (text === undefined || text === "tcpdump" || text === "dumpcap") return text;
  throw new UsageError(`capture tool \`${text}\` is neither tcpdump nor dumpcap`);
}

async function userHere(): Promise<string | undefined> {
  const { captureUser } = await import("#hmi-monitor/interface-source.ts");
  try {
    return captureUser(readFileSync("/etc/passwd", "utf8"), process.getuid?.() === 0);
  } catch {
    return undefined;
  }
}

/**
 * On the operator station itself, before a command leaves it: the data path of the switch-filter, with the rules of the HMI layer.
 * Whoever connects is the station, since only the station can.
 */
async function startInline(flags: HmiMonitorFlags): Promise<Part> {
  const { link = [], listen = [], upstream = [], station } = flags;
  if ((flags.mirror ?? flags.interface ?? flags.capture) !== undefined)
    throw new UsageError("--inline stands in the path: it takes no --mirror, --interface or --capture");
  if (station === undefined) throw new UsageError("--inline needs --station: the device of the plant that this is");
  if (link.length === 0 || link.length !== listen.length || link.length !== upstream.length)
    throw new UsageError(
      `each --link needs one --listen and one --upstream; there are ${link.length}, ${listen.length} and ${upstream.length}`,
    );
  const shared = await common(flags, "hmi-monitor");
  const { devices, links } = shared.bundle.plant;
  if (!devices.some(({ id }) => id === station))
    throw new UsageError(
      `station \`${station}\` is not in this bundle; it has ${devices.map(({ id }) => id).join(", ")}`,
    );
  const listeners = link.map((id, i) => {
    const own = endpoint(listen[i] ?? "");
    if (!isLoopback(own.host))
      throw new UsageError(`--listen ${own.host}: whoever reaches it speaks for ${station}; use a loopback address`);
    const known = links.find((candidate) => candidate.id === id);
    if (known !== undefined && known.client !== station)
      throw new UsageError(`link \`${id}\` is that of \`${known.client}\`, and the station is \`${station}\``);
    return { link: id, listen: own, upstream: endpoint(upstream[i] ?? "") };
  });
  const { runSwitchFilter } = await import("#switch-filter/main.ts");
  const running = await runSwitchFilter({
    ...shared,
    point: shared.point ?? "hmi-monitor",
    layer: "hmi",
    station: DeviceId(station),
    listeners,
  });
  return reloading(running, flags);
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || (isIP(host) === 4 && host.startsWith("127."));
}
