"use strict";

const assert = require("node:assert/strict");
const fs = require("node:fs");
const path = require("node:path");
const { after, afterEach, before, test } = require("node:test");
const { contrast, contrasts } = require("./contrast");
const { Lab } = require("./lab");
const { Notebook } = require("./notebook");

const EXAMPLES = path.join(__dirname, "../../notebooks/examples");
// Runs for hours on any machine.
const ENDLESS = "SELECT count(*) FROM range(0, 100000000000000) WHERE id % 7 = 3";

let lab;
let open = [];

before(async () => {
  lab = await Lab.start();
});

after(async () => {
  await lab?.end();
});

afterEach(async (t) => {
  for (const notebook of open) {
    await notebook.picture(`last of ${t.name}`);
    await notebook.close();
  }
  open = [];
});

async function notebook(name, ...cells) {
  if (cells.length) lab.write(name, ...cells);
  open.push(await Notebook.open(lab, name));
  return open.at(-1);
}

test("the example notebook runs, and its tables are readable in both themes", async () => {
  lab.home.layOutFlights();
  fs.copyFileSync(path.join(EXAMPLES, "flights.ipynb"), path.join(lab.home.notebooks, "flights.ipynb"));
  const flights = await notebook("flights.ipynb");
  const cells = await flights.page.locator(".jp-Notebook .jp-CodeCell").count();
  await flights.runAll();
  for (let i = 0; i < cells; i += 1) await flights.ran(i, 180);

  const airlines = flights.output(3);
  assert.deepEqual(
    (await airlines.locator("thead th").allInnerTexts()).map((head) => head.split("\n")[0]),
    ["airline", "flights", "cancelled", "mean_delay", "median_delay", "percent_late"],
  );
  assert.equal(await airlines.locator("tbody tr").count(), 16);
  const united = airlines.locator("tbody tr", { hasText: "United Air Lines Inc." });
  assert.equal((await united.locator("td").nth(1).innerText()).trim(), "58665", "as it can be copied");
  await flights.shows(3, /16 rows/);

  for (const theme of ["JupyterLab Dark", "JupyterLab Light"]) {
    await flights.theme(theme);
    for (const i of [1, 2, 3, 4]) {
      const texts = await flights.output(i).evaluate(contrasts);
      assert.ok(texts.length > 10, "there is text to measure");
      const faint = texts.filter((text) => text.contrast < 4.5);
      assert.deepEqual(faint, [], `${theme}: too faint in cell ${i}`);
    }
    await airlines.scrollIntoViewIfNeeded();
    await flights.picture(`example in ${theme}`);
  }
});

test("a result says its limits, and a missing value is readable and not an empty text", async () => {
  const nb = await notebook(
    "limits.ipynb",
    "SELECT id, CAST(NULL AS STRING) AS nothing, '' AS empty FROM range(5000)",
  );
  await nb.run(0);
  await nb.ran(0);
  const foot = await nb.output(0).innerText();
  assert.match(foot, /1,000/);
  assert.match(foot, /%limit/);
  assert.equal(await nb.output(0).locator(".firesteel-foot code").innerText(), "%limit rows 10000");
  const [, nothing, empty] = await nb.output(0).locator("tbody tr").first().locator("td").allInnerTexts();
  assert.notEqual(nothing.trim(), empty.trim());
  for (const theme of ["JupyterLab Dark", "JupyterLab Light"]) {
    await nb.theme(theme);
    const faint = (await nb.output(0).evaluate(contrasts)).filter((text) => text.contrast < 4.5);
    assert.deepEqual(faint.slice(0, 3), [], `${theme}: too faint`);
  }
  // The header stays while the rows below it scroll.
  const stuck = await nb.output(0).evaluate((output) => {
    const [box, head] = [output.querySelector("table").parentElement, output.querySelector("th")];
    box.scrollTop = box.scrollHeight;
    return { scrolled: box.scrollTop, gap: head.getBoundingClientRect().top - box.getBoundingClientRect().top };
  });
  assert.ok(stuck.scrolled > 1000 && Math.abs(stuck.gap) < 4, JSON.stringify(stuck));
  await nb.picture("a long result, scrolled");
});

