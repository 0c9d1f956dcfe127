"use strict";

const { createHmac, randomUUID, timingSafeEqual } = require("node:crypto");

const DELIMITER = "<IDS|MSG>";

/** Signs and reads Jupyter's messages. */
class Messages {
  constructor(key) {
    this.key = key;
    this.session = randomUUID();
  }

  sign(frames) {
    const hmac = createHmac("sha256", this.key);
    for (const frame of frames) hmac.update(frame);
    return hmac.digest("hex");
  }

  make(type, content) {
    const header = {
      msg_id: randomUUID(),
      session: this.session,
      username: "tester",
      date: new Date().toISOString(),
      msg_type: type,
      version: "5.3",
    };
    const frames = [header, {}, {}, content].map((part) => Buffer.from(JSON.stringify(part)));
    return { id: header.msg_id, frames: [DELIMITER, this.sign(frames), ...frames] };
  }

  read(frames) {
    const at = frames.findIndex((frame) => frame.toString() === DELIMITER);
    const [signature, ...parts] = frames.slice(at + 1);
    if (!timingSafeEqual(Buffer.from(this.sign(parts.slice(0, 4))), signature)) {
      throw new Error("a message of the kernel is signed wrongly");
    }
    const [header, parent, , content] = parts.map((part) => JSON.parse(part));
    return { type: header.msg_type, parent: parent.msg_id, content };
  }
}

module.exports = { Messages };
