import type { Device, Link } from "../plant.ts";
import { allRules } from "../positions.ts";
import { slackOf } from "../slack.ts";
import type { Checked, FactDetail, RawFact } from "./report.ts";
import { bookOf } from "./whitelist.ts";

/**
 * Where a lower layer lets more through than its declared origins may cause, each with the origin that could make use of it. The rules
 * are the same on every layer, so the excess lies where a layer does not look, or cannot tell what an upper one can.
 */
export function excessBelow(spec: Checked): readonly RawFact[] {
  return [...ofLinks(spec), ...ofServers(spec), ...ofMessages(spec), ...ofTimes(spec)];
}

function fact(at: string, says: string, detail: FactDetail): RawFact {
  return { at, guarantee: "G5", fact: says, detail };
}

function ofLinks({ plant, lifecycle }: Checked): readonly RawFact[] {
  const book = bookOf(plant, lifecycle);
  return plant.links.flatMap((link) => {
    const why = whyOpen(link);
    if (why === undefined) return [];
    const last = book.isGuarded(link.server)
      ? `only the guard of ${link.server} judges it then`
      : "nothing judges it then";
    const says = `${why}: the switch layer lets through whatever ${link.client} sends to ${link.server}; ${last}`;
    return [fact(`link:${link.id}`, says, { layer: "switch", link: link.id, origins: [link.client] })];
  });
}

function whyOpen({ id, opaque, mode }: Link): string | undefined {
  if (opaque) return `link \`${id}\` is opaque`;
  return mode === "enforce" ? undefined : `link \`${id}\` is in mode ${mode}`;
}

function ofServers({ plant, lifecycle }: Checked): readonly RawFact[] {
  const book = bookOf(plant, lifecycle);
  const rules = allRules(lifecycle);
  const servers = new Set(plant.links.map(({ server }) => server));
  return plant.devices.flatMap((device) => {
    const clients = [...new Set(plant.links.filter(({ server }) => server === device.id).map(({ client }) => client))];
    if (!device.guard) return servers.has(device.id) ? [unguarded(device, clients)] : [];
    const written = rules.filter(({ operation, targets }) => operation === "write" && targets.includes(device.id));
    const called = rules.some(({ operation, targets }) => operation === "call" && targets.includes(device.id));
    const declared = new Set(written.flatMap(({ from }) => from));
    const others = clients.filter((client) => !declared.has(client));
    return [
      ...(written.length === 0 ? [] : [senderUnknown(device, [...declared], others)]),
      ...(called && book.isGuarded(device.id) ? [methodsUnseen(device, clients)] : []),
    ];
  });
}

function unguarded({ id }: Device, clients: readonly string[]): RawFact {
  const says = `\`${id}\` has no guard: what changes in it, and what its program puts out, is judged by no PLC layer`;
  return fact(`device:${id}`, says, { layer: "plc", device: id, origins: [...clients, "program"] });
}

function senderUnknown({ id }: Device, declared: readonly string[], others: readonly string[]): RawFact {
  const who = ["the control program", ...others].join(", ");
  const says = `the guard of \`${id}\` does not see who writes: what ${declared.join(", ")} may change, ${who} could change within the same bounds, if it got past the switch layer`;
  return fact(`device:${id}`, says, { layer: "plc", device: id, origins: ["program", ...others] });
}

function methodsUnseen({ id }: Device, clients: readonly string[]): RawFact {
  const says = `the guard of \`${id}\` does not see calls, only the variables that a method changes; those need rules for writing`;
  return fact(`device:${id}`, says, { layer: "plc", device: id, origins: clients });
}

/** Roles are seen by the switch alone; in which form a command came, a guard does not see either. */
function ofMessages({ plant, lifecycle }: Checked): readonly RawFact[] {
  const book = bookOf(plant, lifecycle);
  return allRules(lifecycle).flatMap(({ id, roles, form, from, operation, targets }): readonly RawFact[] => {
    const guards = operation === "write" ? targets.filter(book.isGuarded) : [];
    const inPlc = guards.length === 0 ? "" : `, and the guard of ${guards.join(", ")} does not ask for one`;
    const ofRoles = `the role that \`${id}\` asks for is seen by the switch layer alone: the HMI layer takes it for given${inPlc}`;
    const ofForm = `the guard of ${guards.join(", ")} does not see by which message a variable changed: the form that \`${id}\` asks for is judged by the HMI and the switch layer`;
    const about = (layer: string) => ({ layer, rule: id, origins: from.map(String) });
    return [
      ...(roles === undefined ? [] : [fact(`rule:${id}`, ofRoles, about("switch"))]),
      ...(form === undefined || guards.length === 0 ? [] : [fact(`rule:${id}`, ofForm, about("plc"))]),
    ];
  });
}

function ofTimes({ lifecycle: { skewMs } }: Checked): readonly RawFact[] {
  if (skewMs === 0) return [];
  const [lower, lowest] = [slackOf("switch", skewMs, "write").messageMs, slackOf("plc", skewMs, "write").messageMs];
  const says = `times are judged more widely further down, by ${lower} ms at the switch layer and ${lowest} ms in the PLC: that much sooner a command may follow another there`;
  return [fact("skew", says, { layer: "switch", switchMs: lower, plcMs: lowest })];
}
