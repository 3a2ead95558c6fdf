import { readFileSync } from "node:fs";
import { type Traffic, TSHARK_FIELDS } from "./programs.ts";

const STRINGS = ["opcua.transport.type"];

/** Messages of which our line and tshark's row do not say the same. */
export function countDifferences(traffic: Traffic, ours: string, theirs: string): number {
  const columns = TSHARK_FIELDS[traffic];
  const rows = readFileSync(theirs, "utf8")
    .split("\n")
    .map((line) => new Row(columns, line.split("\t")))
    .filter((row) => row.get(traffic === "modbus" ? "modbus.func_code" : "opcua.transport.type") !== "");
  const lines = readFileSync(ours, "utf8")
    .split("\n")
    .filter((line) => line !== "");
  let different = Math.abs(rows.length - lines.length);
  rows.forEach((row, i) => {
    const line: unknown = JSON.parse(lines[i] ?? "{}");
    if (typeof line !== "object" || line === null) different += 1;
    else if (!(traffic === "modbus" ? sameModbus : sameOpcua)(Object.fromEntries(Object.entries(line)), row))
      different += 1;
  });
  return different;
}

class Row {
  readonly #columns: readonly string[];
  readonly #cells: readonly string[];

  constructor(columns: readonly string[], cells: readonly string[]) {
    this.#columns = columns;
    this.#cells = cells;
  }

  get(name: string): string {
    return this.#cells[this.#columns.indexOf(name)] ?? "";
  }

  number(name: string): number | undefined {
    const cell = this.get(name);
    return cell === "" || STRINGS.includes(name) ? undefined : Number(cell);
  }

  numbers(name: string): readonly number[] {
    const cell = this.get(name);
    return cell === "" ? [] : cell.split(",").map(Number);
  }
}

type Line = Readonly<Record<string, unknown>>;

function sameFrame(line: Line, row: Row): boolean {
  return (
    line["frame"] === row.number("frame.number") &&
    line["time"] === row.number("frame.time_epoch") &&
    line["src"] === `${row.get("ip.src")}:${row.get("tcp.srcport")}` &&
    line["dst"] === `${row.get("ip.dst")}:${row.get("tcp.dstport")}`
  );
}

function sameModbus(line: Line, row: Row): boolean {
  const values = line["values"] ?? [];
  const bits = row.numbers("modbus.bitval");
  const theirs = bits.length > 0 ? bits : row.numbers("modbus.regval_uint16");
  return (
    sameFrame(line, row) &&
    line["transaction"] === row.number("mbtcp.trans_id") &&
    line["unit"] === row.number("mbtcp.unit_id") &&
    line["function"] === row.number("modbus.func_code") &&
    line["exception"] === row.number("modbus.exception_code") &&
    line["address"] === row.number("modbus.reference_num") &&
    line["quantity"] === (row.number("modbus.word_cnt") ?? row.number("modbus.bit_cnt")) &&
    Array.isArray(values) &&
    values.every((value, i) => value === theirs[i]) &&
    values.length <= theirs.length
  );
}

function sameOpcua(line: Line, row: Row): boolean {
  const type = row.get("opcua.transport.type");
  if (!sameFrame(line, row) || line["messageType"] !== type) return false;
  if (type !== "MSG") return true;
  const values = line["values"] ?? [];
  const doubles = row.numbers("opcua.Double");
  return (
    line["secureChannelId"] === row.number("opcua.transport.scid") &&
    line["sequenceNumber"] === row.number("opcua.security.seq") &&
    line["requestId"] === row.number("opcua.security.rqid") &&
    Array.isArray(values) &&
    values.length <= doubles.length &&
    values.every((value, i) => value === doubles.at(i - values.length))
  );
}
