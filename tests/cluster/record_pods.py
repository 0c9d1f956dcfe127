"""Makes pods end in every way that a cluster can be made to end them, and writes how its API tells so, for the tests of the
classifier. Run it after `make cluster`, when another version of Kubernetes says things otherwise:

    eval "$(tests/cluster/env)" && PYTHONPATH=tests/conformance "$(tests/front-ends)/bin/python" tests/cluster/record_pods.py
"""

import json
import os
import re
import signal
from pathlib import Path

from client import until
from cluster import NAMESPACE, kubectl, looked_up
from faults import processes, send

FILE = Path(__file__).parents[2] / "launcher/src/cluster/trouble/recorded.json"
IMAGE = os.environ["FIRESTEEL_TEST_IMAGE"]
GPU = "nvidia.com/gpu"
# The machine's own name server, and what stands for it (RFC 5737).
RESOLVER, ANY_RESOLVER = re.compile(r" on [0-9.]+:53"), " on 192.0.2.53:53"
DEADLINE = 180

# Keeps a pod that is deleted until it was looked at.
HELD = "firesteel.dev/recorded"
GRACE = 5
# Ends when it is told to, as Java does.
LASTS = {"command": ["sh", "-c", "trap 'exit 143' TERM; sleep 600 & wait"]}
# As a namespace may ask of every pod.
RESTRICTED = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "runAsNonRoot": True,
    "seccompProfile": {"type": "RuntimeDefault"},
}


