// Holds network links up for the process that started it, and lets them down when that process ends or falls silent.
//
// A process of its own, since whoever is killed cannot tidy up: the kernel closes the pipe to its standard input, whatever the
// process died of. Arguments: how long silence is borne, in ms; then the links. Input: `+` hold, `-` let go. Output: `up`, `down`,
// or a sentence that begins with `error`.
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";

/** After raising, neighbours are told again so many ms later: one announcement may be lost. */
const ANNOUNCE_AGAIN_MS = [150, 600, 1500];

const [holdText = "", ...links] = process.argv.slice(2);
const holdMs = Number(holdText);
const env = { ...process.env, PATH: `${process.env["PATH"] ?? ""}:/usr/sbin:/sbin` };
let raised = false;
let renewedMs = 0;
let announcements: NodeJS.Timeout[] = [];

// The terminal's signals are for the process that is held for: it says when.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => undefined);
process.stdout.on("error", () => undefined);

// A holder that was killed itself has left them up.
for (const link of links) ip("link", "set", "dev", link, "down");

process.stdin.on("data", (chunk: Buffer) => {
  const last = chunk.at(-1);
  if (last === "+".charCodeAt(0)) {
    renewedMs = performance.now();
    if (!raised) raise();
  } else {
    lower();
  }
});
process.stdin.on("end", end);
process.stdin.on("error", end);
setInterval(
  () => {
    if (raised && performance.now() - renewedMs > holdMs) lower();
  },
  Math.max(10, holdMs / 10),
);

function raise(): void {
  raised = true;
  for (const link of links) {
    // The kernel announces a link's addresses when it comes up, if told to (Linux, Documentation/networking/ip-sysctl.rst, arp_notify).
    tell(link, "arp_notify", "1");
    const problem = ip("link", "set", "dev", link, "up");
    if (problem === undefined) continue;
    process.stdout.write(`error: link ${link} cannot be raised (${problem})\n`);
    return lower();
  }
  process.stdout.write("up\n");
  announcements = ANNOUNCE_AGAIN_MS.map((afterMs) => setTimeout(announce, afterMs));
}

/** Setting a link's address, even to the same, has the kernel announce it. */
function announce(): void {
  for (const link of raised ? links : []) {
    const shown = spawnSync("ip", ["-br", "link", "show", "dev", link], { env, encoding: "utf8" });
    const mac = shown.stdout?.split(/\s+/)[2];
    if (mac !== undefined) ip("link", "set", "dev", link, "address", mac);
  }
}

function lower(): void {
  if (!raised) return;
  raised = false;
  for (const timer of announcements) clearTimeout(timer);
  for (const link of links) ip("link", "set", "dev", link, "down");
  process.stdout.write("down\n");
}

function end(): void {
  lower();
  process.exit(0);
}

function ip(...args: readonly string[]): string | undefined {
  const done = spawnSync("ip", args, { env, encoding: "utf8", timeout: 2000 });
  if (done.status === 0) return undefined;
  return done.error?.message ?? done.stderr.trim();
}

function tell(link: string, setting: string, value: string): void {
  try {
    writeFileSync(`/proc/sys/net/ipv4/conf/${link}/${setting}`, value);
  } catch {
    // The link is not there, which raising it says; or it may not be set, and neighbours learn by themselves.
  }
}
