"""Programs of the system that tests need."""

import subprocess
from pathlib import Path

TOP = Path(__file__).parents[2]


def need(package: str):
    """Has a Debian package installed whose programs a test runs."""
    subprocess.run(["bash", "-c", f'. "{TOP}/deploy/images/lib.sh"; need {package}'], check=True)
