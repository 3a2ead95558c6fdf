import { spawn } from "node:child_process";
import { err, ok, type Result } from "#specs/result.ts";

/** Runs nft with these arguments and this input; what it printed, or in one sentence why not. */
export type Nft = (args: readonly string[], input?: string) => Promise<Result<string, string>>;

/** Debian keeps nft where an ordinary user's PATH does not look. */
const SYSTEM_FOLDERS = "/usr/sbin:/sbin";
const PATIENCE_MS = 10_000;
/** Largest answer that is read. A table of thousands of links is smaller. */
const MAX_OUTPUT_BYTES = 16 * 1024 * 1024;

/** @param command in front of nft's own arguments, for example `ip netns exec gateway nft` */
export function nftCommand(command: readonly [string, ...string[]] = ["nft"]): Nft {
  const [program, ...before] = command;
  return (args, input = "") =>
    new Promise((resolve) => {
      const child = spawn(program, [...before, ...args], {
        stdio: ["pipe", "pipe", "pipe"],
        env: { ...process.env, PATH: `${process.env["PATH"] ?? ""}:${SYSTEM_FOLDERS}`, LC_ALL: "C" },
        timeout: PATIENCE_MS,
        killSignal: "SIGKILL",
      });
      let stdout = "";
      let stderr = "";
      child.stdout.on("data", (chunk: Buffer) => {
        stdout += chunk.toString();
        if (stdout.length > MAX_OUTPUT_BYTES) child.kill("SIGKILL");
      });
      child.stderr.on("data", (chunk: Buffer) => {
        if (stderr.length < MAX_OUTPUT_BYTES) stderr += chunk.toString();
      });
      child.once("error", (error: NodeJS.ErrnoException) =>
        resolve(
          err(
            error.code === "ENOENT" ? `${program} is not installed` : `${program} cannot be started (${error.message})`,
          ),
        ),
      );
      child.once("close", (code, signal) => {
        if (code === 0) resolve(ok(stdout));
        else resolve(err(inOneSentence(stderr, signal)));
      });
      // Whoever ends before it has read everything says why by itself.
      child.stdin.on("error", () => undefined);
      child.stdin.end(input);
    });
}

function inOneSentence(stderr: string, signal: NodeJS.Signals | null): string {
  if (signal !== null) return `nft did not end within ${PATIENCE_MS / 1000} s`;
  if (/not permitted|you must be root/i.test(stderr))
    return "nft may not change packet filters here; run as root or with CAP_NET_ADMIN";
  const first = stderr.split("\n").find((line) => line.includes("Error:")) ?? stderr.split("\n")[0] ?? "";
  return first.replace(/^.*Error: /, "").trim() || "nft failed without a word";
}
