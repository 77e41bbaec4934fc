"""Law 3. A crash anywhere leads to redelivery and the same end state."""

from pathlib import Path

import pytest

from tests.support.chaos import Killed, KillSwitch
from tests.support.pipeline import Pipeline
from tests.support.sensors import expected_records, expected_windows, reading

RECORDS = [reading(second, sensor) for second in range(0, 180, 20) for sensor in ("a", "b")]
LATE = [reading(5, "a"), reading(0, "a", temperature=77.0)]


def drive(pipeline: Pipeline, switch: KillSwitch) -> int:
    """Run the whole flow, starting every killed process anew; returns how often one was killed."""
    kills = 0
    for step in (
        lambda: pipeline.post(RECORDS, key="first"),
        pipeline.run_until_quiet,
        lambda: pipeline.clock.advance(10),
        lambda: pipeline.post(LATE, key="second"),
        pipeline.run_until_quiet,
        pipeline.settle,
    ):
        try:
            step()
        except Killed:
            kills += 1
            switch.disarm()
            pipeline.clock.advance(200)  # what the dead process held becomes visible again
            step()
    return kills


@pytest.mark.timeout(400)  # some hundred crashes, each in a pipeline of its own
def test_a_crash_at_any_effect_leads_to_the_same_end_state(tmp_path: Path) -> None:
    probe = Pipeline(tmp_path / "probe")
    switch = KillSwitch(probe, at=None)
    drive(probe, switch)
    expected = (expected_records(RECORDS + LATE), expected_windows(RECORDS + LATE))
    assert (probe.record_rows(), probe.window_rows()) == expected
    effects = switch.count
    assert effects > 100

    for at in range(1, effects, 3):
        pipeline = Pipeline(tmp_path / str(at))
        kills = drive(pipeline, KillSwitch(pipeline, at))
        assert kills == 1, at
        assert (pipeline.record_rows(), pipeline.window_rows()) == expected, at
        assert pipeline.balance().unexplained == 0, at
        assert pipeline.balance().in_flight == 0, at
