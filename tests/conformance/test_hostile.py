"""A real kernel and what is sent and left to it that nobody should: cases in `tests/data/hostile`. It lives, and says why it refuses."""

import hashlib
import hmac
import json
import os
import socket
import subprocess
import uuid
from pathlib import Path

import pytest
from client import Kernel, free_ports, until

DATA = Path(__file__).parents[1] / "data/hostile"
MESSAGES = json.loads((DATA / "messages.json").read_text())
CONNECTIONS = json.loads((DATA / "connections.json").read_text())
PORTS = ["shell_port", "iopub_port", "stdin_port", "control_port", "hb_port"]


def written(part) -> bytes:
    """The bytes that a data file means."""
    if isinstance(part, str):
        return part.encode()
    if "hex" in part:
        return bytes.fromhex(part["hex"])
    if "repeat" in part:
        text, times = part["repeat"]
        return text.encode() * times
    before, text, times, after = part["around"]
    return (before + text * times + after).encode()


def header(kind: str) -> dict:
    return {"msg_id": uuid.uuid4().hex, "session": "hostile", "username": "u", "date": "2026-11-21T12:00:00Z", "msg_type": kind, "version": "5.5"}


def signature(key: bytes, parts: list[bytes]) -> bytes:
    return hmac.new(key, b"".join(parts[:4]), hashlib.sha256).hexdigest().encode()


class Peer:
    """Sends frames by the letter, and knows what comes back."""

    def __init__(self, kernel):
        self.client = kernel.client
        self.key = self.client.session.key
        self.channels = {name: getattr(self.client, f"{name}_channel") for name in ("shell", "control", "stdin")}

    def send(self, channel: str, frames: list[bytes]):
        self.channels[channel].socket.send_multipart(frames)

    def ask(self, channel: str, kind: str, content: bytes) -> str:
        """Sends a request that is signed, and gives its id."""
        head = header(kind)
        parts = [json.dumps(head).encode(), b"{}", b"{}", content]
        self.send(channel, [b"<IDS|MSG>", signature(self.key, parts), *parts])
        return head["msg_id"]

    def reply(self, channel: str, msg_id: str) -> dict:
        """The next reply, which has to be to this."""
        message = self.channels[channel].get_msg(timeout=20)
        assert message["parent_header"]["msg_id"] == msg_id, message
        return message["content"]

    def states(self, *msg_ids: str):
        """Waits until each of these requests was busy and is idle, once each."""
        seen = {msg_id: [] for msg_id in msg_ids}
        while any("idle" not in states for states in seen.values()):
            message = self.client.get_iopub_msg(timeout=20)
            if message["msg_type"] == "status" and message["parent_header"].get("msg_id") in seen:
                seen[message["parent_header"]["msg_id"]].append(message["content"]["execution_state"])
        assert all(states == ["busy", "idle"] for states in seen.values()), seen

    def lives(self):
        """The kernel answers on both channels, and has answered nothing else."""
        for channel in ("control", "shell"):
            asked = self.ask(channel, "kernel_info_request", b"{}")
            assert self.reply(channel, asked)["status"] == "ok"
            self.states(asked)


@pytest.fixture(scope="module")
def peer():
    kernel = Kernel()
    yield Peer(kernel)
    kernel.end()


@pytest.mark.parametrize("case", MESSAGES["dropped"], ids=lambda case: case["what"])
def test_what_is_no_message_is_dropped(peer, case):
    # Taken for a message, it would end the kernel.
    named = {"header": json.dumps(header("shutdown_request")).encode()}
    frames = [named[part] if part == "header" else written(part) for part in case["frames"]]
    if b"signature" in frames:
        at = frames.index(b"signature")
        frames[at] = signature(case.get("key", "").encode() or peer.key, frames[at + 1 :])
    frames += [b"{}"] * case.get("then", 0)
    for channel in peer.channels:
        peer.send(channel, frames)
    peer.lives()


@pytest.mark.parametrize("case", MESSAGES["sent"], ids=lambda case: case["what"])
def test_what_nobody_should_send_is_answered_once_or_not_at_all(peer, case):
    sent = [(channel, peer.ask(channel, kind, written(content)), *status) for channel, kind, content, *status in case["messages"]]
    for channel, msg_id, *status in sent:
        for expected in status:
            reply = peer.reply(channel, msg_id)
            assert reply["status"] == expected, reply
            assert expected != "error" or (reply["ename"] and reply["evalue"]), reply
    peer.states(*(msg_id for channel, msg_id, *_ in sent if channel != "stdin"))
    peer.lives()


def test_a_message_is_served_once_however_often_it_comes(peer):
    head = header("execute_request")
    parts = [json.dumps(head).encode(), b"{}", b"{}", b'{"code": "%lsmagic"}']
    signed = signature(peer.key, parts)
    for way in (signed, signed, signed.upper()):
        peer.send("shell", [b"<IDS|MSG>", way, *parts])
    assert peer.reply("shell", head["msg_id"])["status"] == "ok"
    peer.states(head["msg_id"])
    peer.lives()


