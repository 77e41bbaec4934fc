"""What a run came to."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import ceil

from tests.faults.findings import Findings


@dataclass
class Figures:
    """Figures of one part of a run. Times in seconds."""

    name: str
    kills: Counter[str] = field(default_factory=Counter)
    """By point, or by service where the point was chance."""
    faults: Counter[str] = field(default_factory=Counter)
    acknowledged: int = 0
    attempts: int = 0
    recoveries_s: list[float] = field(default_factory=list)
    """From each kill until everything was seen to be right."""
    undisturbed_s: list[float] = field(default_factory=list)
    """The same from the first request of a wave in which nothing was killed."""
    findings: Findings = field(default_factory=Findings)
    trouble: str = ""
    """What was found, and how to find it again."""

    @property
    def wrong(self) -> int:
        """Lost, duplicated and unexplained together, and what never came to rest."""
        found = self.findings
        return len(found.lost) + len(found.duplicated) + len(found.unexplained) + len(found.waiting)

    @property
    def is_good(self) -> bool:
        return not self.wrong and not self.trouble

    def __str__(self) -> str:
        found = self.findings
        lines = [f"{self.name}"]
        if self.kills:
            what = "points" if any("." in name for name in self.kills) else "services"
            fewest = min(self.kills.values())
            lines.append(f"  {what:<16}{len(self.kills):>8,}   each at least {fewest} times")
            lines.append(f"  {'kills':<16}{self.kills.total():>8,}")
        if self.faults:
            named = ", ".join(f"{name} {count:,}" for name, count in sorted(self.faults.items()))
            lines.append(f"  {'faults':<16}{self.faults.total():>8,}   {named}")
        lines.append(f"  {'acknowledged':<16}{self.acknowledged:>8,}   records, sent in {self.attempts:,} attempts")
        for name, wrong in (("lost", found.lost), ("duplicated", found.duplicated), ("unexplained", found.unexplained)):
            lines.append(f"  {name:<16}{len(wrong):>8,}")
        for name, times_s in (("recovery", self.recoveries_s), ("undisturbed", self.undisturbed_s)):
            if times_s:
                shown = "   ".join(f"{label} {value:.1f} s" for label, value in quantiles(times_s))
                lines.append(f"  {name:<16}{'':>8}   {shown}")
        if self.trouble:
            lines.append(f"  {self.trouble}")
        return "\n".join(lines)


def quantiles(values: Sequence[float]) -> list[tuple[str, float]]:
    """p50, p99 and max."""
    ordered = sorted(values)
    return [
        ("p50", ordered[ceil(0.50 * len(ordered)) - 1]),
        ("p99", ordered[ceil(0.99 * len(ordered)) - 1]),
        ("max", ordered[-1]),
    ]
