"""Drivers in the cluster that `tests/cluster/up` brings up: a start beside `spark-submit` by hand, a race, and how long what is
idle stays beyond its limit."""

import json
import os
import subprocess
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import autoscaler
import cluster
from client import Kernel, until
from cluster import NAMESPACE, kubectl, of, pods, things

# How long anything may take before the run is broken.
DEADLINE = 300

# Needs an executor, and next to no work of it.
QUERY = "SELECT max(id) AS greatest FROM range(0, 1000, 1, 1)"

# What a person submits who wants to see its result.
SCRIPT = f"""from pyspark.sql import SparkSession
print(SparkSession.builder.getOrCreate().sql("{QUERY}").collect())
"""

KERNELS = 20
WENT = []
IDLE = 10
NAMES = ["start", "race", "simulated", "idle", "nowhere"]
PROFILES = (
    "profiles:\n"
    + cluster.profile("start", own=", share: kernel", grace="1s")
    + cluster.profile("race", grace="5s")
    + cluster.profile("nowhere", own=", share: kernel, startDeadline: 30s", more=", placement: {driver: {nodes: {no: such}}}")
    + autoscaler.PROFILE
    + cluster.profile("idle", idle=f"{IDLE}s", executors=f"{{max: 2, idle: {IDLE}s, shuffle: {IDLE}s, cached: {IDLE}s}}")
) if cluster.there() else ""


def missing():
    return None if cluster.there() else "there is no cluster; run `make cluster` and set what it prints"


class User:
    """Folders of a user with these profiles, in which kernels are started."""

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory()
        root = Path(self.folder.name)
        (root / "config/firesteel").mkdir(parents=True)
        (root / "config/firesteel/profiles.yaml").write_text(PROFILES)
        self.environment = {"XDG_CONFIG_HOME": str(root / "config"), "XDG_STATE_HOME": str(root / "state")}
        self.kernels = []
        return self

    def kernel(self, profile):
        kernel = Kernel(env={**self.environment, "FIRESTEEL_PROFILE": profile})
        self.kernels.append(kernel)
        return kernel

    def __exit__(self, *_):
        for kernel in self.kernels:
            kernel.end()
        until(lambda: not any(of(profile, things()) for profile in NAMES), DEADLINE, "what the row made is gone")
        self.folder.cleanup()


def first_row():
    """Seconds from a cell to its first row, where no driver was."""
    with User() as user:
        kernel = user.kernel("start")
        before = time.perf_counter()
        running = kernel.start(QUERY)
        kernel.shown(running, "999", timeout=DEADLINE)
        return time.perf_counter() - before


def race():
    """How many drivers a user gets whose kernels all ask at once."""
    with User() as user, ThreadPoolExecutor(KERNELS) as threads:
        kernels = [user.kernel("race") for _ in range(KERNELS)]
        done = list(threads.map(lambda kernel: kernel.run("SELECT 1 AS one", timeout=DEADLINE), kernels))
        failed = [run.text for run in done if run.status != "ok"]
        assert not failed, failed
        return len({pod["metadata"]["labels"]["firesteel.dev/incarnation"] for pod in pods("driver", "race")})


def cause():
    """Seconds from the moment at which the API says that no node takes a driver's pod until its cell says so."""
    command = [os.environ.get("FIRESTEEL_TEST_KUBECTL", "kubectl"), "--namespace", NAMESPACE, "get", "pods", "--watch-only"]
    command += ["--selector", f"{cluster.OURS},firesteel.dev/role=driver"]
    command += ["--output", 'jsonpath={.status.conditions[?(@.type=="PodScheduled")].status}{"\\n"}']
    environment = {**os.environ, "KUBECONFIG": os.environ["FIRESTEEL_TEST_ADMIN_KUBECONFIG"]}
    with User() as user, subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as watch:
        try:
            kernel = user.kernel("nowhere")
            running = kernel.start(QUERY)
            known = next(time.perf_counter() for line in watch.stdout if line.strip() == "False")
            kernel.shown(running, "cannot be placed on any node", timeout=DEADLINE)
            return time.perf_counter() - known
        finally:
            watch.kill()


def executors_gone():
    """Seconds that idle executors stay beyond their limit, from the end of the last job."""
    with User() as user:
        kernel = user.kernel("idle")
        kernel.run(QUERY, timeout=DEADLINE)
        before = time.perf_counter()
        until(lambda: not pods("executor", "idle"), DEADLINE, "idle executors are gone")
        return time.perf_counter() - before - IDLE


