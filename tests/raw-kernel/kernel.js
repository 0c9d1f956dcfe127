"use strict";

const { randomBytes } = require("node:crypto");
const fs = require("node:fs");
const path = require("node:path");
const { freePorts } = require("../npm/ports");
const { alive, end, signal, start } = require("../npm/processes");
const { until } = require("../npm/until");

/** A kernel that is started from its installed kernelspec, with nothing between it and its client. */
class Kernel {
  constructor(home) {
    this.home = home;
    const folder = path.join(home.env.JUPYTER_PATH, "kernels/firesteel");
    this.spec = JSON.parse(fs.readFileSync(path.join(folder, "kernel.json"), "utf8"));
    this.file = path.join(home.env.JUPYTER_RUNTIME_DIR, `kernel-${randomBytes(8).toString("hex")}.json`);
    this.log = `${this.file}.log`;
  }

  async start() {
    const [shell_port, control_port, stdin_port, iopub_port, hb_port] = await freePorts(5);
    this.connection = {
      transport: "tcp",
      ip: "127.0.0.1",
      shell_port,
      control_port,
      stdin_port,
      iopub_port,
      hb_port,
      key: randomBytes(32).toString("hex"),
      signature_scheme: "hmac-sha256",
      kernel_name: "firesteel",
    };
    fs.writeFileSync(this.file, JSON.stringify(this.connection), { mode: 0o600 });
    this.spawn();
    return this;
  }

  /** Starts the process, on the same ports when it is not the first. */
  spawn() {
    const [program, ...args] = this.spec.argv.map((part) => part.replace("{connection_file}", this.file));
    const env = { ...this.home.env, ...this.spec.env };
    this.process = start(program, args, { cwd: this.home.notebooks, env, log: this.log });
  }

  get pid() {
    return this.process.pid;
  }

  alive() {
    return alive(this.pid);
  }

  kill() {
    signal(this.pid, "SIGKILL");
  }

  async gone(seconds) {
    await until(() => !this.alive(), seconds, "the kernel has ended by itself");
  }

  async end() {
    if (this.process) await end(this.pid);
  }
}

module.exports = { Kernel };
