"""Millions of rows into Arrow: by the session crate, by PySpark, through the door; and what the door adds to a call."""

import atexit
import functools
import json
import os
import subprocess
import tempfile
import time
from pathlib import Path

from kernels import until_open
from rows import ROWS
from spark import DEADLINE, PySpark, Server, kernel

COUNT = 5_000_000

# As our drivers send results, unless a profile says otherwise.
COMPRESSED = [
    f"spark.sql.execution.arrow.{setting}"
    for setting in ("compression.codec=zstd", "compression.zstd.level=1", "maxRecordsPerBatch=40000")
]

# Calls of each kind that the door's share is taken from.
CALLS = 5_000

MIB = 1 << 20


def program(name):
    """A program of `tests/src/bin`."""
    return str(Path(os.environ["FIRESTEEL"]).with_name(name))


def new_server():
    folder = tempfile.TemporaryDirectory()
    started = Server(folder.name)
    atexit.register(folder.cleanup)
    atexit.register(started.end)
    until_open(started.port)
    return started


@functools.cache
def server():
    """A server that has run the query often enough to have compiled it."""
    started = new_server()
    for _ in range(3):
        by_us(started.port, *COMPRESSED)
        by_us(started.port)
    return started


@functools.cache
def server_of_a_kernel():
    """A server that has done as much as a driver of ours, and is as far with compiling."""
    return new_server()


@functools.cache
def door():
    """The port of a door before the server."""
    process = subprocess.Popen([program("door"), "behind", str(server().port)], stdout=subprocess.PIPE, text=True)
    atexit.register(process.wait)
    atexit.register(process.kill)
    return int(process.stdout.readline())


def by_us(port, *settings):
    command = [program("fetch"), str(port), ROWS.format(count=COUNT), *settings]
    told = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, timeout=DEADLINE).stdout)
    return checked(told)


def by_pyspark():
    client = PySpark()
    try:
        client.ask("connect", server().port)
        return checked(client.ask("fetch", COUNT))
    finally:
        client.end()


def checked(told):
    if told["rows"] != COUNT:
        raise RuntimeError(f"not all rows came: {told}")
    return told


def speed(told):
    """Megabytes of Arrow a second."""
    return told["bytes"] / told["seconds"] / 1e6


def speed_ours():
    return speed(by_us(server().port, *COMPRESSED))


def speed_plain():
    return speed(by_us(server().port))


def speed_pyspark():
    return speed(by_pyspark())


def speed_through_door():
    return speed(by_us(door(), *COMPRESSED))


def memory_ours():
    return by_us(server().port, *COMPRESSED)["peak_kib"] * 1024 / MIB


def memory_pyspark():
    return by_pyspark()["peak_kib"] * 1024 / MIB


@functools.cache
def warm_kernel(profile):
    """A kernel whose driver has run the query often enough to have compiled it."""
    folder = tempfile.TemporaryDirectory(prefix="fs")
    started = kernel(folder.name, profile)
    atexit.register(folder.cleanup)
    atexit.register(started.end)
    for setting in COMPRESSED:
        started.run(f"SET {setting}", timeout=DEADLINE)
    for _ in range(3):
        kept(started)
    return started


def kept(started):
    """Seconds of a cell that keeps all rows."""
    before = time.perf_counter()
    done = started.run(f"%%sql -o rows\n{ROWS.format(count=COUNT)}", timeout=DEADLINE)
    elapsed = time.perf_counter() - before
    if f"Kept as `rows`: {COUNT:,} rows." not in done.text:
        raise RuntimeError(f"the rows are not kept: {done.text[-500:]}")
    return elapsed


def kept_of_ours():
    return kept(warm_kernel("grace: 1s"))


def kept_of_stock():
    return kept(warm_kernel(f"connect: 'sc://localhost:{server_of_a_kernel().port}'"))


def door_adds():
    """Milliseconds that a door adds to the 99th percentile of a call that is answered at once."""
    told = subprocess.run([program("door"), "instant", str(CALLS)], check=True, stdout=subprocess.PIPE, text=True, timeout=DEADLINE).stdout
    told = json.loads(told)
    return told["door_ms"] - told["direct_ms"]
