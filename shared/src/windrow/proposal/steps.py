"""What the order of times says: steps, gaps, copies."""

from dataclasses import dataclass

import polars as pl

from windrow.proposal.evidence import counted
from windrow.units import DAY_US, SECOND_US, format_duration, from_us

_GAP = 1.5
"""Steps, from which on something lacks in between."""


@dataclass(frozen=True, slots=True)
class Steps:
    """How a column of times runs."""

    first_us: int
    last_us: int
    step_us: int
    """Median distance between one time and the next different one; 0 when there is but one."""
    order: str
    """rising, falling or unordered, as the records stand in the file."""
    regular: float
    """Share of steps that are the median one."""
    gaps: int
    repeated: int
    """Records whose time another one before has too."""

    def __str__(self) -> str:
        span = f"{iso(self.first_us)} to {iso(self.last_us)}" if self.last_us > self.first_us else iso(self.first_us)
        parts = [span, self.order]
        if self.step_us:
            steps = f"{int(100 * self.regular)}% of steps are {format_duration(self.step_us)}"
            parts.append(steps if self.regular >= 0.5 else f"median step {about(self.step_us)}")
        if self.regular >= 0.5:
            parts.append(counted(self.gaps, "gap") if self.gaps else "no gaps")
        if self.repeated:
            parts.append(f"{counted(self.repeated, 'record')} at a time that stood before")
        return ", ".join(parts)


def steps(moments: pl.Series) -> Steps | None:
    """How times in µs run; None if there are none."""
    known = moments.drop_nulls()
    if known.is_empty():
        return None
    distinct = known.unique().sort()
    between = distinct.diff().drop_nulls()
    step_us = 0 if between.is_empty() else int(between.sort()[(between.len() - 1) // 2])
    forward = known.diff().drop_nulls()
    is_rising, is_falling = bool((forward >= 0).all()), bool((forward <= 0).all())
    order = "rising" if is_rising else "falling" if is_falling else "unordered"
    return Steps(
        first_us=int(distinct[0]),
        last_us=int(distinct[-1]),
        step_us=step_us,
        order=order if known.len() > 1 else "one record",
        regular=float((between == step_us).sum()) / between.len() if between.len() else 0.0,
        gaps=int((between > _GAP * step_us).sum()),
        repeated=known.len() - distinct.len(),
    )


def about(duration_us: int) -> str:
    """A duration to two units, since nobody wants to know more."""
    for unit_us in (DAY_US, 3_600 * SECOND_US, 60 * SECOND_US, SECOND_US):
        if duration_us >= 10 * unit_us:
            return (
                f"about {format_duration(duration_us // unit_us * unit_us)}"
                if duration_us % unit_us
                else format_duration(duration_us)
            )
    return format_duration(duration_us)


def iso(moment_us: int) -> str:
    """A moment as short as it can be told."""
    moment = from_us(moment_us)
    text = moment.isoformat(timespec="microseconds" if moment.microsecond else "seconds").replace("+00:00", "Z")
    return text.removesuffix("T00:00:00Z")
