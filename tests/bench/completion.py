"""Completion in a real kernel on a real Spark whose session has as many views as a large catalog has tables."""

import tempfile
import time

from client import Kernel, until

TABLES = 10_000

# Views that one block makes: as plain statements of a block they take a fifth of the time of statements of their own.
BLOCK = 500

# Every place is asked for so often.
ASKED = 100

NAME = "flights_of_day_{}"
KNOWN = NAME.format(7)

# Where names of the catalog may stand; `{}` differs from one request to the next.
PLACES = [
    "SELECT * FROM ",
    "SELECT * FROM fli",
    "SELECT * FROM flights_of_day_{}",
    "SELECT * FROM day_{}",
    "SELECT * FROM " + NAME.format("{}") + " a JOIN fl",
    f"SELECT ca FROM {KNOWN} WHERE de",
    f"SELECT a. FROM {KNOWN} a WHERE a.",
    "SELECT conc",
]


def percentile_99():
    """The 99th percentile of the milliseconds from a request to its reply, as a front end sees them."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {"XDG_STATE_HOME": folder, "FIRESTEEL_PROFILE": "local", "FIRESTEEL_SHARE": "kernel"}
        kernel = Kernel(cwd=folder, env=environment)
        try:
            make_views(kernel)
            # Its columns are asked of Spark once; what follows is answered from what the kernel knows.
            until(lambda: "delay" in complete(kernel, f"SELECT * FROM {KNOWN} WHERE de"), 60, "the columns of a view")
            times = []
            for number in range(ASKED):
                for place in PLACES:
                    before = time.perf_counter()
                    complete(kernel, place.format(number))
                    times.append((time.perf_counter() - before) * 1000)
            kernel.run("%stop")
        finally:
            kernel.end()
    return sorted(times)[int(len(times) * 0.99)]


def make_views(kernel):
    for first in range(0, TABLES, BLOCK):
        views = (
            f"CREATE TEMPORARY VIEW {NAME.format(number)} AS SELECT 'UA' AS carrier, 1 AS delay;"
            for number in range(first, first + BLOCK)
        )
        done = kernel.run("BEGIN\n" + "\n".join(views) + "\nEND", timeout=600)
        if done.status != "ok":
            raise RuntimeError(f"the views cannot be made: {done.text}")
    # The kernel reads the catalog anew behind the last cell.
    last = NAME.format(TABLES - 1)
    until(lambda: last in complete(kernel, f"SELECT * FROM {last}"), 120, "the names of all views")


def complete(kernel, code):
    asked = kernel.client.complete(code)
    while True:
        reply = kernel.client.get_shell_msg(timeout=60)
        if reply["parent_header"].get("msg_id") == asked:
            return reply["content"]["matches"]
