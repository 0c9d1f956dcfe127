"use strict";

const { randomUUID } = require("node:crypto");
const { Dealer, Subscriber } = require("zeromq");
const { within } = require("../npm/until");
const { Messages } = require("./messages");

/** A socket whose messages are collected, unless its owner sleeps. */
class Channel {
  constructor(socket, address, messages) {
    this.socket = socket;
    this.messages = messages;
    this.came = [];
    this.waiting = new Set();
    this.awake = Promise.resolve();
    socket.linger = 0;
    socket.connect(address);
    this.reading = this.read();
  }

  async read() {
    for (;;) {
      await this.awake;
      let frames;
      try {
        frames = await this.socket.receive();
      } catch {
        // It was closed.
        return;
      }
      this.came.push(this.messages.read(frames));
      for (const look of this.waiting) look();
    }
  }

  /** The first message that `wanted` accepts, of what came and what comes. */
  async find(wanted, seconds, what) {
    let look;
    const found = new Promise((give) => {
      look = () => {
        const message = this.came.find(wanted);
        if (message) give(message);
      };
      this.waiting.add(look);
      look();
    });
    try {
      return await within(seconds, what, found);
    } finally {
      this.waiting.delete(look);
    }
  }

  /** Reads nothing more until the function that it gives is called. */
  sleep() {
    let wake;
    this.awake = new Promise((called) => { wake = called; });
    return wake;
  }

  async close() {
    this.socket.close();
    await this.reading;
  }
}

/** A front end that talks to a kernel's sockets itself. */
class Client {
  constructor(connection) {
    this.connection = connection;
    this.messages = new Messages(connection.key);
    // The same on every connection: it tells the kernel's sockets whose replies are whose.
    this.identity = randomUUID();
    this.connect();
  }

  connect() {
    const { connection, identity } = this;
    const address = (name) => `tcp://${connection.ip}:${connection[`${name}_port`]}`;
    const dealer = (name) => new Channel(new Dealer({ routingId: identity }), address(name), this.messages);
    this.shell = dealer("shell");
    this.control = dealer("control");
    this.stdin = dealer("stdin");
    // As little as can be waits in the socket: what a sleeper does not read waits in the kernel.
    const iopub = new Subscriber({ receiveHighWaterMark: 1, receiveBufferSize: 16 << 10 });
    iopub.subscribe();
    this.iopub = new Channel(iopub, address("iopub"), this.messages);
  }

  async close() {
    await Promise.all([this.shell, this.control, this.stdin, this.iopub].map((channel) => channel.close()));
  }

  async reconnect() {
    await this.close();
    this.connect();
  }

  async send(channel, type, content = {}) {
    const { id, frames } = this.messages.make(type, content);
    await within(10, `${type} is sent`, this[channel].socket.send(frames));
    return id;
  }

  reply(channel, id, seconds = 90) {
    return this[channel].find((message) => message.parent === id, seconds, `a reply on ${channel}`);
  }

  async ask(channel, type, content, seconds) {
    return this.reply(channel, await this.send(channel, type, content), seconds);
  }

  execute(code) {
    return this.send("shell", "execute_request", {
      code, silent: false, store_history: true, user_expressions: {}, allow_stdin: false, stop_on_error: true,
    });
  }

  /** Waits until a request has run: its reply, and what was published for it. */
  async done(id, seconds = 90) {
    const reply = await this.reply("shell", id, seconds);
    const idle = (message) => message.parent === id && message.content.execution_state === "idle";
    await this.iopub.find(idle, seconds, "idle");
    const published = this.iopub.came.filter((message) => message.parent === id);
    return { status: reply.content.status, reply: reply.content, published };
  }

  async run(code, seconds) {
    return this.done(await this.execute(code), seconds);
  }

  /** Waits until a running cell shows this. */
  shown(id, words, seconds = 60) {
    const shows = (message) => message.parent === id && JSON.stringify(message.content).includes(words);
    return this.iopub.find(shows, seconds, `\`${words}\` is shown`);
  }
}

/** What messages show, as plain text. */
function text(published) {
  return published.map(({ content }) => content.data?.["text/plain"] ?? content.text ?? content.traceback?.join("\n") ?? "").join("\n");
}

module.exports = { Client, text };
