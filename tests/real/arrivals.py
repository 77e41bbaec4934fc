"""Windows of recorded files: their definitions beside a spec's columns, records on their way, and what came of it."""

import math
import random
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import polars as pl

from tests.real import recorded
from tests.support.pipeline import Pipeline, lines, parsed
from windrow.ports import Outgoing
from windrow.spec.carried_out import not_carried_out
from windrow.spec.document import check

Record = dict[str, object]
Row = tuple[Any, ...]
_TOLD = ["is_final", "revision", "input_count", "computed_at", "_bucket", "_shard", "event_date"]
"""Columns that tell of a window what no record says."""
_ROWS_OF_ALL = 10_000
_WORKERS = {"landed": "consumer", "windows": "windower", "writes": "writer"}
"""Queue → who takes from it."""


def with_windows(name: str, windows: str, changes: Mapping[str, str] | None = None) -> str:
    """A spec of the recorded files with other windows than its own, which a stream must be able to fill."""
    text = recorded.spec_text(name)
    for old, new in (changes or {}).items():
        assert old in text
        text = text.replace(old, new)
    text = text.partition("\nwindows:\n")[0] + f"\n{windows.strip()}\n"
    assert check(text) == []
    assert not_carried_out(parsed(text)) == []
    return text


def with_numbers(line: Mapping[str, str], *texts: str) -> Record:
    """A line of a CSV file as JSON has it: what reads as a number is one, but for these fields."""
    return {name: text if name in texts else _number(text) for name, text in line.items()}


def _number(text: str) -> object:
    try:
        return int(text)
    except ValueError:
        pass
    try:
        return float(text)
    except ValueError:
        return text


# ------------------------------------------------------------------------------------------------ on their way


def in_order(pipeline: Pipeline, stream: str, records: Sequence[Record]) -> None:
    """All records as they stand in their file, sent by as few requests as that takes."""
    for begin in range(0, len(records), _ROWS_OF_ALL):
        pipeline.post(list(records[begin : begin + _ROWS_OF_ALL]), stream)
        pipeline.clock.advance(1)
    pipeline.run_until_quiet()


def shuffled(
    pipeline: Pipeline, stream: str, records: Sequence[Record], *, batches: int, again: int = 10, seed: int = 1
) -> int:
    """All records in random order, every `again`-th twice, posted or uploaded; windows follow from time to time.

    Returns how many were sent.
    """
    rng = random.Random(seed)
    sent = [*records, *records[::again]]
    rng.shuffle(sent)
    for number in range(batches):
        batch = sent[number::batches]
        if number % 2:
            pipeline.upload(f"batch-{number}.ndjson", lines(batch), "application/x-ndjson", stream)
        else:
            pipeline.post(batch, stream)
        pipeline.clock.advance(1)
        if number % 3 == 0:
            pipeline.run_until_quiet()
    pipeline.run_until_quiet()
    return len(sent)


# ------------------------------------------------------------------------------------------------ what came of it


def values(frame: pl.DataFrame) -> pl.DataFrame:
    """What windows say of the records, in order."""
    told = frame.drop(_TOLD)
    return told.sort(told.columns[: told.columns.index("window_end") + 1])


def assert_windows(pipeline: Pipeline, stream: str, name: str, expected: Iterable[Row]) -> None:
    """Exactly these windows, all of them final; floats all but for the last digits.

    A row has the columns of the table: keys, bounds, outputs in the order of their definition, and the row count.
    """
    table = pipeline.windows(name, stream)
    found = values(table)
    own = found.columns.index("window_end") + 1
    have = {row[:own]: row[own:] for row in found.rows()}
    want = {tuple(row[:own]): tuple(row[own:]) for row in expected}
    assert want, "no windows are expected"
    assert len(have) == found.height, "a window stands in its table twice"
    missing, extra = want.keys() - have.keys(), have.keys() - want.keys()
    assert not missing, f"{name}: {len(missing)} of {len(want)} windows are missing, such as {_first(missing)}"
    assert not extra, f"{name}: {len(extra)} windows are too many, such as {_first(extra)}"
    wrong = {each: (have[each], want[each]) for each in want if not is_close(have[each], want[each])}
    assert not wrong, f"{name}: {len(wrong)} of {len(want)} windows are others, such as {_first(wrong.items())}"
    assert table["is_final"].all()


