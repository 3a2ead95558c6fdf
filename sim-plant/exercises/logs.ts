import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { readRecords } from "../plant/plant-log.ts";
import type { PlantRecord } from "../water/harm.ts";
import type { AcceptedWrites, AttackAction, OperatorCommand } from "./score.ts";

/** Reads back the logs that the simulated parts wrote in a run directory. A last line cut short is passed over. */
export function plantRecords(runDir: string): readonly PlantRecord[] {
  const file = join(runDir, "plant.jsonl");
  return existsSync(file) ? readRecords(readFileSync(file, "utf8")) : [];
}

export function operatorCommands(runDir: string): readonly OperatorCommand[] {
  return lines(join(runDir, "operator.jsonl")).flatMap((line) => {
    const { atMs, tag, value, result, code, says } = line;
    if (typeof atMs !== "number" || typeof tag !== "string" || typeof value !== "number") return [];
    if (result !== "ok" && result !== "exception" && result !== "error") return [];
    const told = code ?? says;
    return [{ atMs, tag, value, result, ...(told === undefined ? {} : { told: String(told) }) }];
  });
}

export function acceptedWrites(runDir: string): readonly AcceptedWrites[] {
  return ["plc-1", "plc-2"].flatMap((device) =>
    lines(join(runDir, `${device}.scans.jsonl`)).flatMap(({ atMs, out }) => {
      if (typeof atMs !== "number" || !isRecord(out) || !isRecord(out["accepted"])) return [];
      const accepted = numbers(out["accepted"]);
      return Object.keys(accepted).length === 0 ? [] : [{ atMs, accepted }];
    }),
  );
}

/** What an attacker wrote onto the wire, without its other actions (patching, reading). */
export function attackActions(file: string): readonly AttackAction[] {
  return lines(file).flatMap(({ atMs, tag, value }) =>
    typeof atMs === "number" && typeof tag === "string" && typeof value === "number" ? [{ atMs, tag, value }] : [],
  );
}

function lines(file: string): readonly Readonly<Record<string, unknown>>[] {
  if (!existsSync(file)) return [];
  return readFileSync(file, "utf8")
    .split("\n")
    .flatMap((text) => {
      const value = parse(text);
      return isRecord(value) ? [value] : [];
    });
}

function numbers(record: Readonly<Record<string, unknown>>): Readonly<Record<string, number>> {
  return Object.fromEntries(
    Object.entries(record).flatMap(([key, value]) => (typeof value === "number" ? [[key, value]] : [])),
  );
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
