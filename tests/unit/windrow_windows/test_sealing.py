"""When a stretch of event time is done for now."""

import pytest

from windrow import spec
from windrow.units import SECOND_US
from windrow.windows.sealing import Progress, is_due

PARSED = spec.parse("stream: s\ntime: {column: ts}\nbucket: 1h\nlateness: 5m\nidle: 60s\ncolumns: {ts: timestamp}", "x")
END_S = 3_600
LATENESS_S = 300
WATERMARK_S = END_S + LATENESS_S  # the event time at which the watermark reaches its end
QUIET_S, BUSY_S = 60, 59

CASES = {
    # (largest event time, quiet for, wall clock) → due
    (WATERMARK_S, 0, END_S): True,
    (WATERMARK_S - 1, 0, END_S): False,
    (WATERMARK_S + 10_000, 0, 0): True,
    (WATERMARK_S, 0, 0): True,  # the wall clock has no say while data comes
    (0, QUIET_S, WATERMARK_S): True,
    (0, BUSY_S, WATERMARK_S): False,
    (0, QUIET_S, WATERMARK_S - 1): False,
    (WATERMARK_S - 1, QUIET_S, WATERMARK_S - 1): False,
    (0, 1_000_000, WATERMARK_S - 1): False,
    (0, -5, WATERMARK_S): False,  # the wall clock stepped back
}


@pytest.mark.parametrize(("max_time_s", "quiet_s", "now_s", "due"), [(*case, due) for case, due in CASES.items()])
def test_a_stretch_is_due_when_the_watermark_has_passed_it_or_data_stopped_and_its_time_is_over(
    max_time_s: int, quiet_s: int, now_s: int, due: bool
) -> None:
    progress = Progress(max_time_s * SECOND_US, (now_s - quiet_s) * SECOND_US)

    assert is_due(END_S * SECOND_US, PARSED, progress, now_s * SECOND_US) is due


@pytest.mark.parametrize("end_s", [-7_200, -3_600, 0, 3_600, 1_767_225_600])
def test_what_counts_is_the_distance_to_the_end(end_s: int) -> None:
    for late_us, due in ((0, True), (-1, False)):
        progress = Progress((end_s + LATENESS_S) * SECOND_US + late_us, 0)
        assert is_due(end_s * SECOND_US, PARSED, progress, 0) is due


def test_without_lateness_a_stretch_is_due_as_soon_as_something_newer_has_come() -> None:
    eager = spec.parse(
        "stream: s\ntime: {column: ts}\nbucket: 1h\nlateness: 0s\nidle: 1s\ncolumns: {ts: timestamp}", "x"
    )

    assert is_due(END_S * SECOND_US, eager, Progress(END_S * SECOND_US, 0), 0) is True
    assert is_due(END_S * SECOND_US, eager, Progress(END_S * SECOND_US - 1, 0), 0) is False
