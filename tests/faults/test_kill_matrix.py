"""A process that dies at any named point comes back, and everything comes to be right."""

from pathlib import Path

import pytest

from tests.faults.matrix import Matrix
from tests.faults.points import POINTS

pytestmark = [pytest.mark.xdist_group("faults"), pytest.mark.timeout(900)]


def test_dying_once_at_every_point_loses_and_doubles_nothing(tmp_path: Path) -> None:
    figures = Matrix(tmp_path, POINTS, repeats=1, seed=1, armed=4, lanes=1).run()

    assert figures.is_good, str(figures)
    assert set(figures.kills) == set(POINTS), "every point was reached, and killed"