test("progress is shown while a statement runs; an interrupt ends it and the next cell runs", async () => {
  const nb = await notebook("interrupt.ipynb", ENDLESS, "SELECT 2 AS two");
  await nb.run(0);
  await nb.shows(0, /\d of \d+ tasks/);
  assert.equal(await nb.output(0).locator("progress").count(), 1);
  await nb.picture("progress");
  await nb.command("kernelmenu:interrupt");
  await nb.ran(0, 20);
  assert.match(await nb.output(0).innerText(), /interrupted/i);
  assert.equal(await nb.output(0).locator("progress").count(), 0, "no bar is left");
  await nb.picture("interrupted");
  await nb.run(1);
  await nb.ran(1);
  assert.equal(await nb.output(1).locator("tbody td").innerText(), "2");
});

test("a result takes the place of its progress, and what the cell showed before stays", async () => {
  const slow = "SELECT count(*) AS n FROM range(0, 2000000000, 1, 8) WHERE id % 7 = 3";
  const nb = await notebook("places.ipynb", slow, `SELECT 1 AS one;\n${slow}`);
  for (const [cell, results] of [[0, ["n"]], [1, ["one", "n"]]]) {
    await nb.run(cell);
    await nb.shows(cell, /\d of \d+ tasks/);
    await nb.ran(cell);
    assert.equal(await nb.output(cell).locator(".jp-OutputArea-child").count(), results.length);
    const heads = await nb.output(cell).locator("thead th").allInnerTexts();
    assert.deepEqual(heads.map((head) => head.split("\n")[0]), results);
    assert.equal(await nb.output(cell).locator("progress").count(), 0);
  }
});

test("an error shows the piece of the statement it is about, underlined", async () => {
  const nb = await notebook("error.ipynb", "SELECT 1 AS a;\nSELECT a, nosuch\nFROM VALUES (1), (2) AS t(a)");
  await nb.run(0);
  await nb.ran(0);
  const error = nb.output(0).locator('[data-mime-type="application/vnd.jupyter.error"], [data-mime-type="application/vnd.jupyter.stderr"]');
  const text = await error.innerText();
  assert.match(text, /UNRESOLVED_COLUMN/);
  assert.match(text, /statement 2 of 2/);
  // Where the marks are drawn, not where they are in the text: a font that is not monospaced would move them.
  const [piece, marks] = await error.evaluate((root) => {
    const all = root.textContent;
    const under = /\^{2,}/.exec(all);
    const line = all.slice(0, under.index).split("\n").at(-2);
    const from = all.lastIndexOf(line, under.index) + line.indexOf("nosuch");
    const box = (start, length) => {
      const range = document.createRange();
      const texts = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
      for (let passed = 0; texts.nextNode(); passed += texts.currentNode.length) {
        const node = texts.currentNode;
        const at = (offset) => offset >= passed && offset <= passed + node.length;
        if (at(start) && start < passed + node.length) range.setStart(node, start - passed);
        if (at(start + length)) range.setEnd(node, start + length - passed);
      }
      const { left, right, bottom } = range.getBoundingClientRect();
      return { left, right, bottom };
    };
    return [box(from, "nosuch".length), box(under.index, under[0].length)];
  });
  const places = JSON.stringify({ piece, marks });
  assert.ok(Math.abs(piece.left - marks.left) < 1 && Math.abs(piece.right - marks.right) < 1, places);
  assert.ok(marks.bottom > piece.bottom, places);
  for (const theme of ["JupyterLab Dark", "JupyterLab Light"]) {
    await nb.theme(theme);
    const texts = await error.evaluate(contrasts);
    assert.ok(texts.some((text) => text.text.includes("^^")), "the marks are measured");
    assert.deepEqual(texts.filter((text) => text.contrast < 4.5), [], `${theme}: too faint`);
    await nb.picture(`error in ${theme}`);
  }
});

test("Tab offers what could stand at the cursor", async () => {
  const nb = await notebook("completion.ipynb", "SELECT 1");
  await nb.cell(0).locator(".cm-content").click();
  await nb.page.keyboard.press("Control+A");
  await nb.page.keyboard.type("SELECT id FROM range(3) GRO");
  await nb.page.keyboard.press("Backspace");
  await nb.page.keyboard.press("Tab");
  const popup = nb.page.locator(".jp-Completer:not(.lm-mod-hidden)");
  await popup.locator(".jp-Completer-item", { hasText: /GROUP/ }).first().waitFor();
  await nb.picture("completion");
  await popup.locator(".jp-Completer-item", { hasText: /GROUP/ }).first().click();
  assert.match(await nb.cell(0).locator(".cm-content").innerText(), /^SELECT id FROM range\(3\) GROUP/);
});

