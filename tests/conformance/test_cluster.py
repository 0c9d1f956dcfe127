"""What a user lives through whose driver is a pod, on a real Kubernetes with real Spark pods."""

import base64
import json
import os
import re
import subprocess
import sys
import threading
from pathlib import Path

import cluster
import nbformat
import pytest
from client import firesteel, until
from cluster import Watch, kubectl, names, of, pods, things
from faults import ours_to_break, processes

if not cluster.there():
    assert "CI" not in os.environ, "in CI there is a cluster"
    pytest.skip("no cluster: run `make cluster`, or tests/run", allow_module_level=True)

# Tasks enough that one executor has not done them when a second is asked for.
WORK = "SELECT sum(hash(id)) AS total FROM range(0, 400000000, 1, 12)"

# How long a driver may take to start and answer, on a busy machine.
START = 240

# Half of what a driver of a short life costs.
QUICK = ", compiler: quick"

PROFILES = (
    cluster.profile("pods")
    + cluster.profile("scripted", own=", share: kernel")
    + cluster.profile("idle", own=QUICK, grace="60s", idle="20s")
    + cluster.profile("older", own=f"{QUICK}, sparkVersion: '4.2', share: kernel")
    + cluster.profile(
        "gpu",
        own=f"{QUICK}, share: kernel",
        more=", gpu: {amount: 1, discoveryScript: /opt/spark/bin/getGpusResources.sh}, "
        "environment: {FIRESTEEL_PRETENDED_GPUS: '1'}",
    )
    + cluster.profile("nowhere", own=", share: kernel, startDeadline: 20s", more=", placement: {driver: {nodes: {no: such}}}")
    + cluster.profile("hopeless", own=f"{QUICK}, share: kernel", more=", placement: {executors: {nodes: {no: such}}}")
    + cluster.profile("imageless", own=", share: kernel, startDeadline: 20s").replace(
        f"'4.3': {os.environ['FIRESTEEL_TEST_IMAGE']}", "'4.3': localhost/no-such-image:1"
    )
    + cluster.profile("crashing", own=f"{QUICK}, share: kernel, conf: {{spark.executor.extraJavaOptions: '-agentlib:quokka'}}")
    + "allowedConf: [spark.executor.extraJavaOptions]\n"
)


@pytest.fixture(scope="module", autouse=True)
def profiles(home):
    """The profiles of these tests, beside those on this machine."""
    file = home / "config/firesteel/profiles.yaml"
    before = file.read_text()
    file.write_text(before + PROFILES)
    yield
    for driver in json.loads(firesteel("drivers", "list", "--json")):
        firesteel("drivers", "stop", driver["id"])
    file.write_text(before)
    nothing_left("pods", "scripted", "idle", "older", "gpu", "nowhere", "hopeless", "imageless", "crashing", "inside")


def nothing_left(*profiles, seconds=150):
    """Waits until nothing that was made for drivers of these profiles is in the namespace."""

    def left():
        found = things()
        return names(item for profile in profiles for item in of(profile, found))

    until(lambda: not left(), seconds, f"nothing is left of {profiles}")


def test_a_notebook_executed_by_nbconvert_runs_on_two_executors_and_leaves_nothing(tmp_path):
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(WORK)],
        metadata={"kernelspec": {"name": "firesteel", "display_name": "Firesteel", "language": "sql"}},
    )
    nbformat.write(notebook, tmp_path / "work.ipynb")
    with Watch("scripted") as watch:
        execute(tmp_path / "work.ipynb", "scripted")
        until(lambda: len(watch.ran) >= 2, 30, "two executors were seen to run")
    executed = nbformat.read(tmp_path / "work.nbconvert.ipynb", as_version=4)
    shown = json.dumps(executed.cells[0].outputs)
    assert "total" in shown, shown
    # Phases that took no time to speak of are left out: with the image there and room on the node, all but these two.
    for words in [" started in ", "waiting for Spark ", "first executor "]:
        assert words in shown, shown
    nothing_left("scripted")


