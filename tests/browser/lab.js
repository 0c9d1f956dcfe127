"use strict";

const { randomBytes } = require("node:crypto");
const fs = require("node:fs");
const path = require("node:path");
const { chromium } = require("playwright-core");
const { Home } = require("../npm/home");
const { freePorts } = require("../npm/ports");
const { alive, end, start } = require("../npm/processes");
const { until } = require("../npm/until");

const SETTINGS = {
  "apputils-extension/notification": { fetchNews: "false", checkForUpdates: false, doNotDisturbMode: true },
  // The pictures are to show notebooks.
  "application-extension/shell": { hiddenMode: "display" },
};

/** A JupyterLab of its own on the loopback, and a browser that is logged in. */
class Lab {
  static async start() {
    const lab = new Lab();
    try {
      lab.home = new Home();
      await lab.serve();
      await lab.openBrowser();
    } catch (error) {
      await lab.end();
      throw error;
    }
    return lab;
  }

  async serve() {
    for (const [name, settings] of Object.entries(SETTINGS)) {
      const file = path.join(this.home.env.JUPYTERLAB_SETTINGS_DIR, "@jupyterlab", `${name}.jupyterlab-settings`);
      fs.mkdirSync(path.dirname(file), { recursive: true });
      fs.writeFileSync(file, JSON.stringify(settings));
    }
    this.token = randomBytes(24).toString("hex");
    this.log = path.join(this.home.folder, "lab.log");
    const [port] = await freePorts(1);
    const args = ["-m", "jupyterlab", "--no-browser", "--ip=127.0.0.1", `--port=${port}`];
    // The app object in the page: its commands are those of the menus.
    args.push("--expose-app-in-browser", "--LabApp.extension_manager=readonly");
    if (process.getuid() === 0) args.push("--allow-root");
    this.server = start(path.join(process.env.FIRESTEEL_FRONT_ENDS, "bin/python"), args, {
      cwd: this.home.notebooks,
      env: { ...this.home.env, JUPYTER_TOKEN: this.token },
      log: this.log,
    });
    const info = path.join(this.home.env.JUPYTER_RUNTIME_DIR, `jpserver-${this.server.pid}.json`);
    // Another program may have taken the port meanwhile; the server then takes the next and says which.
    this.url = await until(() => this.running() && fs.existsSync(info) && read(info)?.url, 60, "JupyterLab serves");
  }

  running() {
    if (alive(this.server.pid)) return true;
    throw new Error(`JupyterLab ended:\n${fs.readFileSync(this.log, "utf8")}`);
  }

  async openBrowser() {
    const args = process.getuid() === 0 ? ["--no-sandbox"] : [];
    this.browser = await chromium.launch({ executablePath: process.env.FIRESTEEL_CHROMIUM, args });
    this.context = await this.browser.newContext({ viewport: { width: 1280, height: 1000 } });
    this.context.setDefaultTimeout(30_000);
    const page = await this.context.newPage();
    // Typed in as a person would: a token in an address would end in logs.
    await page.goto(`${this.url}login`);
    await page.locator("#password_input").fill(this.token);
    await page.locator("#login_submit").click();
    await page.waitForURL(/\/lab/);
    await page.close();
  }

  /** Writes a notebook of these cells. */
  write(name, ...cells) {
    const notebook = {
      cells: cells.map((source, i) => (
        { cell_type: "code", execution_count: null, id: `c${i}`, metadata: {}, outputs: [], source })),
      metadata: { kernelspec: { name: "firesteel", display_name: "Spark SQL", language: "sql" } },
      nbformat: 4,
      nbformat_minor: 5,
    };
    fs.writeFileSync(path.join(this.home.notebooks, name), JSON.stringify(notebook));
  }

  async end() {
    await this.browser?.close();
    // The server ends its kernels with it.
    if (this.server) await end(this.server.pid);
    await this.home?.end();
  }
}

function read(file) {
  try {
    return JSON.parse(fs.readFileSync(file, "utf8"));
  } catch {
    return null;
  }
}

module.exports = { Lab };
