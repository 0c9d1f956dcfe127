"""A clock of its own for a program, to be set while it runs: a laptop that slept, a virtual machine that was moved."""

import contextlib
import os
from pathlib import Path

from packages import need

DAY = 86400


class Clock:
    """What a program with its environment takes for the time of day. How long things take goes by another clock."""

    def __init__(self, folder, name="clock"):
        need("faketime=faketime")
        [library] = Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1")
        self.file = folder / name
        self.environment = {
            "LD_PRELOAD": str(library),
            "FAKETIME_TIMESTAMP_FILE": str(self.file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }
        self.ahead(0)

    def ahead(self, seconds):
        """Sets it so far from the machine's."""
        new = self.file.with_suffix(".new")
        new.write_text(f"{seconds:+}\n")
        os.replace(new, self.file)

    @contextlib.contextmanager
    def jumped(self, seconds):
        """Jumps, and jumps back."""
        self.ahead(seconds)
        try:
            yield
        finally:
            self.ahead(0)
