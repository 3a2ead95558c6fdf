import type { Command } from "commander";
import type { TakesBundles } from "#point/bundle-change.ts";
import { openClock } from "#point/clock.ts";
import { PhaseId } from "#specs/ids.ts";
import type { Mode } from "#specs/plant.ts";
import { bundleFrom } from "../bundle.ts";
import { type TrustFlags, trustOptions } from "../bundle-file.ts";
import { type Part, UsageError } from "../part.ts";

export interface PointFlags extends TrustFlags {
  readonly bundle: string;
  readonly mode: string;
  readonly clock: string;
  readonly bus?: string;
  readonly point?: string;
  readonly phase?: string;
  readonly standalone?: boolean;
  readonly runDir?: string;
  readonly log?: string;
}

export function pointFlags(command: Command): Command {
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
    .option("--run-dir <folder>", "where what must survive a restart is kept")
    .option("--log <file>", "receipts, notices and statuses as JSON lines, beside the bus or in its place");
}

/** What every enforcement point is told by its flags. @throws UsageError */
export async function common(flags: PointFlags, name: string) {
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
    ...(flags.log === undefined ? {} : { logFile: flags.log }),
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

/** A part that takes the bundle anew, from where `--bundle` points, when it is told to: what becomes of it goes to standard error. */
export function reloading<P extends Part & TakesBundles>(part: P, flags: PointFlags): Part {
  return {
    close: () => part.close(),
    reload: () => {
      const { says } = part.takeBundle(() => bundleFrom(flags.bundle, flags));
      process.stderr.write(`sekisho: ${says}\n`);
    },
  };
}
