"""The table of 1,000 rows and 20 columns of all kinds, beside pandas: no kernel, no Spark, what is measured is writing it."""

import os
import subprocess
from pathlib import Path


def missing():
    """Why the peer cannot be measured here, if so."""
    return None if os.environ.get("FIRESTEEL_BENCH_PEERS") else "FIRESTEEL_BENCH_PEERS names no Python with pandas"


def said(*command):
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def ours():
    return said(Path(os.environ["FIRESTEEL"]).with_name("table-timing"))


def pandas():
    return said(os.environ["FIRESTEEL_BENCH_PEERS"], Path(__file__).with_name("peer_table.py"))
