import { endpoint } from "#point/endpoint.ts";
import { bundleFrom } from "../bundle.ts";
import type { TrustFlags } from "../bundle-file.ts";
import { UsageError } from "../part.ts";
import { modeFrom } from "./point-flags.ts";

export async function startCoordinator(flags: CoordinatorFlags) {
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
