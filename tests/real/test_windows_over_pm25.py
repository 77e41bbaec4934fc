"""A day of fine dust every six hours, for a model that foretells six more: what was measured, what was not, and a cut.

The file has a row for every hour, many of them with NA. As the spec stands, these are steps that were observed and have
no value; with a filter they are steps without rows. The embassy is one station; the wind's directions stand in for
several, each with hours that the others have.
"""

import random
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from tests.real import arrivals, recorded
from tests.real.arrivals import Row
from tests.support.pipeline import Pipeline

pytestmark = recorded.needs("beijing_pm25")

STREAM = "beijing_pm25"
FILE = recorded.DATA / "beijing_pm25" / "pollution.csv"
HOUR = timedelta(hours=1)
LENGTH, STRIDE, HORIZON = 24, 6, 6
FIRST, END = "2014-10-01", "2015-01-01"
CUT = datetime(2014, 11, 13, 15, tzinfo=UTC)
"""A sequence begins three hours before, and the wind from the north-west pauses over it."""

WINDOWS = """
windows:
  days:
    kind: sequence
    step: 1h
    length: 24
    stride: 6
    mask: true
    horizon: 6
    test_from: 2014-11-13T15:00:00Z
    min_observed: {least}
    fill: {fill}
    {max_gap}
    aggregates: {{dust: mean(pm25), warmth: max(temperature)}}
"""


@dataclass(frozen=True)
class Hour:
    """A row of the file. Without a measurement, `dust` is None."""

    wind: str
    at: datetime
    dust: float | None
    warmth: float


@dataclass(frozen=True)
class Filling:
    """What stands in steps without rows."""

    fill: str
    max_gap: int = 0
    least: int = 1

    def text(self, *, by_wind: bool = False, only_measured: bool = False) -> str:
        """The spec: by direction of the wind or for the station, all hours or those that were measured."""
        changes = {"bucket: 30d": "bucket: 7d"}
        if by_wind:
            changes["unique: [at]"] = "keys: [wind]\nunique: [wind, at]"
        if only_measured:
            changes["bucket: 7d"] = "filter: not is_null(pm25)\nbucket: 7d"
        max_gap = f"max_gap: {self.max_gap}" if self.max_gap else ""
        windows = WINDOWS.format(fill=self.fill, max_gap=max_gap, least=self.least)
        return arrivals.with_windows(STREAM, windows, changes)


@pytest.fixture(scope="module")
def lines() -> list[dict[str, str]]:
    """The last three months of the file."""
    return [line for line in recorded.csv_records(FILE) if FIRST <= _local(line).strftime("%Y-%m-%d") < END]


def _local(line: Mapping[str, str]) -> datetime:
    local = " ".join(line[name] for name in ("year", "month", "day", "hour"))
    return datetime.strptime(local, "%Y %m %d %H").replace(tzinfo=ZoneInfo("Asia/Shanghai"))


def hours(lines: Sequence[Mapping[str, str]]) -> list[Hour]:
    return [
        Hour(
            line["cbwd"],
            _local(line).astimezone(UTC),
            None if line["pm2.5"] == "NA" else float(line["pm2.5"]),
            float(line["TEMP"]),
        )
        for line in lines
    ]


# ------------------------------------------------------------------------------------------------ what must come of it


def sequences(of_key: Sequence[Hour], filling: Filling) -> Iterator[Row]:
    """The sequences of one key, found by looking at every place where one can begin."""
    rows = {each.at: each for each in of_key}
    start = recorded.span_start(min(rows), STRIDE * HOUR) - LENGTH * HOUR
    while start <= max(rows):
        steps = [start + number * HOUR for number in range(LENGTH + HORIZON)]
        inputs = [rows[at] for at in steps[:LENGTH] if at in rows]
        is_cut = start < CUT < steps[-1] + HOUR
        if len(inputs) >= filling.least and not is_cut:
            yield (
                start,
                steps[LENGTH],
                *columns([dust_at(at, rows, filling) for at in steps]),
                *columns([warmth_at(at, rows, filling) for at in steps]),
                "test" if start >= CUT else "train",
                len(inputs),
                len(inputs),
            )
        start += STRIDE * HOUR


