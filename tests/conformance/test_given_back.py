"""A driver that is idle is given back: with a warning in the notebook, and never while something runs.

The profile's limit is 5 s, 15 s while a session holds something; the warning comes 2 s before.
"""

import time
from pathlib import Path

import pytest

from client import drivers, until
from clock import DAY, Clock
from test_main_job import ENDLESS

IDLE = {"FIRESTEEL_PROFILE": "brief"}


def mine():
    return [d for d in drivers() if d["profile"] == "brief"]


@pytest.fixture
def kernel(kernels):
    until(lambda: not mine(), 60, "no driver from before")
    return kernels(env=IDLE)


def test_an_idle_driver_is_warned_of_in_the_last_result_ended_and_told_by_the_next_cell(kernel):
    msg_id = kernel.start("SELECT 41 + 1 AS answer")
    done = kernel.finish(msg_id)
    ended = time.monotonic()
    (result,) = done.outputs
    warning = kernel.aside(msg_id, 10)
    assert time.monotonic() - ended < 5
    assert warning["transient"]["display_id"] == result["transient"]["display_id"]
    for mime, order in [("text/plain", "`%keep 2h`"), ("text/html", "<code>%keep 2h</code>")]:
        text = warning["data"][mime]
        assert "42" in text and "is given back at" in text and order in text, text
    assert "Lost then" not in warning["data"]["text/plain"]

    over = kernel.aside(msg_id, 10)
    text = over["data"]["text/plain"]
    assert 4.5 < time.monotonic() - ended < 12
    assert "42" in text and "was idle for 5 s and was given back at" in text, text
    assert "unless a cell runs" not in text
    until(lambda: not mine(), 10, "it is gone")
    assert kernel.aside(msg_id, 1) is None, "nothing else is said"

    done = kernel.run("SELECT 2 AS two")
    assert done.status == "ok" and "two" in done.text
    assert "was idle for 5 s and was given back" in done.text, done.text
    assert "nothing was lost" in done.text, done.text


def test_what_a_session_holds_makes_the_limit_longer_and_is_told_before_and_after(kernel):
    msg_id = kernel.start("CREATE TEMPORARY VIEW flights AS SELECT 1 AS n")
    kernel.finish(msg_id)
    ended = time.monotonic()
    warning = kernel.aside(msg_id, 20)
    assert 12 < time.monotonic() - ended < 15
    assert "Lost then: view flights." in warning["data"]["text/plain"], warning
    over = kernel.aside(msg_id, 10)
    assert "Lost with it: view flights." in over["data"]["text/plain"], over

    done = kernel.run("SELECT * FROM flights")
    assert done.reply["ename"].startswith("TABLE_OR_VIEW_NOT_FOUND"), done.text
    assert "Lost with the old one: view flights" in done.text and "%keep 2h" in done.text, done.text


def test_a_cell_during_the_warning_takes_it_back_and_keep_keeps(kernel):
    assert "no driver" in kernel.run("%keep 2h").text
    first = kernel.start("SELECT 1 AS one")
    kernel.finish(first)
    (driver,) = mine()
    assert "is given back at" in kernel.aside(first, 10)["data"]["text/plain"]

    keep = kernel.start("%keep 1h")
    taken_back = kernel.aside(first, 10, during=keep)
    assert "given back" not in taken_back["data"]["text/plain"]
    assert "1" in taken_back["data"]["text/plain"]
    assert "kept for 1 h" in kernel.finish(keep).text
    assert kernel.aside(first, 8) is None, "it is kept for longer than its limit"
    (same,) = mine()
    assert same["pid"] == driver["pid"] and 3600 > same["kept"] > 3500 and same["idle"] >= 7
    session = kernel.run("%session").text
    assert "kept for another 59 min" in session and "1 notebook" in session, session

    assert "given back when it is idle for 5 s" in kernel.run("%keep off").text
    assert "is given back at" in kernel.aside(first, 10)["data"]["text/plain"]
    done = kernel.run("SELECT 3 AS three")
    assert done.status == "ok" and "given back" not in done.text
    assert mine()[0]["pid"] == driver["pid"]


def test_a_cell_that_runs_for_longer_than_the_limit_keeps_its_driver(kernel):
    kernel.run("SELECT 1")
    (driver,) = mine()
    running = kernel.start(ENDLESS)
    kernel.shown(running, "task")
    started = time.monotonic()
    # Twice the limit.
    until(lambda: time.monotonic() - started > 10, 15, "time passes")
    (same,) = mine()
    assert same["pid"] == driver["pid"] and same["idle"] is None
    kernel.manager.interrupt_kernel()
    assert kernel.finish(running, timeout=10).reply["ename"] == "KeyboardInterrupt"


def test_a_clock_that_jumps_gives_nothing_back_early_or_late(kernels, tmp_path):
    until(lambda: not mine(), 60, "no driver from before")
    clock = Clock(tmp_path)
    kernel = kernels(env=IDLE | clock.environment)
    kernel.run("SELECT 1")
    (driver,) = mine()
    keeper = Path(f"/proc/{driver['pid']}/stat").read_text().rpartition(")")[2].split()[1]
    assert str(clock.file).encode() in Path(f"/proc/{keeper}/environ").read_bytes(), "the keeper has this clock"
    for days in (2, 0, -2, 0):
        clock.ahead(days * DAY)
        assert "42" in kernel.run("SELECT 41 + 1 AS answer").text
        assert [d["pid"] for d in mine()] == [driver["pid"]]

    msg_id = kernel.start("SELECT 41 + 1 AS answer")
    kernel.finish(msg_id)
    ended = time.monotonic()
    clock.ahead(2 * DAY)
    assert "is given back at" in kernel.aside(msg_id, 10)["data"]["text/plain"]
    assert 2 < time.monotonic() - ended < 5
    clock.ahead(-2 * DAY)
    assert "was idle for 5 s" in kernel.aside(msg_id, 10)["data"]["text/plain"]
    assert 4.5 < time.monotonic() - ended < 12
    until(lambda: not mine(), 10, "it is gone")


@pytest.mark.parametrize("wrong", ["%keep soon", "%keep 2", "%keep 25h", "%keep -1h", "%keep 0s", "%keep 1h 2h"])
def test_a_time_that_is_none_is_explained(kernel, wrong):
    done = kernel.run(wrong)
    assert done.status == "error" and "`2h`" in done.text and "off" in done.text, done.text
