"""Charts of ten million kept rows, beside pandas and Altair on rows of the same kind."""

import atexit
import functools
import json
import os
import subprocess
import tempfile
import time
from pathlib import Path

from client import Kernel

ROWS = 10_000_000

# Sixteen airlines, every second of a year, delays and distances as those of the flights of New York.
COLUMNS = {
    "carrier": "element_at(split('9E AA AS B6 DL EV F9 FL HA MQ OO UA US VX WN YV', ' '), 1 + pmod(hash(id, 1), 16))",
    "at": "timestamp_seconds(1356998400 + pmod(hash(id, 2), 31536000))",
    "delay": "CAST(pmod(hash(id, 3), 200) + pmod(hash(id, 4), 120) - 80 AS DOUBLE)",
    "distance": "80 + pmod(hash(id, 5), 2500)",
}

# What is drawn: as `%chart` is asked for it, of which columns, and what `peer.py` calls it.
CHARTS = {
    "bar": ("bar x=carrier y=mean(delay)", ("carrier", "delay")),
    "line": ("line x=at y=mean(delay)", ("at", "delay")),
    "hist": ("hist x=delay", ("delay",)),
    "scatter": ("scatter x=distance y=delay", ("distance", "delay")),
}


def missing():
    """Why the peer cannot be measured here, if so."""
    return None if os.environ.get("FIRESTEEL_BENCH_PEERS") else "FIRESTEEL_BENCH_PEERS names no Python with pandas and Altair"


@functools.cache
def kernel():
    """A kernel; it is ended with this process."""
    folder = tempfile.TemporaryDirectory()
    environment = {"XDG_STATE_HOME": folder.name, "FIRESTEEL_PROFILE": "local", "FIRESTEEL_SHARE": "kernel"}
    started = Kernel(cwd=folder.name, env=environment)
    atexit.register(folder.cleanup)
    atexit.register(started.end)
    return started


# One chart's rows are kept at a time: those of all would be more than a kernel keeps of one result.
@functools.lru_cache(maxsize=1)
def keep(chart):
    """Has the kernel keep the rows of a chart."""
    columns = ", ".join(f"{COLUMNS[name]} AS {name}" for name in CHARTS[chart][1])
    done = kernel().run(f"%%sql -o big\nSELECT {columns} FROM range({ROWS})", timeout=600)
    if f"Kept as `big`: {ROWS:,} rows." not in done.text:
        raise RuntimeError(f"the rows are not kept: {done.text[-500:]}")


@functools.cache
def peer():
    """A process that holds rows of the same kind in pandas and draws one chart for each line that it reads."""
    command = [os.environ["FIRESTEEL_BENCH_PEERS"], str(Path(__file__).with_name("peer.py")), str(ROWS)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    atexit.register(process.kill)
    if process.stdout.readline() != "ready\n":
        raise RuntimeError("the peer does not start")
    return process


def ours(chart):
    """Milliseconds from a cell to the end of its reply."""
    keep(chart)
    started = kernel()
    before = time.perf_counter()
    done = started.run(f"%chart big {CHARTS[chart][0]}")
    elapsed = time.perf_counter() - before
    [output] = done.outputs
    points = output["data"]["application/vnd.vegalite.v5+json"]["data"]["values"]
    if not 10 <= len(points) <= 2000:
        raise RuntimeError(f"{chart}: {len(points)} points are drawn")
    return elapsed * 1000


def theirs(chart):
    """Milliseconds that the peer takes from rows to Altair's JSON."""
    process = peer()
    process.stdin.write(chart + "\n")
    process.stdin.flush()
    return json.loads(process.stdout.readline())["ms"]