def columns(cells: Sequence[tuple[float | None, bool]]) -> Iterator[list[float | None] | list[bool]]:
    """Values and masks of a sequence, and of its target."""
    for part in (cells[:LENGTH], cells[LENGTH:]):
        yield [value for value, _ in part]
        yield [is_measured for _, is_measured in part]


def dust_at(at: datetime, rows: Mapping[datetime, Hour], filling: Filling) -> tuple[float | None, bool]:
    if at in rows:
        return rows[at].dust, rows[at].dust is not None
    before = filled_from(at, rows, filling)
    return (before.dust if before else None), False


def warmth_at(at: datetime, rows: Mapping[datetime, Hour], filling: Filling) -> tuple[float | None, bool]:
    if at in rows:
        return rows[at].warmth, True
    before = filled_from(at, rows, filling)
    return (before.warmth if before else None), False


def filled_from(at: datetime, rows: Mapping[datetime, Hour], filling: Filling) -> Hour | None:
    """The row whose values stand in a step without one, if it lies in a gap that is filled.

    A training step does not know that there are rows beyond the cut, so no gap leads there.
    """
    if filling.fill != "previous":
        return None
    reach = [number * HOUR for number in range(1, filling.max_gap + 1)]
    before = next((each for each in reach if at - each in rows), None)
    after = next((each for each in reach if at + each in rows), None)
    if before is None or after is None or (before + after) // HOUR - 1 > filling.max_gap:
        return None
    return None if at < CUT <= at + after else rows[at - before]


def by_wind(of_all: Sequence[Hour], filling: Filling) -> Iterator[Row]:
    groups: dict[str, list[Hour]] = defaultdict(list)
    for each in of_all:
        groups[each.wind].append(each)
    for wind, of_key in groups.items():
        yield from ((wind, *row) for row in sequences(of_key, filling))


# ------------------------------------------------------------------------------------------------ what comes of them


def flown(
    folder: Path, text: str, lines: Sequence[Mapping[str, str]], *, batches: int = 3, again: int = 10
) -> Pipeline:
    """All lines sent in random order, some of them twice, and sealed."""
    pipeline = Pipeline(folder)
    pipeline.publish(text)
    records = [arrivals.with_numbers(line) for line in lines]
    arrivals.shuffled(pipeline, STREAM, records, batches=batches, again=again)
    pipeline.settle()
    return pipeline


@pytest.mark.parametrize("filling", [Filling("null"), Filling("previous", max_gap=4)], ids=lambda each: each.fill)
def test_hours_without_a_measurement_are_observed_and_masked(
    tmp_path: Path, lines: list[dict[str, str]], filling: Filling
) -> None:
    """There is a row for each, so nothing is filled."""
    pipeline = flown(tmp_path, filling.text(), lines)

    arrivals.assert_at_rest(pipeline, STREAM)
    arrivals.assert_windows(pipeline, STREAM, "days", sequences(hours(lines), filling))
    arrivals.assert_untouched(pipeline, STREAM, "days")
    table = pipeline.windows("days", STREAM)
    missing = sum(line["pm2.5"] == "NA" for line in lines)
    assert missing > 40
    # Every hour is in four sequences, but for those at the ends and beside the cut.
    masked = pl.Series(table["dust_mask"].explode() < table["warmth_mask"].explode()).sum()
    assert 3 * missing < masked <= 4 * missing


@pytest.mark.parametrize(
    "filling", [Filling("null", least=20), Filling("previous", max_gap=4)], ids=lambda each: each.fill
)
def test_hours_left_out_are_steps_to_be_filled(tmp_path: Path, lines: list[dict[str, str]], filling: Filling) -> None:
    pipeline = flown(tmp_path, filling.text(only_measured=True), lines)

    measured = [each for each in hours(lines) if each.dust is not None]
    arrivals.assert_at_rest(pipeline, STREAM)
    arrivals.assert_windows(pipeline, STREAM, "days", sequences(measured, filling))
    table = pipeline.windows("days", STREAM)
    values, masks = table["dust"].explode(), table["dust_mask"].explode()
    assert (values.is_not_null() & ~masks).any() == (filling.fill == "previous")
    assert (values.is_null() & ~masks).any()
    assert table["observed_steps"].min() in ({20} if filling.least == 20 else range(1, 20))


