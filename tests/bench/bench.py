"""Measures the rows that are asked for and prints a table. `run` prepares what it needs; `publish.py` puts a table into the README."""

import argparse
import functools
import json
import os
import platform
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable, Optional

import charts
import completion
import drivers
import fetches
import iopub
import kernels
import sizes
import spark
import tables
from figures import spread, table
from versions import versions


@dataclass
class Row:
    """One figure: how it is taken of us and of the peer, and what it should be."""

    name: str
    # What it measures, for readers.
    about: str
    unit: str
    ours: Callable[[], float]
    peer: Optional[Callable[[], float]] = None
    peer_name: str = ""
    goal: str = ""
    rounds: int = 5
    # Says why the row cannot be measured here, if so.
    missing: Callable[[], Optional[str]] = lambda: None


@dataclass
class Figure:
    """What came out of a row."""

    row: Row
    ours: list = field(default_factory=list)
    peer: list = field(default_factory=list)

    def as_json(self):
        return {
            "name": self.row.name,
            "about": self.row.about,
            "unit": self.row.unit,
            "goal": self.row.goal,
            "ours": self.ours,
            "peer": self.peer,
            "peer_name": self.row.peer_name,
        }


ROWS = [
    Row(
        "kernel-start",
        "kernel start to its first `kernel_info_reply`",
        "ms",
        kernels.start_ours,
        kernels.start_ipykernel,
        "ipykernel",
        "ratio ≤ 0.08",
        rounds=11,
    ),
    Row(
        "kernel-start-slow",
        f"of {kernels.STARTS:,} kernel starts, those that take over {kernels.NOTICED} ms",
        "starts",
        kernels.slow_starts,
        goal="0",
        rounds=1,
    ),
    Row(
        "kernel-idle-memory",
        "memory of an idle kernel (PSS)",
        "MiB",
        kernels.memory_ours,
        kernels.memory_ipykernel,
        "ipykernel",
        "ratio ≤ 0.25",
    ),
    Row(
        "kernel-used-memory",
        "memory of a kernel after 100 cells of `%lsmagic` (PSS)",
        "MiB",
        kernels.memory_used_ours,
        kernels.memory_used_ipykernel,
        "ipykernel",
        "ratio ≤ 0.25",
    ),
    Row(
        "kernel-own-memory",
        "memory that one more idle kernel takes beside another",
        "MiB",
        kernels.own_memory_ours,
        kernels.own_memory_ipykernel,
        "ipykernel",
    ),
    *(
        Row(
            f"cell-noop-{name}",
            f"a cell that does nothing (`-- nothing`, `pass`), request to reply: {words}",
            "ms",
            functools.partial(kernels.cell_ours, quantile),
            functools.partial(kernels.cell_ipykernel, quantile),
            "ipykernel",
            "ratio ≤ 0.15",
        )
        for name, words, quantile in (("p50", "median of 900", 0.5), ("p99", "99th percentile of 900", 0.99))
    ),
    *(
        Row(
            f"cell-noop-xeus{name}",
            f"a cell that does nothing (`-- nothing`, `pass`), request to reply: {words}",
            "ms",
            functools.partial(kernels.cell_ours, quantile),
            functools.partial(kernels.cell_xeus_python, quantile),
            "xeus-python, raw",
            "ratio ≤ 0.6",
            missing=kernels.xeus_missing,
        )
        for name, words, quantile in (("", "median of 900", 0.5), ("-p99", "99th percentile of 900", 0.99))
    ),
    Row(
        "iopub-10000",
        f"a cell with {iopub.MESSAGES:,} outputs, request to idle",
        "ms",
        iopub.published_ours,
        iopub.published_xeus_python,
        "xeus-python, raw",
        "ratio ≤ 1.0",
        missing=kernels.xeus_missing,
    ),
    Row(
        "iopub-stalled",
        f"a cell with {iopub.MESSAGES:,} outputs, request to idle, beside a subscriber that never reads",
        "ms",
        iopub.published_beside_stalled,
        iopub.published_ours,
        "without it",
        "ratio ≤ 1.1",
        rounds=11,
    ),
    Row(
        "iopub-lost",
        f"of {iopub.MANY:,} outputs of one cell, those missed by its reader",
        "outputs",
        iopub.lost,
        goal="0",
        rounds=1,
    ),
    Row(
        "iopub-lost-late",
        f"of {iopub.MANY:,} outputs of one cell, those missed by a reader that begins only when the kernel waits for it",
        "outputs",
        iopub.lost_late,
        goal="0",
        rounds=1,
    ),
    Row(
        "table-1000x20",
        "a table of 1,000 rows and 20 columns of all kinds, as HTML and text",
        "ms",
        tables.ours,
        tables.pandas,
        "pandas `to_html()` and `to_string()`",
        "ratio ≤ 0.02",
        missing=tables.missing,
    ),
    Row(
        "local-first-row",
        "this machine: from a cell to its first row, no driver yet",
        "s",
        spark.first_row_ours,
        spark.first_row_by_hand,
        spark.BY_HAND,
        "ratio ≤ 0.45",
        missing=spark.missing_on_java_17,
    ),
    Row(
        "local-first-row-interactive",
        "this machine, profile `interactive`: from a cell to its first row, no driver yet",
        "s",
        spark.first_row_interactive,
        spark.first_row_by_hand,
        spark.BY_HAND,
        "ratio ≤ 0.28",
        missing=spark.missing_on_java_17,
    ),
    Row(
        "local-first-row-java-25",
        "this machine, Java 25: from a cell to its first row, no driver yet",
        "s",
        spark.first_row_java_25,
        spark.first_row_by_hand,
        spark.BY_HAND,
        "ratio ≤ 0.4",
        missing=spark.missing_on_java_17,
    ),
    Row(
        "local-first-row-interactive-java-25",
        "this machine, profile `interactive` on Java 25: from a cell to its first row, no driver yet",
        "s",
        spark.first_row_interactive_java_25,
        spark.first_row_by_hand,
        spark.BY_HAND,
        "ratio ≤ 0.28",
        missing=spark.missing_on_java_17,
    ),
    Row(
        "select-1",
        f"`SELECT 1` on one warm server: a cell, request to reply; median of {spark.STATEMENTS}",
        "ms",
        spark.select_ours,
        spark.select_pyspark,
        "PySpark `toArrow()`",
        "ratio ≤ 0.6",
        missing=spark.missing,
    ),
    Row(
        "select-1-processor",
        f"processor time of the kernel for {spark.STATEMENTS} × `SELECT 1`",
        "s",
        spark.processor_ours,
        spark.processor_pyspark,
        "PySpark `toArrow()`",
        "ratio ≤ 0.15",
        missing=spark.missing,
    ),
    Row(
        "fetch-5m-rows",
        "5 million rows of 5 columns into Arrow, compressed on their way, as our drivers send them",
        "MB/s",
        fetches.speed_ours,
        fetches.speed_pyspark,
        "PySpark `toArrow()`",
        "ratio ≥ 1.5",
        missing=spark.missing,
    ),
    Row(
        "fetch-5m-rows-plain",
        "5 million rows of 5 columns into Arrow, not compressed",
        "MB/s",
        fetches.speed_plain,
        fetches.speed_pyspark,
        "PySpark `toArrow()`",
        missing=spark.missing,
    ),
    Row(
        "fetch-5m-rows-memory",
        "the most memory that the process held while 5 million compressed rows came",
        "MiB",
        fetches.memory_ours,
        fetches.memory_pyspark,
        "PySpark `toArrow()`",
        "ratio ≤ 0.6",
        rounds=3,
        missing=spark.missing,
    ),
    Row(
        "fetch-5m-rows-driver",
        "a cell that keeps 5 million rows of a driver of ours",
        "s",
        fetches.kept_of_ours,
        fetches.kept_of_stock,
        "of Spark's own script, with its flags",
        "ratio ≤ 1.0",
        missing=spark.missing,
    ),
    Row(
        "fetch-5m-rows-door",
        "5 million compressed rows through the keeper's door",
        "MB/s",
        fetches.speed_through_door,
        fetches.speed_ours,
        "without a door",
        "ratio ≥ 0.9",
        missing=spark.missing,
    ),
    Row(
        "door-p99",
        f"what the door adds to a call that is answered at once: 99th percentiles of {fetches.CALLS}",
        "ms",
        fetches.door_adds,
        goal="≤ 1",
    ),
    Row("binary-size-kernel", "size of `firesteel`", "MiB", sizes.kernel, goal="≤ 76.3", rounds=1),
    Row("binary-size-launcher", "size of `firesteel-launcher`, the keeper", "MiB", sizes.launcher, goal="≤ 23.8", rounds=1),
    Row(
        "completion-10000-tables",
        "completion in a session of 10,000 views: 99th percentile of 800 replies",
        "ms",
        completion.percentile_99,
        goal="≤ 20",
        rounds=1,
    ),
    # Rows in memory on both sides: what is measured is grouping or binning them and writing the chart.
    *(
        Row(
            f"chart-10m-rows-{chart}",
            f"`%chart big {asked}` of 10 million kept rows",
            "ms",
            functools.partial(charts.ours, chart),
            functools.partial(charts.theirs, chart),
            "pandas and Altair",
            "ratio ≤ 0.2",
            rounds=7,
            missing=charts.missing,
        )
        for chart, (asked, _) in charts.CHARTS.items()
    ),
    Row(
        "cluster-first-row",
        "cluster, image present: from a cell to its first row, no driver yet",
        "s",
        drivers.first_row,
        drivers.spark_submit,
        "spark-submit by hand",
        "ratio ≤ 0.6",
        rounds=3,
        missing=drivers.missing,
    ),
    Row(
        "cluster-race-drivers",
        "20 kernels of one user ask for a driver at once",
        "drivers",
        drivers.race,
        goal="1, no errors",
        rounds=1,
        missing=drivers.missing,
    ),
    Row(
        "cluster-cause",
        "cluster: from the moment at which the API knows that no node takes a driver until its cell says so",
        "s",
        drivers.cause,
        goal="≤ 2",
        missing=drivers.missing,
    ),
    Row(
        "cluster-executors-gone",
        "cluster: idle executors stay beyond their limit",
        "s over the limit",
        drivers.executors_gone,
        goal="≤ 10",
        rounds=3,
        missing=drivers.missing,
    ),
    # With a simulated node: what is measured is how soon it is asked for, and how soon let go.
    Row(
        "cluster-gpu-node-comes",
        "Karpenter: from a cell to its (simulated) GPU node",
        "s",
        drivers.gpu_node,
        rounds=1,
        missing=drivers.missing,
    ),
    Row(
        "cluster-gpu-node-goes",
        "Karpenter: from the driver's end to the end of that node",
        "s after its driver",
        drivers.gpu_node_gone,
        rounds=1,
        missing=drivers.missing,
    ),
    Row(
        "cluster-driver-gone",
        "cluster: an idle driver and all its objects stay beyond its limit",
        "s over the limit",
        drivers.driver_gone,
        goal="≤ 10",
        rounds=3,
        missing=drivers.missing,
    ),
]


