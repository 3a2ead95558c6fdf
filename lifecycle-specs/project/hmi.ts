import type { FormRule } from "../form.ts";
import type { DeviceId, RawId, TagId } from "../ids.ts";
import type { Operation, Rule } from "../lifecycle.ts";
import { isSeenAtMirror, type Tag } from "../plant.ts";
import type { Bounds } from "../raw.ts";
import { entryOf, type RuleEntry } from "./entry.ts";
import { boundsOf, carriesValue, type Inventory, pairsOf, tagsByDevice } from "./inventory.ts";

/** HMI layer: what may be commanded, in engineering units. */
export interface HmiEntry extends RuleEntry {
  readonly operation: Operation;
  /** By which functions, how much at once, which files or objects. */
  readonly form?: FormRule;
  readonly commands: readonly HmiCommand[];
}

/** What some clients may ask of one server; of a `report`: what it may tell them. */
export interface HmiCommand {
  readonly clients: readonly DeviceId[];
  readonly server: DeviceId;
  /** Absent: the operation is about the device as a whole. */
  readonly tags?: readonly HmiTag[];
  /** Operation `raw`: the plant's names of the functions. */
  readonly raw?: readonly RawId[];
}

export interface HmiTag {
  readonly tag: TagId;
  readonly unit: string;
  readonly value?: Bounds;
}

/** undefined: nothing of the rule passes the mirror port, or can be looked into there. */
export function hmiEntry(inventory: Inventory, skewMs: number, rule: Rule): HmiEntry | undefined {
  if (rule.operation === "output") return undefined;
  const tags = tagsByDevice(inventory, rule);
  const commands = [...clientsByServer(inventory, rule)].flatMap(([server, clients]): HmiCommand[] => {
    if (rule.operation === "raw") return [{ clients, server, raw: rule.raw }];
    if (rule.tags.length === 0) return [{ clients, server }];
    const here = tags.get(server) ?? [];
    return here.length === 0 ? [] : [{ clients, server, tags: here.map((tag) => hmiTag(rule, tag)) }];
  });
  if (commands.length === 0) return undefined;
  const form = rule.form === undefined ? {} : { form: rule.form };
  return { ...entryOf("hmi", skewMs, rule), operation: rule.operation, ...form, commands };
}

function hmiTag(rule: Rule, tag: Tag): HmiTag {
  const { id, unit } = tag;
  return { tag: id, unit, ...(carriesValue(rule, tag) ? { value: boundsOf(rule, tag) } : {}) };
}

/** Clients with a link to the server that the mirror port carries and the tap can look into. */
function clientsByServer(inventory: Inventory, rule: Rule): ReadonlyMap<DeviceId, readonly DeviceId[]> {
  const found = new Map<DeviceId, DeviceId[]>();
  for (const [client, server] of pairsOf(rule)) {
    if (!inventory.linksBetween(client, server).some(isSeenAtMirror)) continue;
    const clients = found.get(server) ?? [];
    clients.push(client);
    found.set(server, clients);
  }
  return found;
}
