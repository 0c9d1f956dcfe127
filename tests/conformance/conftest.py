"""Installs the kernel under test into a prefix of its own and points Jupyter at it."""

import os
import subprocess

import pytest
from client import Kernel, drivers, firesteel, until

# Drivers of these tests are small, have short lives and go soon after their last kernel.
PROFILES = """
profiles:
  local: {memory: 1g, grace: 3s, compiler: quick}
  roomy: {memory: 1g, grace: 3s, compiler: quick}
  brief: {memory: 1g, grace: 3s, compiler: quick, idleLimit: 5s}
"""


@pytest.fixture(scope="session", autouse=True)
def home(tmp_path_factory):
    """A user's folders, empty but for the kernel and its profiles."""
    # Short, because sockets lie below it.
    home = tmp_path_factory.mktemp("home")
    program = os.environ["FIRESTEEL"]
    # All but the Spark runtime is the tests' own.
    os.environ["FIRESTEEL_RUNTIME"] = firesteel("runtime", "show").split()[1]
    for name, folder in [
        ("XDG_DATA_HOME", "data"),
        ("XDG_STATE_HOME", "state"),
        ("XDG_CONFIG_HOME", "config"),
        ("XDG_RUNTIME_DIR", "run"),
    ]:
        (home / folder).mkdir()
        os.environ[name] = str(home / folder)
    (home / "run").chmod(0o700)
    (home / "config/firesteel").mkdir()
    (home / "config/firesteel/profiles.yaml").write_text(PROFILES)
    os.environ["JUPYTER_PATH"] = str(home / "prefix/share/jupyter")
    subprocess.run([program, "install", "--prefix", home / "prefix"], check=True)
    yield home
    for driver in drivers():
        firesteel("drivers", "stop", driver["id"])
    until(lambda: not drivers(), 60, "the drivers of the tests end")


@pytest.fixture
def kernels():
    """Starts kernels, and ends them with the test."""
    started = []

    def start(**options):
        started.append(Kernel(**options))
        return started[-1]

    yield start
    for kernel in started:
        kernel.end()


@pytest.fixture
def kernel(kernels):
    return kernels()
