"""What every part of a spec has in common: frozen, and closed to names nobody knows."""

from pydantic import BaseModel, ConfigDict


class Part(BaseModel):
    """A part of a stream spec."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)
