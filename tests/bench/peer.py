"""Holds rows in pandas and draws charts of them by Altair, as a notebook's author would: grouped or binned first, for Altair
takes no more than 5,000 rows. Reads a chart's name a line, and answers how long it took."""

import json
import sys
import time

import altair
import numpy
import pandas


def rows(count):
    random = numpy.random.default_rng(7)
    carriers = numpy.array("9E AA AS B6 DL EV F9 FL HA MQ OO UA US VX WN YV".split())
    seconds = 1356998400 + random.integers(0, 31536000, count)
    return pandas.DataFrame(
        {
            "carrier": pandas.Series(carriers[random.integers(0, 16, count)], dtype="str"),
            "at": pandas.to_datetime(seconds, unit="s", utc=True),
            "delay": (random.integers(0, 200, count) + random.integers(0, 120, count) - 80).astype("float64"),
            "distance": (80 + random.integers(0, 2500, count)).astype("int32"),
        }
    )


def bar(frame):
    means = frame.groupby("carrier")["delay"].mean().reset_index()
    return altair.Chart(means).mark_bar().encode(x="delay", y=altair.Y("carrier").sort("-x"))


def line(frame):
    means = frame.groupby(frame["at"].dt.floor("D"))["delay"].mean().reset_index()
    return altair.Chart(means).mark_line().encode(x="at", y="delay")


def hist(frame):
    counts, edges = numpy.histogram(frame["delay"], bins=30)
    binned = pandas.DataFrame({"from": edges[:-1], "to": edges[1:], "count": counts})
    return altair.Chart(binned).mark_rect().encode(x="from", x2="to", y="count")


def scatter(frame):
    counts, across, upward = numpy.histogram2d(frame["distance"], frame["delay"], bins=(40, 40))
    x, y = numpy.meshgrid(across[:-1], upward[:-1], indexing="ij")
    binned = pandas.DataFrame({"distance": x.ravel(), "delay": y.ravel(), "count": counts.ravel()})
    return altair.Chart(binned).mark_rect().encode(x="distance:O", y="delay:O", color="count")


def main():
    frame = rows(int(sys.argv[1]))
    charts = {"bar": bar, "line": line, "hist": hist, "scatter": scatter}
    print("ready", flush=True)
    for name in sys.stdin:
        before = time.perf_counter()
        drawn = charts[name.strip()](frame).to_json()
        elapsed = time.perf_counter() - before
        print(json.dumps({"ms": elapsed * 1000, "bytes": len(drawn)}), flush=True)


if __name__ == "__main__":
    main()
