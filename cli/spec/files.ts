import {
  closeSync,
  fsyncSync,
  lstatSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { UsageError } from "../part.ts";

/** Largest bundle file that is read, in bytes. */
const MAX_BUNDLE_BYTES = 64 * 1024 * 1024;
/** Largest key file that is read, in bytes: an Ed25519 JWK has about 200. */
const MAX_KEY_BYTES = 16 * 1024;

const WHY: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file or folder",
  EACCES: "this account may not",
  EPERM: "this account may not",
  EISDIR: "it is a folder",
  ENOTDIR: "a part of its path is no folder",
  ENOSPC: "the disk is full",
  EROFS: "the disk is read-only",
  EEXIST: "it is there already",
  ELOOP: "its links lead in a circle",
  ENAMETOOLONG: "its name is too long",
};

/** Why the system would not, in words. */
export function whyOf(error: unknown): string {
  const code = error instanceof Error && "code" in error ? String(error.code) : "unknown error";
  return WHY[code] ?? code;
}

/** @throws UsageError in one sentence: not there, not a file, too large, not text */
export function readBundleText(file: string): string {
  return readText(file, MAX_BUNDLE_BYTES, "a bundle");
}

/** @throws UsageError */
export function readKeyText(file: string): string {
  return readText(file, MAX_KEY_BYTES, "a key");
}

function readText(file: string, maxBytes: number, what: string): string {
  let bytes: Buffer;
  try {
    const stat = statSync(file);
    if (!stat.isFile()) throw new UsageError(`${file} is not a file, so it is not ${what}`);
    if (stat.size > maxBytes)
      throw new UsageError(`${file} has ${stat.size} bytes, more than ${maxBytes}: it is not ${what}`);
    bytes = readFileSync(file);
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(`${file} cannot be read: ${whyOf(error)}`);
  }
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new UsageError(`${file} is not text in UTF-8, so it is not ${what}`);
  }
}

/**
 * Writes a whole file or none: beside it first, then in its place. What is there and no plain file (a pipe, `/dev/stdout`) is
 * written to as it is.
 *
 * @throws UsageError in one sentence
 */
export function writeWhole(file: string, text: string, mode = 0o644): void {
  const beside = `${file}.${process.pid}.tmp`;
  try {
    if (isSpecial(file)) {
      writeAll(file, "w", text, mode);
      return;
    }
    writeAll(beside, "wx", text, mode);
    renameSync(beside, file);
  } catch (error) {
    rmSync(beside, { force: true });
    throw new UsageError(`${file} cannot be written: ${whyOf(error)}`);
  }
}

function isSpecial(file: string): boolean {
  const stat = lstatSync(file, { throwIfNoEntry: false });
  return stat !== undefined && !stat.isFile();
}

function writeAll(file: string, flags: "w" | "wx", text: string, mode: number): void {
  const handle = openSync(file, flags, mode);
  try {
    const bytes = Buffer.from(text);
    for (let done = 0; done < bytes.length; ) done += writeSync(handle, bytes, done);
    if (flags === "wx") fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

/** To a file, or where none is named to standard output. */
export function writeOut(file: string | undefined, text: string): void {
  if (file === undefined) process.stdout.write(text);
  else writeWhole(file, text);
}
