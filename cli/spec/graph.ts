import { mermaidOf } from "#specs/graph/mermaid.ts";
import type { PictureOptions } from "#specs/graph/picture.ts";
import { svgOf } from "#specs/graph/svg.ts";
import { xstateOf } from "#specs/graph/xstate.ts";
import type { PhaseId } from "#specs/ids.ts";
import type { Lifecycle } from "#specs/lifecycle.ts";
import { suggest } from "#specs/load/suggest.ts";
import type { Plant } from "#specs/plant.ts";
import { UsageError } from "../part.ts";
import { writeOut } from "./files.ts";
import { openPlant } from "./source.ts";

export const GRAPH_FORMATS = ["svg", "mermaid", "xstate"] as const;

export interface GraphFlags {
  readonly format: string;
  readonly out?: string;
  readonly state?: string;
  readonly all?: boolean;
}

/** `sekisho spec graph`: draws what can be read; a specification that does not hold can be drawn too. */
export async function graph(plant: string, flags: GraphFlags): Promise<void> {
  const draw = drawerOf(flags);
  const loaded = openPlant(plant, {});
  const phase = flags.state === undefined ? undefined : phaseNamed(loaded.lifecycle, flags.state);
  const options = { all: flags.all === true, ...(phase === undefined ? {} : { phase }) };
  writeOut(flags.out, await draw(loaded.plant, loaded.lifecycle, options));
}

type Drawer = (plant: Plant, lifecycle: Lifecycle, options: PictureOptions) => string | Promise<string>;

function drawerOf({ format, state }: GraphFlags): Drawer {
  switch (format) {
    case "svg":
      return svg;
    case "mermaid":
      return mermaidOf;
    case "xstate":
      if (state === undefined) return xstateOf;
      throw new UsageError("the format xstate is the whole machine; leave out --state, or draw svg or mermaid");
    default:
      throw new UsageError(
        `unknown format \`${format}\`${suggest(format, GRAPH_FORMATS)}; it is one of ${GRAPH_FORMATS.join(", ")}`,
      );
  }
}

async function svg(plant: Plant, lifecycle: Lifecycle, options: PictureOptions): Promise<string> {
  try {
    return await svgOf(plant, lifecycle, options);
  } catch (error) {
    if (error instanceof RangeError) throw new UsageError(error.message);
    throw error;
  }
}

function phaseNamed({ phases }: Lifecycle, name: string): PhaseId {
  const ids = phases.map(({ id }) => id);
  const found = ids.find((id) => id === name);
  if (found !== undefined) return found;
  const written = phases.filter(({ mask }) => mask === undefined).map(({ id }) => id);
  throw new UsageError(`no phase \`${name}\`${suggest(name, ids)}; name one of ${written.join(", ")}`);
}
