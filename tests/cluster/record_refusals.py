"""Has an API server refuse Jobs and their pods in every way that a cluster here can be made to, and writes what it says, for the
tests of the classifier. Run it after `make cluster`, as `record_pods.py`.
"""

import json
from pathlib import Path

from client import until
from cluster import asked, looked_up
from record_pods import DEADLINE, IMAGE, RESTRICTED, versions

FILE = Path(__file__).parents[2] / "launcher/src/cluster/causes/recorded.json"
NAME = "firesteel-recorded"


def job(**spec):
    driver = {"name": "driver", "image": IMAGE, "command": ["true"], "securityContext": RESTRICTED}
    asks = {kind: {"cpu": "1", "memory": "2Gi"} for kind in ("requests", "limits")}
    driver |= {"resources": spec.pop("resources", asks)}
    template = {"spec": {"containers": [driver], "restartPolicy": "Never", **spec}}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": NAME}, "spec": {"backoffLimit": 0, "template": template}}


def quota(**hard):
    return "api/v1", "resourcequotas", {"metadata": {"name": "small"}, "spec": {"hard": hard}}


def limits(**container):
    return "api/v1", "limitranges", {"metadata": {"name": "small"}, "spec": {"limits": [{"type": "Container", **container}]}}


HOST = {"volumes": [{"name": "home", "hostPath": {"path": "/home"}}]}
TEAM = {"app.kubernetes.io/part-of": "recorded"}

# What a Job's events say of a pod that is not let in: a namespace's labels, what is in it, and the Job.
EVENTS = {
    "QuotaExceeded": ({}, [quota(**{"limits.memory": "4Gi", "count/configmaps": "9"})], None),
    "QuotaTooSmall": ({}, [quota(**{"limits.memory": "1Gi"})], job()),
    "QuotaWantsFigures": ({}, [quota(**{"limits.cpu": "4"})], job(resources={})),
    "LimitRange": ({}, [limits(max={"memory": "1Gi"}, min={"cpu": "1500m"})], job()),
    "PodSecurity": ({"pod-security.kubernetes.io/enforce": "restricted"}, [], job(**HOST)),
    "Policy": (TEAM, [], job(hostNetwork=True)),
    "AccountMissing": ({}, [], job(serviceAccountName="none")),
    "PriorityClassMissing": ({}, [], job(priorityClassName="none")),
}

# In the namespaces of TEAM no pod uses its node's network.
POLICY = {
    "metadata": {"name": "recorded.firesteel.dev"},
    "spec": {
        "failurePolicy": "Fail",
        "matchConstraints": {
            "resourceRules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}],
            "namespaceSelector": {"matchLabels": TEAM},
        },
        "validations": [{"expression": "!has(object.spec.hostNetwork)", "message": "no pod uses its node's network"}],
    },
}
BINDING = {"metadata": {"name": "recorded"}, "spec": {"policyName": "recorded.firesteel.dev", "validationActions": ["Deny"]}}
ADMISSION = "/apis/admissionregistration.k8s.io/v1"


def made(path, thing, **how):
    code, said = asked("POST", path, thing, **how)
    assert code in (200, 201), said
    return said


def namespace(case, labels):
    name = f"recorded-{case.lower()}"
    made("/api/v1/namespaces", {"metadata": {"name": name, "labels": labels}})
    path = f"/api/v1/namespaces/{name}"
    # Whoever makes a pod before that is told something else.
    until(lambda: asked("GET", f"{path}/serviceaccounts/default")[0] == 200, DEADLINE, "its account is there")
    return name


def event(case, labels, things, wanted):
    """What the Job controller says of the pod that it may not make."""
    name = namespace(case, labels)
    for group, kind, thing in things:
        made(f"/{group}/namespaces/{name}/{kind}", thing)
        if kind == "resourcequotas":
            path = f"/{group}/namespaces/{name}/{kind}/small"
            until(lambda: looked_up(path).get("status", {}).get("hard"), DEADLINE, "the quota is counted")
    jobs = f"/apis/batch/v1/namespaces/{name}/jobs"
    if wanted is None:
        first = job()
        first["metadata"] = {"name": "first"}
        first["spec"]["parallelism"] = 2
        made(jobs, first)
        pods = f"/api/v1/namespaces/{name}/pods"
        until(lambda: len(looked_up(pods)["items"]) == 2, DEADLINE, "others use the quota")
        wanted = job()
    made(jobs, wanted)

    def refused():
        events = looked_up(f"/api/v1/namespaces/{name}/events")["items"]
        said = [event for event in events if event["reason"] == "FailedCreate" and event["involvedObject"]["name"] == NAME]
        return said and said[0]["message"]

    return {"case": case, "said": until(refused, DEADLINE, f"{case}: a pod is refused")}


def answers():
    """What the API server says of the Job itself."""
    path = "/apis/batch/v1/namespaces/{}/jobs"
    ending = namespace("ending", {})
    held = {"metadata": {"name": "held", "finalizers": ["firesteel.dev/recorded"]}}
    made(f"/api/v1/namespaces/{ending}/configmaps", held)
    asked("DELETE", f"/api/v1/namespaces/{ending}")
    full = namespace("full", {})
    made(f"/api/v1/namespaces/{full}/resourcequotas", quota(**{"count/jobs.batch": "0"})[2])
    counted = f"/api/v1/namespaces/{full}/resourcequotas/small"
    until(lambda: looked_up(counted).get("status", {}).get("hard"), DEADLINE, "the quota is counted")
    broken = job()
    broken["spec"]["template"]["spec"]["containers"][0]["name"] = "Not a name"
    cases = {
        "RightMissing": (path.format("default"), job(), {"user": "ada"}),
        "NamespaceMissing": (path.format("recorded-none"), job(), {}),
        "NamespaceEnding": (path.format(ending), job(), {}),
        "QuotaTooSmall": (path.format(full), job(), {}),
        "NotTaken": (path.format("default"), broken, {}),
    }
    said = []
    for case, (where, wanted, how) in cases.items():
        code, status = asked("POST", where, wanted, **how)
        assert code >= 400, (case, status)
        said.append({"case": case, "status": {**status, "metadata": {}}})
    return said


def recorded():
    made(f"{ADMISSION}/validatingadmissionpolicies", POLICY)
    made(f"{ADMISSION}/validatingadmissionpolicybindings", BINDING)
    # A policy counts a moment after it was made.
    trial = namespace("trial", TEAM)
    pod = {"metadata": {"name": "trial"}, **job(hostNetwork=True)["spec"]["template"]}
    tried = f"/api/v1/namespaces/{trial}/pods?dryRun=All"
    until(lambda: asked("POST", tried, pod)[0] == 422, DEADLINE, "the policy counts")
    return [event(case, *about) for case, about in EVENTS.items()], answers()


def cleared():
    for kind, name in [("validatingadmissionpolicybindings", "recorded"), ("validatingadmissionpolicies", "recorded.firesteel.dev")]:
        asked("DELETE", f"{ADMISSION}/{kind}/{name}")
    # Else its namespace would be ending for ever.
    asked("PATCH", "/api/v1/namespaces/recorded-ending/configmaps/held", {"metadata": {"finalizers": None}})
    for case in [*EVENTS, "ending", "full", "trial"]:
        asked("DELETE", f"/api/v1/namespaces/recorded-{case.lower()}")


if __name__ == "__main__":
    try:
        events, refusals = recorded()
    finally:
        cleared()
    FILE.write_text(json.dumps({"versions": versions(), "events": events, "answers": refusals}, indent=1) + "\n")
    print(f"{len(events)} events and {len(refusals)} answers: {FILE}")
