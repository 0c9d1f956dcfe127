"""Whatever dies, stops or is cut off, at whatever moment: one word in the cell, no second driver, and nothing left a minute later.

A point is a fault at a moment. Each fault is tried once at a moment that is hardest for it; with FIRESTEEL_FAULTS=all at
every moment that it can befall, and then as many times more at random ones as FIRESTEEL_SCHEDULES says, from
FIRESTEEL_FAULTS_SEED. Several points run at a time, each with a driver of its own; those that befall the cluster itself run
alone.
"""

import contextlib
import os
import random
import re
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Optional

import cluster
import pytest
from client import Kernel, alive, until
from clock import DAY, Clock
from cluster import LONG, kubectl, names, of, pods, things
from faults import NODE, Way, cut_off, frozen, ours_to_break, processes, program, restart, send

assert ours_to_break() or "CI" not in os.environ, "in CI there is a cluster"
pytestmark = pytest.mark.skipif(not ours_to_break(), reason="no cluster that is ours to break: run `make cluster`, or tests/run")

# At a time: a driver and its executor take about 2.5 GB, and most of a point is waiting.
AT_ONCE = 4

# How long a driver may take to start and answer, on a machine that starts four.
START = 300

# A cell that lost its driver ends within this.
NO_HANG = 60

# Nothing is left so long after the end, of which a driver that died can be looked at for a half.
NOTHING_LEFT = 60

# So long after a goodbye to a driver of its own that is not there yet.
WITHDRAWN = 20

# How long what is lifted lasts: less than the lease.
BRIEF = 4

AWAY, GRACE = 20, 3

# How long a driver that cannot start is waited for: for longer than a silent kernel would be.
STUCK_FOR = AWAY + 10

ANSWER = "SELECT 40 + 2 AS answer"
# Long enough that an executor is seen at work on it, and can be killed then.
FINITE = "SELECT sum(hash(id)) IS NOT NULL AS answered FROM range(0, 2000000000, 1, 8)"

# What a cell may say that lost its driver, or could not have one.
LOST = ("DriverLost", "SparkUnavailable")

# How it says so where it was not told why.
UNTOLD = "The Spark session is gone:|No session could be opened:|Spark Connect server"

# What the next cell says then.
REPLACED = "A new session was opened"


@dataclass
class Scene:
    """A kernel at a moment of its driver's life."""

    profile: str
    way: Way
    clock: Optional[Clock]
    kernel: Kernel
    moment: str = ""
    cell: str = ""
    # Whether the cell under way has no end of its own.
    endless: bool = False
    # What a cell may come to: its names of errors, and "ok".
    outcomes: tuple = ("ok",)
    # What is said of the driver's end, where that is known.
    words: str = ""
    # Whether another cell is to go well.
    goes_on: bool = True
    # How long what was made may stay after the end.
    patience: int = NOTHING_LEFT
    # Every pod that was seen, by its uid.
    seen: dict = field(default_factory=dict)

    def is_over(self):
        """Nobody is there to be told."""
        self.cell, self.endless, self.goes_on = "", False, False

    def pod(self):
        (pod,) = pods("driver", self.profile)
        return pod

    def java(self):
        return processes(self.pod(), "java")

    def keeper(self):
        return processes(self.pod(), "firesteel-launcher")

    def executor(self):
        (pod,) = pods("executor", self.profile)
        return processes(pod, "java")

    def look(self):
        """All that is there of it. Its pods are remembered: their processes could outlive them."""
        found = of(self.profile, things())
        self.seen |= {item["metadata"]["uid"]: item for item in found if item["kind"] == "Pod"}
        return found


# Moments.


def pending(scene):
    scene.cell = scene.kernel.start(ANSWER)
    until(lambda: [pod for pod in pods("driver", scene.profile) if pod["status"]["phase"] == "Pending"], 60, "its pod is there")


