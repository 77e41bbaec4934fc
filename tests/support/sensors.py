"""Readings for tests, and what the tables must hold for them, computed in plain Python."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

START = datetime(2026, 1, 1, tzinfo=UTC)


def reading(second: int, sensor: str = "a", temperature: float | None = None, **more: object) -> dict[str, object]:
    """One record, `second` seconds after START."""
    at = START + timedelta(seconds=second)
    value = 20.0 + second % 50 if temperature is None else temperature
    return {"ts": at.strftime("%Y-%m-%dT%H:%M:%SZ"), "sensor": sensor, "temperature": value, **more}


def expected_records(records: Iterable[dict[str, object]]) -> list[tuple[str, str, float]]:
    """(sensor, ts, temperature) of each record id, the last one given standing."""
    kept = {(str(record["sensor"]), str(record["ts"])): record["temperature"] for record in records}
    return sorted((sensor, ts, float(value)) for (sensor, ts), value in kept.items())  # type: ignore[arg-type]


def expected_windows(records: Iterable[dict[str, object]]) -> list[tuple[str, str, int, float]]:
    """(sensor, window start, row count, sum of temperature) per minute."""
    groups: dict[tuple[str, str], list[float]] = defaultdict(list)
    for sensor, ts, value in expected_records(records):
        groups[sensor, f"{ts[:16]}:00Z"].append(value)
    return sorted((sensor, start, len(values), sum(values)) for (sensor, start), values in groups.items())
