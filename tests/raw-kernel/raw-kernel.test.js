"use strict";

// As VS Code does it: a client that starts the kernel and talks to its sockets, with no Jupyter server between them.

const assert = require("node:assert/strict");
const { after, afterEach, before, test } = require("node:test");
const { Home } = require("../npm/home");
const { until } = require("../npm/until");
const { Client, text } = require("./client");
const { Kernel } = require("./kernel");

// Runs for hours on any machine.
const ENDLESS = "SELECT count(*) FROM range(0, 100000000000000) WHERE id % 7 = 3";

let home;
const kernels = [];
const clients = [];

before(() => {
  home = new Home();
});

afterEach(async () => {
  for (const client of clients.splice(0)) await client.close();
  for (const kernel of kernels.splice(0)) await kernel.end();
});

after(() => home?.end());

function connect(kernel) {
  clients.push(new Client(kernel.connection));
  return clients.at(-1);
}

async function start() {
  const kernel = new Kernel(home);
  kernels.push(kernel);
  await kernel.start();
  const client = connect(kernel);
  const info = await client.ask("shell", "kernel_info_request", {}, 30);
  assert.equal(info.type, "kernel_info_reply");
  assert.equal(info.content.status, "ok");
  return { kernel, client };
}

/** What a cell began and ended with. */
function states({ published }) {
  return [published[0], published.at(-1)].map((message) => message.content.execution_state);
}

function running() {
  return home.drivers().reduce((sum, driver) => sum + driver.running, 0);
}

test("SQL runs, with a reply and a table", async () => {
  const { client } = await start();
  const done = await client.run("SELECT 1 + 1 AS two");
  assert.equal(done.status, "ok");
  const kinds = done.published.map((message) => message.type.replace("update_", ""));
  // Where the start showed progress, the result takes its place.
  const other = new Set(kinds.filter((kind) => kind !== "clear_output"));
  assert.deepEqual([...other], ["status", "execute_input", "display_data"]);
  assert.deepEqual(states(done), ["busy", "idle"]);
  // The last of what was shown in one place: before it, how the driver started.
  const result = done.published.findLast((message) => message.content.data);
  assert.match(result.content.data["text/html"], /<table/);
  assert.match(text([result]), /two\s+int\s+─+\s+2\s/);
});

for (const channel of ["control", "shell"]) {
  test(`an interrupt on ${channel} ends a statement, and the next one runs`, async () => {
    const { client } = await start();
    await client.run("CREATE TEMPORARY VIEW kept AS SELECT 7 AS n");
    const id = await client.execute(ENDLESS);
    await client.shown(id, "task");
    // On shell as VS Code sent it for years: it must not wait for the statement that it is to end.
    const reply = await client.ask(channel, "interrupt_request", {}, 10);
    assert.equal(reply.type, "interrupt_reply");
    const done = await client.done(id, 10);
    assert.equal(done.status, "error");
    assert.equal(done.reply.ename, "KeyboardInterrupt");
    assert.match(text((await client.run("SELECT n FROM kept")).published), /7/);
  });
}

test("a kernel that is busy restarts: the statement ends with it and its successor serves on the same ports", async () => {
  const { kernel, client } = await start();
  await client.run("CREATE TEMPORARY VIEW kept AS SELECT 7 AS n");
  const [driver] = home.drivers();
  await client.shown(await client.execute(ENDLESS), "task");
  await until(() => running() > 0, 10, "the statement runs in the driver");
  const reply = await client.ask("control", "shutdown_request", { restart: true }, 10);
  assert.equal(reply.type, "shutdown_reply");
  assert.equal(reply.content.restart, true);
  await kernel.gone(10);
  kernel.spawn();
  const successor = connect(kernel);
  await successor.ask("shell", "kernel_info_request", {}, 30);
  const done = await successor.run("SELECT n FROM kept", 30);
  assert.match(done.reply.ename, /^TABLE_OR_VIEW_NOT_FOUND/);
  const [same] = home.drivers();
  assert.equal(same.pid, driver.pid);
  await until(() => running() === 0, 10, "the statement of the old kernel no longer runs");
  // It would wait for the cores of one that still does.
  assert.equal((await successor.run("SELECT count(*) FROM range(1000)", 30)).status, "ok");
});

test("a client that reads nothing for a while loses nothing", async () => {
  const { client } = await start();
  const statements = 3000;
  const wake = client.iopub.sleep();
  const id = await client.execute(Array.from({ length: statements }, () => "%help").join("\n"));
  const reply = await client.reply("shell", id, 60);
  assert.equal(reply.content.status, "ok");
  wake();
  const { published } = await client.done(id, 30);
  const answers = published.filter((message) => message.content.data && text([message]).includes("%limit"));
  assert.equal(answers.length, statements);
  assert.deepEqual(states({ published }), ["busy", "idle"]);
});

test("a client that connects again while a statement runs gets its reply and its end", async () => {
  const { client } = await start();
  const id = await client.execute(ENDLESS);
  await client.shown(id, "task");
  await client.reconnect();
  // Its subscription has arrived once something is shown to it.
  await client.shown(id, "task");
  await client.ask("control", "interrupt_request", {}, 10);
  const done = await client.done(id, 10);
  assert.equal(done.reply.ename, "KeyboardInterrupt");
  assert.match(text((await client.run("SELECT 3 AS three")).published), /three/);
});
