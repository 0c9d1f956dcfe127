"""Installs the kernel under test into a prefix of its own and points Jupyter at it."""

import json
import os
import subprocess
import time
from pathlib import Path

import pytest
from jupyter_client.manager import KernelManager

# Drivers of these tests are small and go soon after their last kernel.
PROFILES = """
profiles:
  local:
    memory: 1g
    grace: 3s
  roomy:
    memory: 1g
    grace: 3s
"""


@pytest.fixture(scope="session", autouse=True)
def home(tmp_path_factory):
    """A user's folders, empty but for the kernel and its profiles."""
    # Short, because sockets lie below it.
    home = tmp_path_factory.mktemp("home")
    program = os.environ["FIRESTEEL"]
    # All but the Spark runtime is the tests' own.
    os.environ["FIRESTEEL_RUNTIME"] = firesteel("runtime", "show").split()[1]
    for name, folder in [
        ("XDG_DATA_HOME", "data"),
        ("XDG_STATE_HOME", "state"),
        ("XDG_CONFIG_HOME", "config"),
        ("XDG_RUNTIME_DIR", "run"),
    ]:
        (home / folder).mkdir()
        os.environ[name] = str(home / folder)
    (home / "run").chmod(0o700)
    (home / "config/firesteel").mkdir()
    (home / "config/firesteel/profiles.yaml").write_text(PROFILES)
    os.environ["JUPYTER_PATH"] = str(home / "prefix/share/jupyter")
    subprocess.run([program, "install", "--prefix", home / "prefix"], check=True)
    yield home
    for driver in drivers():
        firesteel("drivers", "stop", driver["id"])
    until(lambda: not drivers(), 60, "the drivers of the tests end")


def firesteel(*arguments):
    """What a `firesteel` command prints."""
    done = subprocess.run([os.environ["FIRESTEEL"], *arguments], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


def drivers():
    """The running drivers, as `firesteel drivers list --json` tells them."""
    return json.loads(firesteel("drivers", "list", "--json"))


def until(condition, seconds, what):
    """Waits until `condition` holds; fails with `what` it waited for."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        time.sleep(0.05)
    raise AssertionError(f"not within {seconds} s: {what}")


def alive(pid):
    """Whether a process runs; one that ended and was not yet waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


class Done:
    """How a cell went: its reply and its outputs, as a notebook would hold them."""

    def __init__(self, reply, outputs):
        self.reply = reply
        self.status = reply["status"]
        self.outputs = outputs

    @property
    def text(self):
        """Everything that was shown, as plain text."""
        return "\n".join(plain(output) for output in self.outputs)


def plain(output):
    if output["output_type"] == "stream":
        return output["text"]
    if output["output_type"] == "error":
        return "\n".join(output["traceback"])
    return output["data"]["text/plain"]


class Kernel:
    """One kernel and a front end that keeps its outputs as nbclient does."""

    def __init__(self, cwd=None, env=None):
        self.manager = KernelManager(kernel_name="firesteel")
        self.manager.start_kernel(cwd=cwd, env={**os.environ, **(env or {})})
        self.client = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=30)

    @property
    def pid(self):
        return self.manager.provisioner.process.pid

    def start(self, code):
        return self.client.execute(code)

    def run(self, code, timeout=90):
        return self.finish(self.start(code), timeout)

    def finish(self, msg_id, timeout=90):
        outputs, places = [], {}
        deadline = time.monotonic() + timeout
        while True:
            message = self.client.get_iopub_msg(timeout=deadline - time.monotonic())
            if message["parent_header"].get("msg_id") != msg_id:
                continue
            kind, content = message["msg_type"], message["content"]
            if kind == "status" and content["execution_state"] == "idle":
                break
            self._keep(kind, content, outputs, places)
        while True:
            reply = self.client.get_shell_msg(timeout=deadline - time.monotonic())
            if reply["parent_header"].get("msg_id") == msg_id:
                return Done(reply["content"], outputs)

    @staticmethod
    def _keep(kind, content, outputs, places):
        display_id = content.get("transient", {}).get("display_id")
        if kind == "update_display_data":
            if display_id in places:
                outputs[places[display_id]]["data"] = content["data"]
            return
        if kind not in ("stream", "display_data", "execute_result", "error"):
            return
        if display_id:
            places[display_id] = len(outputs)
        outputs.append({"output_type": kind, **content})

    def shown(self, msg_id, words, timeout=60):
        """Waits until a running cell has shown `words`."""
        deadline = time.monotonic() + timeout
        while True:
            message = self.client.get_iopub_msg(timeout=deadline - time.monotonic())
            if message["parent_header"].get("msg_id") == msg_id and words in str(message["content"]):
                return

    def end(self):
        self.client.stop_channels()
        if self.manager.is_alive():
            self.manager.shutdown_kernel(now=False)
        self.manager.cleanup_resources()


@pytest.fixture
def kernels():
    """Starts kernels, and ends them with the test."""
    started = []

    def start(**options):
        started.append(Kernel(**options))
        return started[-1]

    yield start
    for kernel in started:
        kernel.end()


@pytest.fixture
def kernel(kernels):
    return kernels()
