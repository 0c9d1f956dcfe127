"""`firesteel doctor` on machines on which one thing is wrong, for real: what it says, and what it says to do."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
from packages import TOP, need

PROGRAM = os.environ["FIRESTEEL"]

# Mounts, sockets and limits of a process's own need root, which CI has.
root = pytest.mark.skipif(os.geteuid() != 0 and "CI" not in os.environ, reason="needs root")


class Machine:
    """Folders of one user, and what is set in their environment."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.home = folder / "home"
        for part in ("home", "run", "tmp"):
            (folder / part).mkdir(mode=0o700)
        self.runtime = Path(os.environ["FIRESTEEL_RUNTIME"])
        self.environment = {
            "HOME": str(self.home),
            "XDG_RUNTIME_DIR": str(folder / "run"),
            "TMPDIR": str(folder / "tmp"),
            "FIRESTEEL_RUNTIME": str(self.runtime),
            "FIRESTEEL_ETC": str(folder / "etc"),
            "PATH": os.environ["PATH"],
            "LANG": "C.UTF-8",
            "USER": "somebody",
        }
        # Drivers end soon after the doctor has gone.
        self.profiles("memory: 1g, grace: 1s")
        subprocess.run([PROGRAM, "install", "--user"], env=self.environment, check=True, stdout=subprocess.DEVNULL)

    def doctor(self, *before: str, program=PROGRAM, **environment: str) -> dict:
        """What is found, by its name; `before` is a command that starts the doctor."""
        done = subprocess.run(
            [*before, program, "doctor", "--json"],
            env=self.environment | environment,
            capture_output=True,
            text=True,
            timeout=180,
        )
        assert done.stdout, done.stderr
        report = json.loads(done.stdout)
        assert done.returncode == (0 if report["healthy"] else 1)
        bad = [finding for finding in report["findings"] if finding["verdict"] == "bad"]
        assert report["healthy"] == (not bad)
        return {finding["name"]: finding for finding in report["findings"]}

    def shell(self, script: str, *arguments) -> list[str]:
        """A command that starts another in a namespace where `script` has run."""
        return ["unshare", "--mount", "--net", "sh", "-ec", f'{script}\nshift {len(arguments)}; exec "$@"', "sh", *map(str, arguments)]

    def profiles(self, local: str):
        """Has the profile `local` say this."""
        file = self.home / ".config/firesteel/profiles.yaml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"profiles: {{local: {{{local}}}}}\n")


@pytest.fixture
def machine():
    # Sockets lie below it, whose paths are short.
    with tempfile.TemporaryDirectory(prefix="fs") as folder:
        yield Machine(Path(folder))


def finds(finding: dict, verdict: str, found: str, remedy: str = ""):
    assert finding["verdict"] == verdict, finding
    assert found in finding["found"], finding
    assert remedy in finding.get("remedy", ""), finding


@pytest.fixture(scope="session")
def java_11() -> Path:
    """A Java that is too old."""
    found = subprocess.run([TOP / "tests/java-11"], stdout=subprocess.PIPE, text=True)
    if found.returncode != 0 and "CI" not in os.environ:
        pytest.skip("no Java 11 can be had")
    assert found.returncode == 0
    return Path(found.stdout.strip())


def without_java(machine: Machine) -> str:
    """A search path of this machine's programs without any Java."""
    folder = machine.folder / "bin"
    folder.mkdir()
    for name in ("sh", "env"):
        (folder / name).symlink_to(shutil.which(name))
    return str(folder)


def test_a_healthy_machine_answers(machine):
    found = machine.doctor()
    assert {finding["verdict"] for finding in found.values()} == {"good"}, found
    finds(found["SELECT 1"], "good", "answered after")


def test_no_java_is_there(machine):
    found = machine.doctor(PATH=without_java(machine))
    finds(found["runtime"], "bad", "No Java was found", "--with-java")
    finds(found["SELECT 1"], "untried", "what is BAD above")


def test_the_only_java_is_too_old(machine, java_11):
    # Without the file beside it that says its version, it is started and asked.
    silent = shutil.copytree(java_11, machine.folder / "silent", ignore=shutil.ignore_patterns("release"))
    path = without_java(machine)
    for old in (java_11, silent):
        found = machine.doctor(PATH=path, JAVA_HOME=str(old))
        finds(found["runtime"], "bad", f"({old}/bin/java) is version 11; Spark needs 17", "Install Java 17 or newer")
        finds(found["SELECT 1"], "untried", "what is BAD above")