def test_the_secrets_of_a_driver_are_in_its_secret_alone(kernels):
    kernel = kernels(env={"FIRESTEEL_PROFILE": "pods"})
    done = kernel.run("SET; SELECT count(*) FROM range(100)", timeout=START)
    assert done.status == "ok", done.text
    # One that is idle could go while it is looked at.
    kernel.shown(kernel.start(cluster.LONG), "task", timeout=START)

    def working():
        return [pod for pod in pods("executor", "pods") if pod["status"]["phase"] == "Running"]

    data = [secret["data"] for secret in of("pods", things("secrets"))]
    coded = {value for keys in data for key, value in keys.items() if key != "tls.crt"}
    plain = {base64.b64decode(value).decode().strip() for value in coded}
    assert len(coded) >= 3
    # A key of several lines is found by one of them too.
    secrets = coded | plain | {line for text in plain for line in text.splitlines() if len(line) == 64}
    said = {"the cell": json.dumps(done.outputs)}
    for kind in ["events", "jobs", "pods", "configmaps", "services"]:
        said[kind] = kubectl("get", kind, "--output", "json", admin=True)
    # Another that is only being made has no log yet.
    for pod in pods("driver", "pods") + until(working, START, "an executor works"):
        name = pod["metadata"]["name"]
        said[name] = kubectl("logs", name, "--all-containers", admin=True)
        # Where the cluster is on this machine.
        for pid in processes(pod) if ours_to_break() else []:
            for part in ["cmdline", "environ"]:
                said[f"{name}, {part} of {pid}"] = Path(f"/proc/{pid}/{part}").read_text(errors="replace")
    assert not ours_to_break() or any("cmdline" in where and "executor" in text for where, text in said.items())
    for where, text in said.items():
        assert not [secret for secret in secrets if secret in text], where


def execute(notebook, profile):
    command = [sys.executable, "-m", "jupyter", "nbconvert", "--to", "notebook", "--execute", str(notebook)]
    environment = {**os.environ, "FIRESTEEL_PROFILE": profile}
    done = subprocess.run(command, capture_output=True, text=True, timeout=START * 2, env=environment)
    assert done.returncode == 0, done.stderr


def test_executors_go_when_idle_then_the_driver_and_the_next_cell_says_what_was_lost(kernels):
    kernel = kernels(env={"FIRESTEEL_PROFILE": "idle"})
    done = kernel.run(f"CREATE TEMPORARY VIEW kept AS SELECT 7 AS n; {WORK}", timeout=START)
    assert done.status == "ok", done.text
    (driver,) = pods("driver", "idle")
    until(lambda: not pods("executor", "idle"), 120, "idle executors are given back")
    assert names(pods("driver", "idle")) == names([driver])

    assert "7" in kernel.run("SELECT n FROM kept", timeout=START).text
    kernel.run("DROP VIEW kept; CREATE TEMPORARY VIEW lost AS SELECT 8 AS n", timeout=START)
    warned = kernel.updated("is given back at", timeout=180)
    assert "lost" in json.dumps(warned) and "%keep" in json.dumps(warned), warned
    kernel.updated("was given back at", timeout=60)

    # At once: its Job does not say yet that it has ended.
    done = kernel.run("SELECT 1 AS one", timeout=START)
    assert done.status == "ok", done.text
    assert "given back" in done.text and "lost" in done.text, done.text
    assert names(pods("driver", "idle")) != names([driver])
    until(lambda: not of("idle", things()), 180, "the idle driver is given back with all that was made for it")


def test_a_second_kernel_joins_and_twenty_that_race_get_one_driver(kernels):
    started = [kernels(env={"FIRESTEEL_PROFILE": "pods"}) for _ in range(20)]
    running = [(kernel, kernel.start("SELECT 1 AS one")) for kernel in started]
    for kernel, cell in running:
        done = kernel.finish(cell, timeout=START)
        assert done.status == "ok", done.text
    assert len(pods("driver", "pods")) == 1, names(pods("driver", "pods"))
    assert len(of("pods", things("jobs"))) == 1


