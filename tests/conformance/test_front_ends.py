"""The front ends that run a notebook or a prompt without a page: how their runs end, and what they leave."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from client import drivers, until
from test_main_job import ENDLESS, EXAMPLES, write_notebook

# Line feeds and tabs are text; any other of these drives a terminal.
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
COLOUR = re.compile(r"\x1b\[[\d;]*m")
SECONDS = re.compile(r"\b\d+(\.\d+)? (s|ms|min)\b")


def nbconvert(notebook, out, *timeout):
    command = ["jupyter", "nbconvert", "--to", "notebook", "--execute", notebook, "--output-dir", out]
    return command + [f"--ExecutePreprocessor.timeout={seconds}" for seconds in timeout]


def jupyter_execute(notebook, out, *timeout):
    # Its output's name counts from the notebook's folder and has no suffix.
    command = ["jupyter", "execute", notebook, f"--output={out.name}/{notebook.stem}"]
    return command + [f"--timeout={seconds}" for seconds in timeout]


def papermill(notebook, out, *timeout):
    command = ["papermill", notebook, out / notebook.name, "--no-progress-bar"]
    return command + [f"--execution-timeout={seconds}" for seconds in timeout]


every_runner = pytest.mark.parametrize("runner", [nbconvert, jupyter_execute, papermill])


class Run:
    """A front end at work, in a process that ends with the test."""

    def __init__(self, command):
        command = [sys.executable, "-m", *map(str, command)]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )

    def ended(self, seconds, typed=None):
        """Its exit code and what it said. Ending in time is the point of most of these tests."""
        try:
            said, _ = self.process.communicate(typed, timeout=seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"still running after {seconds} s: {self.process.args}") from None
        return self.process.returncode, said

    def kernel(self):
        """The process of its kernel."""
        for task in Path(f"/proc/{self.process.pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                if b"\0kernel\0" in Path(f"/proc/{child}/cmdline").read_bytes():
                    return int(child)
        raise AssertionError("it has no kernel")

    def end(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


@pytest.fixture
def run():
    """Starts front ends, and ends them with the test."""
    started = []

    def start(*command):
        started.append(Run(*command))
        return started[-1]

    yield start
    for one in started:
        one.end()


@pytest.fixture
def out(tmp_path):
    (tmp_path / "out").mkdir()
    return tmp_path / "out"


@pytest.fixture
def witness(kernel):
    """A kernel on the same driver, so that the driver outlives the run and can be asked what it left."""
    assert kernel.run("SELECT 1").status == "ok"
    return kernel


def driver():
    (driver,) = [driver for driver in drivers() if driver["profile"] == "local"]
    return driver


def running():
    return sum(driver["running"] for driver in drivers())


def cpu(pid):
    """What the threads of a driver that run tasks have used, in ticks of the clock."""
    used = 0
    for thread in Path(f"/proc/{pid}/task").iterdir():
        try:
            name, _, rest = (thread / "stat").read_text().partition("(")[2].rpartition(")")
        except (FileNotFoundError, ProcessLookupError):
            # It ended before its file was opened, or before it was read.
            continue
        if name.startswith("Executor task"):
            used += sum(int(ticks) for ticks in rest.split()[11:13])
    return used


def at_work(start, *command):
    """Starts a front end and waits until tasks of its statement run: one that only begins may outlive its cancellation
    in Spark."""
    pid = driver()["pid"]
    before = cpu(pid)
    started = start(*command)
    until(lambda: running() == 1 and cpu(pid) > before + 50, 90, "tasks of the cell run in the driver")
    return started


def assert_free(witness):
    """Nothing that was ended still runs: it would hold every core for hours."""
    until(lambda: running() == 0, 10, "nothing runs in the driver")
    asked = time.monotonic()
    assert witness.run("SELECT count(*) FROM range(1000)", timeout=30).status == "ok"
    assert time.monotonic() - asked < 20


def outputs(path):
    return [output for cell in json.loads(path.read_text())["cells"] for output in cell.get("outputs", [])]


def texts(output):
    """Every text of an output, whatever its kind."""
    if output["output_type"] == "error":
        # Its colours are part of the protocol: front ends show them.
        return [COLOUR.sub("", line) for line in [output["evalue"], *output["traceback"]]]
    return [data if isinstance(data, str) else "".join(data) for data in output.get("data", {"": output.get("text")}).values()]


@every_runner
def test_a_run_succeeds_and_leaves_no_control_characters(runner, run, tmp_path, out):
    notebook = write_notebook(
        tmp_path / "n.ipynb",
        "SELECT sum(id) AS s FROM range(0, 300000000)",
        "SELECT concat('a', chr(27), '[31m', chr(7), chr(8), 'b') AS hostile",
        "%session",
    )
    code, said = run(runner(notebook, out)).ended(180)
    assert code == 0, said
    shown = [text for output in outputs(out / "n.ipynb") for text in texts(output)]
    assert any("44999999850000000" in text for text in shown)
    assert len(outputs(out / "n.ipynb")) == 3
    for text in shown:
        assert not CONTROL.search(text), repr(text)


@every_runner
def test_a_failing_cell_ends_the_run_with_its_error(runner, run, tmp_path, out):
    notebook = write_notebook(tmp_path / "n.ipynb", "SELECT 1 AS one", "SELECT nosuch", "SELECT 3 AS three")
    code, said = run(runner(notebook, out)).ended(180)
    assert code == 1, said
    assert "UNRESOLVED_COLUMN" in said


@every_runner
def test_a_cell_that_takes_too_long_is_cancelled_in_spark(runner, run, witness, tmp_path, out):
    before = driver()["pid"]
    started = at_work(run, runner(write_notebook(tmp_path / "n.ipynb", ENDLESS), out, 6))
    code, said = started.ended(60)
    assert code != 0 and "imeout" in said, said
    assert_free(witness)
    assert driver()["pid"] == before


@every_runner
def test_a_killed_kernel_ends_the_run_and_its_statement(runner, run, witness, tmp_path, out):
    started = at_work(run, runner(write_notebook(tmp_path / "n.ipynb", ENDLESS), out))
    os.kill(started.kernel(), signal.SIGKILL)
    code, said = started.ended(60)
    assert code != 0 and "Kernel died" in said, said
    assert_free(witness)


@every_runner
def test_a_killed_driver_ends_the_run_with_a_word(runner, run, witness, tmp_path, out):
    started = at_work(run, runner(write_notebook(tmp_path / "n.ipynb", ENDLESS), out))
    os.kill(driver()["pid"], signal.SIGKILL)
    code, said = started.ended(60)
    assert code == 1 and "driver" in said.lower(), said


def test_a_notebook_that_is_executed_twice_is_the_same_but_for_times(run, tmp_path):
    notebook = write_notebook(
        tmp_path / "n.ipynb",
        "CREATE TEMPORARY VIEW v AS SELECT id, id * 0.5 AS half, CAST(NULL AS STRING) AS nothing FROM range(2000)",
        "SELECT * FROM v ORDER BY id",
        "SELECT sum(id) AS s FROM range(0, 300000000)",
        "%limit 5\nSELECT * FROM v ORDER BY id DESC; SELECT 1 AS one",
    )
    executed = []
    for name in ["first", "second"]:
        (tmp_path / name).mkdir()
        code, said = run(nbconvert(notebook, tmp_path / name)).ended(180)
        assert code == 0, said
        document = json.loads((tmp_path / name / "n.ipynb").read_text())
        for cell in document["cells"]:
            # nbclient's own record of when.
            cell["metadata"].pop("execution", None)
        executed.append(SECONDS.sub("TIME", json.dumps(document, indent=1)))
    first, second = executed
    assert first == second
    assert "TIME" in first


@pytest.mark.parametrize("example, rows", [
    # The blizzard, the sight in fog, and how a bad morning lasts.
    ("weather.ipynb", [r"2013-02-09 +684 +57\.5", r"under 1 mile +3975 +29\.7", r"5 +176 +13\.2 +31\.4"]),
    # Apple's fall, one shuffle for all windows, momentum before and after the cut, and the leak.
    ("prices.ipynb", [
        r"AAPL .* -79\.0  2003-03-01", r"1 shuffle\.", r"1 learn +most +100 +64\.0", r"2 check +most +63 +61\.9", r"0\.031 +-0\.668",
    ]),
])
def test_an_example_runs_and_tells_what_its_text_says(tmp_path, example, rows):
    command = [os.environ["FIRESTEEL"], "demo", EXAMPLES / example, "--output-dir", tmp_path]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    shown = "\n".join(text for output in outputs(tmp_path / example) for text in texts(output))
    for row in rows:
        assert re.search(row, shown), (row, shown)


# A parameter, and the type and text it has in Spark.
PARAMETERS = {
    "quotes": ("it's \"so\" ''", "string", "it's \"so\" ''"),
    "lines": ("one\ntwo\r\n\tthree\n", "string", "one\ntwo\r\n\tthree\n"),
    "slashes": ("C:\\new\\", "string", "C:\\new\\"),
    "statement": ("1'; DROP TABLE t; --", "string", "1'; DROP TABLE t; --"),
    "magic": ("\n%stop\n%set year 1", "string", "\n%stop\n%set year 1"),
    "letters": ("größer 🎉 \u2028 \x85 \0 \x1b", "string", "größer 🎉 \u2028 \x85 \0 \x1b"),
    "empty": ("", "string", ""),
    "spaces": ("  ", "string", "  "),
    "digits": ("2013", "string", "2013"),
    "word": ("null", "string", "null"),
    "day": ("2013-01-31", "string", "2013-01-31"),
    "small": (-7, "int", "-7"),
    "big": (2**40, "bigint", "1099511627776"),
    "huge": (-(10**38) + 1, "decimal(38,0)", "-" + "9" * 38),
    "half": (0.5, "double", "0.5"),
    "tenth": (0.1, "double", "0.1"),
    "tiny": (-5e-324, "double", "-4.9E-324"),
    "large": (1e22, "double", "1.0E22"),
    "no_number": (float("nan"), "double", "NaN"),
    "infinite": (float("-inf"), "double", "-Infinity"),
    "yes": (True, "boolean", "true"),
    "nothing": (None, "void", None),
}


def write_parameters(path, parameters):
    path.write_text(yaml.safe_dump(parameters, allow_unicode=True))
    return path


def tag_parameters(notebook):
    document = json.loads(notebook.read_text())
    document["cells"][0]["metadata"]["tags"] = ["parameters"]
    notebook.write_text(json.dumps(document))
    return notebook


def test_papermill_gives_parameters_as_they_are(run, tmp_path, out):
    asked = " UNION ALL ".join(
        f"SELECT '{name}' AS name, typeof(:{name}) AS type, hex(CAST(:{name} AS STRING)) AS text" for name in PARAMETERS
    )
    defaults = "-- What it is asked for\n%set digits 1\n%set untouched 3"
    notebook = tag_parameters(write_notebook(tmp_path / "n.ipynb", defaults, asked, "SELECT :untouched AS kept"))
    given = write_parameters(tmp_path / "given.yaml", {name: value for name, (value, _, _) in PARAMETERS.items()})
    code, said = run([*papermill(notebook, out), "-f", given]).ended(180)
    assert code == 0, said
    *_, rows, kept = outputs(out / "n.ipynb")
    rows = rows["data"]["application/vnd.dataresource+json"]["data"]
    seen = {row["name"]: (row["type"], row["text"] and bytes.fromhex(row["text"]).decode()) for row in rows}
    assert seen == {name: (of, text) for name, (_, of, text) in PARAMETERS.items()}
    assert any(re.search(r"^ +3$", text, re.MULTILINE) for text in texts(kept)), kept


@pytest.mark.parametrize("name, value, words", [
    ("days", ["2013-01-31"], "no list"),
    ("ranges", {"from": 1}, "no dict"),
    ("number", 10**38, "38 digits"),
    ("year 1\n%stop\n%set x", 1, "letters, digits and `_`"),
])
def test_papermill_is_told_which_parameter_cannot_be_set(run, tmp_path, out, name, value, words):
    notebook = write_notebook(tmp_path / "n.ipynb", "SELECT 1 AS one")
    given = write_parameters(tmp_path / "given.yaml", {"year": 2013, name: value})
    code, said = run([*papermill(notebook, out), "-f", given]).ended(60)
    assert code == 1, said
    assert f"Parameter {name!r}: " in said and words in said, said
    assert not (out / "n.ipynb").exists(), "nothing ran"


def test_papermill_tells_what_a_notebook_may_be_given(run, tmp_path):
    cell = "-- The year of the flights\n%set year 2013\n\n%set carrier 'UA'\n%set share 1e-3\n%set day DATE '2013-01-31'\n%set year"
    notebook = tag_parameters(write_notebook(tmp_path / "n.ipynb", cell))
    code, said = run(["papermill", "--help-notebook", notebook]).ended(60)
    assert code == 0, said
    told = [" ".join(line.split()) for line in said.splitlines()]
    for line in [
        "year: INT (default 2013) The year of the flights",
        "carrier: STRING (default 'UA')",
        "share: DOUBLE (default 1e-3)",
        "day: DATE (default DATE '2013-01-31')",
    ]:
        assert line in told, said
    assert len([line for line in told if "(default" in line]) == 4, said


def test_the_console_answers_what_is_piped_into_it(run):
    console = run(["jupyter", "console", "--kernel=firesteel", "--simple-prompt", "--no-confirm-exit"])
    slow = "SELECT sum(id) AS s FROM range(0, 300000000)"
    code, said = console.ended(120, f"%limit 12\nSELECT nosuch\n%limit 13\n{slow}\n")
    assert code == 0, said
    for words in ["Spark SQL", "12 rows", "13 rows", "UNRESOLVED_COLUMN", "SELECT nosuch", "^^^^^^"]:
        assert words in said, said
    # It knows no updates of a display, and the statement took long enough to have shown its progress.
    assert re.search(r" · \d+ s\n.*44999999850000000", said, re.DOTALL), said
    assert not CONTROL.search(COLOUR.sub("", said)), repr(said)
