"""Texts that stand where a value is missing."""

import polars as pl

MARKERS = frozenset(
    {
        "na",
        "n/a",
        "#n/a",
        "n.a.",
        "nan",
        "null",
        "none",
        "nil",
        "nul",
        "missing",
        "-",
        "--",
        "---",
        "?",
        ".",
        "\\n",
        "*",
    }
)
"""In small letters."""
_MOST = 4
"""Different markers in one column."""


def markers_in(texts: pl.Series) -> list[str]:
    """The markers that stand in a column, as they are written, the most frequent first."""
    found = texts.filter(texts.str.strip_chars().str.to_lowercase().is_in(MARKERS)).drop_nulls()
    return most_frequent(found)[:_MOST]


def most_frequent(texts: pl.Series) -> list[str]:
    """The different texts, the most frequent first; by their letters, where they are equally frequent."""
    counts = texts.alias("text").value_counts(name="count").sort("count", "text", descending=[True, False])
    return counts["text"].to_list()


def without_markers(texts: pl.Series) -> pl.Series:
    """The column with null in place of markers."""
    is_marker = texts.str.strip_chars().str.to_lowercase().is_in(MARKERS).fill_null(value=False)
    return texts.to_frame("t").select(pl.when(~is_marker).then("t")).to_series().rename(texts.name)
