import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { chromium } from "playwright-core";

// The README's picture of a running operator page:
//   node scripts/screenshot.ts http://127.0.0.1:8080/ docs/operator-page.png [width height]

const CHROMIUM = "/usr/bin/chromium";
const DATA_MS = 30_000;
/** Long enough for the trend to be drawn after the first values. */
const SETTLE_MS = 1500;
const ARGS = [
  "--no-sandbox",
  "--headless",
  "--disable-gpu",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--no-first-run",
];

async function take(url: string, file: string, width: number, height: number): Promise<void> {
  const profile = mkdtempSync(join(tmpdir(), "sekisho-screenshot-"));
  try {
    const context = await chromium.launchPersistentContext(profile, {
      executablePath: CHROMIUM,
      args: ARGS,
      viewport: { width, height },
      colorScheme: "light",
    });
    try {
      const page = context.pages()[0] ?? (await context.newPage());
      await page.goto(url);
      await page.locator("#phase").waitFor({ timeout: DATA_MS });
      await page.locator("plant-schematic text.value.fresh").first().waitFor({ timeout: DATA_MS });
      await page.waitForTimeout(SETTLE_MS);
      await page.screenshot({ path: file });
    } finally {
      await context.close();
    }
  } finally {
    rmSync(profile, { recursive: true, force: true });
  }
}

const [url, file, width = "1600", height = "1000"] = process.argv.slice(2);
if (url === undefined || file === undefined) {
  console.error("usage: node scripts/screenshot.ts URL FILE [WIDTH HEIGHT]");
  process.exitCode = 2;
} else if (!existsSync(CHROMIUM)) {
  console.error(`no Chromium at ${CHROMIUM}; install the Debian package \`chromium\``);
  process.exitCode = 1;
} else {
  try {
    await take(url, file, Number(width), Number(height));
    console.log(`wrote ${file}`);
  } catch (error) {
    const why = error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error);
    console.error(`no picture of ${url} (${why}); is the page running, and does it show values?`);
    process.exitCode = 1;
  }
}
