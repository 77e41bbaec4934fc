"""Every mutant is caught: a simulation that finds nothing wrong with them would find nothing wrong with anything."""

import pytest

from tests.sim.detection import seeds_until_caught
from tests.sim.mutants import MUTANTS, Mutant

_FIRST, _MOST_SEEDS = 1_000, 200


@pytest.mark.timeout(600)
@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_broken_windrow_is_caught(mutant: Mutant) -> None:
    found = seeds_until_caught(mutant, _FIRST, _MOST_SEEDS)

    assert found is not None, f"{mutant.name} ({mutant.what}) was not caught in {_MOST_SEEDS} seeds"
