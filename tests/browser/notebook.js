"use strict";

const path = require("node:path");
const { within } = require("../npm/until");

/** One notebook, open in JupyterLab, and what its page shows. */
class Notebook {
  static async open(lab, name) {
    const notebook = new Notebook();
    notebook.page = await lab.context.newPage();
    // A workspace of its own: else the page opens what the last one had open.
    const workspace = name.replace(/\W/g, "-");
    await notebook.page.goto(`${lab.url}lab/workspaces/${workspace}/tree/${name}`);
    await notebook.cell(0).waitFor();
    const { page } = notebook;
    // Asked to run anything before it has one, JupyterLab asks in turn which kernel to take.
    await page.waitForFunction(
      () => window.jupyterapp.shell.currentWidget?.sessionContext?.session?.kernel?.status === "idle",
      null,
      { timeout: 60_000 },
    );
    if (await page.locator(".jp-SideBar .lm-mod-current").count()) await notebook.command("application:toggle-left-area");
    return notebook;
  }

  /** A code cell, by its place among the code cells. */
  cell(index) {
    return this.page.locator(".jp-Notebook .jp-CodeCell").nth(index);
  }

  output(index) {
    return this.cell(index).locator(".jp-Cell-outputArea");
  }

  /** What a menu's entry does. */
  async command(id, args = {}) {
    // Not awaited: some are done only when a dialog is answered.
    await this.page.evaluate(([id, args]) => void window.jupyterapp.commands.execute(id, args), [id, args]);
  }

  async runAll() {
    await this.command("runmenu:run-all");
  }

  /** Runs one cell as a person does. */
  async run(index) {
    await this.cell(index).locator(".cm-content").click();
    await this.page.keyboard.press("Control+Enter");
  }

  /** Waits until a cell has run: its prompt is a number. */
  async ran(index, seconds = 90) {
    const prompt = this.cell(index).locator(".jp-InputPrompt");
    await prompt.filter({ hasText: /\[\d+\]/ }).waitFor({ timeout: seconds * 1000 });
  }

  /** Waits until a cell's output shows this. */
  async shows(index, words, seconds = 90) {
    await this.output(index).filter({ hasText: words }).waitFor({ timeout: seconds * 1000 });
  }

  async restart() {
    // Done when the new kernel is there, which comes after the answer to the dialog.
    const restarted = this.page.evaluate(() => window.jupyterapp.commands.execute("kernelmenu:restart"));
    await this.page.locator(".jp-Dialog button.jp-mod-accept").click();
    await within(60, "the kernel has restarted", restarted);
  }

  async theme(name) {
    await this.command("apputils:change-theme", { theme: name });
    await this.page.locator(`body[data-jp-theme-name="${name}"]`).waitFor({ state: "attached" });
    await this.page.locator("#jupyterlab-splash").waitFor({ state: "detached" });
  }

  /** Closes the page and ends its kernel, which else would go on with what it runs. */
  async close() {
    const ended = this.page.evaluate(() => window.jupyterapp.shell.currentWidget?.sessionContext.shutdown());
    await within(30, "the kernel is shut down", ended);
    await this.page.close();
  }

  async picture(name) {
    await this.page.screenshot({ path: path.join(process.env.FIRESTEEL_SCREENSHOTS, `${name}.png`) });
  }
}

module.exports = { Notebook };
