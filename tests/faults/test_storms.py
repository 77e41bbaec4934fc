"""Kills at any moment and faults on the network, under load: when they are over, everything comes to be right."""

from pathlib import Path

import pytest

from tests.faults.faults import FAULTS
from tests.faults.storm import Storm

pytestmark = [pytest.mark.xdist_group("faults"), pytest.mark.timeout(600)]
_SPELL_S = 6.0


def test_kills_at_any_moment_under_load_lose_and_double_nothing(tmp_path: Path) -> None:
    figures = Storm("kills", tmp_path, seconds=1, seed=1, spell_s=_SPELL_S).run()

    assert figures.is_good, str(figures)
    assert figures.kills
    assert figures.acknowledged


def test_faults_between_services_and_their_store_lose_and_double_nothing(tmp_path: Path) -> None:
    figures = Storm("faults", tmp_path, seconds=1, seed=1, spell_s=_SPELL_S).run()

    assert figures.is_good, str(figures)
    assert figures.faults.keys() >= {"lost_reply", "slow_down", "delay", "cut_reply"} <= set(FAULTS)
