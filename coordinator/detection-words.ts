import type { ReceiptMessage } from "#point/bus.ts";
import type { Operation } from "#specs/lifecycle.ts";
import type { Plant, Tag } from "#specs/plant.ts";
import type { Finding } from "./correlate.ts";

// What is said of a detection: one short sentence for the operator, the receipts' full words for the evidence.

/** More items of one message are counted, not listed. */
const SHOWN_ITEMS = { headline: 2, evidence: 4 } as const;

const DEED: Readonly<Record<Operation, { readonly tried: string; readonly done: string }>> = {
  read: { tried: "tried to read", done: "read" },
  write: { tried: "tried to set", done: "set" },
  call: { tried: "tried to call", done: "called" },
  subscribe: { tried: "tried to subscribe to", done: "subscribed to" },
  browse: { tried: "tried to look around", done: "looked around" },
  session: { tried: "tried to connect", done: "connected" },
  program: { tried: "tried to change the program", done: "changed the program" },
  diagnose: { tried: "tried to run a diagnosis", done: "ran a diagnosis" },
  report: { tried: "tried to report", done: "reported" },
  raw: { tried: "tried to send a vendor's own message", done: "sent a vendor's own message" },
  output: { tried: "tried to set", done: "set" },
};
const WITHOUT_OBJECT: ReadonlySet<Operation> = new Set(["browse", "session", "program", "diagnose", "raw"]);

/** `Operator station hmi-1 tried to set DOS201.SP = 8.2 mg/L at plc-1`. */
export function headline(plant: Plant, { row, about, receipts }: Finding): string {
  const blocked = receipts.some((receipt) => receipt.action === "blocked");
  const other = receipts.find((receipt) => receipt !== about);
  const words: Readonly<Record<string, string>> = {
    from: who(plant, about),
    id: about.source ?? hostOf(about.sourceAddress),
    to: about.target,
    did: deed(plant, about, blocked),
    value: items(plant, about, SHOWN_ITEMS.headline) || about.message,
    sent: other === undefined ? "another value" : otherValue(plant, about, other),
  };
  return row.headline.replaceAll(/\{(\w+)\}/g, (_whole, name: string) => words[name] ?? name);
}

function who(plant: Plant, { source, sourceAddress }: ReceiptMessage): string {
  const device = plant.devices.find((candidate) => candidate.id === source);
  return device === undefined ? `Unknown device ${hostOf(sourceAddress)}`.trim() : `${device.title} ${device.id}`;
}

function deed(plant: Plant, receipt: ReceiptMessage, blocked: boolean): string {
  const { operation, message } = receipt;
  const verb = DEED[operation][blocked ? "tried" : "done"];
  if (WITHOUT_OBJECT.has(operation)) return operation === "session" ? verb : `${verb} (${message})`;
  return `${verb} ${items(plant, receipt, SHOWN_ITEMS.headline) || `something (${message})`}`;
}

function items(plant: Plant, receipt: ReceiptMessage, shown: number): string {
  const parts = receipt.items.slice(0, shown).map(({ tag: name, address, value }) => {
    if (value === null) return name ?? address;
    return `${name ?? address} = ${valueWords(
      plant.tags.find((tag) => tag.id === name),
      value,
    )}`;
  });
  const more = receipt.items.length - parts.length;
  return `${parts.join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}

/** Beside `DOS201.SP = 4 mg/L` only the value, as long as there is one. */
function otherValue(plant: Plant, about: ReceiptMessage, other: ReceiptMessage): string {
  const [first, ...more] = other.items;
  const alone = more.length === 0 && about.items.length === 1 && first?.tag === about.items[0]?.tag;
  if (!alone || first === undefined || first.value === null) return items(plant, other, SHOWN_ITEMS.headline);
  return valueWords(
    plant.tags.find((tag) => tag.id === first.tag),
    first.value,
  );
}

function valueWords(tag: Tag | undefined, value: number): string {
  if (tag !== undefined && tag.unit === "" && tag.range[0] === 0 && tag.range[1] === 1) {
    if (value === 0) return "off";
    if (value === 1) return "on";
  }
  const number = String(round(value));
  return tag === undefined || tag.unit === "" ? number : `${number} ${tag.unit}`;
}

/** `Write Single Register (06) DOS201.SP = 8.2 from hmi-1 (127.10.1.11:40112) to plc-1, denied: …`. Bounded in length. */
export function describe(receipt: ReceiptMessage): string {
  const shown = receipt.items.slice(0, SHOWN_ITEMS.evidence).map((item) => {
    const before = item.before === undefined ? "" : ` (was ${round(item.before)})`;
    return `${item.tag ?? item.address}${item.value === null ? "" : ` = ${round(item.value)}`}${before}`;
  });
  const more = receipt.items.length > shown.length ? ` and ${receipt.items.length - shown.length} more` : "";
  const from = receipt.source ?? (receipt.layer === "plc" ? "the network" : "an undeclared device");
  const address = receipt.sourceAddress === "" ? "" : ` (${receipt.sourceAddress})`;
  const verdict =
    receipt.verdict === "allow"
      ? `allowed${receipt.action === "blocked" ? ", and refused with the rest of its message" : ""}`
      : `denied${receipt.action === "forwarded" ? " but let through" : ""}: ${receipt.says}`;
  return `${receipt.message} ${shown.join(", ")}${more} from ${from}${address} to ${receipt.target}, ${verdict}`.replaceAll(
    / {2,}/g,
    " ",
  );
}

export function hostOf(address: string): string {
  return address.replace(/:\d+$/, "");
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}
