"""The recorded files beside the repository, and the way of one of them through the whole flow.

What a file holds is found out here by other means than Windrow's: the csv and json modules, and DuckDB.
"""

import csv
import json
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest

from tests.support.pipeline import Pipeline, parsed
from windrow.conservation import Balance

DATA = Path(__file__).parents[3] / "shared" / "data"
SPECS = Path(__file__).parent / "specs"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_CONTENT_TYPES = {".csv": "text/csv", ".json": "application/json"}


def needs(folder: str = "") -> list[pytest.MarkDecorator]:
    """Marks of tests that need a folder of recorded files, or all. CI may lack them: they are not in the repository."""
    where = f"../shared/data/{folder}".rstrip("/")
    reason = f"needs the recorded files at {where}, which are not part of the repository"
    return [pytest.mark.skipif(not (DATA / folder).is_dir(), reason=reason), pytest.mark.may_skip(reason)]


def spec_text(name: str) -> str:
    return (SPECS / f"{name}.yaml").read_text(encoding="utf-8")


def landed(folder: Path, text: str, *files: Path) -> Pipeline:
    """Files uploaded to the stream of a spec, and everything that follows from that done."""
    pipeline = Pipeline(folder)
    upload(pipeline, text, *files)
    pipeline.settle()
    return pipeline


def upload(pipeline: Pipeline, text: str, *files: Path) -> None:
    """Publish a spec, and upload files to its stream."""
    pipeline.publish(text)
    for file in files:
        pipeline.upload(file.name, file.read_bytes(), _CONTENT_TYPES[file.suffix], parsed(text).stream)


# ------------------------------------------------------------------------------------------------ what a file holds


def csv_lines(file: Path, *, delimiter: str = ",", encoding: str = "utf-8") -> list[list[str]]:
    """Every record of a CSV file, the header first."""
    with file.open(newline="", encoding=encoding) as opened:
        return list(csv.reader(opened, delimiter=delimiter))


def csv_records(file: Path) -> list[dict[str, str]]:
    with file.open(newline="", encoding="utf-8") as opened:
        return list(csv.DictReader(opened))


def json_document(file: Path) -> Any:
    return json.loads(file.read_text(encoding="utf-8"))


def json_text(text: str) -> Any:
    return json.loads(text)


def asked(query: str, **parameters: object) -> list[tuple[Any, ...]]:
    """What DuckDB answers, its times in UTC."""
    with duckdb.connect() as database:
        rows = database.execute(query, parameters).fetchall()
    return [tuple(each.replace(tzinfo=UTC) if isinstance(each, datetime) else each for each in row) for row in rows]


def from_ms(epoch_ms: int) -> datetime:
    return _EPOCH + timedelta(milliseconds=epoch_ms)


def span_start(moment: datetime, size: timedelta) -> datetime:
    """Where the span of this length begins that holds a moment; spans are counted from 1970."""
    return moment - (moment - _EPOCH) % size


# ------------------------------------------------------------------------------------------------ what came of it


def assert_figures(
    pipeline: Pipeline,
    stream: str,
    *,
    received: int,
    written: int,
    duplicate: int = 0,
    quarantined: int = 0,
    filtered: int = 0,
) -> None:
    """The balance of a stream in which nothing is under way, and the rows that physically stand in its table."""
    found = pipeline.balance(stream)
    expected = Balance(stream, received, written, duplicate, quarantined, filtered)
    assert replace(found, last_commit_us=None, max_time_us=None) == expected
    assert found.unexplained == 0
    assert pipeline.records(stream).height == written
    assert [queue.bodies() for queue in (*pipeline.queues.values(), *pipeline.dead.values())] == [[]] * 6


def assert_same_rows(found: pl.DataFrame, expected: Iterable[Sequence[Any]]) -> None:
    """The same rows the same number of times, in any order, value for value."""
    have, want = Counter(found.rows()), Counter(map(tuple, expected))
    wrong = {"missing": list((want - have).elements()), "too many": list((have - want).elements())}
    shown = [f"{len(rows)} rows are {what}, such as {rows[:2]}" for what, rows in wrong.items() if rows]
    assert not shown, "; ".join(shown)


def assert_same_windows(found: pl.DataFrame, expected: Iterable[Sequence[Any]]) -> None:
    """The same rows; of floats, which depend on the order of addition, all but the last digits."""
    have, want = sorted(found.rows(), key=repr), sorted(map(tuple, expected), key=repr)
    assert have, "there are no windows"
    assert len(have) == len(want)
    wrong = [pair for pair in zip(have, want, strict=True) if not all(map(_is_close, *pair))]
    assert not wrong, f"{len(wrong)} windows are others than expected, such as {wrong[:2]}"


def _is_close(have: Any, want: Any) -> bool:
    if isinstance(have, float) and isinstance(want, float):
        return math.isclose(have, want, rel_tol=1e-9, abs_tol=1e-9)
    return bool(have == want)
