"""Puts figures that `make bench` measured into the README: `publish.py FILE` takes them from a file that it kept; rows that the
file lacks stay as they were, with the commit that they were measured at. `--check` says whether the README shows what was published; `tests/run` asks."""

import argparse
import json
import sys
from pathlib import Path

from figures import table

HERE = Path(__file__).parent
PUBLISHED = HERE / "figures.json"
README = HERE.parent.parent / "README.md"
BEGIN, END = "<!-- figures: made by tests/bench/publish.py -->\n", "<!-- /figures -->\n"


def section():
    runs = json.loads(PUBLISHED.read_text())
    return "\n" + "".join(
        f"`make bench` at commit {run['commit']}, {run['machine']}{stolen(run)}; medians (least–most):\n\n{versions(run)}{table(run['rows'])}\n\n"
        for run in runs
    )


def stolen(run):
    return f", of which other machines on its host took {run['stolen']:.0%}" if "stolen" in run else ""


def versions(run):
    """The line that names what took part, where a run kept it."""
    return "With " + ", ".join(" ".join(one) for one in run["versions"].items()) + ".\n\n" if "versions" in run else ""


def alike(run):
    """What runs have in common whose rows stand in one table."""
    return run["commit"], run["machine"], run.get("versions")


def published(run):
    """The runs that are published once this one is: a row is of the last run that has it."""
    names = {row["name"] for row in run["rows"]}
    before = json.loads(PUBLISHED.read_text())
    kept = [{**old, "rows": [row for row in old["rows"] if row["name"] not in names]} for old in before]
    same = [old for old in kept if alike(old) == alike(run)]
    rows = [row for old in same for row in old["rows"]] + run["rows"]
    # Of runs on one commit the worse is told.
    stolen = max(one.get("stolen", 0) for one in [run, *same])
    return [{**run, "stolen": stolen, "rows": rows}] + [old for old in kept if old["rows"] and old not in same]


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
        run = json.loads(arguments.file.read_text())
        if "dirty" in run["commit"]:
            parser.error("these figures are of no commit")
        PUBLISHED.write_text(json.dumps(published(run), indent=1, ensure_ascii=False) + "\n")
    README.write_text(readme())


if __name__ == "__main__":
    main()
