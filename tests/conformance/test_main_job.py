"""What a user of SQL notebooks lives through, on a real Spark."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from client import Kernel, alive, drivers, firesteel, plain, until

EXAMPLES = Path(__file__).parents[2] / "notebooks/examples"
# Runs for hours on any machine.
ENDLESS = "SELECT count(*) FROM range(0, 100000000000000) WHERE id % 7 = 3"


def test_a_query_is_shown_as_a_table_with_types_and_its_limits(kernel):
    done = kernel.run("SELECT 1 AS one, 'a' AS letter, CAST(NULL AS INT) AS nothing, '' AS empty")
    assert done.status == "ok", done.text
    (output,) = done.outputs
    assert set(output["data"]) >= {"text/html", "text/plain"}
    for word in ["one", "int", "letter", "string", "NULL", "1 row"]:
        assert word in done.text, done.text


def test_a_limited_result_says_so(kernel):
    done = kernel.run("SELECT * FROM range(5000)")
    assert "1,000" in done.text and "%limit" in done.text, done.text
    done = kernel.run("%limit 10\nSELECT * FROM range(5000)")
    assert re.search(r"\b10 rows shown|\b10 of", done.text), done.text
    done = kernel.run("%%sql -n 7\nSELECT * FROM range(5000)")
    assert re.search(r"\b7 rows shown|\b7 of", done.text), done.text


def test_a_result_over_the_limit_of_bytes_is_given_up_and_what_came_is_shown(kernel):
    done = kernel.run("%limit bytes 1MB\n%limit rows all\nSELECT * FROM range(0, 20000000, 1, 200)")
    assert done.status == "ok", done.text
    assert re.search(r"[\d,]+ rows shown, [\d,]+ fetched up to the limit of 1\.0 MB, there are more", done.text), done.text[-500:]
    assert "`%limit bytes 4MB` fetches more" in done.text
    # Its tasks are no longer in the way of others.
    assert kernel.run("SELECT count(*) FROM range(1000)").status == "ok"


def test_instants_are_shown_in_the_zone_that_holds_when_they_are_asked_for(kernel):
    for zone, clock in [("America/New_York", "2013-01-01 05:00:00"), ("Asia/Kolkata", "2013-01-01 15:30:00")]:
        done = kernel.run(f"SET TIME ZONE '{zone}'; SELECT timestamp_seconds(1357034400) AS seen")
        assert f"timestamp ({zone})" in done.text and clock in done.text, done.text


def test_a_small_result_is_also_given_as_data(kernel):
    done = kernel.run("SELECT 9007199254740993 AS big, '' AS empty, 1.50BD AS price, CAST(NULL AS INT) AS nothing")
    data = done.outputs[-1]["data"]["application/vnd.dataresource+json"]
    assert [(field["name"], field["type"]) for field in data["schema"]["fields"]] == [
        ("big", "integer"), ("empty", "string"), ("price", "number"), ("nothing", "integer"),
    ]
    assert data["data"] == [{"big": "9007199254740993", "empty": "", "price": "1.50", "nothing": None}]


def test_no_driver_starts_before_a_cell_needs_one(kernels):
    before = len(drivers())
    kernel = kernels(env={"FIRESTEEL_PROFILE": "roomy"})
    for code in ["-- nothing", "", "%help", "%lsmagic", "%limit", "%profile", "%session"]:
        assert kernel.run(code).status == "ok", code
    assert len(drivers()) == before


def test_statements_of_one_cell_have_a_result_each_and_nothing_runs_after_a_failure(kernel):
    done = kernel.run("CREATE TEMPORARY VIEW v AS SELECT 1 AS a; SELECT a FROM v; SELECT nosuch FROM v; SELECT 99 AS z")
    assert done.status == "error"
    assert done.reply["ename"] == "UNRESOLVED_COLUMN.WITH_SUGGESTION"
    assert "statement 3 of 4" in done.text and "^" in done.text, done.text
    assert "42703" in done.text, "the SQLSTATE"
    assert "at org.apache" not in done.text
    assert "    at org.apache.spark" in kernel.run("%tb").text, "for who asks"
    # On a slow machine the failure may have shown progress before.
    kinds = [output["output_type"] for output in done.outputs if "Failed after" not in plain(output)]
    assert kinds == ["display_data", "display_data", "error"]
    assert "Not run: statement 4 of 4, line 1: SELECT 99 AS z" in done.text, done.text


def test_an_interrupt_ends_the_statement_and_keeps_views(kernel):
    kernel.run("CREATE TEMPORARY VIEW kept AS SELECT 7 AS n")
    running = kernel.start(ENDLESS)
    kernel.shown(running, "task")
    asked = time.monotonic()
    kernel.manager.interrupt_kernel()
    done = kernel.finish(running, timeout=10)
    assert done.reply["ename"] == "KeyboardInterrupt"
    assert time.monotonic() - asked < 10
    assert "7" in kernel.run("SELECT n FROM kept").text


def test_a_driver_killed_in_the_middle_of_a_cell_is_told_and_replaced(kernel):
    kernel.run("CREATE TEMPORARY VIEW gone AS SELECT 1 AS a")
    running = kernel.start(ENDLESS)
    kernel.shown(running, "task")
    (driver,) = [d for d in drivers() if d["profile"] == "local"]
    os.kill(driver["pid"], signal.SIGKILL)
    done = kernel.finish(running, timeout=10)
    assert done.status == "error" and "driver" in done.text.lower(), done.text
    done = kernel.run("SELECT 5 AS five")
    assert done.status == "ok" and "five" in done.text
    assert "Lost with the old one: view gone" in done.text, done.text


def test_kernels_that_race_for_the_first_driver_share_one(kernels):
    profile = {"FIRESTEEL_PROFILE": "roomy"}
    until(lambda: not [d for d in drivers() if d["profile"] == "roomy"], 60, "no driver from before")
    racers = [kernels(env=profile) for _ in range(3)]
    ends = []
    threads = [threading.Thread(target=lambda k=k: ends.append(k.run("SELECT 1").status)) for k in racers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ends == ["ok"] * 3
    assert len([d for d in drivers() if d["profile"] == "roomy"]) == 1


def test_a_killed_kernel_leaves_nothing_behind(kernels):
    kernel = kernels(env={"FIRESTEEL_PROFILE": "roomy"})
    kernel.run("SELECT 1")
    (driver,) = [d for d in drivers() if d["profile"] == "roomy"]
    os.kill(kernel.pid, signal.SIGKILL)
    until(lambda: not alive(driver["pid"]), 63, "the driver of a killed kernel ends after its grace")
    until(lambda: not [d for d in drivers() if d["id"] == driver["id"]], 10, "it is no longer listed")


def test_what_a_killed_kernel_ran_leaves_the_driver_to_others(kernels):
    killed, other = (kernels(env={"FIRESTEEL_PROFILE": "roomy"}) for _ in range(2))
    other.run("SELECT 1")
    killed.start(ENDLESS)
    until(lambda: [d for d in drivers() if d["profile"] == "roomy" and d["running"] == 1], 30, "the cell runs")
    # Spark still plans it: what it submits later is what an interrupt may miss.
    os.kill(killed.pid, signal.SIGKILL)
    done = other.run("SELECT 2 AS two", timeout=60)
    assert done.status == "ok", done.text


def test_a_restarted_kernel_has_a_new_session_on_the_same_driver(kernel):
    kernel.run("CREATE TEMPORARY VIEW before AS SELECT 1 AS a")
    (driver,) = [d for d in drivers() if d["profile"] == "local"]
    kernel.manager.restart_kernel()
    kernel.client.wait_for_ready(timeout=30)
    done = kernel.run("SELECT * FROM before")
    assert done.reply["ename"].startswith("TABLE_OR_VIEW_NOT_FOUND"), done.text
    (same,) = [d for d in drivers() if d["profile"] == "local"]
    assert same["pid"] == driver["pid"]
    assert same["kernels"] == 1


def test_here_is_the_notebooks_folder(kernels, tmp_path):
    (tmp_path / "a.csv").write_text("x,y\n1,2\n")
    kernel = kernels(cwd=str(tmp_path))
    done = kernel.run("SELECT y FROM csv.`${firesteel.here}/a.csv` WHERE false")
    assert done.status == "error", "without a header there is no y"
    done = kernel.run("SELECT count(*) AS lines FROM csv.`${firesteel.here}/a.csv`")
    assert done.status == "ok" and "2" in done.text, done.text
    done = kernel.run("SELECT * FROM csv.`/nowhere/a.csv`")
    assert "PATH_NOT_FOUND" in done.text and "${firesteel.here}" in done.text, done.text


def test_a_file_is_found_by_its_name_whatever_the_locale(kernels, tmp_path):
    (tmp_path / "Übersicht 東京.csv").write_text("7")
    kernel = kernels(env={"LC_ALL": "C", "FIRESTEEL_SHARE": "kernel"})
    done = kernel.run(f"SELECT _c0 AS n FROM csv.`{tmp_path}/Übersicht 東京.csv`")
    assert done.status == "ok" and "7" in done.text, done.text


def test_magics_answer(kernel):
    assert "SELECT" in kernel.run("%help").text or "%limit" in kernel.run("%help").text
    kernel.run("SELECT 1")
    session = kernel.run("%session").text
    assert "4.3.0" in session and "local" in session, session
    assert kernel.run("%logs 5").status == "ok"
    assert "local" in kernel.run("%profile").text
    done = kernel.run("%limitt")
    assert done.status == "error" and "%limit" in done.text
    assert kernel.run("%stop").status == "ok"
    done = kernel.run("SELECT 1 AS again")
    assert done.status == "ok", done.text


def test_parameters_are_bound_and_never_pasted(kernel):
    assert ":who" in kernel.run("%set who it's; DROP TABLE t").text
    kernel.run("%set low 2")
    kernel.run("%set day DATE '2013-01-31'")
    done = kernel.run("SELECT :who AS who, :day AS day, id FROM range(9) WHERE id > :low LIMIT :low")
    assert done.status == "ok", done.text
    for expected in ["it's; DROP TABLE t", "2013-01-31", " 3", " 4"]:
        assert expected in done.text, done.text
    assert "2 rows" in done.text, done.text
    listed = kernel.run("%set").text
    assert ":day = 2013-01-31 (DATE)" in listed and ":low = 2 (INT)" in listed, listed
    kernel.run("%set low")
    done = kernel.run("SELECT :low")
    assert done.status == "error" and "UNBOUND_SQL_PARAMETER" in done.text and "%set" in done.text, done.text


def nbconvert(notebook, out, *more):
    command = [sys.executable, "-m", "jupyter", "nbconvert", "--to", "notebook", "--execute", notebook, "--output-dir", out]
    return subprocess.run([*map(str, command), *more], capture_output=True, text=True, timeout=300)


def write_notebook(path, *cells):
    cells = [
        {"cell_type": "code", "execution_count": None, "id": f"c{i}", "metadata": {}, "outputs": [], "source": cell}
        for i, cell in enumerate(cells)
    ]
    spec = {"name": "firesteel", "display_name": "Spark SQL", "language": "sql"}
    path.write_text(json.dumps({"cells": cells, "metadata": {"kernelspec": spec}, "nbformat": 4, "nbformat_minor": 5}))
    return path


def test_an_executed_notebook_holds_results_and_no_rubbish(tmp_path):
    notebook = write_notebook(
        tmp_path / "n.ipynb",
        "SELECT sum(id) AS s FROM range(0, 300000000)",
        "CREATE TEMPORARY VIEW v AS SELECT 1 AS a;\nSELECT a FROM v",
    )
    done = nbconvert(notebook, tmp_path / "out")
    assert done.returncode == 0, done.stderr
    cells = json.loads((tmp_path / "out/n.ipynb").read_text())["cells"]
    assert [len(cell["outputs"]) for cell in cells] == [1, 2], cells
    text = "".join("".join(o["data"]["text/plain"]) for c in cells for o in c["outputs"])
    assert "44999999850000000" in text
    assert "Starting" not in text and "\x1b" not in text and "\r" not in text, text


def test_a_failing_notebook_ends_the_run_with_an_error(tmp_path):
    notebook = write_notebook(tmp_path / "n.ipynb", "SELECT nosuch", "SELECT 1")
    done = nbconvert(notebook, tmp_path / "out")
    assert done.returncode != 0
    assert "UNRESOLVED_COLUMN" in done.stderr, done.stderr


def test_the_demo_runs_the_example_over_the_real_flights(tmp_path):
    shown = firesteel("demo", str(EXAMPLES / "flights.ipynb"), "--output-dir", str(tmp_path))
    for step in ["Spark runtime", "kernelspec", "flights data", "notebook executed", "page"]:
        assert step in shown, shown
    executed = (tmp_path / "flights.ipynb").read_text()
    assert "336776" in executed or "336,776" in executed
    page = (tmp_path / "flights.html").read_text()
    assert "<table" in page and "percent_late" in page
    for cell in json.loads(executed)["cells"]:
        for output in cell.get("outputs", []):
            assert output["output_type"] in ("display_data", "execute_result"), output


@pytest.mark.parametrize(("order", "words"), [("%stop", "was given back"), ("%profile brief", "profile brief")])
def test_a_start_that_was_interrupted_is_given_back_when_it_is_not_wanted_any_more(kernels, order, words):
    def mine():
        return [driver for driver in drivers() if driver["profile"] == "roomy"]

    kernel = kernels(env={"FIRESTEEL_PROFILE": "roomy", "FIRESTEEL_SHARE": "kernel"})
    running = kernel.start("SELECT 1")
    until(mine, 60, "its driver starts")
    kernel.manager.interrupt_kernel()
    assert kernel.finish(running).status == "error"
    done = kernel.run(order)
    assert words in done.text, done.text
    assert not mine()
    assert kernel.run("%stop").text.strip() == "This notebook uses no driver."