def test_of_two_javas_the_one_that_is_used_is_named(machine, java_11):
    found = machine.doctor(JAVA_HOME=str(java_11))
    finds(found["Java"], "good", f"not 11 in {java_11}")
    finds(found["SELECT 1"], "good", "answered")


def test_a_profile_chooses_a_java_that_is_too_old(machine, java_11):
    machine.profiles(f"memory: 1g, grace: 1s, java: {java_11}")
    finds(machine.doctor()["runtime"], "bad", f"The profile's Java, {java_11}/bin/java, is version 11", "Correct `java` in the profile")


def test_the_runtime_is_half_installed(machine):
    half = machine.folder / "half"
    half.mkdir()
    found = machine.doctor(FIRESTEEL_RUNTIME=str(half))
    finds(found["runtime"], "bad", "only half installed", "firesteel runtime install")


def linked_runtime(machine: Machine) -> tuple[Path, Path]:
    """A runtime whose parts are links to the real one's, and its Spark."""
    marker = json.loads((machine.runtime / "runtime.json").read_text())
    home = machine.folder / "linked"
    spark, python = home / marker["spark_home"], home / marker["python"]
    for folder in (spark / "jars", python.parent):
        folder.mkdir(parents=True, exist_ok=True)
    original = machine.runtime / marker["spark_home"]
    for part in original.iterdir():
        if part.name not in ("jars", "archives"):
            (spark / part.name).symlink_to(part)
    for jar in (original / "jars").iterdir():
        (spark / "jars" / jar.name).symlink_to(jar)
    python.symlink_to((machine.runtime / marker["python"]).resolve())
    shutil.copy(machine.runtime / "runtime.json", home)
    return home, spark


