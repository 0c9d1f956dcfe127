"""What befalls a driver in the cluster of `tests/cluster`: its processes, the cluster's own, and the way to them."""

import contextlib
import json
import os
import re
import signal
import socket
import ssl
import struct
import subprocess
import threading
import time
from pathlib import Path

from client import alive, until

# Where the cluster of these tests keeps its own things. One that is not ours is not broken.
STATE = Path(os.environ.get("FIRESTEEL_TEST_ADMIN_KUBECONFIG", "/nowhere/none")).parent

# Its node, as `tests/cluster/lib.sh` names it.
NODE = "node1"


def ours_to_break():
    """Whether the cluster's own programs may be stopped: it is the one that `tests/cluster/up` made here."""
    return (STATE / "pki/apiserver.key").exists() and (STATE / "run/apiserver.pid").exists()


def processes(pod, program=None):
    """The processes in a pod, all or those that run one program: its containers are on this machine."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        with contextlib.suppress(OSError):
            groups = (entry / "cgroup").read_text().replace("_", "-")
            if pod["metadata"]["uid"] in groups:
                # What has ended and was not yet waited for runs none.
                runs = (entry / "exe").readlink().name
                if program in (None, runs):
                    found.append(int(entry.name))
    return found


def send(pids, what):
    assert pids, "nobody is there to be sent a signal"
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, what)


@contextlib.contextmanager
def frozen(pids):
    """Stops processes, and has them go on."""
    send(pids, signal.SIGSTOP)
    try:
        yield
    finally:
        send(pids, signal.SIGCONT)


@contextlib.contextmanager
def cut_off(pids):
    """Nothing that is said in a pod leaves it; what it says to itself is heard."""
    assert pids, "nothing is there to be cut off"
    network = f"--net=/proc/{pids[0]}/ns/net"

    def rule(verb):
        subprocess.run(["nsenter", network, "ip", "rule", verb, "blackhole", "pref", "1"], check=True)

    rule("add")
    try:
        yield
    finally:
        rule("del")


def program(name):
    """The process of one of the cluster's programs."""
    return int((STATE / f"run/{name}.pid").read_text())


def restart(name):
    """Kills one of the cluster's programs and starts it again, as it was."""
    pid = program(name)
    folder = os.readlink(f"/proc/{pid}/cwd")
    command = Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")[:-1]
    variables = Path(f"/proc/{pid}/environ").read_bytes().decode().split("\0")[:-1]
    os.kill(pid, signal.SIGKILL)
    until(lambda: not alive(pid), 10, f"{name} ends")
    with (STATE / f"log/{name}.log").open("ab") as log:
        environment = dict(variable.split("=", 1) for variable in variables)
        # It lives on after these tests, as the one before would have.
        started = subprocess.Popen(
            command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
    (STATE / f"run/{name}.pid").write_text(f"{started.pid}\n")


class Way:
    """What a kernel takes for the API server: passes on all that is said, until it is told otherwise.

    A driver outside of the kernel's own network is reached through the API server too, by a forwarded port.
    """

    def __init__(self, folder):
        given = Path(os.environ["KUBECONFIG"]).read_text()
        self.server = re.search(r"https://([^:\"]+):(\d+)", given)
        self.listener = socket.create_server(("127.0.0.1", 0))
        port = self.listener.getsockname()[1]
        self.kubeconfig = folder / f"kubeconfig-{port}"
        self.kubeconfig.write_text(given.replace(self.server.group(), f"https://127.0.0.1:{port}"))
        self.kubeconfig.chmod(0o600)
        self.to_us = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.to_us.load_cert_chain(STATE / "pki/apiserver.crt", STATE / "pki/apiserver.key")
        self.to_server = ssl.create_default_context(cafile=STATE / "pki/ca.crt")
        self.answer, self.refuses, self.delay = None, False, 0
        self.passing = threading.Event()
        self.passing.set()
        self.lock, self.open = threading.Lock(), []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                caller, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=[caller], daemon=True).start()

    def _serve(self, caller):
        with contextlib.suppress(OSError):
            if self.refuses:
                reset(caller)
                return
            self.passing.wait()
            caller = self.to_us.wrap_socket(caller, server_side=True)
            said = caller.recv(65536)
            if self.answer:
                while b"\r\n\r\n" not in said:
                    said += caller.recv(65536)
                caller.sendall(answer(self.answer))
                caller.close()
                return
            time.sleep(self.delay)
            server = socket.create_connection(self.server.groups(), timeout=10)
            server.settimeout(None)
            server = self.to_server.wrap_socket(server, server_hostname=self.server.group(1))
            pair = (caller, server, b"/portforward" in said)
            with self.lock:
                self.open.append(pair)
            server.sendall(said)
            threading.Thread(target=self._pass, args=[server, caller], daemon=True).start()
            self._pass(caller, server)
            with self.lock:
                self.open.remove(pair)

    def _pass(self, source, target):
        with contextlib.suppress(OSError):
            while True:
                said = source.recv(65536)
                self.passing.wait()
                if not said:
                    break
                target.sendall(said)
        for end in (source, target):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def _reset(self, forwards=True):
        with self.lock:
            pairs = [pair for pair in self.open if forwards or not pair[2]]
        for caller, server, _ in pairs:
            reset(caller)
            reset(server)

    @contextlib.contextmanager
    def cut(self):
        """Nobody gets through, and who was through is thrown out."""
        self.refuses = True
        self._reset()
        try:
            yield
        finally:
            self.refuses = False

    @contextlib.contextmanager
    def silent(self):
        """Nothing is passed on, and nothing is said of it: a cable that was pulled."""
        self.passing.clear()
        try:
            yield
        finally:
            self.passing.set()

    @contextlib.contextmanager
    def answers(self, status):
        """Every request is answered with this status; ports that are forwarded stay so."""
        self.answer = status
        self._reset(forwards=False)
        try:
            yield
        finally:
            self.answer = None

    @contextlib.contextmanager
    def slow(self, seconds):
        """Every new connection takes so long."""
        self.delay = seconds
        self._reset(forwards=False)
        try:
            yield
        finally:
            self.delay = 0

    def close(self):
        self.listener.close()
        self._reset()


def reset(connection):
    """Ends a connection as a router does that has forgotten it.

    It is closed when the last thread has let go of it: its number could be another connection's by then.
    """
    with contextlib.suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.shutdown(socket.SHUT_RDWR)


def answer(status):
    """An answer of an API server that does not do what it is asked."""
    reasons = {410: "Expired", 429: "TooManyRequests", 500: "InternalError"}
    body = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "code": status}
    body |= {"reason": reasons[status], "message": f"the server was told to answer {status}"}
    body = json.dumps(body).encode()
    head = f"HTTP/1.1 {status} {reasons[status]}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    return head.encode() + b"Retry-After: 1\r\nConnection: close\r\n\r\n" + body
