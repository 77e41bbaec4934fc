"""Files made on disk, row group by row group: every row in its order, files of about a size, and errors told."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq
import pytest

from windrow.lake.building import Built, built
from windrow.lake.schema import EVENT_DATE

_START = datetime(2026, 1, 1, tzinfo=UTC)


def rows(count: int, *, days: int = 1, offset: int = 0) -> pl.DataFrame:
    """Numbered rows, spread over days in turn."""
    numbers = range(offset, offset + count)
    return pl.DataFrame(
        {
            "number": list(numbers),
            "name": [f"name-{number % 7}" for number in numbers],
            EVENT_DATE: [(_START + timedelta(days=number % days)).date() for number in numbers],
        }
    )


def build(folder: Path, *batches: pl.DataFrame, target_file_bytes: int = 1 << 30, group_rows: int = 100) -> list[Built]:
    return list(built(batches, ["number", "name"], folder, target_file_bytes, group_rows))


def numbers_in(file: Built) -> list[int]:
    return pl.read_parquet(file.path)["number"].to_list()


def test_every_row_stands_in_the_file_of_its_day_in_its_order(tmp_path: Path) -> None:
    files = sorted(build(tmp_path, rows(250, days=3), rows(333, days=3, offset=250)), key=lambda file: file.day)

    assert [file.day for file in files] == [date(2026, 1, 1), date(2026, 1, 2), date(2026, 1, 3)]
    assert [numbers_in(file) for file in files] == [list(range(day, 583, 3)) for day in range(3)]


def test_row_groups_are_of_the_size_asked_for_however_rows_come(tmp_path: Path) -> None:
    [file] = build(tmp_path, *(rows(30, offset=30 * number) for number in range(11)))
    told = pq.ParquetFile(file.path).metadata

    assert [told.row_group(each).num_rows for each in range(told.num_row_groups)] == [100, 100, 100, 30]
    assert numbers_in(file) == list(range(330))


def test_a_file_that_has_reached_its_size_takes_no_further_row_group(tmp_path: Path) -> None:
    files = build(tmp_path, rows(500), target_file_bytes=1)

    assert [file.bounds.row_count for file in files] == [100] * 5
    assert [number for file in files for number in numbers_in(file)] == list(range(500))


def test_bounds_are_those_of_all_row_groups_of_a_file(tmp_path: Path) -> None:
    [file] = build(tmp_path, rows(250))

    assert (file.bounds.row_count, file.bounds.least["number"], file.bounds.greatest["number"]) == (250, 0, 249)


def test_the_same_rows_give_the_same_bytes(tmp_path: Path) -> None:
    folders = [tmp_path / "one", tmp_path / "two"]
    for folder in folders:
        folder.mkdir()
        build(folder, rows(450, days=2), target_file_bytes=1)
    one, two = ([path.read_bytes() for path in sorted(folder.iterdir())] for folder in folders)

    assert len(one) == 6
    assert one == two


@pytest.mark.parametrize("fails_at", [0, 1, 2])
def test_what_goes_wrong_while_a_row_group_is_encoded_is_raised(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails_at: int
) -> None:
    write, calls = pq.ParquetWriter.write_table, iter(range(10))

    def full(self: pq.ParquetWriter, *args: object, **named: object) -> None:
        if next(calls) == fails_at:
            raise OSError("no space left on device")
        write(self, *args, **named)

    monkeypatch.setattr(pq.ParquetWriter, "write_table", full)
    with pytest.raises(OSError, match="no space left"):
        build(tmp_path, rows(300))


def test_what_reads_the_files_may_stop_at_any_of_them(tmp_path: Path) -> None:
    files = built([rows(500, days=2)], ["number"], tmp_path, 1, 100)
    first = next(files)
    files.close()  # type: ignore[attr-defined]

    assert numbers_in(first) == list(range(0, 200, 2))
