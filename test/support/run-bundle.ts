import { join } from "node:path";
import { bundleFrom } from "#cli/bundle.ts";
import type { Bundle } from "#specs/bundle.ts";

/** The bundle that the parts of a run have loaded, verified as they do. */
export function bundleOfRun(runDir: string): Bundle {
  return bundleFrom(join(runDir, "bundle.json"), { trust: join(runDir, "trusted-keys.json") });
}
