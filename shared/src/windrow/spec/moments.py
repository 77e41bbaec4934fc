"""Points in time as they stand in a spec."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import BeforeValidator, WithJsonSchema

from windrow.spec.names import shown

_YEARS = range(1000, 9000)
"""A century before and after all of them there are still years that tables hold."""


def _moment(value: object) -> datetime:
    try:
        moment = value if isinstance(value, datetime) else datetime.fromisoformat(value)  # type: ignore[arg-type]
    except (TypeError, ValueError) as error:
        raise ValueError(f"{shown(value)} is not a time; write it as 2026-01-31 or 2026-01-31T12:00:00Z") from error
    if moment.year not in _YEARS:
        raise ValueError(f"{shown(value)} is too far away; use a year from {_YEARS[0]} to {_YEARS[-1]}")
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def written(moment: datetime) -> str:
    """A time as people write it: `2026-01-31T12:00:00Z`."""
    return moment.isoformat().replace("+00:00", "Z")


Moment = Annotated[
    datetime,
    BeforeValidator(_moment),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": r"^\d{4}-?\d\d-?\d\d([T ]\d\d.*)?$",
            "examples": ["2026-01-31", "2026-01-31T12:00:00Z", "2026-01-31T12:00:00+09:00"],
        }
    ),
]
"""ISO 8601. In UTC where it does not say otherwise; kept in UTC."""
