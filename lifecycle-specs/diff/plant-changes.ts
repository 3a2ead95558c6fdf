import { MIRROR_DELAY_MS } from "../lifecycle.ts";
import type { Device, EssentialFunction, Link, RawFunction, Tag, UaWay } from "../plant.ts";
import { durationInWords, listInWords, rangeInWords } from "../words.ts";
import { change, changed, type Found, grown, narrowed, type Spec, shifted, type Topic, widened } from "./change.ts";

/** What the permissions rest on: devices, links, tags and their bindings, raw functions, essential functions, and the times. */
export function plantChanges(
  { plant: was, lifecycle: old }: Spec,
  { plant: is, lifecycle: now }: Spec,
): readonly Found[] {
  return [
    ...(was.id === is.id ? [] : [shifted("lifecycle", `the plant is ${is.id} now (was ${was.id})`, is.id, was.id)]),
    ...both(was.zones, is.zones, "zone", () => []),
    ...both(was.devices, is.devices, "device", deviceChanges),
    ...both(was.links, is.links, "link", (a, b) => linkChanges(a, b), linkInWords),
    ...both(was.tags, is.tags, "tag", tagChanges),
    ...both(was.raw, is.raw, "function", rawChanges, ({ says }) => says),
    ...both(was.essential, is.essential, "function", essentialChanges, ({ says }) => says),
    ...durationChanges("the lease is", old.leaseMs, now.leaseMs),
    ...durationChanges("times are judged more widely from layer to layer by", old.skewMs, now.skewMs),
    ...durationChanges("a change of phase ends within", old.changeMs, now.changeMs),
    ...durationChanges(
      "what the mirror port shows is judged within",
      old.mirrorDelayMs ?? MIRROR_DELAY_MS,
      now.mirrorDelayMs ?? MIRROR_DELAY_MS,
    ),
  ];
}

function both<T extends { readonly id: string }>(
  old: readonly T[],
  now: readonly T[],
  topic: Topic,
  compare: (was: T, is: T) => readonly Found[],
  inWords: (one: T) => string = () => "",
): readonly Found[] {
  const before = new Map(old.map((one) => [one.id, one]));
  const after = new Set(now.map(({ id }) => id));
  const name = (one: T) => `${topic} ${one.id}${inWords(one) === "" ? "" : `, ${inWords(one)},`}`;
  return [
    ...now.flatMap((one) => {
      const was = before.get(one.id);
      return was === undefined ? [widened(topic, `${name(one)} is new`, one.id)] : compare(was, one);
    }),
    ...old.filter(({ id }) => !after.has(id)).map((one) => narrowed(topic, `${name(one)} is gone`, one.id)),
  ];
}

function deviceChanges(was: Device, is: Device): readonly Found[] {
  const found: Found[] = [];
  const addresses = ({ addresses: list }: Device) => (list.length === 0 ? "no address" : listInWords([...list].sort()));
  const fresh = is.addresses.filter((address) => !was.addresses.includes(address));
  if (addresses(was) !== addresses(is)) {
    const says = `device ${is.id} is known by ${addresses(is)} now (was ${addresses(was)})`;
    found.push(fresh.length > 0 ? shifted("device", says, is.id) : narrowed("device", says, is.id));
  }
  if (was.role !== is.role)
    found.push(changed("device", `device ${is.id} is a ${is.role} now (was a ${was.role})`, is.id));
  if (was.zone !== is.zone)
    found.push(shifted("device", `device ${is.id} lies in zone ${is.zone} now (was ${was.zone})`, is.id));
  if (was.guard !== is.guard)
    found.push(
      is.guard
        ? narrowed("device", `a guard runs in device ${is.id} now`, is.id)
        : widened("device", `no guard runs in device ${is.id} any more`, is.id),
    );
  return found;
}

function linkInWords({ client, server, protocol, mode }: Link): string {
  return `${client} to ${server} over ${protocol} in mode ${mode}`;
}

const STRICTNESS = { off: 0, monitor: 1, enforce: 2 } as const;

function linkChanges(was: Link, is: Link): readonly Found[] {
  const name = `link ${is.id} (${is.client} to ${is.server})`;
  const found: Found[] = [];
  if (was.client !== is.client || was.server !== is.server || was.protocol !== is.protocol)
    found.push(shifted("link", `link ${is.id} is ${linkInWords(is)} now (was ${linkInWords(was)})`, is.id));
  if (was.mode !== is.mode) {
    const effect = grown(STRICTNESS[is.mode], STRICTNESS[was.mode]);
    found.push(change(effect, "link", `${name} is in mode ${is.mode} now (was ${was.mode})`, is.id));
  }
  const flag = (more: boolean, less: boolean, on: string, off: string) => {
    if (more) found.push(widened("link", `${name} ${on}`, is.id));
    if (less) found.push(narrowed("link", `${name} ${off}`, is.id));
  };
  flag(
    is.failOpen && !was.failOpen,
    was.failOpen && !is.failOpen,
    "forwards now where it cannot be judged",
    "no longer forwards what cannot be judged",
  );
  flag(
    is.opaque && !was.opaque,
    was.opaque && !is.opaque,
    "is opaque now: nobody looks into it",
    "is no longer opaque",
  );
  flag(
    was.tls === true && is.tls !== true,
    is.tls === true && was.tls !== true,
    "no longer asks clients for certificates",
    "is Modbus/TCP Security now: clients come with certificates",
  );
  if (was.way !== is.way) found.push(wayChange(was, is, name));
  flag(
    was.mirror && !is.mirror,
    is.mirror && !was.mirror,
    "no longer passes the mirror port",
    "passes the mirror port now",
  );
  return found;
}