def pulling(scene):
    scene.cell = scene.kernel.start(ANSWER)

    def waits():
        for pod in pods("driver", scene.profile):
            for status in pod["status"].get("initContainerStatuses", []) + pod["status"].get("containerStatuses", []):
                if "Pull" in status["state"].get("waiting", {}).get("reason", ""):
                    return True
        return False

    until(waits, 60, "its image is pulled")


def starting(scene):
    scene.cell = scene.kernel.start(ANSWER)
    until(lambda: pods("driver", scene.profile) and scene.java(), START, "Java runs")


def idle(scene):
    done = scene.kernel.run(ANSWER, timeout=START)
    assert done.status == "ok", done.text


def running(scene, code=LONG):
    idle(scene)
    scene.cell, scene.endless = scene.kernel.start(code), code is LONG
    # Tasks are shown while they wait for an executor, too. Of those there is one, with room for one task.
    scene.kernel.shown(scene.cell, "tasks, 1 running", timeout=START)


def ending(scene):
    idle(scene)
    scene.kernel.end()
    scene.is_over()


STUCK = [pending, pulling]


# Faults. What is lifted is lifted when they return.


def lasting(fault, seconds=BRIEF):
    """A fault of this length: nothing is waited for, the time is the fault."""
    with fault:
        time.sleep(seconds)


def kernel_is_killed(scene):
    os.kill(scene.kernel.pid, signal.SIGKILL)
    # It could as well be asleep.
    scene.patience = AWAY + NOTHING_LEFT
    scene.is_over()


def kernel_closes(scene):
    scene.kernel.end()
    if scene.moment in ("pending", "pulling"):
        scene.patience = WITHDRAWN
    scene.is_over()


def kernel_sleeps_past_its_lease(scene):
    """A laptop whose lid was closed."""
    with frozen([scene.kernel.pid]):
        until(lambda: not pods("driver", scene.profile), AWAY + GRACE + NO_HANG, "the driver is given back")
    scene.outcomes, scene.words = LOST, "silent for more than|Nobody used|removed"


def kernel_sleeps_briefly(scene):
    lasting(frozen([scene.kernel.pid]))


def connections_are_reset(scene):
    lasting(scene.way.cut())


def connections_fall_silent(scene):
    lasting(scene.way.silent())


def clock_jumps(scene):
    """By a day, in a laptop that wakes up without its network, and back."""
    with scene.clock.jumped(DAY):
        lasting(scene.way.cut())
    lasting(scene.way.cut())


def keeper_is_killed(scene):
    send(scene.keeper(), signal.SIGKILL)
    scene.outcomes, scene.words = LOST, "killed"


def keeper_sleeps_briefly(scene):
    lasting(frozen(scene.keeper()))


def driver_is_cut_off(scene):
    """From the API server and its executors; the kernel's own way ends within the pod."""
    lasting(cut_off(scene.keeper()))


def driver_is_cut_off_for_long(scene):
    """For longer than the lease of a kernel, whom it hears all the while."""
    lasting(cut_off(scene.keeper()), AWAY + BRIEF)


def java_is_killed(scene):
    send(scene.java(), signal.SIGKILL)
    scene.outcomes, scene.words = LOST, "killed"


def java_sleeps_briefly(scene):
    lasting(frozen(scene.java()))


def executor_is_killed(scene):
    (killed,) = pods("executor", scene.profile)
    send(processes(killed, "java"), signal.SIGKILL)

    def another():
        return [pod for pod in pods("executor", scene.profile) if pod["metadata"]["uid"] != killed["metadata"]["uid"]]

    # A statement that was over by then would want none.
    until(another, START, "another executor is made")


def executor_sleeps_briefly(scene):
    lasting(frozen(scene.executor()))


def executor_is_cut_off(scene):
    lasting(cut_off(scene.executor()))


def driver_is_out_of_memory(scene):
    scene.cell = scene.kernel.start("SELECT length(concat(repeat('a', 900000000), repeat('b', 900000000))) AS n")
    scene.outcomes, scene.words = LOST, r"heap of \S+ was full|ran out of memory|OOMKilled"