def test_executors_of_a_gpu_profile_have_gpus_and_the_driver_has_none(kernels):
    with Watch("gpu") as watch:
        kernel = kernels(env={"FIRESTEEL_PROFILE": "gpu"})
        done = kernel.run("SELECT sum(id) AS total FROM range(0, 1000000, 1, 2)", timeout=START)
        assert done.status == "ok", done.text
        assert watch.ran
    for name in watch.ran:
        (container,) = watch.specs[name]["containers"]
        assert container["resources"]["limits"]["nvidia.com/gpu"] == "1", name
    (driver,) = pods("driver", "gpu")
    assert "nvidia.com/gpu" not in json.dumps(driver["spec"]["containers"])


def test_the_older_spark_works_as_well(kernels):
    kernel = kernels(env={"FIRESTEEL_PROFILE": "older"})
    done = kernel.run("SELECT version() AS v, sum(id) AS total FROM range(0, 1000000, 1, 2)", timeout=START)
    assert done.status == "ok" and "4.2" in done.text, done.text


def test_a_removed_driver_is_told_within_seconds_and_the_next_cell_has_another(kernels):
    kernel = kernels(env={"FIRESTEEL_PROFILE": "scripted"})
    kernel.run("SET x = 1; SELECT 1", timeout=START)
    (driver,) = pods("driver", "scripted")
    running = kernel.start("SELECT count(*) FROM range(0, 100000000000000) WHERE id % 7 = 3")
    kernel.shown(running, "task")
    threading.Thread(
        target=kubectl, args=["delete", "pod", driver["metadata"]["name"], "--grace-period=0", "--force"], kwargs={"admin": True}
    ).start()
    done = kernel.finish(running, timeout=60)
    assert done.status == "error", done.text
    assert "driver" in done.text, done.text
    done = kernel.run("SELECT 2 AS two", timeout=START)
    assert done.status == "ok" and "settings" in done.text, done.text


def test_a_driver_that_is_evicted_says_so(kernels):
    kernel = kernels(env={"FIRESTEEL_PROFILE": "scripted"})
    running = kernel.start(cluster.LONG)
    kernel.shown(running, "task", timeout=START)
    (driver,) = pods("driver", "scripted")
    name = driver["metadata"]["name"]
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name}}
    code, said = cluster.asked("POST", f"/api/v1/namespaces/{cluster.NAMESPACE}/pods/{name}/eviction", eviction)
    assert code == 201, said
    done = kernel.finish(running, timeout=60)
    assert done.status == "error" and "evicted, because its node is drained" in done.text, done.text


def test_a_driver_whose_secret_was_removed_takes_nobody_in_and_says_so(kernels):
    first = kernels(env={"FIRESTEEL_PROFILE": "pods"})
    assert first.run("SELECT 1 AS one", timeout=START).status == "ok"
    (secret,) = of("pods", things("secrets"))
    kubectl("delete", "secret", secret["metadata"]["name"], admin=True)
    second = kernels(env={"FIRESTEEL_PROFILE": "pods"})
    done = second.run("SELECT 2 AS two", timeout=START)
    assert done.status == "error" and secret["metadata"]["name"] in done.text and "was removed" in done.text, done.text
    assert first.run("SELECT 3 AS three").status == "ok", "who was there is not disturbed"
    assert first.run("%stop").status == "ok"
    done = second.run("SELECT 4 AS four", timeout=START)
    assert done.status == "ok", done.text


@pytest.mark.parametrize(
    ("profile", "words"), [("nowhere", r"didn't match|node affinity|no node"), ("imageless", r"no-such-image")]
)
def test_a_driver_that_cannot_start_says_why(kernels, profile, words):
    kernel = kernels(env={"FIRESTEEL_PROFILE": profile})
    done = kernel.run("SELECT 1", timeout=START)
    assert done.status == "error", done.text
    assert re.search(words, done.text), done.text


def test_a_cell_that_waits_for_executors_that_cannot_come_is_told_why(kernels):
    kernel = kernels(env={"FIRESTEEL_PROFILE": "hopeless"})
    running = kernel.start("SELECT sum(id) FROM range(0, 1000, 1, 2)")
    kernel.shown(running, "cannot be placed on any node", timeout=START)
    kernel.manager.interrupt_kernel()
    assert kernel.finish(running, timeout=60).status == "error"


