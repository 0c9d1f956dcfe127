"""What opens a driver is shown to nobody: not in a notebook, an error, a log, a command line or another process's environment."""

import json
import os
from pathlib import Path

import nbformat
from client import drivers, firesteel
from nbclient import NotebookClient

VARIABLE = "SPARK_CONNECT_AUTHENTICATE_TOKEN"

# What people do when they look for something, and what goes wrong for them.
CELLS = [
    "SELECT 1 AS one",
    "SET",
    "SET -v",
    "%session",
    "%profile",
    "%logs",
    "%vars",
    "%limit",
    "%explain SELECT 1",
    "SELECT * FROM nowhere",
    "SELECT raise_error('no')",
    "SELECT cast('x' AS INT)",
    "SELECT reflect('java.lang.System', 'getProperty', 'spark.connect.authenticate.token') AS found",
    "SET spark.connect.authenticate.token",
    "SET spark.authenticate.secret",
    "SET spark.ssl.keyPassword",
    "SELEC",
    "%nothing",
]


def processes():
    """The ids of all processes that can be seen, but for those in pods: drivers there are not of these tests."""
    ours = Path("/proc/self/ns/pid").readlink()
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit() and within(entry) == ours]


def within(process):
    """The namespace of a process; none when it is gone."""
    try:
        return (process / "ns/pid").readlink()
    except OSError:
        return None


def words(pid, file):
    """Arguments or environment of a process; none when it is gone."""
    try:
        return Path(f"/proc/{pid}/{file}").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return []


def test_an_executed_notebook_and_all_that_is_left_of_it_have_no_token(home):
    os.environ["FIRESTEEL_PROFILE"] = "roomy"
    try:
        notebook = nbformat.v4.new_notebook(
            cells=[nbformat.v4.new_code_cell(source) for source in CELLS],
            metadata={"kernelspec": {"name": "firesteel", "display_name": "Firesteel", "language": "sql"}},
        )
        client = NotebookClient(notebook, timeout=120, allow_errors=True)
        with client.setup_kernel():
            for at, cell in enumerate(notebook.cells):
                client.execute_cell(cell, at)
            assert "one" in json.dumps(notebook.cells[0].outputs)

            (driver,) = [driver for driver in drivers() if driver["profile"] == "roomy"]
            holders = {pid: words(pid, "environ") for pid in processes()}
            holders = {pid: word.split("=", 1)[1] for pid, all in holders.items() for word in all if word.startswith(f"{VARIABLE}=")}
            files = [path for path in home.rglob("token") if path.is_file()]
            secrets = {*holders.values(), *(path.read_text().strip() for path in files)}
            assert holders and files and all(len(secret) >= 32 for secret in secrets), driver

            for pid in processes():
                for file in ["cmdline", "environ"]:
                    seen = " ".join(words(pid, file))
                    found = [secret for secret in secrets if secret in seen]
                    assert not found or (file == "environ" and pid in holders), (pid, file)
            listed = firesteel("drivers", "list", "--json") + firesteel("drivers", "logs", driver["id"])
    finally:
        del os.environ["FIRESTEEL_PROFILE"]
    for at, cell in enumerate(notebook.cells):
        shown = json.dumps(cell.outputs)
        assert not [secret for secret in secrets if secret in shown], CELLS[at]
    assert not [secret for secret in secrets if secret in listed]
    for path in home.rglob("*"):
        if path.is_file() and path not in files:
            text = path.read_bytes()
            assert not [secret for secret in secrets if secret.encode() in text], path