def pod_is_deleted(scene):
    scene.outcomes, scene.words = LOST, "deleted|removed"
    deleted("pod", scene.pod(), "--grace-period=0", "--force")


def job_is_deleted(scene):
    scene.outcomes, scene.words = LOST, "deleted|removed"
    (job,) = of(scene.profile, things("jobs"))
    deleted("job", job)
    # Until then it may answer one cell more.
    until(lambda: not pods("driver", scene.profile), NO_HANG, "its pod is gone")


def secret_is_deleted(scene):
    (secret,) = of(scene.profile, things("secrets"))
    deleted("secret", secret)
    if scene.moment == "starting":
        # A pod that is not there yet cannot mount it.
        scene.outcomes = ("ok", *LOST)


def deleted(kind, item, *how):
    kubectl("delete", kind, item["metadata"]["name"], "--wait=false", *how, admin=True)


def server_answers(status):
    def fault(scene):
        lasting(scene.way.answers(status))

    fault.__name__ = f"server_answers_{status}"
    return fault


def server_is_slow(scene):
    lasting(scene.way.slow(1.5))


def two_close_while_a_third_starts(scene):
    """All of one driver: it stays for the third."""
    environment = {"FIRESTEEL_PROFILE": scene.profile, "KUBECONFIG": str(scene.way.kubeconfig)}
    second = Kernel(env=environment)
    assert second.run(ANSWER, timeout=START).status == "ok"
    closing = [threading.Thread(target=one.end) for one in (second, scene.kernel)]
    for thread in closing:
        thread.start()
    scene.kernel = Kernel(env=environment)
    scene.cell = scene.kernel.start(ANSWER)
    for thread in closing:
        thread.join()


# Of the cluster itself: alone.


def kubelet_sleeps(scene):
    lasting(frozen([program("kubelet")]), 2 * BRIEF)


def kubelet_is_restarted(scene):
    before = node()
    restart("kubelet")
    until(lambda: reported(node(), before), 60, "the node is ready again")
    # A kubelet that begins may take away what no plugin of its own provides: the pretended GPUs.
    status = {part: before["status"][part] for part in ["capacity", "allocatable"]}
    code, said = cluster.asked("PATCH", f"/api/v1/nodes/{NODE}/status", {"status": status})
    assert code == 200, said


def node():
    return cluster.looked_up(f"/api/v1/nodes/{NODE}")


def reported(now, before):
    """Whether a node has said since then that it is ready."""
    (ready,), (was,) = ([one for one in item["status"]["conditions"] if one["type"] == "Ready"] for item in (now, before))
    return ready["status"] == "True" and ready["lastHeartbeatTime"] != was["lastHeartbeatTime"]


def server_sleeps(scene):
    lasting(frozen([program("apiserver")]), 2 * BRIEF)


def server_is_restarted(scene):
    restart("apiserver")
    until(answers, 60, "the server is back")
    if scene.moment == "starting":
        # Until it has read the roles it refuses everybody, and Spark asks once.
        scene.outcomes = ("ok", *LOST)


def scheduler_and_manager_are_restarted(scene):
    for name in ["manager", "scheduler"]:
        restart(name)


def answers():
    with contextlib.suppress(AssertionError):
        return kubectl("get", "--raw", "/readyz", admin=True) == "ok"
    return False