def test_a_jar_is_corrupt(machine):
    home, spark = linked_runtime(machine)
    [jar] = (spark / "jars").glob("spark-core_*.jar")
    whole = jar.read_bytes()
    jar.unlink()
    jar.write_bytes(whole[: len(whole) // 2])
    found = machine.doctor(FIRESTEEL_RUNTIME=str(home))
    finds(found["SELECT 1"], "bad", jar.name, "runtime install --again")


def test_an_archive_is_corrupt_or_cut_short(machine):
    """It is not used, as if it were not there."""
    home, spark = linked_runtime(machine)
    environment = machine.environment | {"FIRESTEEL_RUNTIME": str(home)}
    subprocess.run([PROGRAM, "runtime", "archive"], env=environment, check=True)
    [archive] = (spark / "archives").glob("*.jsa")
    marker = archive.with_suffix(".json")
    told = marker.read_text()
    archive.chmod(0o600)
    size = archive.stat().st_size
    with archive.open("r+b") as file:
        file.seek(size // 2)
        file.write(bytes(1 << 20))
    found = machine.doctor(FIRESTEEL_RUNTIME=str(home))
    finds(found["SELECT 1"], "good", "answered")
    assert not marker.exists(), "the next driver has another one made"
    marker.write_text(told)
    os.truncate(archive, size // 2)
    found = machine.doctor(FIRESTEEL_RUNTIME=str(home))
    finds(found["SELECT 1"], "good", "answered")
    for log in machine.home.glob(".local/state/firesteel/drivers/*.log"):
        assert "shared archive" not in log.read_text(), "Java was told of it"


def test_a_profile_file_is_broken(machine):
    machine.profiles("[")
    finds(machine.doctor()["profile"], "bad", "profiles.yaml", "firesteel profiles check")


def test_the_kernelspec_is_of_another_version(machine):
    [file] = machine.home.glob(".local/share/jupyter/kernels/*/kernel.json")
    spec = json.loads(file.read_text())
    spec["metadata"]["firesteel"] = "0.0.1"
    file.write_text(json.dumps(spec))
    finds(machine.doctor()["kernelspec"], "poor", "is of version 0.0.1", "firesteel install --user")
    spec["argv"][0] = str(machine.folder / "gone")
    file.write_text(json.dumps(spec))
    finds(machine.doctor()["kernelspec"], "bad", "which is not there", "firesteel install --user")
    file.write_text("{")
    finds(machine.doctor()["kernelspec"], "bad", "is broken", "firesteel install --user")
    shutil.rmtree(file.parent)
    finds(machine.doctor()["kernelspec"], "bad", "does not know this kernel", "firesteel install --user")


def test_the_locale_has_no_utf8(machine):
    found = machine.doctor(LC_ALL="C")
    finds(found["locale"], "good", "C has no UTF-8; drivers take C.UTF-8")
    finds(found["SELECT 1"], "good", "answered")


def test_a_proxy_is_set_that_packages_do_not_heed(machine):
    proxy = "http://127.0.0.1:9"
    found = machine.doctor(HTTPS_PROXY=proxy, http_proxy=proxy)
    finds(found["proxy"], "good", "asks nobody through it")
    finds(found["SELECT 1"], "good", "answered")
    machine.profiles("packages: ['org.example:absent:1.0']")
    finds(machine.doctor(HTTPS_PROXY=proxy)["proxy"], "poor", "$HTTPS_PROXY is set", "spark.jars.repositories")


@root
def test_the_clock_is_before_the_build(machine):
    need("faketime=faketime")
    # How long things take goes by another clock, which is right.
    found = machine.doctor("faketime", "2020-01-01 12:00:00", TZ="UTC", FAKETIME_DONT_FAKE_MONOTONIC="1")
    made = time.strftime("%Y-%m-%d", time.gmtime(Path(PROGRAM).stat().st_mtime))
    finds(found["clock"], "poor", f"it is 2020-01-01 by the clock, and this program was made on {made}", "Set the clock")
    finds(found["SELECT 1"], "good", "answered")


@root
def test_the_disk_is_full(machine):
    found = machine.doctor(*machine.shell('mount -t tmpfs -o size=16m tmpfs "$1"', machine.folder / "tmp"))
    finds(found["disk"], "bad", "MiB free for", "Make room for 1024 MiB")
    script = 'mount -t tmpfs -o size=16m,mode=700 tmpfs "$1"; head -c 32m /dev/zero > "$1/full" || true'
    found = machine.doctor(*machine.shell(script, machine.folder / "run"))
    finds(found["folders"], "bad", "No space left", "Make room")


@root
def test_the_home_is_read_only(machine):
    found = machine.doctor(*machine.shell('mount --bind "$1" "$1"; mount -o remount,ro,bind "$1"', machine.home))
    finds(found["folders"], "bad", "Read-only file system", ".local/state/firesteel")


@root
def test_sockets_and_locks_leave_a_network_file_system(machine):
    """A file system of the kind that may be anything: FUSE."""
    need("bindfs=bindfs ip=iproute2")
    served = machine.folder / "served"
    served.mkdir(mode=0o700)
    mount = 'ip link set lo up; bindfs "$1" "$2"'
    found = machine.doctor(*machine.shell(mount, served, machine.folder / "run"))
    finds(found["folders"], "good", f"because {machine.folder / 'run'}/firesteel cannot hold them")
    finds(found["SELECT 1"], "good", "answered")


@root
def test_no_port_is_free(machine):
    """One port in all, and it is taken, by a socket that the doctor is given."""
    script = "ip link set lo up; echo 50000 50000 > /proc/sys/net/ipv4/ip_local_port_range"
    take = """
import os, socket, sys
taken = socket.create_server(("127.0.0.1", 50000))
taken.set_inheritable(True)
os.execvp(sys.argv[1], sys.argv[1:])
"""
    found = machine.doctor(*machine.shell(script), sys.executable, "-c", take)
    finds(found["SELECT 1"], "bad", "no free port", "run the cell again")


@root
def test_there_is_too_little_memory(machine):
    group = Path("/sys/fs/cgroup/memory") / f"firesteel-{os.getpid()}"
    limit, second = "memory.limit_in_bytes", Path("/sys/fs/cgroup") / f"firesteel-{os.getpid()}"
    if not group.parent.is_dir():
        group, limit = second, "memory.max"
    group.mkdir()
    try:
        (group / limit).write_text(str(512 << 20))
        found = machine.doctor("sh", "-ec", 'echo $$ > "$1"; shift; exec "$@"', "sh", str(group / "cgroup.procs"))
    finally:
        group.rmdir()
    finds(found["memory"], "bad", "512 MiB may be used", "896 MiB")
