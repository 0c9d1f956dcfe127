"""Puts figures that `make bench` measured into the README: `publish.py FILE` takes them from a file that it kept, rows that the
file lacks stay out. `--check` says whether the README shows what was published; `tests/run` asks."""

import argparse
import json
import shutil
import sys
from pathlib import Path

from figures import table

HERE = Path(__file__).parent
PUBLISHED = HERE / "figures.json"
README = HERE.parent.parent / "README.md"
BEGIN, END = "<!-- figures: made by tests/bench/publish.py -->\n", "<!-- /figures -->\n"


def section():
    kept = json.loads(PUBLISHED.read_text())
    return f"\n`make bench` at commit {kept['commit']}, {kept['machine']}; medians (least–most):\n\n{table(kept['rows'])}\n\n"


def readme():
    """The README with the figures that are published."""
    text = README.read_text()
    before, rest = text.split(BEGIN)
    _, after = rest.split(END)
    return before + BEGIN + section() + END + after


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", nargs="?", type=Path, help="what `make bench` kept")
    parser.add_argument("--check", action="store_true", help="change nothing; fail where the README shows something else")
    arguments = parser.parse_args()
    if arguments.check:
        if README.read_text() != readme():
            sys.exit("the README's figures are not those of tests/bench/figures.json: run tests/bench/publish.py")
        return
    if arguments.file:
        if "dirty" in json.loads(arguments.file.read_text())["commit"]:
            parser.error("these figures are of no commit")
        shutil.copyfile(arguments.file, PUBLISHED)
    README.write_text(readme())


if __name__ == "__main__":
    main()
