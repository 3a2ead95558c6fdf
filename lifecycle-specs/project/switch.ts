import type { DeviceId, LinkId } from "../ids.ts";
import type { Rule } from "../lifecycle.ts";
import type { Link, Protocol } from "../plant.ts";
import { entryOf, type RuleEntry } from "./entry.ts";
import { type Inventory, pairsOf, tagsByDevice } from "./inventory.ts";
import { messagesOf, type SwitchMessage } from "./messages.ts";

/** Switch layer: which messages may cross, in the protocols' own terms. */
export interface SwitchEntry extends RuleEntry {
  /** Requests, from client to server; of a `report` the answers. */
  readonly direction: "request" | "answer";
  /** Who asks must be known by one of these. No other layer can see them. */
  readonly roles?: readonly string[];
  /** Most registers, bits, records, nodes or methods of one message. */
  readonly quantity?: number;
  readonly crossings: readonly Crossing[];
}

/** The same messages over links to one server. */
export interface Crossing {
  readonly links: readonly LinkId[];
  readonly messages: readonly SwitchMessage[];
}

/** undefined: nothing of the rule crosses a link that can be looked into. */
export function switchEntry(inventory: Inventory, skewMs: number, rule: Rule): SwitchEntry | undefined {
  if (rule.operation === "output") return undefined;
  const tags = tagsByDevice(inventory, rule);
  const crossings = bundled(inventory, rule).flatMap(({ links, protocol, server }): Crossing[] => {
    const messages = messagesOf(inventory, protocol, rule, tags.get(server) ?? []);
    return messages.length === 0 ? [] : [{ links, messages }];
  });
  if (crossings.length === 0) return undefined;
  const direction = rule.operation === "report" ? "answer" : "request";
  const { roles, form } = rule;
  return {
    ...entryOf("switch", skewMs, rule),
    direction,
    ...(roles === undefined ? {} : { roles }),
    ...(form?.quantity === undefined ? {} : { quantity: form.quantity }),
    crossings,
  };
}

interface Strand {
  readonly protocol: Protocol;
  readonly server: DeviceId;
  readonly links: LinkId[];
}

/** The links that a rule is about, those of one protocol to one server together. Nobody looks into an opaque one. */
function bundled(inventory: Inventory, rule: Rule): readonly Strand[] {
  const strands: Strand[] = [];
  for (const [client, server] of pairsOf(rule)) {
    for (const link of inventory.linksBetween(client, server))
      if (!link.opaque) strandOf(strands, link).links.push(link.id);
  }
  return strands;
}

function strandOf(strands: Strand[], { protocol, server }: Link): Strand {
  const found = strands.find((strand) => strand.protocol === protocol && strand.server === server);
  if (found !== undefined) return found;
  const made: Strand = { protocol, server, links: [] };
  strands.push(made);
  return made;
}
