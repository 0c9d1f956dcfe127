"""What `%dryrun` and `firesteel doctor --profile` say of a driver that is not made: on this machine, and on a real Kubernetes."""

import json
import os
import subprocess

import cluster
import pytest
from client import until
from cluster import kubectl, names, things

PROFILES = """
  heavy:
    memory: 4000g
  quiet:
    conf: {spark.hadoop.fs.s3a.secret.key: hunter2}
"""

in_a_cluster = pytest.mark.skipif(not cluster.there(), reason="no cluster: run `make cluster`, or tests/run")


@pytest.fixture(scope="module", autouse=True)
def profiles(home):
    """The profiles of these tests, beside those on this machine."""
    file = home / "config/firesteel/profiles.yaml"
    before = file.read_text()
    more = PROFILES
    if cluster.there():
        more += (
            cluster.profile("fine")
            + cluster.profile("large", more=", driver: {memory: 900g, cores: 1, overhead: 1g}").replace(
                "driver: {cores: 1, millicores: 200, memory: 1g, overhead: 400m}, ", "", 1
            )
            + cluster.profile("stranger", more=", accounts: {driver: no-such-account}")
            + cluster.profile("secretless", more=", environment: {PASSWORD: {secret: no-such-secret, key: password}}")
            + cluster.profile("placeless", more=", placement: {driver: {nodes: {no: such}}}")
        )
    file.write_text("allowedConf: [spark.hadoop.fs.s3a.secret.key]\n" + before + more)
    yield
    file.write_text(before)


def doctor(profile, admin=False):
    """What `firesteel doctor --profile` finds, as a user or as who may do everything."""
    environment = dict(os.environ)
    if admin:
        environment["KUBECONFIG"] = os.environ["FIRESTEEL_TEST_ADMIN_KUBECONFIG"]
    command = [os.environ["FIRESTEEL"], "doctor", "--json", "--profile", profile]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, env=environment)
    assert done.stdout, done.stderr
    report = json.loads(done.stdout)
    assert done.returncode == (0 if report["healthy"] else 1)
    bad = [finding for finding in report["findings"] if finding["verdict"] == "bad"]
    assert report["healthy"] == (not bad)
    return report


def said(report, verdict):
    return [finding["found"] for finding in report["findings"] if finding["verdict"] == verdict]


def one(report, verdict, words):
    """The one finding that says this."""
    found = [finding for finding in report["findings"] if words in finding["found"]]
    assert [finding["verdict"] for finding in found] == [verdict], report["findings"]
    return found[0]


def test_a_driver_on_this_machine_is_shown_and_not_started(kernel):
    done = kernel.run("%dryrun")
    assert done.status == "ok", done.text
    for words in ["profile `local`", "Nothing was made. Nothing would refuse it.", "spark.master = local[", '"-Xmx1g"', "ok    memory"]:
        assert words in done.text, done.text
    assert max(map(len, done.text.splitlines())) <= 120
    (output,) = done.outputs
    html = output["data"]["text/html"]
    assert "<details><summary>Spark&#39;s settings" in html, html
    assert "No Spark session yet" in kernel.run("%session").text


def test_what_this_machine_lacks_is_named_and_a_secret_is_not(kernel):
    done = kernel.run("%dryrun heavy")
    assert done.status == "ok", done.text
    assert "1 thing is in its way" in done.text and "BAD   memory" in done.text, done.text
    assert "Set `memory` in the profile" in done.text, done.text
    assert not doctor("heavy")["healthy"]
    quiet = kernel.run("%dryrun quiet").text
    assert "spark.hadoop.fs.s3a.secret.key = (not shown)" in quiet and "hunter2" not in quiet, quiet
    assert "hunter2" not in json.dumps(doctor("quiet"))


def test_a_profile_that_is_not_there_is_told_with_those_that_are(kernel):
    done = kernel.run("%dryrun heavi")
    assert done.status == "error" and "there is no profile `heavi`" in done.text and "heavy" in done.text, done.text
    report = doctor("heavi")
    assert report["findings"][0]["name"] == "profile" and not report["healthy"]


