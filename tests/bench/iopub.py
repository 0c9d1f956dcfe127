"""What a cell publishes: how soon all of it has come, and what of it never does."""

import contextlib
import re
import time

import zmq

from kernels import DEADLINE, answered, ours, started, xeus_python

# Outputs of a cell that is timed, and of one that is looked at for what is lost.
MESSAGES = 10_000
MANY = 1_000_000

# Milliseconds without an output that show that the kernel waits for a reader. After twenty times as long it drops one that takes too little.
SILENCE = 500

KINDS = (b'"stream"', b'"display_data"', b'"execute_result"')

# A line whose output has a number, and where that stands in it.
NUMBERED = "%set n {}\n"
NUMBER = re.compile(rb":n = (\d+) ")


def published(command, code, beside=contextlib.nullcontext):
    """Milliseconds from a request to the idle that ends it, of a cell with so many outputs, in a reader that takes no message apart."""
    with started(command) as (_, _, client), beside(client):
        until_heard(client, "-- nothing" if command is ours else "pass")
        before = time.perf_counter()
        count = sum(1 for _ in outputs(client.iopub_channel.socket, client.execute(code)))
        elapsed = time.perf_counter() - before
    if count != MESSAGES:
        raise RuntimeError(f"{count} outputs came")
    return elapsed * 1000


def until_heard(client, code):
    """Runs a cell until something of it comes: what is published before the reader has connected is missing."""
    deadline = time.monotonic() + DEADLINE
    while not client.iopub_channel.socket.poll(100):
        if time.monotonic() > deadline:
            raise RuntimeError("nothing is published")
        answered(client, client.execute(code))


def outputs(socket, asked):
    """The contents of a request's outputs as they come, until it is over."""
    asked = asked.encode()
    while socket.poll(DEADLINE * 1000):
        frames = socket.recv_multipart()
        header, parent, _, content = frames[frames.index(b"<IDS|MSG>") + 2 :][:4]
        if asked not in parent:
            continue
        if any(kind in header for kind in KINDS):
            yield content
        if b'"status"' in header and b'"idle"' in content:
            return
    raise RuntimeError("the cell does not end")


def published_ours():
    return published(ours, "%lsmagic\n" * MESSAGES)


def published_beside_stalled():
    # In all less than the kernel keeps for a subscriber before it waits for it.
    return published(ours, "%lsmagic\n" * MESSAGES, stalled)


def published_xeus_python():
    # It does not run a loop that ends a cell.
    loop = f"import sys\nfor _ in range({MESSAGES}):\n    sys.stdout.write('%%sql  %help  %limit\\n')\nNone"
    return published(xeus_python, loop)


@contextlib.contextmanager
def stalled(client):
    """Another subscriber, which never reads, and whose system keeps little for it."""
    with client.context.socket(zmq.SUB) as socket:
        socket.rcvhwm = 1
        socket.rcvbuf = 16 << 10
        socket.connect(f"tcp://{client.ip}:{client.iopub_port}")
        socket.subscribe(b"")
        until_welcome(socket)
        yield


def until_welcome(socket):
    """Waits until the kernel knows that it subscribes: its first message is there, and stays unread."""
    if not socket.poll(DEADLINE * 1000):
        raise RuntimeError("a subscriber is not welcomed")


def lost():
    """How many outputs a reader misses."""
    with started(ours) as (_, _, client):
        until_heard(client, "-- nothing")
        return missed(client, ask_for_many(client))


def lost_late():
    """How many outputs a reader misses that begins to read when the kernel can go on no more without it."""
    with started(ours) as (_, _, client):
        until_heard(client, "-- nothing")
        # It goes when it has seen that, or the kernel would wait for it next.
        with client.connect_iopub() as prompt:
            until_welcome(prompt)
            asked = ask_for_many(client)
            until_held(prompt, asked)
        return missed(client, asked)


def ask_for_many(client):
    return client.execute("".join(NUMBERED.format(number) for number in range(MANY)))


def until_held(socket, asked):
    """Reads a request's outputs until they go on no more, though it is not over."""
    for _ in outputs(socket, asked):
        if not socket.poll(SILENCE):
            return
    raise RuntimeError("the kernel waits for nobody")


def missed(client, asked):
    numbers = [int(NUMBER.search(content)[1]) for content in outputs(client.iopub_channel.socket, asked)]
    if numbers != sorted(set(numbers)):
        raise RuntimeError("outputs came twice, or not in their order")
    return MANY - len(numbers)
