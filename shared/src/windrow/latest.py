"""The latest record of a key, and which of two records that is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

Keep = Literal["last", "first"]
Value = str | bool | Decimal | Sequence["Value | None"]
"""What a column holds there: numbers are exact decimals, times are text."""


@dataclass(frozen=True, slots=True)
class LatestRecord:
    """A record under its key, with all that tells it from every other: no two records are alike in it."""

    key: str
    event_time_us: int
    received_us: int
    batch: str
    ordinal: int
    columns: Mapping[str, Value]
    """Those without a value are absent."""


def is_later(one: LatestRecord, other: LatestRecord, keep: Keep) -> bool:
    """Whether `one` takes the place of `other` under their key.

    The later event time does. At the same time the one received last does, or with `keep` first the one received
    first, ties by batch and position: of copies of a record, the one that stays in the tables. This is a total order,
    so what stands in the end depends on the set of records alone, not on their order, grouping or repetition.
    """
    if one.event_time_us != other.event_time_us:
        return one.event_time_us > other.event_time_us
    mine, theirs = ((each.received_us, each.batch, each.ordinal) for each in (one, other))
    return mine > theirs if keep == "last" else mine < theirs
