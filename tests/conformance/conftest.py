"""Installs the kernel under test into a prefix of its own and points Jupyter at it."""

import os
import subprocess
from pathlib import Path

import pytest


@pytest.fixture(scope="session", autouse=True)
def kernel(tmp_path_factory):
    program = Path(os.environ["FIRESTEEL"])
    home = tmp_path_factory.mktemp("firesteel")
    os.environ["XDG_STATE_HOME"] = str(home / "state")
    os.environ["XDG_CONFIG_HOME"] = str(home / "config")
    os.environ["JUPYTER_PATH"] = str(home / "prefix/share/jupyter")
    subprocess.run([program, "install", "--prefix", home / "prefix"], check=True)
    return program
