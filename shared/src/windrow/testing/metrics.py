"""Metrics a test can read back."""

from collections import Counter

from windrow.metrics import CounterName, GaugeName, HistogramName


class RecordingMetrics:
    """Keeps every count and the latest level, by name and labels."""

    def __init__(self) -> None:
        self.counts: Counter[tuple[str, tuple[tuple[str, str], ...]]] = Counter()
        self.gauges: dict[tuple[str, tuple[tuple[str, str], ...]], float] = {}

    def count(self, name: CounterName, amount: float = 1, **labels: str) -> None:
        self.counts[name, tuple(sorted(labels.items()))] += int(amount)

    def gauge(self, name: GaugeName, value: float, **labels: str) -> None:
        self.gauges[name, tuple(sorted(labels.items()))] = value

    def observe(self, name: HistogramName, value: float, **labels: str) -> None:
        """Durations are not asserted."""

    def total(self, name: CounterName) -> int:
        """The sum of a counter over all labels."""
        return sum(amount for (counted, _), amount in self.counts.items() if counted == name)
