"""What is wrong with a spec, and where."""

from dataclasses import dataclass, field

Path = tuple[str | int, ...]
"""The names and list places that lead to a setting, from the top of the file."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong, at one setting."""

    path: Path
    message: str
    between: tuple[Path, ...] = field(default=(), compare=False)
    """The other settings this is about. While one of them is faulty itself, this may be no fault at all."""
    is_name: bool = field(default=False, compare=False)
    """Whether the setting's name is at fault, not its value."""

    def __str__(self) -> str:
        place = dotted(self.path)
        return f"{place}: {self.message}" if place else self.message


@dataclass(frozen=True, slots=True, order=True)
class PlacedFault:
    """A fault with its place in the text."""

    line: int
    """From 1."""
    column: int
    """From 1, in characters."""
    path: str
    """The setting, such as `columns.v.type`; empty when the text as a whole is at fault."""
    message: str

    def __str__(self) -> str:
        place = f"line {self.line}, column {self.column}: "
        return f"{place}{self.path}: {self.message}" if self.path else place + self.message


def dotted(path: Path) -> str:
    """A path as it stands in messages."""
    return ".".join(map(str, path))
