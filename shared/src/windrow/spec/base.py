"""What every part of a spec has in common: frozen, and closed to names nobody knows."""

from pydantic import BaseModel, ConfigDict


class Part(BaseModel):
    """A part of a stream spec."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


def several(value: object) -> object:
    """One text where several may stand is a list of it."""
    return (value,) if isinstance(value, str) else value
