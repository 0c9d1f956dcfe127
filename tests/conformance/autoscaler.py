"""A real autoscaler beside the cluster: nodes with a GPU come for a notebook's executors, and go after them. The nodes are
simulated, and containers on them only said to run."""

import contextlib
import subprocess
import time
from pathlib import Path

import cluster
from client import until
from cluster import kubectl, of, pods, things

SCRIPT = Path(__file__).parents[1] / "cluster/autoscaler"
NODES = "karpenter.sh/nodepool=gpu"
HINT = "karpenter.sh/do-not-disrupt"

# Executors want a node of the pool: the real one pretends to have GPUs as well.
PROFILE = cluster.profile(
    "simulated",
    own=", share: kernel",
    idle="15s",
    more=", gpu: {amount: 1, discoveryScript: /opt/spark/bin/getGpusResources.sh}, "
    "placement: {executors: {nodes: {karpenter.sh/nodepool: gpu}, tolerations: [{key: kwok-provider}, {key: nvidia.com/gpu}]}}",
) if cluster.there() else ""


@contextlib.contextmanager
def running():
    """An autoscaler for as long as it is needed."""
    subprocess.run([SCRIPT, "up"], check=True)
    try:
        yield
    finally:
        subprocess.run([SCRIPT, "down"], check=True)


def nodes():
    return [name for name in kubectl("get", "nodes", "--selector", NODES, "--output", "name", admin=True).split() if name]


def hinted(role):
    """The hints of all pods of a role."""
    return [pod["metadata"].get("annotations", {}).get(HINT) for pod in pods(role, "simulated")]


def round_trip(kernel):
    """Runs a statement that waits for an executor with a GPU. Gives the seconds from the cell to the node that came for it, and
    from the driver's end to the end of that node."""
    before = time.monotonic()
    cell = kernel.start("SELECT sum(id) AS total FROM range(0, 1000, 1, 2)")
    until(nodes, 240, "a node with a GPU came")
    came = time.monotonic() - before
    until(lambda: any(pod["spec"].get("nodeName") for pod in pods("executor", "simulated")), 60, "an executor is on the node")
    until(lambda: set(hinted("driver") + hinted("executor")) == {"true"}, 30, "busy pods ask not to be disturbed")
    kernel.manager.interrupt_kernel()
    assert kernel.finish(cell, timeout=60).status == "error"
    until(lambda: not any(hinted("driver") + hinted("executor")), 60, "idle pods ask for nothing")
    until(lambda: not of("simulated", things("jobs")), 180, "the idle driver was given back")
    ended = time.monotonic()
    until(lambda: not nodes(), 240, "the node went")
    return came, time.monotonic() - ended
