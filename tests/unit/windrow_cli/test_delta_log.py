"""What the files of a log say of the versions of a table."""

import pytest

from windrow_cli.delta_log import LogFolder, spans


def _log(*versions: int, checkpoints: tuple[int, ...] = ()) -> LogFolder:
    commits = [(f"{version:020d}.json", 1_000 * version) for version in versions]
    marks = [(f"{version:020d}.checkpoint.parquet", 1_000 * version + 1) for version in checkpoints]
    return LogFolder.of([*commits, *marks, ("_last_checkpoint", 9), ("00000000000000000001.json.tmp", 9)])


@pytest.mark.parametrize(
    ("log", "readable", "missing"),
    [
        (_log(), [], []),
        (_log(0, 1, 2), [0, 1, 2], []),
        (_log(3, 4, 5, checkpoints=(3,)), [3, 4, 5], []),
        (_log(3, 4, 5, checkpoints=(4,)), [4, 5], []),
        (_log(5, checkpoints=(4,)), [4, 5], []),
        (_log(0, 1, 3), [0, 1], [2]),
        (_log(0, 1, 3, checkpoints=(3,)), [0, 1, 3], []),
        (_log(0, 3, 5, checkpoints=(2,)), [0, 2, 3], [4]),
        (_log(1, 2), [], [0]),
    ],
)
def test_a_version_can_be_read_where_a_checkpoint_or_all_commits_tell_it(
    log: LogFolder, readable: list[int], missing: list[int]
) -> None:
    assert log.readable() == readable
    assert log.missing() == missing


def test_every_way_to_name_a_checkpoint_is_one() -> None:
    names = ["checkpoint.parquet", "checkpoint.0000000001.0000000002.parquet", "checkpoint.3a0d65cd.json"]
    log = LogFolder.of((f"{version:020d}.{name}", 7) for version, name in enumerate(names))

    assert log.readable() == [0, 1, 2]


def test_the_version_of_a_moment_is_the_last_that_was_committed_by_then() -> None:
    log = _log(3, 4, 5, checkpoints=(3,))

    assert [log.at(moment) for moment in (2_999, 3_000, 3_999, 4_000, 9_999_999)] == [None, 3, 3, 4, 5]


def test_time_never_runs_back_from_version_to_version() -> None:
    log = LogFolder.of([(f"{version:020d}.json", at) for version, at in enumerate((10, 30, 20, 40))])

    assert log.times() == {0: 10, 1: 30, 2: 30, 3: 40}
    assert [log.at(moment) for moment in (25, 30)] == [0, 2]


def test_versions_in_a_row_are_written_as_a_span() -> None:
    assert spans([7, 0, 3, 4, 5, 9, 10]) == "0, 3 to 5, 7, 9 to 10"
    assert spans([]) == ""
