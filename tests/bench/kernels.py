"""A kernel's start, its memory and its cells, beside ipykernel's."""

import contextlib
import os
import socket
import sys
import tempfile
import time
from pathlib import Path

from jupyter_client.blocking import BlockingKernelClient
from jupyter_client.connect import write_connection_file
from subprocess import DEVNULL, Popen

# How long a kernel may take to answer before the run is broken.
DEADLINE = 60

# Cells that one figure is made of.
CELLS = 1000


def ours(connection_file):
    return [os.environ["FIRESTEEL"], "kernel", "-f", connection_file]


def ipykernel(connection_file):
    return [sys.executable, "-m", "ipykernel_launcher", "-f", connection_file]


@contextlib.contextmanager
def started(command):
    """Starts a kernel, and gives its process, the seconds to its first kernel_info_reply, and a client of it."""
    with tempfile.TemporaryDirectory() as folder:
        file, connection = write_connection_file(str(Path(folder) / "kernel.json"))
        before = time.perf_counter()
        process = Popen(command(file), cwd=folder, stdout=DEVNULL, stderr=DEVNULL)
        until_open(connection["shell_port"])
        client = BlockingKernelClient(connection_file=file)
        client.load_connection_file()
        client.start_channels()
        try:
            client.kernel_info()
            client.get_shell_msg(timeout=DEADLINE)
            yield process, time.perf_counter() - before, client
            client.shutdown()
            process.wait(timeout=DEADLINE)
        finally:
            client.stop_channels()
            process.kill()
            process.wait()


def until_open(port):
    """Waits until somebody listens. A client that knocks too early knocks again after 100 ms, and would measure that."""
    deadline = time.monotonic() + DEADLINE
    while time.monotonic() < deadline:
        with socket.socket() as knock:
            if knock.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.001)
    raise RuntimeError("the kernel does not listen")


def start(command):
    with started(command) as (_, seconds, _):
        return seconds * 1000


def memory(command):
    """The memory that goes when the kernel goes (its proportional set), in MiB."""
    with started(command) as (process, _, _):
        for line in Path(f"/proc/{process.pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) / 1024
    raise RuntimeError("the kernel's memory cannot be read")


def start_ours():
    return start(ours)


def start_ipykernel():
    return start(ipykernel)


def memory_ours():
    return memory(ours)


def memory_ipykernel():
    return memory(ipykernel)


def cell(command, code, quantile):
    """Milliseconds of a cell from its request to its reply: of many in turn, the one at this quantile."""
    with started(command) as (_, _, client):
        times = []
        for _ in range(CELLS):
            before = time.perf_counter()
            asked = client.execute(code)
            while client.get_shell_msg(timeout=DEADLINE)["parent_header"].get("msg_id") != asked:
                pass
            times.append((time.perf_counter() - before) * 1000)
    # The first ones load what is loaded once.
    return sorted(times[CELLS // 10 :])[int(CELLS * 0.9 * quantile)]


def cell_ours(quantile):
    return cell(ours, "-- nothing", quantile)


def cell_ipykernel(quantile):
    return cell(ipykernel, "pass", quantile)
