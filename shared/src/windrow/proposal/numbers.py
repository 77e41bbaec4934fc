"""Numbers as texts write them, and which mark stands before their fraction."""

from collections.abc import Mapping

import polars as pl

from windrow.errors import BadInput
from windrow.proposal.evidence import Evidence, Option, Question, Undecided, counted, quoted

INT = r"^\s*-?[0-9]+\s*$"
_POINT = r"^\s*-?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?\s*$"
_COMMA = r"^\s*-?(?:[0-9]+,?[0-9]*|,[0-9]+)(?:[eE][+-]?[0-9]+)?\s*$"
_WITH_COMMA = r"^\s*-?[0-9]*,[0-9]+(?:[eE][+-]?[0-9]+)?\s*$"
_WITH_POINT = r"^\s*-?[0-9]*\.[0-9]+(?:[eE][+-]?[0-9]+)?\s*$"
_GROUPED = r"^\s*-?[1-9][0-9]{0,2},[0-9]{3}\s*$"
_STEADY = 0.9
"""Share of a column's values that must look alike before they say something about the whole file."""


def is_number(texts: pl.Series, mark: str) -> pl.Series:
    """Which texts are finite numbers."""
    return texts.str.contains(_COMMA if mark == "," else _POINT) & as_numbers(texts, mark).is_finite()


def as_numbers(texts: pl.Series, mark: str) -> pl.Series:
    """The numbers; null where there is none."""
    plain = texts.str.strip_chars()
    return (plain.str.replace(",", ".", literal=True) if mark == "," else plain).cast(pl.Float64, strict=False)


def decimal_mark(columns: Mapping[str, pl.Series], chosen: str | None, evidence: list[Evidence]) -> str:
    """The decimal mark of a CSV file. Raises Undecided where `1,234` could be both."""
    if chosen is not None:
        if chosen not in (".", ","):
            raise BadInput(f"{chosen!r} is not a decimal mark; use . or ,")
        evidence.append(Evidence("decimal", chosen, "as you said"))
        return chosen
    commas: list[str] = []
    grouped: list[str] = []
    points: list[str] = []
    example = ""
    for title, series in columns.items():
        texts = series.drop_nulls()
        if _share(texts, _COMMA) >= _STEADY and (found := texts.filter(texts.str.contains(_WITH_COMMA))).len():
            is_plain = found.filter(~found.str.contains(_GROUPED))
            (commas if is_plain.len() else grouped).append(title)
            example = example or (is_plain if is_plain.len() else found)[0]
        elif _share(texts, _POINT) >= _STEADY and texts.str.contains(_WITH_POINT).any():
            points.append(title)
    if not commas and grouped and not points:
        raise Undecided(
            Question(
                "decimal",
                f"Numbers such as {example!r} in {quoted(grouped)} can be fractions or thousands.",
                (
                    Option("--decimal ,", f"{example!r} is a little more than {example.strip().partition(',')[0]}"),
                    Option("--decimal .", f"{example!r} stays text: numbers in groups are not read"),
                ),
            )
        )
    if commas and points:
        raise Undecided(
            Question(
                "decimal",
                f"Some columns write fractions with a comma ({quoted(commas)}), some with a point ({quoted(points)}); "
                "those with the other mark stay text.",
                (
                    Option("--decimal ,", f"{quoted(commas)} are numbers"),
                    Option("--decimal .", f"{quoted(points)} are numbers"),
                ),
            )
        )
    if commas:
        evidence.append(Evidence("decimal", ",", f"{counted(len(commas), 'column')} with numbers such as {example!r}"))
        return ","
    return "."


def _share(texts: pl.Series, pattern: str) -> float:
    return float(texts.str.contains(pattern).sum() or 0) / texts.len() if texts.len() else 0.0