def pod(name, container, **spec):
    executor = {"name": "executor", "image": IMAGE, "imagePullPolicy": "IfNotPresent", "securityContext": RESTRICTED, **container}
    spec = {"containers": [executor], "restartPolicy": "Never", "terminationGracePeriodSeconds": GRACE, **spec}
    metadata = {"name": f"recorded-{name}", "namespace": NAMESPACE, "finalizers": [HELD]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def shell(script):
    return {"command": ["sh", "-c", script], "terminationMessagePolicy": "FallbackToLogsOnError"}


def wants(what, amount):
    return {"resources": {kind: {what: amount} for kind in ("requests", "limits")}}


def with_volume(volume, **more):
    mounts = [{"name": "spark-local-dir-1", "mountPath": "/local"}]
    return {"volumeMounts": mounts, **more}, {"volumes": [{"name": "spark-local-dir-1", **volume}]}


def pods():
    disk, small = with_volume({"emptyDir": {"sizeLimit": "5Mi"}}, **shell("head -c 20M /dev/zero >/local/full; sleep 600"))
    mounted, absent = with_volume({"secret": {"secretName": "none"}}, **LASTS)
    secret = {"valueFrom": {"secretKeyRef": {"name": "none", "key": "none"}}}
    return [
        pod("badcommand", {"command": ["/no/such"]}),
        pod("deleted", LASTS),
        pod("disk", disk, **small),
        pod("evicted", LASTS),
        pod("exit1", shell("echo one; echo java.lang.IllegalStateException: boo; exit 1")),
        pod("nogpu", {**LASTS, **wants(GPU, "100")}),
        pod("noimage", {"image": "registry.invalid/none:1"}),
        pod("nosecret", {**LASTS, "env": [{"name": "NONE", **secret}]}),
        pod("novolume", mounted, **absent),
        pod("oom", {"command": ["tail", "/dev/zero"], **wants("memory", "40Mi")}),
        pod("preempted", {**LASTS, **wants(GPU, GPUS)}),
        pod("sigkill", LASTS),
    ]


def path(name, part=""):
    return f"/api/v1/namespaces/{NAMESPACE}/pods/recorded-{name}{part}"


def look(name):
    return looked_up(path(name))


def reason(name):
    """The word of the container's or the pod's state, whichever there is."""
    status = look(name)["status"]
    state = next(iter(status.get("containerStatuses", [{}])[0].get("state", {}).values()), {})
    placed = [condition.get("reason") for condition in status.get("conditions", []) if condition["type"] == "PodScheduled"]
    return state.get("reason") or (placed or [None])[0]


def is_over(name):
    return look(name)["status"]["phase"] == "Failed"


def runs(name):
    return look(name)["status"]["phase"] == "Running"


def told(case, found):
    """What the classifier reads of a pod, without what differs from one run to the next for nothing."""
    name = found["metadata"]["name"].removeprefix("recorded-")
    dates = ("creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds")
    metadata = {"name": name} | {key: found["metadata"][key] for key in dates if key in found["metadata"]}
    container = {key: found["spec"]["containers"][0][key] for key in ("name", "image", "resources")}
    status = {key: found["status"][key] for key in ("phase", "reason", "message", "startTime") if key in found["status"]}
    said = ("type", "status", "reason", "message", "lastTransitionTime")
    status["conditions"] = [{key: condition[key] for key in said if key in condition} for condition in found["status"]["conditions"]]
    for one in found["status"].get("containerStatuses", []):
        kept = {key: one[key] for key in ("name", "image", "ready", "restartCount", "started")} | {"imageID": ""}
        [(word, state)] = one["state"].items()
        kept["state"] = {word: {key: value for key, value in state.items() if key != "containerID"}}
        if "message" in state:
            kept["state"][word]["message"] = RESOLVER.sub(ANY_RESOLVER, state["message"])
        status["containerStatuses"] = [kept]
    return {"case": case, "pod": {"metadata": metadata, "spec": {"nodeName": found["spec"].get("nodeName"), "containers": [container]}, "status": status}}


def ended(name, how):
    """A pod that ends by somebody's will: while it still runs, and when it has ended."""
    until(lambda: runs(name), DEADLINE, f"{name} runs")
    how()
    until(lambda: "deletionTimestamp" in look(name)["metadata"], DEADLINE, f"{name} is to end")
    before = told(f"{name} while it runs", look(name))
    assert before["pod"]["status"]["phase"] == "Running", before
    until(lambda: is_over(name), DEADLINE, f"{name} ends")
    return [before, told(name, look(name))]


def create(item, at=None):
    where = ["--raw", at] if at else []
    kubectl("create", *where, "--filename", "-", admin=True, given=json.dumps(item))


def evict():
    create({"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "recorded-evicted", "namespace": NAMESPACE}}, path("evicted", "/eviction"))


def preempt():
    create({"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": {"name": "recorded"}, "value": 1000})
    create(pod("first", {**LASTS, **wants(GPU, GPUS)}, priorityClassName="recorded"))


def kill():
    until(lambda: runs("sigkill"), DEADLINE, "it runs")
    send(processes(look("sigkill"), "dash"), signal.SIGKILL)
    until(lambda: is_over("sigkill"), DEADLINE, "it is killed")
    return [told("sigkill", look("sigkill"))]


def recorded():
    for item in pods():
        create(item)
    cases = [*ended("deleted", lambda: kubectl("delete", "pod/recorded-deleted", "--wait=false", admin=True))]
    cases += [*ended("evicted", evict), *ended("preempted", preempt), *kill()]
    for name, word in [
        ("nogpu", "Unschedulable"),
        ("noimage", "ImagePullBackOff"),
        ("nosecret", "CreateContainerConfigError"),
        ("novolume", "ContainerCreating"),
    ]:
        until(lambda: reason(name) == word, DEADLINE, f"{name}: {word}")
        cases.append(told(name, look(name)))
    for name in ("badcommand", "disk", "exit1", "oom"):
        until(lambda: is_over(name), DEADLINE, f"{name} fails")
        cases.append(told(name, look(name)))
    return sorted(cases, key=lambda one: one["case"].split()[0])


def cleared():
    for name in [*(item["metadata"]["name"] for item in pods()), "recorded-first"]:
        there = kubectl("get", "pod", name, "--ignore-not-found", "--output=name", admin=True)
        if there:
            kubectl("patch", "pod", name, "--type=merge", '--patch={"metadata":{"finalizers":null}}', admin=True)
            kubectl("delete", "pod", name, "--ignore-not-found", "--grace-period=0", "--force", admin=True)
    kubectl("delete", "priorityclass/recorded", "--ignore-not-found", admin=True)


def gpus():
    """All that the node has: who wants them has nothing beside it."""
    return max(node["status"]["allocatable"].get(GPU, "0") for node in looked_up("/api/v1/nodes")["items"])


def versions():
    node = looked_up("/api/v1/nodes")["items"][0]["status"]["nodeInfo"]
    return {"kubernetes": node["kubeletVersion"], "runtime": node["containerRuntimeVersion"]}


GPUS = gpus()

if __name__ == "__main__":
    try:
        cases = recorded()
    finally:
        cleared()
    FILE.write_text(json.dumps({"versions": versions(), "cases": cases}, indent=1) + "\n")
    print(f"{len(cases)} cases: {FILE}")