@in_a_cluster
def test_where_nothing_is_in_the_way_nothing_is_refused_and_nothing_is_made(kernels):
    before = set(names(things(selector="")))
    kernel = kernels(env={"FIRESTEEL_PROFILE": "fine"})
    done = kernel.run("%dryrun")
    assert done.status == "ok", done.text
    for words in ["would refuse it.", "kind: Job", "spark.kubernetes.namespace", "takes the driver's Job", "You may do all that is needed"]:
        assert words in done.text, done.text
    assert "BAD" not in done.text, done.text
    by_admin = doctor("fine", admin=True)
    assert by_admin["healthy"] and not said(by_admin, "untried"), by_admin["findings"]
    # A user may see all but the nodes.
    for report, more in [(doctor("fine"), []), (by_admin, ["The only node takes the driver"])]:
        for words in ["an executor's pod", "The driver's account", "The keeper's account", *more]:
            assert any(words in found for found in said(report, "good")), report["findings"]
    assert not set(names(things(selector=""))) - before


@in_a_cluster
def test_a_quota_that_is_too_small_is_told_with_its_figures():
    hard = {"requests.memory": "100Mi"}
    quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "small"}, "spec": {"hard": hard}}
    cluster.apply([quota])
    try:
        until(lambda: kubectl("get", "resourcequota/small", "--output", "jsonpath={.status.hard}", admin=True), 60, "it is counted")
        found = one(doctor("fine"), "bad", "Quota `small` has no room for the driver")
        assert "requests.memory" in found["found"] and "of 100 MiB used" in found["found"], found
        assert "quota" in found["remedy"], found
        # The server says the same of the pod, to who may try one.
        one(doctor("fine", admin=True), "bad", "is too small for the driver's pod")
    finally:
        kubectl("delete", "resourcequota/small", admin=True)


@in_a_cluster
def test_a_limit_range_that_is_too_tight_is_told_to_a_user():
    limits = [{"type": "Container", "max": {"memory": "100Mi"}}]
    tight = {"apiVersion": "v1", "kind": "LimitRange", "metadata": {"name": "tight"}, "spec": {"limits": limits}}
    cluster.apply([tight])
    try:
        until(lambda: not doctor("fine")["healthy"], 30, "the limit range holds")
        one(doctor("fine"), "bad", "does not let the driver's pod in")
    finally:
        kubectl("delete", "limitrange/tight", admin=True)


@in_a_cluster
def test_a_right_that_is_missing_is_named_with_the_role_that_gives_it():
    role = json.loads(kubectl("get", "role/firesteel-user", "--output", "json", admin=True))
    rules = json.loads(json.dumps(role["rules"]))
    for rule in rules:
        if rule["resources"] == ["jobs"]:
            rule["verbs"].remove("create")
    patch = json.dumps({"rules": rules})
    kubectl("patch", "role/firesteel-user", "--type=merge", f"--patch={patch}", admin=True)
    try:
        # The server learns of it a moment later.
        until(lambda: not doctor("fine")["healthy"], 30, "the right is taken away")
        found = one(doctor("fine"), "bad", "You may not create jobs")
        assert "firesteel-user" in found["remedy"], found
    finally:
        patch = json.dumps({"rules": role["rules"]})
        kubectl("patch", "role/firesteel-user", "--type=merge", f"--patch={patch}", admin=True)


@in_a_cluster
def test_what_a_profile_names_and_is_not_there_is_told():
    found = one(doctor("stranger"), "bad", "`kubernetes.accounts.driver` asks for")
    assert "no service account `no-such-account`" in found["found"] and "deploy/rbac" in found["remedy"], found
    found = one(doctor("secretless"), "bad", "no Secret `no-such-secret`")
    assert "kubernetes.environment.PASSWORD" in found["found"], found


@in_a_cluster
def test_a_pod_that_no_node_takes_is_told_with_the_largest_there_is():
    found = one(doctor("large", admin=True), "poor", "No node takes the driver")
    assert "the largest have" in found["found"] and "autoscaler" in found["remedy"], found
    found = one(doctor("placeless", admin=True), "poor", "No node takes the driver")
    assert "none has the labels no=such" in found["found"], found
