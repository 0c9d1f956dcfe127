"""How large our programs are, as they are shipped."""

import os
from pathlib import Path

MIB = 1 << 20


def kernel():
    return Path(os.environ["FIRESTEEL"]).stat().st_size / MIB


def launcher():
    return Path(os.environ["FIRESTEEL"]).with_name("firesteel-launcher").stat().st_size / MIB
