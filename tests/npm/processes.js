"use strict";

const { spawn } = require("node:child_process");
const fs = require("node:fs");
const { until } = require("./until");

/** Whether a process runs; one that ended and was not yet waited for does not. */
function alive(pid) {
  try {
    const state = fs.readFileSync(`/proc/${pid}/stat`, "utf8");
    return !state.slice(state.lastIndexOf(")") + 2).startsWith("Z");
  } catch {
    return false;
  }
}

function signal(pid, name) {
  try {
    process.kill(pid, name);
  } catch (error) {
    if (error.code !== "ESRCH") throw error;
  }
}

const running = new Set();

// A test runner that is itself ended has no time for more.
process.on("exit", () => running.forEach((pid) => signal(pid, "SIGKILL")));
for (const name of ["SIGINT", "SIGTERM"]) process.on(name, () => process.exit(1));

/** Starts a program whose output goes to the file `log`; it ends with the tests, whatever becomes of them. */
function start(program, args, { log, ...options }) {
  const out = fs.openSync(log, "a");
  const child = spawn(program, args, { stdio: ["ignore", out, out], ...options });
  fs.closeSync(out);
  running.add(child.pid);
  child.on("exit", () => running.delete(child.pid));
  return child;
}

/** Asks a process to end, and after a while makes it. */
async function end(pid, seconds = 20) {
  signal(pid, "SIGTERM");
  try {
    await until(() => !alive(pid), seconds, `process ${pid} ends`);
  } catch {
    signal(pid, "SIGKILL");
    await until(() => !alive(pid), 10, `process ${pid} is gone`);
  }
}

module.exports = { alive, end, signal, start };
