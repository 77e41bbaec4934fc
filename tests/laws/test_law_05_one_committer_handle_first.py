"""Law 5. A commit goes through the handle opened before the inputs were read; any error means unknown."""

import ast
from pathlib import Path

import pytest

from tests.support.chaos import HookedLake, lose_replies
from tests.support.pipeline import Pipeline
from tests.support.sensors import expected_records, expected_windows, reading
from windrow.errors import OutcomeUnknown
from windrow.lake.tables import Place, Table

SOURCES = Path(__file__).parents[2]


class OvertakenLake:
    """Between opening a table and committing, a rival does something, once."""

    def __init__(self, inner: object, rival: object) -> None:
        self._inner, self._rival = inner, rival
        self.was_overtaken = False

    def open(self, stream: str, table: str) -> Table | None:
        return self._inner.open(stream, table)

    def open_or_create(self, *arguments: object) -> Table:
        handle = self._inner.open_or_create(*arguments)
        if not self.was_overtaken:
            self.was_overtaken = True
            self._rival()
        return handle


def test_a_handle_that_another_commit_made_stale_is_refused(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    pipeline.post([reading(1)])
    pipeline.settle()
    stale = pipeline.lake.open("sensors", "records")
    assert stale is not None
    rows = stale.read([Place(1767225600000000, 0)])
    pipeline.post([reading(2)])
    pipeline.settle()

    with pytest.raises(OutcomeUnknown):
        stale.append(rows, {"batch:zombie": 1})
    with pytest.raises(OutcomeUnknown):
        stale.replace([Place(1767225600000000, 0)], rows, {"batch:zombie": 1})
    assert pipeline.record_rows() == expected_records([reading(1), reading(2)])


def test_a_writer_overtaken_by_another_finds_the_work_done(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    pipeline.post([reading(1), reading(61)])
    pipeline.workers["consumer"].turn()
    pipeline.workers["windower"].turn()
    bodies = pipeline.queues["writes"].bodies()
    lake = pipeline.writer_handler.lake

    def rival() -> None:
        pipeline.writer_handler.handle(bodies)

    pipeline.writer_handler.lake = OvertakenLake(lake, rival)
    pipeline.run_until_quiet()

    assert pipeline.metrics.total("commits_repeated") >= 1
    assert pipeline.record_rows() == expected_records([reading(1), reading(61)])
    assert pipeline.window_rows() == expected_windows([reading(1), reading(61)])


@pytest.mark.parametrize("every", [1, 2, 3])
def test_a_commit_that_landed_although_its_reply_was_lost_is_not_repeated(tmp_path: Path, every: int) -> None:
    pipeline = Pipeline(tmp_path)
    pipeline.writer_handler.lake = HookedLake(pipeline.lake, lose_replies(every, "commit.after"))
    first = [reading(second) for second in range(0, 100, 10)]
    pipeline.post(first)
    pipeline.clock.advance(1)
    pipeline.post([reading(0, temperature=5.0), reading(3)])
    pipeline.settle()

    given = [*first, reading(0, temperature=5.0), reading(3)]
    assert pipeline.record_rows() == expected_records(given)
    assert pipeline.window_rows() == expected_windows(given)
    assert pipeline.balance().unexplained == 0


def test_a_commit_that_did_not_land_is_made_again(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    pipeline.writer_handler.lake = HookedLake(pipeline.lake, lose_replies(2, "commit"))
    pipeline.post([reading(1)])
    pipeline.settle()

    assert pipeline.record_rows() == expected_records([reading(1)])


def test_nothing_writes_a_table_by_path() -> None:
    writing = ("write_deltalake", "write_delta", "sink_delta")
    calls = [
        (file.name, ast.unparse(node.args[0]))
        for file in [*SOURCES.glob("shared/src/**/*.py"), *SOURCES.glob("services/*/src/**/*.py")]
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) in writing
    ]

    assert calls == [("handle.py", "self._delta")]


def test_only_the_writer_commits() -> None:
    committing = {"append", "replace"}
    for service in ("ingest", "consumer", "windower", "reprocessor"):
        for file in (SOURCES / "services" / service / "src").glob("**/*.py"):
            for node in ast.walk(ast.parse(file.read_text())):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                    owner = ast.unparse(node.func.value)
                    assert not (node.func.attr in committing and owner in ("handle", "table", "records")), file
                assert not (isinstance(node, ast.Attribute) and node.attr == "open_or_create"), file
