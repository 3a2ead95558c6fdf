/** Keys of a line that have a column of their own. */
const COLUMNS: ReadonlySet<string> = new Set(["frame", "time", "src", "dst", "protocol", "direction", "error", "says"]);
const WIDTH = { frame: 8, time: 15, ends: 44, protocol: 7 } as const;
/** Characters of a value that are shown. */
const MAX_VALUE = 96;
const HEAD = row("frame", "time (UTC)", "from → to, ⇢ answer", "", "message");

/** Turns blocks of whole JSON lines into rows for people; the first call begins with the head. */
export function tableRows(): (block: Buffer) => string {
  let begun = false;
  return (block) => {
    const lines = block.toString("utf8").split("\n");
    const rows = lines.filter((line) => line !== "").map((line) => lineRow(JSON.parse(line)));
    const head = begun ? [] : [HEAD];
    begun = true;
    return `${[...head, ...rows].join("\n")}\n`;
  };
}

function lineRow(line: Readonly<Record<string, unknown>>): string {
  const ends = `${line["src"]} ${line["direction"] === "request" ? "→" : "⇢"} ${line["dst"]}`;
  const fields = Object.entries(line)
    .filter(([key]) => !COLUMNS.has(key))
    .map(([key, value]) => `${key}=${shown(value)}`);
  const error = line["error"] === undefined ? [] : [`${line["error"]}: ${line["says"]}`];
  return row(
    String(line["frame"]),
    clock(line["time"]),
    ends,
    String(line["protocol"]),
    [...fields, ...error].join(" "),
  );
}

function row(frame: string, time: string, ends: string, protocol: string, message: string): string {
  const { frame: f, time: t, ends: e, protocol: p } = WIDTH;
  return `${frame.padStart(f)}  ${time.padEnd(t)}  ${ends.padEnd(e)}  ${protocol.padEnd(p)}  ${message}`.trimEnd();
}

function shown(value: unknown): string {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  // Text of the wire must not move a terminal's cursor.
  const plain = text.replaceAll(/\p{C}/gu, "�");
  return plain.length <= MAX_VALUE ? plain : `${plain.slice(0, MAX_VALUE)}…`;
}

/** Time of day to the µs; the date is that of the capture. */
function clock(time: unknown): string {
  const date = new Date(typeof time === "number" ? time * 1000 : Number.NaN);
  if (Number.isNaN(date.getTime())) return String(time);
  // Rounded up to the next second it would stand behind the second before.
  const us = typeof time === "number" ? Math.min(999_999, Math.round((time - Math.floor(time)) * 1e6)) : 0;
  return `${date.toISOString().slice(11, 19)}.${String(us).padStart(6, "0")}`;
}
