"use strict";

// Takes the pictures of the README anew, into docs/. By hand, after `cargo build --workspace`:
//
//   FIRESTEEL=$PWD/target/debug/firesteel FIRESTEEL_FRONT_ENDS=$(tests/front-ends) FIRESTEEL_CHROMIUM=$(command -v chromium) \
//     NODE_PATH=$(tests/npm/modules) node tests/browser/shots.js

const path = require("node:path");
const { Lab } = require("./lab");
const { Notebook } = require("./notebook");

process.env.FIRESTEEL_SCREENSHOTS = path.join(__dirname, "../../docs");

const VIEWS = `CREATE TEMPORARY VIEW flights USING csv
OPTIONS (path '\${firesteel.here}/data/flights.csv', header true, inferSchema true, nullValue 'NA');
CREATE TEMPORARY VIEW airlines USING csv
OPTIONS (path '\${firesteel.here}/data/airlines.csv', header true)`;

const AIRLINES = `SELECT name AS airline, count(*) AS flights,
       round(avg(arr_delay), 1) AS mean_delay,
       round(100 * avg(CAST(arr_delay > 30 AS INT)), 1) AS percent_late
FROM flights JOIN airlines USING (carrier)
GROUP BY name HAVING flights > 20000
ORDER BY percent_late DESC;

%chart bar x=airline y=percent_late`;

const MISSPELT = `SELECT dest, round(avg(arr_dealy), 1) AS delay
FROM flights
WHERE origin = 'JFK'
GROUP BY dest`;

// Minutes of work in many small tasks.
const LONG = `SELECT f.origin, count(*) AS later_and_later
FROM (SELECT /*+ REPARTITION(64) */ * FROM flights) f
JOIN flights g ON f.dest = g.dest AND g.time_hour > f.time_hour AND g.arr_delay > f.arr_delay
GROUP BY f.origin`;

async function open(lab, name, theme, height, ...cells) {
  lab.write(name, VIEWS, ...cells);
  const notebook = await Notebook.open(lab, name);
  await notebook.page.setViewportSize({ width: 1120, height });
  await notebook.theme(theme);
  await notebook.run(0);
  await notebook.ran(0);
  return notebook;
}

async function take(notebook, name) {
  await notebook.cell(1).evaluate((cell) => cell.scrollIntoView());
  // No row is lit by the pointer.
  await notebook.page.mouse.move(0, 0);
  await notebook.picture(name);
}

async function light(lab) {
  const notebook = await open(lab, "flights.ipynb", "JupyterLab Light", 930, AIRLINES);
  await notebook.run(1);
  await notebook.ran(1);
  await notebook.output(1).locator("svg.marks").waitFor();
  await take(notebook, "lab-light");
  await notebook.close();
}

async function dark(lab) {
  const notebook = await open(lab, "delays.ipynb", "JupyterLab Dark", 480, MISSPELT, LONG);
  await notebook.run(1);
  await notebook.ran(1);
  await notebook.run(2);
  await notebook.shows(2, /[12]\d of \d+ tasks/, 300);
  await take(notebook, "lab-dark");
  await notebook.close();
}

async function shots() {
  const lab = await Lab.start();
  try {
    lab.home.layOutFlights();
    await light(lab);
    await dark(lab);
  } finally {
    await lab.end();
  }
}

shots();
