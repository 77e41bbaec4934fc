"""What to do with what does not fit."""

from typing import Annotated

from pydantic import Field

from windrow.spec.base import Part


class Halt(Part):
    """When so much of a stream goes to quarantine that its consumer stops, rather than drain it."""

    ratio: Annotated[float, Field(gt=0, le=1)]
    """Share of quarantined records at which decoding of the stream stops."""
    min_records: Annotated[int, Field(ge=1)] = 1_000
    """Records that must have been seen lately before the share means anything."""
