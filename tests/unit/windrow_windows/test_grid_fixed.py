import polars as pl
import pytest
from hypothesis import given

from tests.unit.windrow_windows.grid_reference import HOUR_US, defined, fixed_windows, times
from windrow.spec.windows import AlignedWindow
from windrow.units import DAY_US
from windrow.windows.grid import bounds_around
from windrow.windows.grid_fixed import FixedGrid, fixed_grid


def grid_of(window: AlignedWindow) -> FixedGrid:
    grid = fixed_grid(window)
    assert grid is not None
    return grid


@given(fixed_windows(), times())
def test_places_count_the_windows_in_order_without_a_gap(window: AlignedWindow, time: int) -> None:
    grid = grid_of(window)
    windows = bounds_around(window, time, time + 20 * grid.slide)

    positions = grid.positions(windows)

    assert (positions.diff().drop_nulls() == 1).all()
    assert grid.at(positions).equals(windows)


@given(fixed_windows(), times())
def test_the_first_window_from_a_time_on_is_the_first_that_does_not_begin_before(
    window: AlignedWindow, time: int
) -> None:
    grid = grid_of(window)
    first = grid.first_from(time)

    before, at = grid.at(pl.Series([first - 1, first]))["__start"]

    assert before < time <= at


@pytest.mark.parametrize(
    ("window", "grid"),
    [
        (defined(size="1d"), FixedGrid(0, DAY_US, DAY_US, 1)),
        (defined(size="1w"), FixedGrid(4 * DAY_US, 7 * DAY_US, 7 * DAY_US, 1)),
        (defined(size="1h", timezone="Europe/Berlin"), FixedGrid(0, HOUR_US, HOUR_US, 1)),
        (defined(kind="sliding", size="1w", slide="1d"), FixedGrid(0, DAY_US, 7 * DAY_US, 1)),
        (
            defined(kind="cumulative", size="1d", step="6h", offset="-1h"),
            FixedGrid(23 * HOUR_US, DAY_US, 6 * HOUR_US, 4),
        ),
        (defined(size="1d", timezone="Europe/Berlin"), None),
        (defined(size="1mo"), None),
        (defined(kind="sliding", size="1mo", slide="1h"), None),
    ],
    ids=str,
)
def test_what_always_has_the_same_length_is_fixed(window: AlignedWindow, grid: FixedGrid | None) -> None:
    assert fixed_grid(window) == grid
