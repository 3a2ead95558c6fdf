import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ModbusMaster } from "#sim/attacks/modbus-master.ts";
import { hasManyLoopbackAddresses } from "#sim/site/site.ts";
import { type Browser, hasChromium, openBrowser } from "../coordinator-ui/browser.ts";
import { freeInstanceFrom, type ProcessName, Site } from "../support/site.ts";

/** The operator page of a running plant, in a real browser. What a person must see, and how soon. */
const SEEN_WITHIN_MS = 2000;
const BACK_WITHIN_MS = 15_000;
/** `DOS201.SP` = 9 mg/L by Write Single Register (06): no phase allows it. */
const FORBIDDEN = Buffer.from("0600010384", "hex");

const possible = hasChromium() && (await hasManyLoopbackAddresses());

describe.skipIf(!possible)("the operator page of a running plant", () => {
  let site: Site;
  let browser: Browser;

  beforeAll(async () => {
    site = new Site({ instance: await freeInstanceFrom(36), args: ["--policy", "propose"] });
    await site.ready(60_000);
    browser = await openBrowser(1440, 900);
    await browser.page.goto(`http://${site.page.host}:${site.page.port}`);
  }, 90_000);

  afterAll(async () => {
    await browser?.close();
    await site?.discard();
  });

  const points = (label: string) => browser.page.locator("path-picture li.point").filter({ hasText: label });

  test("shows phase, step and all four points in force", async () => {
    await browser.page.locator("#phase").filter({ hasText: "Startup" }).waitFor({ timeout: 30_000 });
    await expect.poll(() => points("in force").count(), { timeout: 10_000 }).toBe(4);
    await expect
      .poll(() => browser.page.locator("plant-schematic text.value.fresh").count(), { timeout: 5000 })
      .toBeGreaterThan(5);
  });

  test("a forbidden write is listed as denied, and the stranger is placed on the path", async () => {
    const stranger = new ModbusMaster(site.plan.filter.plc1, { address: site.plan.rogue });
    expect((await stranger.request(1, FORBIDDEN)).says).toBe("exception 1");
    stranger.close();
    await browser.page.locator("verdict-list tr.denied").first().waitFor({ timeout: SEEN_WITHIN_MS });
    await browser.page.getByRole("img", { name: /unknown device/i }).waitFor({ timeout: SEEN_WITHIN_MS });
  });

  test.each([
    { process: "hmi-monitor", shows: "hmi-monitor" },
    { process: "switch-filter", shows: "switch-filter" },
    { process: "plc-guard", shows: "guard-plc-1" },
  ] as const)(
    "$process killed: the page shows it within 2 s, and that it is back",
    { timeout: 30_000 },
    async ({ process: name, shows }) => {
      kill(site, name);
      await points(shows).filter({ hasNotText: "in force" }).waitFor({ timeout: SEEN_WITHIN_MS });
      await points(shows).filter({ hasText: "in force" }).waitFor({ timeout: BACK_WITHIN_MS });
    },
  );

  test("the coordinator killed: the page says so within 2 s, shows every value as old, and comes back by itself", {
    timeout: 30_000,
  }, async () => {
    kill(site, "coordinator");
    await browser.page.getByRole("alert").waitFor({ timeout: SEEN_WITHIN_MS });
    await expect
      .poll(() => browser.page.locator("plant-schematic text.value.fresh").count(), { timeout: SEEN_WITHIN_MS })
      .toBe(0);
    await browser.page.getByRole("alert").waitFor({ state: "hidden", timeout: BACK_WITHIN_MS });
    await expect.poll(() => points("in force").count(), { timeout: BACK_WITHIN_MS }).toBe(4);
    await expect
      .poll(() => browser.page.locator("plant-schematic text.value.fresh").count(), { timeout: 5000 })
      .toBeGreaterThan(5);
  });

  test("a person's request goes through the dialog to the plant", { timeout: 30_000 }, async () => {
    const { page } = browser;
    await page.getByRole("button", { name: "Stop" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Your name").fill("Anna");
    await dialog.getByRole("button", { name: "Stop" }).click();
    await page
      .locator("#phase")
      .filter({ hasText: /Shutdown|Stopped/ })
      .waitFor({ timeout: 10_000 });
    expect((await site.state())?.history.some((h) => h.cause.includes("Anna"))).toBe(true);
    expect(browser.errors).toEqual([]);
  });
});

function kill(site: Site, name: ProcessName): void {
  process.kill(site.pid(name), "SIGKILL");
}
