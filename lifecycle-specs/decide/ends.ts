import type { DeviceId, LinkId } from "../ids.ts";
import type { Link, Plant } from "../plant.ts";
import type { Directory } from "./candidates.ts";
import type { Layer, Observation } from "./observation.ts";
import { NONE } from "./verdict-id.ts";

/** Between whom a message is, as indices of the directory. */
export interface Ends {
  /** Who asks; in a `report`, who is told; -1: nobody who may. */
  readonly asking: number;
  /** The device that is asked, or that tells. */
  readonly holding: number;
  /** The declared link; undefined inside a PLC. */
  readonly link: Link | undefined;
}

/** The ends that there can be, made beforehand. */
export interface AllEnds {
  readonly byLink: ReadonlyMap<LinkId, Ends>;
  /** Inside a PLC: whoever wrote a variable, the control program, and a device that cannot be there. */
  readonly byTarget: ReadonlyMap<DeviceId, { readonly anybody: Ends; readonly program: Ends; readonly nobody: Ends }>;
}

const NOWHERE: Ends = { asking: NONE, holding: NONE, link: undefined };

export function compileEnds({ parties }: Directory, { devices, links }: Plant): AllEnds {
  const at = (name: string) => parties.get(name) ?? NONE;
  const inside = (holding: number, asking: number): Ends => ({ asking, holding, link: undefined });
  return {
    byLink: new Map(links.map((link) => [link.id, { asking: at(link.client), holding: at(link.server), link }])),
    byTarget: new Map(
      devices.map(({ id }) => [
        id,
        {
          anybody: inside(at(id), parties.size),
          program: inside(at(id), at("program")),
          nobody: inside(at(id), NONE),
        },
      ]),
    ),
  };
}

/** Those of a message on a declared link that really joins its source and its target; undefined: there is none. */
export function endsOnLink(
  { byLink }: AllEnds,
  { link: id, source, target, operation }: Observation,
): Ends | undefined {
  const ends = id === undefined ? undefined : byLink.get(id);
  if (ends?.link === undefined) return undefined;
  const { client, server } = ends.link;
  const joins =
    operation === "report" ? client === target && server === source : client === source && server === target;
  return joins ? ends : undefined;
}

/** Those of a change inside a PLC, where a changed variable does not tell who wrote it. */
export function endsInside({ byTarget }: AllEnds, { source, target, operation }: Observation): Ends {
  const ends = byTarget.get(target);
  if (ends === undefined) return NOWHERE;
  if (operation === "write") return ends.anybody;
  return source === "program" ? ends.program : ends.nobody;
}

export function endsOf(layer: Layer, all: AllEnds, observation: Observation): Ends | undefined {
  return layer === "plc" ? endsInside(all, observation) : endsOnLink(all, observation);
}
