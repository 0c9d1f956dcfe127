"""A kernel's start, its memory and its cells, beside ipykernel's."""

import contextlib
import os
import secrets
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

# Starts that one figure is made of, and how long one may take, in milliseconds: people notice half a second.
STARTS = 1000
NOTICED = 450


def ours(connection_file):
    return [os.environ["FIRESTEEL"], "kernel", "-f", connection_file]


def ipykernel(connection_file):
    return [sys.executable, "-m", "ipykernel_launcher", "-f", connection_file]


def xeus_python(connection_file):
    """Without IPython, which its own kernel has besides."""
    return [os.environ["FIRESTEEL_BENCH_PEERS"], "-m", "xpython_launcher", "-f", connection_file, "--raw"]


def xeus_missing():
    """Why xeus-python cannot be measured here, if so."""
    return None if os.environ.get("FIRESTEEL_BENCH_PEERS") else "FIRESTEEL_BENCH_PEERS names no Python with xeus-python"


@contextlib.contextmanager
def started(command):
    """Starts a kernel, and gives its process, the seconds to its first kernel_info_reply, and a client of it."""
    with tempfile.TemporaryDirectory() as folder:
        file, connection = write_connection_file(str(Path(folder) / "kernel.json"), key=secrets.token_hex().encode())
        before = time.perf_counter()
        # A history that is no user's.
        environment = {**os.environ, "XDG_STATE_HOME": folder}
        process = Popen(command(file), cwd=folder, env=environment, stdout=DEVNULL, stderr=DEVNULL)
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


def memory(command, cells=()):
    """The memory that goes when the kernel goes (its proportional set), in MiB, after these cells."""
    with started(command) as (process, _, client):
        for code in cells:
            answered(client, client.execute(code))
        return mapped(process, "Pss")


def own_memory(command):
    """The memory that is a kernel's alone where another of its kind runs, in MiB: what one more takes."""
    with started(command), started(command) as (process, _, _):
        return mapped(process, "Private_Clean") + mapped(process, "Private_Dirty")


def mapped(process, figure):
    """One figure of a process's memory, in MiB."""
    lines = Path(f"/proc/{process.pid}/smaps_rollup").read_text().splitlines()
    [kibibytes] = [line.split()[1] for line in lines if line.startswith(f"{figure}:")]
    return int(kibibytes) / 1024


def start_ours():
    return start(ours)


def start_ipykernel():
    return start(ipykernel)


def memory_ours():
    return memory(ours)


def memory_ipykernel():
    return memory(ipykernel)


def memory_used_ours():
    return memory(ours, ["%lsmagic"] * 100)


def memory_used_ipykernel():
    return memory(ipykernel, ["%lsmagic"] * 100)


def own_memory_ours():
    return own_memory(ours)


def own_memory_ipykernel():
    return own_memory(ipykernel)


def cell(command, code, quantile):
    """Milliseconds of a cell from its request to its reply: of many in turn, the one at this quantile."""
    with started(command) as (_, _, client):
        times = [replied(client, code) for _ in range(CELLS)]
    # The first ones load what is loaded once.
    return sorted(times[CELLS // 10 :])[int(CELLS * 0.9 * quantile)]


def replied(client, code):
    """Milliseconds of one cell from its request to its reply."""
    socket, session = client.shell_channel.socket, client.session
    content = {"code": code, "silent": False, "store_history": True, "user_expressions": {}, "allow_stdin": False, "stop_on_error": True}
    # Written and signed beforehand: what a client takes for that is the same whatever the kernel.
    message = session.msg("execute_request", content)
    frames, asked = session.serialize(message), message["msg_id"].encode()
    before = time.perf_counter()
    socket.send_multipart(frames)
    while asked not in reply_of(socket):
        pass
    return (time.perf_counter() - before) * 1000


def reply_of(socket):
    """The next reply's parent header, as it came."""
    if not socket.poll(DEADLINE * 1000):
        raise RuntimeError("the cell is not answered")
    frames = socket.recv_multipart()
    return frames[frames.index(b"<IDS|MSG>") + 3]


def cell_ours(quantile):
    return cell(ours, "-- nothing", quantile)


def cell_ipykernel(quantile):
    return cell(ipykernel, "pass", quantile)


def cell_xeus_python(quantile):
    return cell(xeus_python, "pass", quantile)


def answered(client, asked):
    """Waits for the reply to a request."""
    while client.get_shell_msg(timeout=DEADLINE)["parent_header"].get("msg_id") != asked:
        pass


def slow_starts():
    """How many of many starts are noticed."""
    return sum(start_ours() > NOTICED for _ in range(STARTS))
