import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Command } from "commander";
import { vi } from "vitest";
import { addKeysCommands } from "#cli/keys.ts";
import { AnswerNo } from "#cli/part.ts";
import { addSpecCommands } from "#cli/spec.ts";

const MAIN = fileURLToPath(new URL("../../cli/main.ts", import.meta.url));
/** Real ms after which a command is killed. */
const PATIENCE_MS = 30_000;

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the command in a process of its own. `hangUpAfter`: closes its standard output after so many bytes. */
export function run(args: readonly string[], options: { readonly hangUpAfter?: number } = {}): Promise<Ran> {
  return new Promise((resolve) => {
    const env = { ...process.env, NO_COLOR: "", FORCE_COLOR: "" };
    const child = spawn(process.execPath, [MAIN, ...args], { stdio: ["ignore", "pipe", "pipe"], env });
    let [stdout, stderr] = ["", ""];
    child.stdout.on("data", (chunk: Buffer) => {
      stdout += chunk.toString();
      if (options.hangUpAfter !== undefined && stdout.length >= options.hangUpAfter) child.stdout.destroy();
    });
    child.stderr.on("data", (chunk: Buffer) => {
      stderr += chunk.toString();
    });
    const timer = setTimeout(() => child.kill("SIGKILL"), PATIENCE_MS);
    child.once("close", (code) => {
      clearTimeout(timer);
      resolve({ code: code ?? -1, stdout, stderr });
    });
  });
}

/** Runs a command of `spec` or `keys` in this process, with the exit codes of `cli/main.ts`: much faster than a process of its own. */
export async function invoke(...args: readonly string[]): Promise<Ran> {
  const program = new Command("sekisho");
  addSpecCommands(program);
  addKeysCommands(program);
  const before = process.exitCode;
  process.exitCode = 0;
  const [out, err] = [captured(process.stdout), captured(process.stderr)];
  try {
    await program.parseAsync(args, { from: "user" });
    return { code: Number(process.exitCode), stdout: out.text(), stderr: err.text() };
  } catch (error) {
    const says = error instanceof Error ? error.message : String(error);
    const code = error instanceof AnswerNo ? 1 : 2;
    return { code, stdout: out.text(), stderr: `${err.text()}sekisho: ${says}\n` };
  } finally {
    out.end();
    err.end();
    process.exitCode = before;
  }
}

function captured(stream: NodeJS.WriteStream): { readonly text: () => string; readonly end: () => void } {
  let text = "";
  const spy = vi.spyOn(stream, "write").mockImplementation((chunk) => {
    text += chunk.toString();
    return true;
  });
  return { text: () => text, end: () => spy.mockRestore() };
}

/** A folder that is gone again after `remove`. */
export function folder(): {
  readonly path: string;
  readonly file: (name: string) => string;
  readonly remove: () => void;
} {
  const path = mkdtempSync(join(tmpdir(), "sekisho-cli-"));
  return { path, file: (name) => join(path, name), remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** Folder of a plant that the tests of the specification share. */
export function fixture(name: string): string {
  return fileURLToPath(new URL(`../lifecycle-specs/fixtures/${name}`, import.meta.url));
}