def connection() -> dict:
    """What Jupyter writes, with ports that are free."""
    return dict(zip(PORTS, free_ports(len(PORTS)))) | {"ip": "127.0.0.1", "transport": "tcp", "key": "k", "signature_scheme": "hmac-sha256", "kernel_name": ""}


def refused(*command) -> str:
    """The one sentence that a command fails with."""
    done = subprocess.run([os.environ["FIRESTEEL"], *command], capture_output=True, text=True, timeout=30)
    assert done.returncode == 1
    assert done.stdout == ""
    [line] = done.stderr.splitlines()
    assert line.startswith("firesteel: ")
    return line


@pytest.mark.parametrize("case", CONNECTIONS, ids=lambda case: case["what"])
def test_a_connection_file_that_is_of_no_use_is_refused_in_a_sentence(tmp_path, case):
    path = tmp_path / "kernel.json"
    if "text" in case:
        path.write_bytes(written(case["text"]))
    else:
        file = connection()
        for name, value in case["change"].items():
            file[name] = file.get(value, value) if isinstance(value, str) else value
        path.write_text(json.dumps({name: value for name, value in file.items() if value is not None}))
    path.chmod(0o600)
    assert case["says"] in refused("kernel", "-f", path)


def test_a_connection_file_that_cannot_be_read_is_named(tmp_path):
    missing = tmp_path / "kernel-1.json"
    assert f"cannot read the connection file {missing}: No such file" in refused("kernel", "-f", missing)
    assert f"cannot read the connection file {tmp_path}: Is a directory" in refused("kernel", "-f", tmp_path)


def test_a_port_that_is_taken_is_named(tmp_path):
    path = tmp_path / "kernel.json"
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        path.write_text(json.dumps(connection() | {"iopub_port": port}))
        path.chmod(0o600)
        assert f"tcp://127.0.0.1:{port}: another process has taken it" in refused("kernel", "-f", path)


@pytest.mark.parametrize(
    ("mode", "key", "warning"),
    [(0o600, "k", ""), (0o644, "k", "can be read by others"), (0o640, "k", "can be read by others"), (0o600, "", "has no key")],
)
def test_a_connection_that_others_may_use_is_warned_of(tmp_path, mode, key, warning):
    path = tmp_path / "kernel.json"
    file = connection() | {"key": key}
    path.write_text(json.dumps(file))
    path.chmod(mode)
    program = [os.environ["FIRESTEEL"], "kernel", "-f", str(path)]
    kernel = subprocess.Popen(program, stderr=subprocess.PIPE, text=True)
    try:
        until(lambda: listens(file["hb_port"]), 10, "the kernel listens")
    finally:
        kernel.terminate()
    said = kernel.communicate(timeout=10)[1]
    assert kernel.returncode == 0
    assert (warning in said) if warning else (said == ""), said


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


HISTORIES = {
    "not text": b"\xff\xfe\x00\n",
    "torn": b'{"session":3,"line":1,"source":"torn off',
    "of another form": b'[]\n{}\n7\n{"session":"1","line":1,"source":"a"}\n',
    "numbered to the end": b'{"session":9223372036854775807,"line":9223372036854775807,"source":"last"}\n',
    "numbered before the beginning": b'{"session":-9223372036854775808,"line":-1,"source":"first"}\n',
    "deep": b"[" * 1_000_000 + b"\n",
    "one long line": b"x" * 5_000_000,
}


@pytest.mark.parametrize("lines", HISTORIES.values(), ids=HISTORIES)
def test_a_history_that_is_corrupt_is_kept_and_goes_on(kernels, tmp_path, lines):
    file = tmp_path / "firesteel/history.jsonl"
    file.parent.mkdir()
    whole = b'{"session":2,"line":1,"source":"SELECT 2"}\n'
    file.write_bytes(whole + lines)
    for round in (1, 2):
        kernel = kernels(env={"XDG_STATE_HOME": str(tmp_path)})
        assert kernel.run("%lsmagic").status == "ok"
        kernel.client.history(hist_access_type="tail", n=1000)
        history = kernel.client.get_shell_msg(timeout=10)["content"]["history"]
        sources = [source for _, _, source in history]
        assert sources[0] == "SELECT 2"
        assert sources[-round:] == ["%lsmagic"] * round
        sessions = [session for session, _, _ in history][-round:]
        assert len(set(sessions)) == round, "each kernel has a session of its own"
        kernel.end()
    kept = b"".join(old.read_bytes() for old in sorted(file.parent.glob("history.jsonl*"), reverse=True))
    assert kept.startswith(whole + lines), "nothing is lost"