def driver_gone():
    """Seconds that an idle driver and all that was made for it stay beyond its limit."""
    with User() as user:
        kernel = user.kernel("idle")
        kernel.run("SELECT 1 AS one", timeout=DEADLINE)
        before = time.perf_counter()
        until(lambda: not of("idle", things()), DEADLINE, "the idle driver is gone")
        return time.perf_counter() - before - IDLE


def gpu_node():
    """Seconds from a cell to the node with a GPU that a real autoscaler made for its executors."""
    with autoscaler.running(), User() as user:
        came, went = autoscaler.round_trip(user.kernel("simulated"))
        WENT.append(went)
        return came


def gpu_node_gone():
    """Seconds from the end of the driver of the last `gpu_node` to the end of that node."""
    return WENT.pop()


def spark_submit():
    """Seconds from `kubectl create` to the first row, as a person does it who has the image: a pod that runs `spark-submit` in
    client mode with the same sizes, and prints what the query gives."""
    cluster.apply([by_hand()])
    before = time.perf_counter()
    try:
        until(printed, DEADLINE, "spark-submit printed the row")
        return time.perf_counter() - before
    finally:
        kubectl("delete", "pod/by-hand", "--grace-period=0", "--force", admin=True)
        until(lambda: not things("pods", "spark-app-name"), DEADLINE, "the executors by hand are gone")


def printed():
    """Whether the row is in the log of the pod by hand; fails with the log where the pod has failed."""
    try:
        log = kubectl("logs", "by-hand", admin=True)
    except AssertionError:
        return False
    phase = kubectl("get", "pod/by-hand", "--output=jsonpath={.status.phase}", admin=True)
    assert phase != "Failed", log[-4000:]
    return "999" in log


def by_hand():
    image = os.environ["FIRESTEEL_TEST_IMAGE"]
    conf = {
        "spark.driver.host": "$(POD_IP)",
        "spark.driver.bindAddress": "$(POD_IP)",
        "spark.driver.port": "7078",
        "spark.driver.blockManager.port": "7079",
        "spark.kubernetes.driver.pod.name": "by-hand",
        "spark.kubernetes.namespace": NAMESPACE,
        "spark.kubernetes.container.image": image,
        "spark.kubernetes.container.image.pullPolicy": "IfNotPresent",
        "spark.kubernetes.executor.podTemplateFile": "/work/executor.json",
        "spark.kubernetes.executor.request.cores": "200m",
        "spark.kubernetes.executor.disableConfigMap": "true",
        "spark.kubernetes.executor.useDriverPodIP": "true",
        # The rights are those of our drivers: pods alone.
        "spark.kubernetes.driver.ownPersistentVolumeClaim": "false",
        "spark.kubernetes.driver.reusePersistentVolumeClaim": "false",
        "spark.kubernetes.driver.service.deleteOnTermination": "false",
        "spark.kubernetes.authenticate.executor.serviceAccountName": "firesteel-executor",
        "spark.dynamicAllocation.enabled": "true",
        "spark.dynamicAllocation.shuffleTracking.enabled": "true",
        "spark.dynamicAllocation.minExecutors": "0",
        "spark.dynamicAllocation.maxExecutors": "2",
        "spark.executor.memory": "512m",
        "spark.executor.memoryOverhead": "384m",
        "spark.executor.cores": "1",
        "spark.driver.memory": "1g",
    }
    restricted = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    secure = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
    template = {"spec": {"securityContext": secure, "containers": [{"name": "executor", "securityContext": restricted}]}}
    submit = ["/opt/spark/bin/spark-submit", "--master", "k8s://https://kubernetes.default.svc", "--deploy-mode", "client"]
    for key, value in conf.items():
        submit += ["--conf", f"{key}={value}"]
    submit += ["/work/query.py"]
    container = {
        "name": "driver",
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "command": submit,
        "env": [
            {"name": "POD_IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
            {"name": "HOME", "value": "/tmp"},
        ],
        "resources": {"requests": {"cpu": "200m", "memory": "1424Mi"}, "limits": {"memory": "1424Mi"}},
        "securityContext": restricted,
        "volumeMounts": [{"name": "work", "mountPath": "/work"}],
    }
    init = {
        "name": "files",
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "command": ["sh", "-c", 'printf %s "$0" > /work/executor.json; printf %s "$1" > /work/query.py', json.dumps(template), SCRIPT],
        "securityContext": restricted,
        "volumeMounts": [{"name": "work", "mountPath": "/work"}],
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "by-hand"},
        "spec": {
            "serviceAccountName": "firesteel-driver",
            "automountServiceAccountToken": True,
            "restartPolicy": "Never",
            "securityContext": secure,
            "initContainers": [init],
            "containers": [container],
            "volumes": [{"name": "work", "emptyDir": {}}],
        },
    }