def test_executors_that_end_again_and_again_are_told_with_the_end_of_their_log(kernels):
    kernel = kernels(env={"FIRESTEEL_PROFILE": "crashing"})
    running = kernel.start("SELECT sum(id) FROM range(0, 1000, 1, 2)")
    # What is said of those that end again and again alone.
    kernel.shown(running, "Its log ends:", timeout=START)
    kernel.manager.interrupt_kernel()
    assert kernel.finish(running, timeout=60).status == "error"


def test_session_logs_and_the_command_line_show_what_runs(kernels):
    kernel = kernels(env={"FIRESTEEL_PROFILE": "pods"})
    kernel.run("SELECT sum(id) FROM range(0, 1000000, 1, 2)", timeout=START)
    (driver,) = pods("driver", "pods")
    assert driver["metadata"]["name"] in kernel.run("%session").text
    assert "Spark" in kernel.run("%logs").text
    (listed,) = [driver for driver in json.loads(firesteel("drivers", "list", "--json")) if driver["profile"] == "pods"]
    assert "SparkConnect" in firesteel("drivers", "logs", listed["id"])
    firesteel("drivers", "stop", listed["id"])
    until(lambda: not pods("driver", "pods"), 60, "a driver that was stopped is gone")


def test_the_same_notebook_works_inside_a_pod():
    image = os.environ["FIRESTEEL_TEST_NOTEBOOK_IMAGE"]
    profiles = "profiles:\n" + cluster.profile("inside", own=", share: kernel")
    script = (
        "mkdir -p $HOME/.config/firesteel && cp /work/profiles.yaml $HOME/.config/firesteel/ && cd $HOME && "
        "cp /work/work.ipynb . && jupyter nbconvert --to notebook --execute --stdout work.ipynb"
    )
    notebook = nbformat.writes(
        nbformat.v4.new_notebook(
            cells=[nbformat.v4.new_code_cell("SELECT sum(id) AS total FROM range(0, 1000000, 1, 2)")],
            metadata={"kernelspec": {"name": "firesteel", "display_name": "Firesteel", "language": "sql"}},
        )
    )
    cluster.apply(in_a_pod(image, script, {"profiles.yaml": profiles, "work.ipynb": notebook}))
    try:
        until(lambda: phase() in ("Succeeded", "Failed"), START, "the notebook in the pod is done")
        log = kubectl("logs", "inside", admin=True)
        assert phase() == "Succeeded", log
        assert "499999500000" in log.replace(",", ""), log
    finally:
        kubectl("delete", "--ignore-not-found", *(f"{kind}/inside" for kind in INSIDE), admin=True)
    nothing_left("inside")


INSIDE = ["pod", "configmap", "rolebinding", "role", "serviceaccount"]


def phase():
    return kubectl("get", "pod/inside", "--output", "jsonpath={.status.phase}", admin=True)


def in_a_pod(image, script, files):
    """A pod that runs a script as a notebook's pod would, and the files it has. Its account may do all that kernels need, but
    forward ports."""
    restricted = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    container = {
        "name": "notebook",
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "command": ["sh", "-c", script],
        "env": [{"name": "HOME", "value": "/tmp/home"}, {"name": "FIRESTEEL_PROFILE", "value": "inside"}],
        "securityContext": restricted,
        "volumeMounts": [{"name": "work", "mountPath": "/work"}],
    }
    spec = {
        "serviceAccountName": "inside",
        "restartPolicy": "Never",
        "securityContext": {"runAsNonRoot": True, "runAsUser": 1000, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [container],
        "volumes": [{"name": "work", "configMap": {"name": "inside"}}],
    }
    role = json.loads(kubectl("get", "role", "firesteel-user", "--output", "json", admin=True))
    rules = [rule for rule in role["rules"] if "pods/portforward" not in rule["resources"]]
    return [
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "inside"}, "data": files},
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "inside"}},
        {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": "inside"}, "rules": rules},
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "RoleBinding",
            "metadata": {"name": "inside"},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "inside"},
            "subjects": [{"kind": "ServiceAccount", "name": "inside", "namespace": cluster.NAMESPACE}],
        },
        {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "inside"}, "spec": spec},
    ]
