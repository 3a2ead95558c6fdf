import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, writeSync } from "node:fs";
import { dirname, join } from "node:path";
import { type Static, Type } from "typebox";
import { Compile } from "typebox/compile";
import { Epoch, NAME_PATTERN, type PhaseId, type RuleId, type StepId, type ZoneId } from "#specs/ids.ts";

/**
 * The commit record: where each zone stands, and which change was under way, on stable storage. One JSON line per entry,
 * appended and fsynced before anything follows from it; a line torn by a crash is not an entry. The file is rewritten
 * (write, fsync, rename) once it has grown, so that it stays small.
 */
const Name = Type.String({ pattern: NAME_PATTERN });
const phase = Type.Unsafe<PhaseId>(Name);
const zone = Type.Unsafe<ZoneId>(Name);
const steps = Type.Array(Type.Unsafe<StepId>(Name), { maxItems: 64 });
const epoch = Type.Unsafe<Epoch>(Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }));

const change = { zone, change: Type.String({ maxLength: 128 }), epoch, from: phase, to: phase };
const Entry = Type.Union([
  /** A change was opened: its epoch is used up, whatever becomes of it. */
  Type.Object({ entry: Type.Literal("opened"), ...change }),
  /** From here on the change only rolls forward. */
  Type.Object({
    entry: Type.Literal("committed"),
    ...change,
    steps,
    window: Type.Array(Type.Unsafe<RuleId>(Name), { maxItems: 1000 }),
    emergency: Type.Boolean(),
  }),
  /** The zone stands here; a change of this epoch is finished. Also written when the set of steps changes. */
  Type.Object({ entry: Type.Literal("standing"), zone, epoch, phase, steps }),
  Type.Object({ entry: Type.Literal("aborted"), ...change }),
]);
export type RecordEntry = Static<typeof Entry>;
export type CommittedEntry = Extract<RecordEntry, { entry: "committed" }>;
export type OpenedEntry = Extract<RecordEntry, { entry: "opened" }>;

/** Where a zone was left. */
export interface Left {
  readonly standing: { readonly epoch: Epoch; readonly phase: PhaseId; readonly steps: readonly StepId[] } | undefined;
  /** Committed but not finished: to be rolled forward. */
  readonly committed: CommittedEntry | undefined;
  /** Opened but neither committed nor aborted: to be aborted. */
  readonly opened: OpenedEntry | undefined;
  /** Highest epoch ever used. */
  readonly epoch: number;
}

const NOTHING: Left = { standing: undefined, committed: undefined, opened: undefined, epoch: 0 };
const validator = Compile(Entry);
const REWRITE_AFTER_ENTRIES = 2000;

/** Pure: what the entries amount to for one zone. */
export function summarise(entries: readonly RecordEntry[], zoneId: ZoneId): Left {
  return entries.filter((e) => e.zone === zoneId).reduce(addEntry, NOTHING);
}

function addEntry(left: Left, entry: RecordEntry): Left {
  const highest = Math.max(left.epoch, entry.epoch);
  switch (entry.entry) {
    case "opened":
      return { ...left, opened: entry, epoch: highest };
    case "committed":
      return { ...left, committed: entry, opened: undefined, epoch: highest };
    case "aborted":
      return { ...left, opened: left.opened?.change === entry.change ? undefined : left.opened, epoch: highest };
    case "standing": {
      const finished = left.committed !== undefined && left.committed.epoch <= entry.epoch;
      const { epoch: at, phase: in_, steps: set } = entry;
      return {
        ...left,
        standing: { epoch: at, phase: in_, steps: set },
        committed: finished ? undefined : left.committed,
        epoch: highest,
      };
    }
    default: {
      const never: never = entry;
      throw new Error(`unreachable: ${String(never)}`);
    }
  }
}

export function parseEntries(text: string): readonly RecordEntry[] {
  return text.split("\n").flatMap((line) => {
    const value = parse(line);
    return validator.Check(value) ? [value as RecordEntry] : [];
  });
}

export class PhaseRecord {
  readonly #file: string;
  #fd: number;
  #entries: RecordEntry[];

  /** @throws Error when the run directory cannot be written: a coordinator that cannot commit must not start */
  constructor(runDir: string) {
    mkdirSync(runDir, { recursive: true });
    this.#file = join(runDir, "phase-record.jsonl");
    this.#entries = existsSync(this.#file) ? [...parseEntries(readFileSync(this.#file, "utf8"))] : [];
    this.#fd = this.#rewrite();
  }

  left(zoneId: ZoneId): Left {
    return summarise(this.#entries, zoneId);
  }

  /** Returns only when the entry is on stable storage. @throws Error when it cannot be put there */
  append(entry: RecordEntry): void {
    writeSync(this.#fd, `${JSON.stringify(entry)}\n`);
    fsyncSync(this.#fd);
    this.#entries.push(entry);
    if (this.#entries.length < REWRITE_AFTER_ENTRIES) return;
    closeSync(this.#fd);
    this.#fd = this.#rewrite();
  }

  close(): void {
    closeSync(this.#fd);
  }

  /** Keeps what `summarise` needs and returns the new file's descriptor, open for appending. */
  #rewrite(): number {
    const zones = [...new Set(this.#entries.map((entry) => entry.zone))];
    this.#entries = zones.flatMap((zoneId) => essence(this.left(zoneId), zoneId));
    const fresh = `${this.#file}.new`;
    const fd = openSync(fresh, "w", 0o600);
    writeSync(fd, this.#entries.map((entry) => `${JSON.stringify(entry)}\n`).join(""));
    fsyncSync(fd);
    closeSync(fd);
    renameSync(fresh, this.#file);
    syncFolder(dirname(this.#file));
    return openSync(this.#file, "a", 0o600);
  }
}

function essence(left: Left, zoneId: ZoneId): RecordEntry[] {
  const entries: RecordEntry[] = [];
  if (left.standing !== undefined)
    entries.push({ entry: "standing", zone: zoneId, ...left.standing, steps: [...left.standing.steps] });
  if (left.committed !== undefined) entries.push(left.committed);
  if (left.opened !== undefined) entries.push(left.opened);
  const kept = Math.max(0, ...entries.map((entry) => entry.epoch));
  const at = left.standing;
  if (at !== undefined && left.epoch > kept) {
    // INVARIANT (phase epoch): an aborted change has used its epoch up; it must not be given out again.
    entries.push({
      entry: "aborted",
      zone: zoneId,
      change: "earlier",
      epoch: Epoch(left.epoch),
      from: at.phase,
      to: at.phase,
    });
  }
  return entries;
}

/** A rename is durable only once its folder is; platforms that cannot open folders have no such call. */
function syncFolder(folder: string): void {
  try {
    const fd = openSync(folder, "r");
    fsyncSync(fd);
    closeSync(fd);
  } catch {
    return;
  }
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
