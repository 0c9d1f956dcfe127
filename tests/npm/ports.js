"use strict";

const { randomInt } = require("node:crypto");
const net = require("node:net");

/**
 * Ports that nobody has, all different.
 *
 * Not those that the system chooses: it would choose the same again, for somebody else, before they are bound. The
 * system's own choices begin at 32768.
 */
async function freePorts(count) {
  const ports = new Set();
  while (ports.size < count) {
    const port = randomInt(15000, 32000);
    if (await isFree(port)) ports.add(port);
  }
  return [...ports];
}

function isFree(port) {
  return new Promise((answer) => {
    const server = net.createServer();
    server.on("error", () => answer(false));
    server.listen(port, "127.0.0.1", () => server.close(() => answer(true)));
  });
}

module.exports = { freePorts };
