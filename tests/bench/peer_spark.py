"""PySpark as a client of Spark Connect: reads what to do, a line at a time, and answers what it took. The argument is the folder in
which PySpark is; what it needs is in this Python."""

import json
import statistics
import sys
import time
from pathlib import Path

sys.path.append(sys.argv[1])

from pyspark.errors import PySparkException  # noqa: E402
from pyspark.sql.connect.session import SparkSession  # noqa: E402

from rows import ROWS  # noqa: E402

# Until a server is there.
DEADLINE = 120


def connected(port):
    deadline = time.monotonic() + DEADLINE
    while True:
        try:
            spark = SparkSession.builder.remote(f"sc://localhost:{port}").create()
            spark.sql("SELECT 42 AS answer").collect()
            return spark
        except (PySparkException, OSError):
            if time.monotonic() > deadline:
                raise


def select(spark, count):
    before, times = time.process_time(), []
    for _ in range(count):
        asked = time.perf_counter()
        spark.sql("SELECT 1 AS one").toArrow()
        times.append((time.perf_counter() - asked) * 1000)
    return {"ms": statistics.median(times), "processor": time.process_time() - before}


def fetch(spark, count):
    asked = time.perf_counter()
    table = spark.sql(ROWS.format(count=count)).toArrow()
    seconds = time.perf_counter() - asked
    [peak] = [line.split()[1] for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM:")]
    return {"rows": table.num_rows, "bytes": table.nbytes, "seconds": seconds, "peak_kib": int(peak)}


def main():
    spark = None
    print("ready", flush=True)
    for line in sys.stdin:
        what, number = line.split()
        answer = {}
        if what == "connect":
            spark = connected(int(number))
        elif what == "select":
            answer = select(spark, int(number))
        else:
            answer = fetch(spark, int(number))
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
