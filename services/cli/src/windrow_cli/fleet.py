"""A fleet of simulated sensors, seeded. Some are late, some repeat themselves, some are broken. Pure: time is given."""

import json
import random
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

_LATE_SHARE = 0.05
_TWICE_SHARE = 0.03
_CUT_OFF_SHARE = 0.01
_BLIND_SHARE = 0.01
_FUTURE_SHARE = 0.005
_LATE_S = (15.0, 90.0)
_NEW_FIRMWARE = 3
"""How many sensors run a firmware that writes times as milliseconds since 1970."""

FIRMWARE_REASON = "wrong_type"
"""Why records of that firmware go to quarantine while the spec does not know that format."""


@dataclass
class Sent:
    """What the fleet has sent, which is what must be found again."""

    records: int = 0
    late: int = 0
    twice: int = 0
    good: set[tuple[str, int]] = field(default_factory=set)
    """(sensor, ms since 1970) of every record that fits the first spec."""
    firmware: set[tuple[str, int]] = field(default_factory=set)
    """The same for those that fit once the spec knows their format."""
    broken: Counter[str] = field(default_factory=Counter)
    """Records that never fit, by the reason they are refused for."""


class Fleet:
    """`size` sensors with one reading each per tick."""

    def __init__(self, seed: int, size: int) -> None:
        self._rng = random.Random(seed)  # noqa: S311  a simulation, not a secret
        self._sensors = [f"sensor-{number:02d}" for number in range(size)]
        self._new_firmware = set(self._sensors[-_NEW_FIRMWARE:])
        self._temperature = {sensor: self._rng.uniform(12, 26) for sensor in self._sensors}
        self._repeat: list[bytes] = []
        self.sent = Sent()

    def tick(self, now: datetime) -> bytes:
        """The readings of this moment, as NDJSON; with what comes late, comes twice and comes broken."""
        lines, self._repeat = self._repeat, []
        self.sent.records += len(lines)
        self.sent.twice += len(lines)
        for number, sensor in enumerate(self._sensors):
            lines.append(self._reading(sensor, now + timedelta(milliseconds=number)))
            self.sent.records += 1
        self._rng.shuffle(lines)
        return b"".join(line + b"\n" for line in lines)

    def _reading(self, sensor: str, at: datetime) -> bytes:
        rng, sent = self._rng, self.sent
        self._temperature[sensor] += rng.gauss(0, 0.1)
        chance = rng.random()
        if sensor in self._new_firmware:
            sent.firmware.add((sensor, _ms(at)))
            return self._line(sensor, _ms(at))
        if chance < _CUT_OFF_SHARE:
            sent.broken["malformed_json"] += 1
            line = self._line(sensor, _text(at))
            return line[: rng.randrange(10, len(line) - 1)]
        if chance < (bound := _CUT_OFF_SHARE + _BLIND_SHARE):
            sent.broken["missing_column"] += 1
            return self._line(sensor, _text(at), has_temperature=False)
        if chance < (bound := bound + _FUTURE_SHARE):
            sent.broken["time_in_future"] += 1
            return self._line(sensor, _text(at + timedelta(days=rng.randrange(1, 400))))
        if chance < (bound := bound + _LATE_SHARE):
            sent.late += 1
            at -= timedelta(milliseconds=round(1_000 * rng.uniform(*_LATE_S)))
            while (sensor, _ms(at)) in sent.good:
                at -= timedelta(milliseconds=1)
        sent.good.add((sensor, _ms(at)))
        line = self._line(sensor, _text(at))
        if bound <= chance < bound + _TWICE_SHARE:
            self._repeat.append(line)
        return line

    def _line(self, sensor: str, ts: str | int, *, has_temperature: bool = True) -> bytes:
        temperature = {"temperature": round(self._temperature[sensor], 2)} if has_temperature else {}
        reading = {"ts": ts, "sensor": sensor, **temperature, "humidity": self._rng.randrange(30, 90)}
        return json.dumps(reading).encode()


def _ms(at: datetime) -> int:
    return (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


def _text(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
