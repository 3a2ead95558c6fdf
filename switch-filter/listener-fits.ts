import type { DeviceId } from "#specs/ids.ts";
import type { Link, Plant } from "#specs/plant.ts";
import type { FilterListener } from "./listener.ts";

/** What a listener has to go by; how clients and server are secured. With `station`, every client is that device, and it is there. */
type Equipped = Pick<FilterListener, "link" | "termination" | "tls"> & { readonly station?: DeviceId | undefined };

/** Why a listener cannot serve its link as the plant declares it, in one sentence; undefined: it can. */
export function listenerProblem(listener: Equipped, { links }: Plant): string | undefined {
  const link = links.find(({ id }) => id === listener.link);
  if (link === undefined) return undefined;
  if (listener.station !== undefined) return stationProblem(link);
  return link.protocol === "modbus"
    ? tlsProblem(link, listener)
    : endProblem(besideOf(link, links, listener), listener);
}

/** What whoever starts a listener without certificates must know, in one sentence; undefined: nothing. */
export function listenerWarning(listener: Equipped, { links }: Plant): string | undefined {
  const link = links.find(({ id }) => id === listener.link);
  if (link?.protocol !== "opcua" || listener.termination !== undefined) return undefined;
  const open = besideOf(link, links, listener).filter(({ opaque, way }) => !opaque && way !== "clear");
  if (open.length === 0) return undefined;
  const named = open.map(({ id }) => `\`${id}\``).join(", ");
  const have = open.length === 1 ? `link ${named} has` : `links ${named} have`;
  return `${have} no certificates: signed channels pass through, and a denial can only end them`;
}

/** The links that a listener serves: every client of its server over the same protocol comes to it. */
function besideOf({ server, protocol }: Link, links: readonly Link[], { station }: Equipped): readonly Link[] {
  return links.filter(
    (link) =>
      link.server === server &&
      link.protocol === protocol &&
      link.mode !== "off" &&
      (station === undefined || link.client === station),
  );
}

/** On the station nobody has keys of what leaves it. */
function stationProblem({ id, tls, way }: Link): string | undefined {
  const declared = tls === true ? "tls: true" : way === "ended" ? "way: ended" : undefined;
  if (declared === undefined) return undefined;
  return `link \`${id}\` is declared \`${declared}\`, and nobody can look into it on the station; leave it to the switch-filter`;
}

function endProblem(links: readonly Link[], { termination }: Equipped): string | undefined {
  const ended = termination === undefined ? links.find(({ way }) => way === "ended") : undefined;
  if (ended === undefined) return undefined;
  return `link \`${ended.id}\` is declared \`way: ended\`, and without --opcua-pki no channel can end here`;
}

/** Where the plant takes a link for one that the mirror port shows, or for one that tells roles, it is to be one. */
function tlsProblem({ id, tls: declared = false }: Link, { tls }: Equipped): string | undefined {
  const asks = tls?.clients !== undefined;
  if (asks === declared) return undefined;
  return declared
    ? `link \`${id}\` is declared \`tls: true\`, and without --tls-clients its listener asks nobody for a certificate`
    : `link \`${id}\` is not declared \`tls: true\`, and with --tls-clients its listener speaks nothing but TLS`;
}