def measure(row):
    """Takes a row's figures, ours and the peer's in turn, so that a busy moment hits both."""
    figure = Figure(row)
    for number in range(row.rounds):
        figure.ours.append(row.ours())
        if row.peer:
            figure.peer.append(row.peer())
        print(f"  {row.name} {number + 1}/{row.rounds}: {spread(figure.ours[-1:])}", file=sys.stderr)
    return figure


def processors():
    """Ticks of all processors so far: those that other machines on the same host took, and all."""
    ticks = [int(field) for field in Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
    return ticks[7], sum(ticks)


def commit():
    described = subprocess.run(["git", "describe", "--always", "--dirty"], capture_output=True, text=True, check=False)
    return described.stdout.strip() or "unknown"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rows", nargs="*", help="names of rows, or how they begin")
    parser.add_argument("--output", type=Path, required=True, help="where the figures are kept as JSON")
    arguments = parser.parse_args()
    asked = tuple(arguments.rows) or ("",)
    chosen = [row for row in ROWS if row.name.startswith(asked)]
    if not chosen:
        parser.error(f"rows are: {', '.join(row.name for row in ROWS)}")
    took_part = versions()
    # What else the machine did.
    began = round(os.getloadavg()[0], 2)
    taken, all_ticks = processors()
    figures = []
    for row in chosen:
        why = row.missing()
        if why:
            print(f"LEFT OUT {row.name}: {why}", file=sys.stderr)
            continue
        figures.append(measure(row))
    taken, all_ticks = (now - before for now, before in zip(processors(), (taken, all_ticks)))
    stolen = round(taken / all_ticks, 3)
    machine = f"{os.cpu_count()} cores, {platform.machine()}, {platform.system()}"
    kept = {
        "commit": commit(),
        "machine": machine,
        "versions": took_part,
        "load": began,
        "stolen": stolen,
        "rows": [figure.as_json() for figure in figures],
    }
    arguments.output.mkdir(parents=True, exist_ok=True)
    file = arguments.output / f"{commit()}.json"
    file.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n")
    print(f"commit {commit()}, {machine}, load {began} before, {stolen:.1%} taken by other machines meanwhile; medians (least–most)\n")
    print(table(kept["rows"]))
    print(f"\n{file}", file=sys.stderr)


if __name__ == "__main__":
    main()
