// The Debian packages that some suites use as independent witnesses (other people's Modbus masters, packet dissectors,
// a browser). Where they cannot be installed, those suites skip themselves and say so.
import { spawnSync } from "node:child_process";
import process from "node:process";

/** Packages by name; `test/support/tools.ts` knows what each brings. */
export const DEBIAN_PACKAGES = [
  "chromium",
  "iproute2",
  "libmodbus-dev",
  "mbpoll",
  "nftables",
  "procps",
  "python3-pymodbus",
  "python3-scapy",
  "tcpdump",
  "tshark",
];

/**
 * @param {readonly string[]} wanted
 * @param {string} listing output of `dpkg-query -W -f '${Package} ${db:Status-Status}\n'`
 * @returns {readonly string[]} the wanted packages that are not installed
 */
export function missingPackages(wanted, listing) {
  const installed = new Set(
    listing
      .split("\n")
      .filter((line) => line.endsWith(" installed"))
      .map((line) => line.split(" ")[0]),
  );
  return wanted.filter((name) => !installed.has(name));
}

/** @returns {readonly string[] | undefined} nothing where there is no dpkg */
function missingHere() {
  // dpkg-query exits with 1 when it does not know one of the names; what it prints of the others still counts.
  // biome-ignore lint/suspicious/noTemplateCurlyInString: these are dpkg-query's own fields
  const format = "${Package} ${db:Status-Status}\\n";
  const result = spawnSync("dpkg-query", ["-W", "-f", format, ...DEBIAN_PACKAGES], { encoding: "utf8" });
  return result.error === undefined ? missingPackages(DEBIAN_PACKAGES, result.stdout) : undefined;
}

/**
 * @param {readonly string[]} args
 * @returns {boolean} whether apt-get succeeded
 */
function aptGet(args) {
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  return spawnSync("apt-get", ["-qq", ...args], { env, stdio: ["ignore", "ignore", 2] }).status === 0;
}

/** Installs what is missing when it may; otherwise names it in one line. Never fails the run. */
export function installDebianPackages() {
  const missing = missingHere();
  if (missing === undefined) {
    process.stdout.write(`tests: not a Debian system; suites that need ${DEBIAN_PACKAGES.join(", ")} may be skipped\n`);
    return;
  }
  if (missing.length === 0) return;
  if (process.getuid?.() === 0) {
    process.stdout.write(`tests: installing Debian packages: ${missing.join(", ")}\n`);
    const install = ["install", "-y", "--no-install-recommends", ...missing];
    if (aptGet(install) || (aptGet(["update"]) && aptGet(install))) return;
  }
  const left = missingHere() ?? missing;
  if (left.length === 0) return;
  const remedy = `apt-get install ${left.join(" ")}`;
  process.stdout.write(`tests: suites that need these Debian packages are skipped (as root: ${remedy})\n`);
}
