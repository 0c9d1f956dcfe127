"""class-data.py OUT.jsa: in a chroot of the image, makes the class-data archive that drivers and executors start from.

An archive holds the classes that some run loaded. Here that is a driver which serves Spark Connect as on Kubernetes, of which
there is none here, so its calls to it fail and are let be; an executor beside it; and a client with a few usual queries.
It fits one Java and one list of jars in one order, which is also what `entrypoint.sh` and the keeper pass as class path.
"""

import glob
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

out = sys.argv[1]
# The quick compiler alone: these runs are short, and which classes they load is all that is kept of them.
java = [os.environ["JAVA_HOME"] + "/bin/java", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData"]
# For a machine that compiles Rust and Go at the same time on two processors.
PATIENCE = 900  # seconds
class_path = ["-cp", ":".join(sorted(glob.glob("/opt/spark/jars/*.jar"), key=os.fsencode))]
opened = [
    f"--add-opens=java.base/{package}=ALL-UNNAMED"
    for package in (
        "java.lang", "java.lang.invoke", "java.lang.reflect", "java.io", "java.net", "java.nio", "java.util",
        "java.util.concurrent", "java.util.concurrent.atomic", "jdk.internal.ref", "sun.nio.ch", "sun.nio.cs",
        "sun.security.action", "sun.util.calendar",
    )
] + ["--add-opens=java.security.jgss/sun.security.krb5=ALL-UNNAMED", "-Dio.netty.tryReflectionSetAccessible=true"]
scratch = Path(tempfile.mkdtemp())
secret = scratch / "secret"
secret.write_text("only for this run")
conf = {
    "spark.app.name": "class-data",
    "spark.app.id": "class-data",
    "spark.authenticate": "true",
    "spark.authenticate.secret.file": str(secret),
    "spark.network.crypto.enabled": "true",
    "spark.connect.grpc.binding.address": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.port": "7078",
    "spark.driver.blockManager.port": "7079",
    "spark.dynamicAllocation.enabled": "true",
    "spark.dynamicAllocation.maxExecutors": "1",
    # Nothing is asked of Kubernetes, and the executor stays, however slow the machine.
    "spark.dynamicAllocation.schedulerBacklogTimeout": "1h",
    "spark.dynamicAllocation.executorIdleTimeout": "1h",
    "spark.executor.maxNumFailures": "1000000",
    "spark.kubernetes.executor.missingPodDetectDelta": "1h",
    "spark.decommission.enabled": "true",
    "spark.storage.decommission.enabled": "true",
    "spark.kubernetes.container.image": "none",
    "spark.kubernetes.executor.disableConfigMap": "true",
    "spark.kubernetes.executor.enableApiWatcher": "false",
    "spark.kubernetes.executor.enablePollingWithResourceVersion": "true",
    "spark.local.dir": str(scratch),
    "spark.master": "k8s://http://127.0.0.1:1",
    "spark.scheduler.mode": "FAIR",
    "spark.sql.warehouse.dir": str(scratch / "warehouse"),
    "spark.ui.enabled": "true",
}
QUERIES = [
    "SELECT 1",
    "CREATE TEMPORARY VIEW numbers AS SELECT id, id % 7 AS k, CAST(id AS STRING) AS name, now() AS at FROM range(1000)",
    "SELECT k, count(*) AS n, avg(id), max(name), max(at) FROM numbers GROUP BY k ORDER BY n DESC, k LIMIT 5",
    "SELECT a.id, b.name, row_number() OVER (PARTITION BY a.k ORDER BY a.id) FROM numbers a JOIN numbers b ON a.id = b.k",
    f"CREATE TABLE stored USING parquet LOCATION '{scratch}/stored' AS SELECT * FROM numbers",
    "SELECT * FROM stored WHERE name LIKE '1%' AND k IN (1, 2)",
    f"SELECT * FROM csv.`{scratch}/some.csv`",
    f"SELECT * FROM json.`{scratch}/some.json`",
    "SHOW TABLES",
    "DESCRIBE stored",
    "EXPLAIN SELECT * FROM stored",
]


def run(name: str, *arguments: str) -> subprocess.Popen:
    log = (scratch / f"{name}.log").open("wb")
    return subprocess.Popen([*java, *class_path, *arguments], stdout=log, stderr=subprocess.STDOUT, cwd=scratch)


def run_listed(name: str, *arguments: str) -> subprocess.Popen:
    return run(name, f"-XX:DumpLoadedClassList={scratch}/{name}.classes", *opened, *arguments)


def run_to_end(name: str, *arguments: str) -> None:
    process = run(name, *arguments)
    try:
        if process.wait(PATIENCE) != 0:
            fail(f"the {name} ended with {process.returncode}")
    except subprocess.TimeoutExpired:
        process.kill()
        fail(f"the {name} did not end within {PATIENCE} seconds")


def fail(why: str) -> None:
    for log in sorted(scratch.glob("*.log")):
        print(f"--- {log.name}", *log.read_text(errors="replace").splitlines()[-40:], sep="\n", file=sys.stderr)
    sys.exit(why)


def wait_for_text(name: str, text: str, process: subprocess.Popen) -> None:
    deadline = time.monotonic() + PATIENCE
    while text not in (scratch / f"{name}.log").read_text(errors="replace"):
        if process.poll() is not None:
            fail(f"the {name} ended with {process.returncode}")
        if time.monotonic() > deadline:
            fail(f"the {name} did not say '{text}' within {PATIENCE} seconds")
        time.sleep(0.2)


(scratch / "some.csv").write_text("a,b\n1,2\n")
(scratch / "some.json").write_text('{"a": 1}\n')
driver = run_listed("driver", *(f"-D{key}={value}" for key, value in conf.items()), "org.apache.spark.sql.connect.service.SparkConnectServer")
wait_for_text("driver", "Spark Connect server started", driver)
# As `entrypoint.sh` passes them to an executor.
passed = [f"-D{key}={value}" for key, value in conf.items() if key.startswith(("spark.authenticate", "spark.network", "spark.master"))]
executor = run_listed(
    "executor", *passed, "org.apache.spark.scheduler.cluster.k8s.KubernetesExecutorBackend",
    "--driver-url", "spark://CoarseGrainedScheduler@127.0.0.1:7078", "--executor-id", "1", "--cores", "2", "--app-id", "class-data",
    "--hostname", "127.0.0.1", "--resourceProfileId", "0", "--podName", "class-data",
)  # fmt: skip
wait_for_text("executor", "Successfully registered with driver", executor)

from pyspark.sql.connect.session import SparkSession  # noqa: E402 - after what it takes a while to start


def too_long(*_: object) -> None:
    raise TimeoutError(f"not answered within {PATIENCE} seconds")


signal.signal(signal.SIGALRM, too_long)
signal.alarm(PATIENCE)
client = SparkSession.builder.remote("sc://localhost:15002").getOrCreate()
for query in QUERIES:
    try:
        client.sql(query).toArrow()
    except Exception as error:
        fail(f"{query}: {error}")
client.stop()
signal.alarm(0)

classes = {}
for process, name in (driver, "driver"), (executor, "executor"):
    process.terminate()
    try:
        process.wait(60)
    except subprocess.TimeoutExpired:
        process.kill()
    for line in (scratch / f"{name}.classes").read_text().splitlines():
        # Identifiers tell apart the classes of loaders of one's own, which only their own run can.
        if "source:" not in line and not line.startswith("#"):
            classes[line.partition(" id:")[0]] = None
(scratch / "classes").write_text("\n".join(classes) + "\n")
run_to_end("dump", "-Xshare:dump", f"-XX:SharedClassListFile={scratch}/classes", f"-XX:SharedArchiveFile={out}")
print(f"{len(classes)} classes, {Path(out).stat().st_size >> 20} MiB", file=sys.stderr)
