import type { Rule } from "../lifecycle.ts";
import type { Plant } from "../plant.ts";
import { linksFor } from "./carry.ts";
import type { Book, Entry } from "./whitelist.ts";

/** Client and server of a rule's messages, as `hmi-1 plc-1`; each pair once. */
export function pairsOf(book: Book, rule: Rule): readonly string[] {
  return [...new Set(book.entriesOf(rule, "hmi").map(pairOf))];
}

/** Those pairs between which only OPC UA carries what the rule allows, or a part of it: there it needs a session. */
export function pairsByOpcUaOnly(plant: Plant, book: Book, rule: Rule): readonly string[] {
  if (rule.operation === "session") return [];
  const entries = book.entriesOf(rule, "hmi").filter((entry) => {
    const links = linksOfEntry(plant, book, entry);
    return links.length > 0 && links.every(({ protocol }) => protocol === "opcua");
  });
  return [...new Set(entries.map(pairOf))];
}

function pairOf({ sender, permission: { target, operation } }: Entry): string {
  return operation === "report" ? `${target} ${sender}` : `${sender} ${target}`;
}

/** The links that carry what one entry of a rule allows. */
export function linksOfEntry(plant: Plant, book: Book, entry: Entry): ReturnType<typeof linksFor> {
  const [client, server] = pairOf(entry).split(" ");
  const { operation, tag: id, raw } = entry.permission;
  const tag = id === undefined ? undefined : book.tag(id);
  const subject = { ...(tag === undefined ? {} : { tag }), ...(raw === undefined ? {} : { raw }) };
  return linksFor(plant, book.linksBetween(client ?? "", server ?? ""), operation, subject, entry.grant.rule.form);
}
