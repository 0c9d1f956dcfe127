"""Prints how many milliseconds pandas takes to write 1,000 rows and 20 columns of all kinds as HTML and as text: the columns are those
of `table-timing.rs`."""

import statistics
import time
from datetime import date, timedelta

import pandas

ROWS = range(1000)
COLUMNS = 20
TABLES = 5

KINDS = [
    lambda row: row * 7919,
    lambda row: row / 7.0,
    lambda row: f"carrier <{row}> & co",
    lambda row: date(2013, 1, 1) + timedelta(days=row % 365),
    lambda row: pandas.Timestamp(1_356_998_400_000_000 + row * 61_000_001, unit="us", tz="UTC"),
    lambda row: row % 3 == 0,
]
TYPES = ["Int64", "float64", "str", "object", "datetime64[us, UTC]", "boolean"]


def column(number):
    value = KINDS[number % len(KINDS)]
    values = [None if row % 10 == 9 else value(row) for row in ROWS]
    return pandas.Series(values, dtype=TYPES[number % len(KINDS)])


def main():
    frame = pandas.DataFrame({f"column_{number}": column(number) for number in range(COLUMNS)})
    times = []
    for _ in range(TABLES):
        before = time.perf_counter()
        frame.to_html()
        frame.to_string()
        times.append((time.perf_counter() - before) * 1000)
    print(statistics.median(times))


if __name__ == "__main__":
    main()