test("a restart gives a new session", async () => {
  const nb = await notebook("restart.ipynb", "CREATE TEMPORARY VIEW kept AS SELECT 7 AS n", "SELECT n FROM kept");
  await nb.runAll();
  await nb.ran(1);
  assert.equal(await nb.output(1).locator("tbody td").innerText(), "7");
  await nb.restart();
  await nb.run(1);
  await nb.shows(1, /TABLE_OR_VIEW_NOT_FOUND/);
  assert.match(await nb.cell(1).locator(".jp-InputPrompt").innerText(), /\[1\]/);
});

test("a chart is drawn of the page's own shapes and text, and is readable in both themes", async () => {
  // What is drawn takes its colours from the theme in which it is.
  for (const theme of ["JupyterLab Dark", "JupyterLab Light"]) {
    const nb = await notebook(
      `chart in ${theme}.ipynb`,
      "SELECT concat('carrier ', id) AS carrier, id * 3 - 4 AS delay FROM range(12);\n\n%chart",
      "%chart hist x=delay",
    );
    await nb.theme(theme);
    await nb.runAll();
    await nb.ran(1);
    const chart = nb.output(0).locator("svg.marks");
    await chart.waitFor();
    await chart.scrollIntoViewIfNeeded();
    assert.equal(await chart.locator('[aria-roledescription="bar"]').count(), 12);
    const texts = await chart.locator("text").allTextContents();
    for (const words of ["delay by carrier", "delay", "carrier", "carrier 11"]) assert.ok(texts.includes(words), `${words} in ${texts}`);
    const colors = await chart.evaluate((svg) => {
      const fill = (element) => getComputedStyle(element).fill;
      let behind = svg;
      while (getComputedStyle(behind).backgroundColor === "rgba(0, 0, 0, 0)") behind = behind.parentElement;
      return {
        page: getComputedStyle(behind).backgroundColor,
        texts: [...svg.querySelectorAll("text")].map(fill),
        marks: [...svg.querySelectorAll('[aria-roledescription="bar"]')].map(fill),
      };
    });
    for (const text of colors.texts) assert.ok(contrast(text, colors.page) >= 4.5, `${theme}: text ${text} on ${colors.page}`);
    for (const mark of colors.marks) assert.ok(contrast(mark, colors.page) >= 3, `${theme}: a mark ${mark} on ${colors.page}`);
    await nb.output(1).locator("svg.marks").waitFor();
    await nb.picture(`chart in ${theme}`);
  }
});

test("a summary is readable in both themes; where it is not trusted, blocks of text are in the place of drawings", async () => {
  const nb = await notebook(
    "summary.ipynb",
    "CREATE TEMPORARY VIEW v AS SELECT id % 12 AS month, concat('<b>', id % 3) AS kind FROM range(1200)",
    "%describe v",
  );
  await nb.runAll();
  await nb.ran(1);
  await nb.shows(1, /1,200 rows, 2 columns/);
  const month = nb.output(1).locator("tbody tr", { hasText: "month" });
  assert.equal(await month.locator("svg path").count(), 1);
  assert.match(await nb.output(1).locator("tbody tr").nth(1).innerText(), /<b>0/);
  for (const theme of ["JupyterLab Dark", "JupyterLab Light"]) {
    await nb.theme(theme);
    const faint = (await nb.output(1).evaluate(contrasts)).filter((text) => text.contrast < 4.5);
    assert.deepEqual(faint, [], `${theme}: too faint`);
    await nb.picture(`summary in ${theme}`);
  }
  const output = await nb.page.evaluate(() => {
    const { cells } = window.jupyterapp.shell.currentWidget.content.model;
    const outputs = cells.get(1).outputs.toJSON();
    return outputs.findLast((output) => output.data?.["text/html"]?.includes("<svg"));
  });
  const file = path.join(lab.home.notebooks, "summary.ipynb");
  const document = JSON.parse(fs.readFileSync(file, "utf8"));
  // Nobody who is trusted has signed these.
  document.cells[1].outputs = [{ ...output, output_type: "display_data", metadata: {}, execution_count: undefined }];
  fs.writeFileSync(path.join(lab.home.notebooks, "strange.ipynb"), JSON.stringify(document));
  const strange = await notebook("strange.ipynb");
  await strange.shows(1, /1,200 rows, 2 columns/);
  assert.equal(await strange.output(1).locator("td svg").count(), 0);
  const bars = strange.output(1).locator("tbody tr", { hasText: "month" }).locator("td").nth(4);
  assert.match(await bars.innerText(), /^[▇█]{12}$/);
});
