// Remembers that what npm recorded as installed was found to be what the lock file asks for.
import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** What npm is asked for, and what it recorded as installed. */
const RECORDS = ["package-lock.json", "node_modules/.package-lock.json"];
/** Which records were found to agree: to read them takes longer than some commands. It goes when the dependencies go. */
const AGREED = "node_modules/.cache/sekisho/agreed";

/**
 * What tells a file from itself after a change: the system sets the time of the last change, and nobody can set it back.
 * @param {string} root
 * @returns {string} empty when a record is missing
 */
export function stateOfRecords(root) {
  try {
    const states = RECORDS.map((path) => statSync(join(root, path), { bigint: true }));
    return states.map(({ ino, size, ctimeNs }) => `${ino} ${size} ${ctimeNs}`).join("\n");
  } catch {
    return "";
  }
}

/**
 * @param {string} root
 * @param {string} state
 */
export function haveAgreed(root, state) {
  try {
    return state !== "" && readFileSync(join(root, AGREED), "utf8") === state;
  } catch {
    return false;
  }
}

/**
 * @param {string} root
 * @param {string} state
 */
export function rememberAgreed(root, state) {
  try {
    mkdirSync(dirname(join(root, AGREED)), { recursive: true });
    writeFileSync(join(root, AGREED), state);
  } catch {
    // Where it cannot be kept they are read each time.
  }
}
