"""Values that are only known once something stands in AWS."""

from dataclasses import dataclass
from typing import Any, TypeAlias


@dataclass(frozen=True)
class Unknown:
    """What the provider will compute, by its address. Inside a string it reads `${address}`."""

    address: str

    def __str__(self) -> str:
        return f"${{{self.address}}}"


Value: TypeAlias = Any
"""str, int, float, bool, None, list, dict, Unknown, or an object of the plan; sets are sorted lists."""


class CannotEvaluate(Exception):
    """An expression that Terraform would refuse as well, or that these checks do not compute."""
