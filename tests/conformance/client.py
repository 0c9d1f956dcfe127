"""What tests and benchmarks do as a user does: kernels, their cells, and the `firesteel` command."""

import contextlib
import json
import os
import queue
import random
import socket
import subprocess
import time
from pathlib import Path

from jupyter_client.manager import KernelManager


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
    except (FileNotFoundError, ProcessLookupError):
        return False


def free_ports(count):
    """Ports that nobody has, all different. Not those that the system chooses, which it would give to others as well before they are bound."""
    found = set()
    while len(found) < count:
        port = random.randrange(15000, 32000)
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            found.add(port)
    return list(found)


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
        self.ended = False

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
        if kind == "clear_output":
            outputs.clear()
            places.clear()
            return
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

    def updated(self, words, timeout):
        """Waits until a display of a cell that is over is updated and shows `words`, and gives what it shows."""
        deadline = time.monotonic() + timeout
        while True:
            message = self.client.get_iopub_msg(timeout=deadline - time.monotonic())
            if message["msg_type"] == "update_display_data" and words in json.dumps(message["content"]):
                return message["content"]["data"]

    def aside(self, msg_id, timeout, during=None):
        """What comes on iopub for a cell that has ended: only updates of what it showed may. None where nothing comes in
        time. Another cell may run meanwhile, `during`."""
        deadline = time.monotonic() + timeout
        while True:
            try:
                message = self.client.get_iopub_msg(timeout=deadline - time.monotonic())
            except queue.Empty:
                return None
            parent = message["parent_header"].get("msg_id")
            if during and parent == during:
                continue
            assert parent == msg_id and message["msg_type"] == "update_display_data", message
            return message["content"]

    def end(self):
        if self.ended:
            return
        self.ended = True
        self.client.stop_channels()
        if self.manager.is_alive():
            self.manager.shutdown_kernel(now=False)
        self.manager.cleanup_resources()
