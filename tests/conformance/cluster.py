"""The cluster that tests and benchmarks use, as `tests/cluster/env` names it: profiles for it, and a look at what is there."""

import atexit
import functools
import http.client
import json
import os
import socket
import subprocess
import tempfile
import threading
from urllib.parse import urlencode

from client import until

NAMESPACE = os.environ.get("FIRESTEEL_TEST_NAMESPACE", "")

# Everything of ours in a namespace. What Kubernetes keeps for an hour of what happened is not among it.
KINDS = "jobs,pods,secrets,configmaps,services,persistentvolumeclaims"
GROUPS = {"jobs": "apis/batch/v1"}
OURS = "app.kubernetes.io/managed-by=firesteel"

# A statement without an end, that keeps executors at work.
LONG = "SELECT count(*) FROM range(0, 100000000000000) WHERE id % 7 = 3"

# One of those who look at the same time starts the proxy.
FIRST = threading.Lock()


def there():
    """Whether there is a cluster to use."""
    return "FIRESTEEL_TEST_IMAGE" in os.environ


def profile(name, *, own="", grace="5s", idle="", executors="{max: 2, idle: 5s, shuffle: 5s, cached: 10s}", more=""):
    """A profile of small pods on the cluster, as a line of a file of profiles."""
    images = [f"'4.3': {os.environ['FIRESTEEL_TEST_IMAGE']}"]
    if "FIRESTEEL_TEST_IMAGE_4_2" in os.environ:
        images.append(f"'4.2': {os.environ['FIRESTEEL_TEST_IMAGE_4_2']}")
    idle = f", idleLimit: {idle}" if idle else ""
    return (
        f"  {name}: {{grace: {grace}{idle}{own}, kubernetes: {{namespace: {NAMESPACE}, images: {{{', '.join(images)}}}, "
        f"keeperImage: '{os.environ['FIRESTEEL_TEST_KEEPER_IMAGE']}', "
        "driver: {cores: 1, millicores: 200, memory: 1g, overhead: 400m}, "
        "executor: {cores: 1, millicores: 200, memory: 512m, overhead: 384m}, "
        f"executors: {executors}{more}}}}}\n"
    )


def apply(items):
    """Makes things, or makes them what they should be."""
    listed = json.dumps({"apiVersion": "v1", "kind": "List", "items": items})
    kubectl("apply", "--filename", "-", admin=True, given=listed)


def kubectl(*arguments, admin=False, given=None):
    """What `kubectl` prints, as a user or as who may do everything."""
    environment = dict(os.environ)
    if admin:
        environment["KUBECONFIG"] = os.environ["FIRESTEEL_TEST_ADMIN_KUBECONFIG"]
    command = [os.environ.get("FIRESTEEL_TEST_KUBECTL", "kubectl"), "--namespace", NAMESPACE, *arguments]
    done = subprocess.run(command, input=given, capture_output=True, text=True, timeout=120, env=environment)
    assert done.returncode == 0, done.stderr
    return done.stdout


def things(kinds=KINDS, selector=OURS):
    """What there is of these kinds."""
    found = []
    for kind in kinds.split(","):
        group = GROUPS.get(kind, "api/v1")
        listed = looked_up(f"/{group}/namespaces/{NAMESPACE}/{kind}?{urlencode({'labelSelector': selector})}")
        # Items of a list do not say their kind.
        found += [{"kind": listed["kind"].removesuffix("List"), **item} for item in listed["items"]]
    return found


def looked_up(path):
    """What the API server says there is at a path."""
    code, said = asked("GET", path)
    assert code == 200, f"{path}: {code} {said}"
    return said


def asked(method, path, thing=None, user=None):
    """The code and the text of the API server's answer to who may do everything, or does it as another user."""
    connection = http.client.HTTPConnection("localhost", timeout=60)
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.settimeout(60)
    with FIRST:
        connection.sock.connect(_proxied())
    kind = "application/merge-patch+json" if method == "PATCH" else "application/json"
    headers = {"Content-Type": kind} | ({"Impersonate-User": user} if user else {})
    try:
        connection.request(method, path, json.dumps(thing) if thing else None, headers)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


@functools.cache
def _proxied():
    """The socket of one `kubectl proxy` for all looks: a process for each look would cost more than what is tested."""
    folder = tempfile.TemporaryDirectory()
    path = os.path.join(folder.name, "api.sock")
    environment = {**os.environ, "KUBECONFIG": os.environ["FIRESTEEL_TEST_ADMIN_KUBECONFIG"]}
    command = [os.environ.get("FIRESTEEL_TEST_KUBECTL", "kubectl"), "proxy", f"--unix-socket={path}"]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    atexit.register(folder.cleanup)
    atexit.register(process.kill)
    until(lambda: os.path.exists(path), 30, "a proxy to the API server")
    return path


def of(profile, items):
    """Those of one profile's drivers."""
    return [item for item in items if item["metadata"].get("annotations", {}).get("firesteel.dev/profile") == profile]


def pods(role, profile):
    """The pods of one role that a profile's drivers have."""
    return of(profile, things("pods", f"{OURS},firesteel.dev/role={role}"))


def names(items):
    return sorted(item["kind"] + "/" + item["metadata"]["name"] for item in items)


class Watch:
    """Remembers every executor of a profile's drivers that ran while it was watched."""

    def __init__(self, profile):
        self.profile = profile
        command = [os.environ.get("FIRESTEEL_TEST_KUBECTL", "kubectl"), "--namespace", NAMESPACE, "get", "pods"]
        command += ["--selector", f"{OURS},firesteel.dev/role=executor", "--watch", "--output-watch-events"]
        command += ["--output", "json"]
        environment = {**os.environ, "KUBECONFIG": os.environ["FIRESTEEL_TEST_ADMIN_KUBECONFIG"]}
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
        self.ran, self.specs = set(), {}
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        decoder, text = json.JSONDecoder(), ""
        for line in self.process.stdout:
            text += line
            try:
                event, end = decoder.raw_decode(text)
            except ValueError:
                continue
            text = text[end:].lstrip()
            pod = event["object"]
            if not of(self.profile, [pod]):
                continue
            name = pod["metadata"]["name"]
            self.specs[name] = pod["spec"]
            if pod["status"].get("phase") == "Running":
                self.ran.add(name)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        self.reader.join()
