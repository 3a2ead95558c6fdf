import { endpoint } from "#point/endpoint.ts";
import { common, type PointFlags, reloading } from "./point-flags.ts";

export async function startHmiMonitor(
  flags: PointFlags & {
    readonly mirror: string;
    readonly modbusPort: readonly string[];
    readonly opcuaPort: readonly string[];
  },
) {
  const { runHmiMonitor } = await import("#hmi-monitor/main.ts");
  const running = await runHmiMonitor({
    ...(await common(flags, "hmi-monitor")),
    mirror: endpoint(flags.mirror),
    ports: { modbus: flags.modbusPort.map(Number), opcua: flags.opcuaPort.map(Number) },
  });
  return reloading(running, flags);
}
