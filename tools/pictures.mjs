// Takes the pictures of the Odoo side: signs in like a person, opens each view, waits until it has drawn itself.
//
//   node pictures.mjs URL FOLDER [NAME...]     only the named pictures, if there are any
//
// tools/pictures calls it; CHROMIUM names the browser and PLAYWRIGHT the folder of playwright-core.
import { createRequire } from "node:module";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const require = createRequire(join(process.env.PLAYWRIGHT ?? process.cwd(), "package.json"));
const { chromium } = require("playwright-core");

const [url, folder, ...wanted] = process.argv.slice(2);
const QUIET = [
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--no-default-browser-check",
    "--force-color-profile=srgb",
];

const scene = (path, ...steps) => ({ path, steps });
const click = (selector) => (page) => page.locator(selector).first().click();
const tab = (name) => (page) => page.getByRole("tab", { name, exact: true }).click();
const button = (name) => (page) => page.getByRole("button", { name, exact: true }).first().click();
const switchTo = (view) => click(`.o_switch_view.o_${view}`);
const caseOf = (text) => [switchTo("list"), (page) => page.getByRole("cell", { name: text }).first().click()];
const wait = (ms) => (page) => page.waitForTimeout(ms);
const scroll = (selector) => (page) => page.locator(selector).first().scrollIntoViewIfNeeded();

const SCENES = {
    board: scene("/odoo/exceptions"),
    list: scene("/odoo/exceptions", switchTo("list")),
    form: scene("/odoo/exceptions", ...caseOf("EXC/2026/00013")),
    photos: scene("/odoo/exceptions", ...caseOf("EXC/2026/00013"), tab("Evidence"), scroll(".o_notebook .o_kanban_renderer"), wait(500)),
    timeline: scene("/odoo/exceptions", ...caseOf("EXC/2026/00013"), tab("Timeline"), scroll(".o_exception_timeline")),
    approvals: scene("/odoo/my-exception-approvals"),
    decide: scene("/odoo/my-exception-approvals", click("thead .o_list_record_selector input"), button("Approve")),
    propose: scene("/odoo/exceptions", ...caseOf("EXC/2026/00015"), button("Propose")),
    report: scene("/odoo/exceptions", (page) => page.getByRole("button", { name: "Cases", exact: true }).click(), (page) => page.getByRole("menuitem", { name: "Report an exception" }).click()),
    policies: scene("/odoo/exception-policies"),
    policy: scene("/odoo/exception-policies", (page) => page.getByRole("cell", { name: "Damaged" }).first().click()),
    floor: scene("/odoo/exception-floor"),
    calendar: scene("/odoo/exceptions", switchTo("calendar")),
    analysis: scene("/odoo/exception-analysis"),
    graph: scene("/odoo/exception-analysis", switchTo("graph"), wait(1500)), // its bars grow
    turnaround: scene("/odoo/exception-approval-analysis"),
    pareto: scene("/odoo/exception-pareto"),
    baseline: scene("/odoo/exception-baselines", (page) => page.getByRole("cell", { name: "Before the handhelds" }).click()),
    settings: scene("/odoo/settings", wait(1000), click(".settings_tab [data-key='warehouse_exception'], .settings_tab .tab[data-key='warehouse_exception']")),
    devices: scene("/odoo/exception-devices"),
    dashboard: scene("/odoo/dashboards", wait(1500), (page) => page.getByText("Warehouse exceptions").first().click(), wait(4000)),
};

async function signIn(page) {
    await page.goto(`${url}/web/login`);
    await page.fill("input[name=login]", "admin");
    await page.fill("input[name=password]", "admin");
    await page.click("button[type=submit]");
    await page.waitForSelector(".o_main_navbar", { timeout: 180_000 }); // the first one makes the assets
}

async function settle(page) {
    // Odoo's own channel never falls silent, so "network idle" is no sign.
    await page.waitForTimeout(700);
    await page.waitForFunction(
        () =>
            !document.querySelector(".o_blockUI, .o_loading_indicator, .o_view_sample_data") &&
            [...document.images].every((image) => image.complete || image.loading === "lazy"),
    );
    await page.waitForTimeout(200);
    await page.evaluate(() => document.activeElement?.blur());
    await page.mouse.move(1399, 899);
}

async function take(page, name, { path, steps }) {
    await page.goto(url + path, { waitUntil: "domcontentloaded" });
    await page.waitForSelector(".o_action_manager > *");
    await settle(page);
    for (const step of steps) {
        await step(page);
        await settle(page);
    }
    await page.screenshot({ path: join(folder, `odoo-${name}.png`) });
    console.log(`odoo-${name}.png`);
}

const profile = mkdtempSync(join(tmpdir(), "pictures-"));
const browser = await chromium.launchPersistentContext(profile, {
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    headless: true,
    args: QUIET,
    viewport: { width: 1400, height: 900 },
    timezoneId: "UTC",
});
let failed = 0;
try {
    const page = browser.pages()[0] ?? (await browser.newPage());
    page.setDefaultTimeout(20_000);
    page.on("pageerror", (error) => console.error(`page: ${error}`));
    await signIn(page);
    for (const [name, what] of Object.entries(SCENES)) {
        if (wanted.length && !wanted.includes(name)) continue;
        try {
            await take(page, name, what);
        } catch (error) {
            failed += 1;
            console.error(`${name}: ${error.message.split("\n")[0]}`);
            await page.screenshot({ path: join(tmpdir(), `failed-${name}.png`) });
        }
    }
} finally {
    await browser.close();
    rmSync(profile, { recursive: true, force: true });
}
process.exitCode = failed ? 1 : 0;
