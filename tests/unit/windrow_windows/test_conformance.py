"""Every cell of the conformance table: one kind of window, one aggregate, one edge."""

from collections.abc import Iterator

import polars as pl
import pytest

from tests.support.conformance import EDGES, SPEC, TESTS, WITHOUT, Cell, Frames, Record, cells, conformance_page
from tests.support.window_drawing import frame
from tests.support.window_reference import differences
from windrow.lake.dedupe import deduplicate
from windrow.lake.schema import BATCH, ORDINAL, RECEIVED_AT, result_schema
from windrow.spec import WindowSpec
from windrow.spec.windows import FUNCTIONS, KINDS
from windrow.windows import engine


@pytest.mark.parametrize("cell", cells(), ids=str)
def test_conforms(cell: Cell) -> None:
    for window in cell.windows:
        for frames in cell.arrivals:
            standing, rows = standing_records(cell, frames)
            found = engine.compute(rows, SPEC, window)
            assert found.schema == result_schema(SPEC, window)
            assert differences(found.to_dicts(), standing, SPEC, window) == []
            if len(frames) > 1 and cell.edge != "duplicate":
                for found in as_they_come([frame(records, SPEC) for records in frames], window):
                    assert differences(found.to_dicts(), standing, SPEC, window) == []


def standing_records(cell: Cell, frames: Frames) -> tuple[list[Record], pl.DataFrame]:
    """What is left when the same record counts once: as records, and as the engine gets them."""
    records = [record for each in frames for record in each]
    if cell.edge != "duplicate":
        return records, frame(records, SPEC)
    origins = [{name: record[name] for name in (RECEIVED_AT, BATCH, ORDINAL)} for record in records]
    sent = frame(records, SPEC).hstack(pl.DataFrame(origins))
    last = {(record["ts"], record["id"]): record for record in sorted(records, key=lambda each: each[RECEIVED_AT])}
    return list(last.values()), deduplicate(sent, SPEC).drop(RECEIVED_AT, BATCH, ORDINAL)


def as_they_come(arriving: list[pl.DataFrame], window: WindowSpec) -> Iterator[pl.DataFrame]:
    """The windows when each frame is laid to what was there, and when all are kept apart until the end.

    As panes where the definition has them, as rows where it has not.
    """
    if not engine.has_panes(window):
        yield engine.compute(pl.concat(arriving), SPEC, window)
        return
    apart = [engine.panes(rows, SPEC, window) for rows in arriving]
    kept = apart[0]
    for panes in apart[1:]:
        kept = engine.merge_panes([kept, panes], SPEC, window)
    yield engine.from_panes(kept, SPEC, window)
    yield engine.from_panes(engine.merge_panes(apart, SPEC, window), SPEC, window)


@pytest.mark.parametrize("edge", EDGES)
def test_the_records_of_an_edge_come_to_several_windows(edge: str) -> None:
    heights = {
        kind: max(
            engine.compute(frame([row for each in frames for row in each], SPEC), SPEC, window).height
            for cell in [Cell(kind, "count", edge)]
            for window in cell.windows
            for frames in cell.arrivals
        )
        for kind in KINDS
        if (kind, edge) not in WITHOUT and edge != "duplicate"
    }

    assert all(height > 1 for height in heights.values()), heights


def test_the_table_leaves_nothing_out_without_a_reason() -> None:
    shown = {str(cell) for cell in cells()}
    missing = {(kind, edge) for kind in KINDS for edge in EDGES for f in FUNCTIONS if f"{kind}-{f}-{edge}" not in shown}

    assert missing == set(WITHOUT)


def test_the_page_of_the_table_is_current() -> None:
    path, expected = conformance_page()

    assert path.read_text() == expected, "run `make reference`"
    assert TESTS in expected