# Each fault with the moments that it can befall; the first is tried always.
FAULTS = {
    kernel_is_killed: [pending, pulling, starting, idle, running],
    kernel_closes: [pending, pulling, starting, running],
    kernel_sleeps_past_its_lease: [idle, running],
    kernel_sleeps_briefly: [running, starting, idle],
    connections_are_reset: [running, starting, idle],
    connections_fall_silent: [idle, starting, running],
    clock_jumps: [starting, idle, running],
    keeper_is_killed: [running, starting, idle],
    keeper_sleeps_briefly: [idle, starting, running],
    driver_is_cut_off: [running, starting, idle],
    driver_is_cut_off_for_long: [running, idle],
    java_is_killed: [starting, idle, running],
    java_sleeps_briefly: [running, starting, idle],
    executor_is_killed: [running],
    executor_sleeps_briefly: [running],
    executor_is_cut_off: [running],
    driver_is_out_of_memory: [idle],
    pod_is_deleted: [pending, pulling, starting, idle, running],
    job_is_deleted: [idle, pending, pulling, starting, running],
    secret_is_deleted: [idle, starting, running],
    server_answers(429): [starting, idle, pending],
    server_answers(500): [pending, starting, idle],
    server_answers(410): [starting, pending, idle],
    server_is_slow: [starting, pending, idle],
    two_close_while_a_third_starts: [idle],
}
OF_THE_CLUSTER = {
    kubelet_sleeps: [ending, starting, idle, running],
    kubelet_is_restarted: [idle, starting, running, ending],
    server_sleeps: [starting, idle, running, ending],
    server_is_restarted: [running, starting, idle, ending],
    scheduler_and_manager_are_restarted: [starting, running, ending],
}

# What is tried at more moments even where not all are: who closes before there is a driver leaves most behind elsewhere.
ALWAYS = [(pulling, kernel_is_killed), (starting, kernel_is_killed), (running, kernel_is_killed), (starting, kernel_closes)]


def points():
    """All points of this run, in an order in which they can be told from."""
    both = FAULTS | OF_THE_CLUSTER
    each = [(moments[0], fault) for fault, moments in both.items()] + ALWAYS
    if os.environ.get("FIRESTEEL_FAULTS") != "all":
        return each
    seed = int(os.environ.get("FIRESTEEL_FAULTS_SEED", time.time()))
    print(f"FIRESTEEL_FAULTS_SEED={seed}")
    chance = random.Random(seed)
    grid = [(moment, fault) for fault, moments in both.items() for moment in moments]
    return grid + [chance.choice(grid) for _ in range(int(os.environ.get("FIRESTEEL_SCHEDULES", 300)))]


POINTS = points()


def title(number):
    moment, fault = POINTS[number]
    return f"{number + 1}-{moment.__name__}-{fault.__name__}"


def profile(number):
    """A profile of its own, whose drivers cannot be placed or pulled where a moment wants that."""
    moment, fault = POINTS[number]
    share = "" if fault is two_close_while_a_third_starts else ", share: kernel"
    more = ", placement: {driver: {nodes: {no: such}}}" if moment is pending else ""
    # Of a killed kernel it is to end sooner than its profile lets it wait.
    deadline = STUCK_FOR if moment in STUCK and fault is not kernel_is_killed else START
    line = cluster.profile(
        f"leak-{number + 1}",
        # Short lives, compiled by the quick compiler alone: half of what such a driver costs.
        own=f"{share}, away: {AWAY}s, startDeadline: {deadline}s, compiler: quick",
        grace=f"{GRACE}s",
        executors="{max: 1, idle: 20s, shuffle: 20s, cached: 20s}",
        more=more,
    )
    if moment is pulling:
        line = re.sub(r"images: {'4.3': [^,}]*", "images: {'4.3': localhost/no-such-image:1", line)
    return line


@pytest.fixture(scope="module", autouse=True)
def profiles(home):
    file = home / "config/firesteel/profiles.yaml"
    before = file.read_text()
    file.write_text(before + "".join(profile(number) for number in range(len(POINTS))))
    yield
    file.write_text(before)
    moments, faults = map(set, zip(*POINTS))
    print(f"\n{len(POINTS)} points: {len(faults)} of {len(FAULTS | OF_THE_CLUSTER)} faults, at {len(moments)} moments")


