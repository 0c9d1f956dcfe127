"""Nodes with GPUs come when a notebook's executors need them, and go when its driver was given back."""

import os

import autoscaler
import cluster
import pytest

if not cluster.there():
    assert "CI" not in os.environ, "in CI there is a cluster"
    pytest.skip("no cluster: run `make cluster`, or tests/run", allow_module_level=True)


@pytest.fixture(autouse=True)
def profiles(home):
    file = home / "config/firesteel/profiles.yaml"
    before = file.read_text()
    file.write_text(before + autoscaler.PROFILE)
    yield
    file.write_text(before)


def test_a_gpu_node_comes_for_executors_and_goes_after_the_driver(kernels, record_property):
    with autoscaler.running():
        came, went = autoscaler.round_trip(kernels(env={"FIRESTEEL_PROFILE": "simulated"}))
    record_property("node came, s", came)
    record_property("node went, s", went)
    print(f"a node with a GPU came {came:.1f} s after the cell, and went {went:.1f} s after its driver")