def test_directions_of_the_wind_have_sequences_of_their_own(tmp_path: Path, lines: list[dict[str, str]]) -> None:
    filling = Filling("previous", max_gap=5, least=6)
    pipeline = flown(tmp_path, filling.text(by_wind=True), lines)

    arrivals.assert_at_rest(pipeline, STREAM)
    arrivals.assert_windows(pipeline, STREAM, "days", by_wind(hours(lines), filling))
    assert set(pipeline.windows("days", STREAM)["wind"]) == {"NE", "NW", "SE", "cv"}


def test_no_sequence_crosses_the_cut_with_its_target_nor_learns_what_lies_beyond(
    tmp_path: Path, lines: list[dict[str, str]]
) -> None:
    """Other hours after the cut make no difference to any sequence before it."""
    filling = Filling("previous", max_gap=5, least=6)
    until = CUT + timedelta(days=3)
    some = [line for line in lines if CUT - timedelta(days=12) <= _local(line) < until]
    sooner = [line for line in some if _local(line) < CUT]
    pipeline = flown(tmp_path / "all", filling.text(by_wind=True), some)
    cut_off = flown(tmp_path / "cut-off", filling.text(by_wind=True), sooner)

    table = arrivals.values(pipeline.windows("days", STREAM))
    arrivals.assert_windows(pipeline, STREAM, "days", by_wind(hours(some), filling))
    train, test = table.filter(part="train"), table.filter(part="test")
    assert train.height + test.height == table.height
    assert max(train["window_end"].to_list()) + HORIZON * HOUR <= CUT <= min(test["window_start"].to_list())
    assert train.equals(arrivals.values(cut_off.windows("days", STREAM)).filter(part="train"))
    start = recorded.span_start(CUT, STRIDE * HOUR)
    between = {start + number * HOUR for number in range(-LENGTH, 1, STRIDE)}
    assert start < CUT
    assert not between & set(table["window_start"])


def test_hours_that_come_late_change_their_sequences_and_no_others(tmp_path: Path, lines: list[dict[str, str]]) -> None:
    filling = Filling("previous", max_gap=5, least=6)
    late = random.Random(3).sample([line for line in lines if line["pm2.5"] != "NA"], 25)
    pipeline = flown(tmp_path, filling.text(by_wind=True), [line for line in lines if line not in late])
    before = pipeline.windows("days", STREAM)
    assert pipeline.lake.delta(STREAM, "late") is None

    arrivals.after_the_seal(pipeline, STREAM, [[arrivals.with_numbers(line) for line in late]])

    arrivals.assert_at_rest(pipeline, STREAM)
    arrivals.assert_windows(pipeline, STREAM, "days", by_wind(hours(lines), filling))
    arrivals.assert_revised(before, pipeline.windows("days", STREAM))
    entered = arrivals.ledger(pipeline, STREAM)
    assert sorted(entered.select("wind", "at").rows()) == sorted((each.wind, each.at) for each in hours(late))
    assert set(entered["windows"].explode()) == {"days"}


def test_every_hour_twice_gives_the_same_sequences(tmp_path: Path, lines: list[dict[str, str]]) -> None:
    text = Filling("previous", max_gap=5).text(by_wind=True)
    once = flown(tmp_path / "once", text, lines, batches=1, again=len(lines))
    twice = flown(tmp_path / "twice", text, lines, batches=5, again=1)

    recorded.assert_figures(twice, STREAM, received=2 * len(lines), written=len(lines), duplicate=len(lines))
    found = arrivals.values(twice.windows("days", STREAM))
    assert found.equals(arrivals.values(once.windows("days", STREAM)))