@pytest.fixture(scope="module")
def ran(request, tmp_path_factory, profiles):
    """What becomes of each point: those of a driver beside each other, at the first that is asked for."""
    folder = tmp_path_factory.mktemp("ways")
    chosen = [item.callspec.params["number"] for item in request.session.items if item.path == Path(__file__)]
    with ThreadPoolExecutor(AT_ONCE) as workers:
        beside = {number: workers.submit(play, number, folder) for number in chosen if POINTS[number][1] in FAULTS}
        yield lambda number: beside[number].result() if number in beside else alone(beside, number, folder)


def alone(beside, number, folder):
    for other in beside.values():
        other.exception()
    play(number, folder)


def play(number, folder):
    """One point, from a kernel's start until nothing is left of it."""
    moment, fault = POINTS[number]
    name = f"leak-{number + 1}"
    way, clock = Way(folder), Clock(folder, name) if fault is clock_jumps else None
    environment = {"FIRESTEEL_PROFILE": name, "KUBECONFIG": str(way.kubeconfig)}
    kernel = Kernel(env=environment | (clock.environment if clock else {}))
    scene, process = Scene(name, way, clock, kernel, moment.__name__), kernel.pid
    try:
        if fault is executor_is_killed:
            running(scene, FINITE)
        else:
            moment(scene)
        scene.look()
        fault(scene)
        settled(scene, moment)
        scene.look()
    finally:
        scene.kernel.end()
        ended = time.monotonic()
        nothing_left(scene)
        print(f"{title(number)}: nothing left {time.monotonic() - ended:.0f} s after its end", flush=True)
        way.close()
    assert not alive(process)


def settled(scene, moment):
    """The cell under way ends as it may, and another goes well, with one driver."""
    if scene.endless and scene.outcomes == ("ok",):
        interrupted(scene)
    elif scene.cell:
        said = scene.kernel.finish(scene.cell, timeout=NO_HANG if scene.outcomes != ("ok",) else START)
        if moment in STUCK:
            assert said.status == "error" and said.reply["ename"] in LOST, said.text
            told(said)
            if moment is pending and scene.outcomes == ("ok",):
                assert f"did not start within {STUCK_FOR} s" in said.text, said.text
        else:
            how = "ok" if said.status == "ok" else said.reply["ename"]
            assert how in scene.outcomes, said.text
            if how in LOST:
                told(said, scene.words)
    if not scene.goes_on or moment in STUCK:
        return
    again = scene.kernel.run(ANSWER, timeout=START)
    if again.status == "error" and again.reply["ename"] in LOST and scene.outcomes != ("ok",) and not scene.cell:
        told(again, scene.words)
        # It may have begun before the kernel heard of the end.
        again = scene.kernel.run(ANSWER, timeout=START)
    assert again.status == "ok" and "42" in again.text, again.text
    if REPLACED in again.text:
        assert scene.outcomes != ("ok",), again.text
        told(again, scene.words)
    living = [job for job in of(scene.profile, things("jobs")) if job["status"].get("active")]
    assert len(living) == 1, names(living)


def told(said, words=""):
    """Of a driver that was lost is said why, in a sentence of ours."""
    why = said.reply.get("evalue", said.text)
    assert re.search(words, why) and not re.search(UNTOLD, why), said.text


def interrupted(scene):
    """A statement that was not lost goes on until it is interrupted."""
    scene.kernel.manager.interrupt_kernel()
    done = scene.kernel.finish(scene.cell, timeout=NO_HANG)
    assert done.reply["ename"] == "KeyboardInterrupt", done.text


def nothing_left(scene):
    """Neither in the cluster nor on this machine."""

    def left():
        return scene.look() or [pid for pod in scene.seen.values() for pid in processes(pod)]

    until(lambda: not left(), scene.patience, f"nothing is left of {scene.profile} ({scene.moment})")


@pytest.mark.parametrize("number", range(len(POINTS)), ids=title)
def test_a_fault_is_told_and_leaves_nothing(ran, number):
    ran(number)
