"""The simulated fleet: what it says it sent is what it sent."""

import json
from collections import Counter
from datetime import UTC, datetime, timedelta

from windrow_cli.fleet import Fleet, Sent

_START = datetime(2026, 1, 1, tzinfo=UTC)


def _sent(seed: int, ticks: int) -> tuple[Sent, list[bytes]]:
    fleet = Fleet(seed, 40)
    lines = [
        line
        for number in range(ticks)
        for line in fleet.tick(_START + timedelta(milliseconds=500 * number)).splitlines()
    ]
    return fleet.sent, lines


def test_the_same_seed_sends_the_same() -> None:
    assert _sent(3, 20)[1] == _sent(3, 20)[1]
    assert _sent(3, 20)[1] != _sent(4, 20)[1]


def test_every_kind_of_trouble_comes_up_within_a_few_seconds() -> None:
    sent, _ = _sent(7, 40)

    assert min(sent.late, sent.twice, len(sent.firmware)) > 10
    assert set(sent.broken) == {"malformed_json", "missing_column", "time_in_future"}


def test_what_was_noted_is_what_was_sent() -> None:
    sent, lines = _sent(7, 60)
    good: Counter[tuple[str, int]] = Counter()
    firmware: set[tuple[str, int]] = set()
    broken: Counter[str] = Counter()
    for line in lines:
        try:
            reading = json.loads(line)
        except ValueError:
            broken["malformed_json"] += 1
            continue
        if "temperature" not in reading:
            broken["missing_column"] += 1
        elif isinstance(reading["ts"], int):
            firmware.add((reading["sensor"], reading["ts"]))
        elif (at := datetime.fromisoformat(reading["ts"])) > _START + timedelta(hours=1):
            broken["time_in_future"] += 1
        else:
            good[reading["sensor"], (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)] += 1

    assert len(lines) == sent.records
    assert set(good) == sent.good
    assert good.total() - len(good) == sent.twice
    assert firmware == sent.firmware
    assert broken == sent.broken
    assert not sent.good & sent.firmware
