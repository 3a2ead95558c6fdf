import { endpoint } from "#point/endpoint.ts";
import { DeviceId } from "#specs/ids.ts";
import { UsageError } from "../part.ts";
import { common, type PointFlags, reloading } from "./point-flags.ts";

export async function startGuardAgent(
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
  const running = await runPlcGuardAgent({
    ...rest,
    bus,
    guards,
    ...(flags.localAddress === undefined ? {} : { localAddress: flags.localAddress }),
  });
  return reloading(running, flags);
}
