"""Services that are broken on purpose lose and double records, and the oracle says so."""

from pathlib import Path

import pytest

from tests.faults.findings import Findings, NotRight
from tests.faults.stack import Stack
from tests.faults.trap import Arm
from tests.faults.waves import Waves

pytestmark = [pytest.mark.xdist_group("faults"), pytest.mark.timeout(400)]
_LOST_FOR_S = 8.0
_DOUBLED_WITHIN_S = 60.0


def test_an_acknowledgement_that_is_not_durable_is_seen_as_a_loss(tmp_path: Path) -> None:
    found = _broken(tmp_path, "ingest", "acknowledges_before_it_is_durable", "ingest.before_put", _LOST_FOR_S)

    assert found.lost


def test_a_batch_that_is_committed_twice_is_seen_as_a_duplicate(tmp_path: Path) -> None:
    found = _broken(tmp_path, "writer", "forgets_what_is_committed", "writer.after_commit.records", _DOUBLED_WITHIN_S)

    assert found.duplicated


def _broken(folder: Path, service: str, mutant: str, point: str, within_s: float) -> Findings:
    """What is found where a broken service is killed at a point."""
    with Stack(folder, mutants={service: mutant}) as stack:
        waves = Waves(stack, seed=1)
        waves.begin()
        stack.arm(service, [Arm(point)])
        waves.send()
        with pytest.raises(NotRight) as caught:
            waves.settle(within_s)
        assert stack.fired(service) == [point]
        return caught.value.findings