PROFILES = {
    "no YAML": b"profiles: [",
    "not text": b"\x00\xff\xfe",
    "a list": b"- a\n- b\n",
    "a number of profiles": b"profiles: 7",
    "a misspelt key": b"profiles: {local: {memroy: 1g}}",
    "the same twice": b"profiles: {local: {memory: 1g}, local: {memory: 2g}}",
    "somebody's object": b"profiles: !!python/object/apply:os.system ['true']",
    "less than no memory": b"profiles: {local: {memory: -1g}}",
    "more cores than numbers": b"profiles: {local: {cores: 1e999}}",
    "an anchor of itself": b"profiles: &a {local: *a}",
    "a billion laughs": b"a: &a [x,x,x,x,x,x,x,x,x]\n"
    + b"".join(b"%c: &%c [%s]\n" % (n, n, b",".join([b"*%c" % (n - 1)] * 9)) for n in range(ord("b"), ord("k")))
    + b"profiles: {local: {conf: *j}}\n",
    "deep": b"[" * 100_000,
}


@pytest.mark.parametrize("text", PROFILES.values(), ids=PROFILES)
def test_profiles_that_are_corrupt_are_refused_in_words_and_the_kernel_lives(kernels, tmp_path, text):
    file = tmp_path / "firesteel/profiles.yaml"
    file.parent.mkdir()
    file.write_bytes(text)
    environment = {"XDG_CONFIG_HOME": str(tmp_path)}
    command = [os.environ["FIRESTEEL"], "profiles", "check"]
    checked = subprocess.run(command, env=os.environ | environment, capture_output=True, text=True, timeout=30)
    assert checked.returncode == 1, checked
    assert str(file) in checked.stdout + checked.stderr
    assert "panicked" not in checked.stderr
    kernel = kernels(env=environment)
    failed = kernel.run("SELECT 1")
    assert failed.status == "error"
    assert str(file) in failed.text, failed.text
    assert len(failed.text) < 5000
    assert kernel.run("%lsmagic").status == "ok"
    file.write_text("profiles: {local: {memory: 1g}}")
    assert kernel.run("%profile").status == "ok", "mended, it is read again"


def document(**parts) -> bytes:
    """A notebook of one cell, but for these parts; those that are None are left out."""
    cell = {"cell_type": "code", "execution_count": None, "id": "c", "metadata": {}, "outputs": [], "source": "SELECT 1"}
    spec = {"name": "firesteel", "display_name": "Spark SQL", "language": "sql"}
    whole = {"cells": [cell], "metadata": {"kernelspec": spec}, "nbformat": 4, "nbformat_minor": 5} | parts
    return json.dumps({name: part for name, part in whole.items() if part is not None}).encode()


NOTEBOOKS = {
    "nothing": (b"", "is cut short"),
    "cut short": (document()[:-40], "is cut short"),
    "no JSON": (b"SELECT 1", "is not the JSON of a notebook"),
    "not text": (b"\xff\xfe{\x00}\x00", "is not the JSON of a notebook"),
    "text that is none inside": (document(metadata={"title": "quokka"}).replace(b"quokka", b"\xff"), "is not the JSON of a notebook"),
    "in conflict": (b"<<<<<<< HEAD\n" + document() + b"\n=======\n", "is not the JSON of a notebook"),
    "two in one": (document() * 2, "is not the JSON of a notebook"),
    "deep": (b"[" * 1_000_000, "is not the JSON of a notebook"),
    "a list": (b"[]", "has no list of `cells`"),
    "no cells": (document(cells=None), "has no list of `cells`"),
    "cells that are no list": (document(cells={"0": {}}), "has no list of `cells`"),
    "a cell that is none": (document(cells=[7]), "its cell 1 has no type"),
    "a cell without a source": (document(cells=[{"cell_type": "code", "metadata": {}}]), "its cell 1 has no type"),
    "of an old format": (document(cells=None, worksheets=[], nbformat=3), "is a notebook of format 3"),
    "of tomorrow's format": (document(nbformat=5), "is a notebook of format 5"),
    "of a format below all formats": (document(nbformat=-4), "is a notebook of format -4"),
    "of a format that is text": (document(nbformat="4"), "has no number `nbformat`"),
    "of no format": (document(nbformat=None), "has no number `nbformat`"),
    "nothing about it": (document(metadata=None), "has no `metadata`"),
}


@pytest.mark.parametrize(("text", "words"), NOTEBOOKS.values(), ids=NOTEBOOKS)
def test_a_notebook_that_is_corrupt_is_refused_in_a_sentence_and_stays_as_it_is(tmp_path, text, words):
    file = tmp_path / "n.ipynb"
    file.write_bytes(text)
    said = refused("demo", file)
    assert said.startswith(f"firesteel: {file} "), said
    assert words in said
    # What to do about it.
    assert "; take a " in said or "; open it in Jupyter and save it" in said, said
    assert "Traceback" not in said and "panicked" not in said
    assert file.read_bytes() == text
    assert list(tmp_path.iterdir()) == [file], "nothing is made for it"


def test_a_notebook_that_cannot_be_read_is_named(tmp_path):
    missing = tmp_path / "n.ipynb"
    assert f"cannot read the notebook {missing}: No such file" in refused("demo", missing)
    assert f"cannot read the notebook {tmp_path}: Is a directory" in refused("demo", tmp_path)