/** How much can still be done about a message: whatever an undeclared way turns out to be lies between the two kinds. */
const REACH: Readonly<Record<UaWay | "undeclared", number>> = {
  clear: 0,
  ended: 0,
  undeclared: 1,
  signed: 2,
  sealed: 3,
};

function wayChange(was: Link, is: Link, name: string): Found {
  const before = was.way ?? "undeclared";
  const after = is.way ?? "undeclared";
  const says = `${name} is ${after === "undeclared" ? "opened in any way" : after} now (was ${before})`;
  if (REACH[before] === REACH[after]) return shifted("link", says, is.id);
  return REACH[after] > REACH[before] ? widened("link", says, is.id) : narrowed("link", says, is.id);
}

function tagChanges(was: Tag, is: Tag): readonly Found[] {
  const found: Found[] = [];
  const place = placeOf(is);
  if (placeOf(was) !== place)
    found.push(
      shifted("tag", `tag ${is.id} lies at ${place} now (was ${placeOf(was)}): the same name, another place`, is.id),
    );
  const form = formOf(is);
  if (formOf(was) !== form) found.push(shifted("tag", `tag ${is.id} is ${form} now (was ${formOf(was)})`, is.id));
  const [low, high] = is.range;
  if (was.range[0] !== low || was.range[1] !== high) {
    const says = `tag ${is.id} ranges over ${rangeInWords(low, high, is)} now (was ${rangeInWords(...was.range, was)})`;
    const [wider, narrower] = [low < was.range[0] || high > was.range[1], low > was.range[0] || high < was.range[1]];
    found.push(
      wider && narrower ? shifted("tag", says, is.id) : change(wider ? "widened" : "narrowed", "tag", says, is.id),
    );
  }
  if (was.unit !== is.unit)
    found.push(shifted("tag", `tag ${is.id} is in \`${is.unit}\` now (was \`${was.unit}\`)`, is.id));
  if (was.kind !== is.kind) found.push(shifted("tag", `tag ${is.id} is a ${is.kind} now (was a ${was.kind})`, is.id));
  const [safeWas, safeIs] = [was.safe ?? "none", is.safe ?? "none"];
  if (safeWas !== safeIs)
    found.push(shifted("tag", `the safe value of ${is.id} is ${safeIs} now (was ${safeWas})`, is.id));
  const [statesWas, statesIs] = [statesOf(was), statesOf(is)];
  if (statesWas !== statesIs)
    found.push(shifted("tag", `the states of ${is.id} are ${statesIs} now (were ${statesWas})`, is.id));
  return found;
}

/** Where a tag is found on the wire. */
function placeOf({ device, modbus, opcua }: Tag): string {
  const places = [
    ...(modbus === undefined ? [] : [`unit ${modbus.unit} ${modbus.table} ${modbus.address}`]),
    ...(opcua === undefined ? [] : [`${opcua.nodeId}${opcua.objectId === undefined ? "" : ` of ${opcua.objectId}`}`]),
  ];
  return `${device}${places.length === 0 ? "" : `: ${places.join(" and ")}`}`;
}

/** How its value is written there. */
function formOf({ modbus, opcua }: Tag): string {
  const forms = [
    ...(modbus === undefined
      ? []
      : [`${modbus.type} × ${modbus.scale}, ${modbus.wordOrder} words of ${modbus.byteOrder} bytes`]),
    ...(opcua === undefined
      ? []
      : [opcua.arguments === undefined ? opcua.type : `called with ${listInWords(opcua.arguments)}`]),
  ];
  return forms.length === 0 ? "bound to nothing" : forms.join(" and ");
}

function statesOf({ states }: Tag): string {
  const list = Object.entries(states ?? {}).sort((a, b) => a[1] - b[1] || (a[0] < b[0] ? -1 : 1));
  return list.length === 0 ? "none" : list.map(([name, number]) => `${name} ${number}`).join(", ");
}

function rawChanges(was: RawFunction, is: RawFunction): readonly Found[] {
  const found: Found[] = [];
  const code = (one: RawFunction) =>
    one.protocol === "modbus"
      ? `Modbus function code ${one.function}${one.mei === undefined ? "" : `/${one.mei}`}`
      : `OPC UA service ${one.service}`;
  if (code(was) !== code(is))
    found.push(shifted("function", `function ${is.id} is ${code(is)} now (was ${code(was)})`, is.id));
  for (const [key, words] of [
    ["length", "bytes long"],
    ["answer", "bytes long in its answer"],
  ] as const) {
    const [a, b] = [was[key], is[key]];
    if (a[0] === b[0] && a[1] === b[1]) continue;
    const says = `function ${is.id} may be ${b[0]}-${b[1]} ${words} now (was ${a[0]}-${a[1]})`;
    const [wider, narrower] = [b[0] < a[0] || b[1] > a[1], b[0] > a[0] || b[1] < a[1]];
    found.push(
      wider && narrower
        ? shifted("function", says, is.id)
        : change(wider ? "widened" : "narrowed", "function", says, is.id),
    );
  }
  if (was.changes !== is.changes)
    found.push(
      is.changes
        ? narrowed("function", `function ${is.id} counts as changing the plant now`, is.id)
        : widened("function", `function ${is.id} no longer counts as changing the plant`, is.id),
    );
  return found;
}

function essentialChanges(was: EssentialFunction, is: EssentialFunction): readonly Found[] {
  const tags = (one: EssentialFunction) => listInWords([...one.tags].sort());
  if (tags(was) === tags(is)) return [];
  return [changed("function", `essential function ${is.id} is carried by ${tags(is)} now (was ${tags(was)})`, is.id)];
}

function durationChanges(what: string, was: number, is: number): readonly Found[] {
  if (was === is) return [];
  return [change(grown(was, is), "lifecycle", `${what} ${durationInWords(is)} now (was ${durationInWords(was)})`)];
}