def assert_untouched(pipeline: Pipeline, stream: str, name: str) -> None:
    """No window of a table has changed since it was final first."""
    assert set(pipeline.windows(name, stream)["revision"]) == {0}


def assert_at_rest(pipeline: Pipeline, stream: str) -> None:
    """Nothing is under way, and nothing was lost."""
    assert [queue.bodies() for queue in (*pipeline.queues.values(), *pipeline.dead.values())] == [[]] * 6
    assert pipeline.balance(stream).unexplained == 0


def is_close(have: Any, want: Any) -> bool:
    if isinstance(want, list | tuple):
        return len(have) == len(want) and all(map(is_close, have, want))
    if isinstance(have, float) and isinstance(want, float):
        return math.isclose(have, want, rel_tol=1e-9, abs_tol=1e-9)
    return bool(have == want) and type(have) is type(want)


def _first(found: Iterable[Any]) -> Any:
    return min(found, key=repr)


# ------------------------------------------------------------------------------------------------ after the seal


def after_the_seal(pipeline: Pipeline, stream: str, requests: Sequence[Sequence[Record]]) -> None:
    """Requests one after the other, their windows brought up to date after each; then all of it sealed again.

    Every notice that is sent on the way comes twice, as queues may deliver it.
    """
    for request in requests:
        pipeline.post(list(request), stream)
        pipeline.clock.advance(1)
        for name in ("landed", "windows", "writes"):
            queue = pipeline.queues[name]
            notices = queue.bodies()
            assert notices
            queue.send([Outgoing(body) for body in notices])
            while pipeline.workers[_WORKERS[name]].turn():
                pass
        pipeline.run_until_quiet()
    pipeline.settle()


def assert_revised(before: pl.DataFrame, after: pl.DataFrame) -> None:
    """Of windows that were final at revision 0: those that changed are at 1, all others still at 0."""
    own = after.columns.index("window_end") + 1
    was = {row[:own]: row[own:] for row in values(before).rows()}
    revisions = dict(zip(map(tuple, after.select(after.columns[:own]).rows()), after["revision"], strict=True))
    now = {row[:own]: row[own:] for row in values(after).rows()}
    expected = {each: int(each in was and was[each] != held) for each, held in now.items()}
    assert set(before["revision"]) == {0}
    assert set(expected.values()) == {0, 1}, "the late records change none of the windows, or all"
    wrong = {each: (revisions[each], expected[each]) for each in now if revisions[each] != expected[each]}
    assert not wrong, f"{len(wrong)} windows have another revision than expected, such as {_first(wrong.items())}"


def ledger(pipeline: Pipeline, stream: str) -> pl.DataFrame:
    """The late records of a stream."""
    table = pipeline.lake.delta(stream, "late")
    assert table is not None, "no record is late"
    return pl.scan_delta(table).collect()


def assert_sessions_revised(before: pl.DataFrame, after: pl.DataFrame) -> None:
    """Of sessions that were final at revision 0: those that take in what such a session held are at 1, if they changed.

    So is one that now begins elsewhere. One where there was none, and all that have not changed, are at 0.
    """
    columns = values(after).columns
    start, end = columns.index("window_start"), columns.index("window_end")
    was = values(before).rows()
    revisions = {row[: end + 1]: row[-1] for row in after.select(*columns[: end + 1], "revision").rows()}
    expected = {
        row[: end + 1]: int(
            row not in was
            and any(old[:start] == row[:start] and old[start] <= row[end] and row[start] <= old[end] for old in was)
        )
        for row in values(after).rows()
    }
    assert set(before["revision"]) == {0}
    assert set(expected.values()) == {0, 1}, "the late records change none of the sessions, or all"
    wrong = {each: (revisions[each], expected[each]) for each in expected if revisions[each] != expected[each]}
    assert not wrong, f"{len(wrong)} sessions have another revision than expected, such as {_first(wrong.items())}"
