import { mkdirSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Browser, hasChromium, openBrowser } from "./browser.ts";
import { type PageServer, servePage } from "./page-server.ts";
import { ATTACK, CONTAINED, SNAPSHOT } from "./recorded-session.ts";

const PICTURES = join(tmpdir(), "sekisho-page");
const FIRST_LOAD_LIMIT_BYTES = 150 * 1024;
const WAIT = { timeout: 8000 };

describe.skipIf(!hasChromium())("the operator page in Chromium", () => {
  let server: PageServer;
  let browser: Browser;

  beforeAll(async () => {
    mkdirSync(PICTURES, { recursive: true });
    server = await servePage(SNAPSHOT);
    browser = await openBrowser(1440, 900);
    await browser.page.goto(server.url);
  }, 60_000);

  afterAll(async () => {
    await browser?.close();
    await server?.close();
  });

  test("is small enough to load over a slow line", () => {
    const sizes = server.files.map((f) => gzipSync(f.body).length);
    const sum = sizes.reduce((a, b) => a + b, 0);
    console.log(`first load of the operator page: ${(sum / 1024).toFixed(1)} KB gzip`);
    expect(sum).toBeLessThanOrEqual(FIRST_LOAD_LIMIT_BYTES);
  });

  test("shows phase and step", async () => {
    await browser.page.locator("#phase").waitFor(WAIT);
    expect(await browser.page.locator("#phase").textContent()).toBe("Normal");
    expect(await browser.page.locator("#step").textContent()).toBe("Produce");
    expect(await browser.page.getByRole("button", { name: "Approve containment" }).count()).toBe(0);
  });

  test("shows a detection, reads it aloud, places it, and offers the containment", async () => {
    const { page } = browser;
    server.play(ATTACK);
    await page.getByRole("button", { name: "Approve containment" }).waitFor(WAIT);
    expect(await page.locator("detection-list summary").textContent()).toContain("asked for a dose of 8.2 mg/L");
    expect(await page.locator("detection-list [aria-live]").textContent()).toMatch(
      /^New alarm: The operator station asked/,
    );
    expect(await page.getByRole("img", { name: /the attack sits at the operator station/ }).count()).toBe(1);
    expect(await page.locator("verdict-list tr.denied").count()).toBe(2);
    const picture = join(PICTURES, "detection.png");
    await page.screenshot({ path: picture });
    expect(statSync(picture).size).toBeGreaterThan(20_000);
  });

  test("asks whose decision it is before it sends an approval", async () => {
    const { page } = browser;
    await page.getByRole("button", { name: "Approve containment" }).click();
    const dialog = page.getByRole("dialog", { name: "Approve containment?" });
    await dialog.getByLabel("Your name").fill("Anna");
    await dialog.getByRole("button", { name: "Approve containment" }).click();
    await page.getByText("The plant is now in degraded").waitFor(WAIT);
    expect(server.asked.map((a) => [a.path, JSON.parse(a.body)])).toEqual([
      ["/api/containment", { proposal: "p-1", approve: true, person: "Anna", role: "operator" }],
    ]);
  });

  test("says what is limited and what the way back still lacks", async () => {
    const { page } = browser;
    server.play(CONTAINED);
    await page.locator("#inner-phase").waitFor(WAIT);
    expect(await page.locator("#inner-phase").textContent()).toBe("HMI quarantined");
    expect(await page.getByRole("button", { name: "Return to normal" }).isDisabled()).toBe(true);
    expect(await page.locator("containment-panel .limited").textContent()).toContain("No new detection for 5 s");
  });

  test("denies only: the filter leaves the denied rows", async () => {
    const { page } = browser;
    await page.getByRole("button", { name: "Denied only" }).click();
    expect(await page.locator("verdict-list tbody tr").count()).toBe(2);
  });

  test("names the loss of the coordinator and shows every value as old", async () => {
    const { page } = browser;
    server.lose();
    await page.getByRole("alert").getByText("The connection to the coordinator was lost").waitFor(WAIT);
    expect(await page.locator("plant-schematic text.value.fresh").count()).toBe(0);
    expect(await page.locator("plant-schematic text.value.stale").count()).toBeGreaterThan(5);
    expect(await page.getByRole("button", { name: "Stop" }).isDisabled()).toBe(true);
    await page.screenshot({ path: join(PICTURES, "coordinator-lost.png") });
    expect(browser.errors).toEqual([]);
  });
});
