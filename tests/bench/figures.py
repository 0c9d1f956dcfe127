"""Figures as people read them."""

import statistics


def spread(values):
    if not values:
        return ""
    median = f"{statistics.median(values):.4g}"
    if len(values) == 1:
        return median
    return f"{median} ({min(values):.4g}–{max(values):.4g})"


def table(rows):
    """A table in Markdown, of rows as they are kept: medians, with the least and the most in brackets."""
    lines = ["| figure | unit | Firesteel | peer | ratio | goal |", "|---|---|---|---|---|---|"]
    for row in rows:
        peer, ratio = "", ""
        if row["peer"]:
            peer = f"{spread(row['peer'])} {row['peer_name']}"
            ratio = f"{statistics.median(row['ours']) / statistics.median(row['peer']):.3f}"
        lines.append(f"| {row['about']} | {row['unit']} | {spread(row['ours'])} | {peer} | {ratio} | {row['goal']} |")
    return "\n".join(lines)
