"""What a check found: where, what, and what to do about it."""

from pathlib import Path
from typing import NamedTuple


class Finding(NamedTuple):
    """One fault in one place. `line` counts from 1; 0 means the file as a whole."""

    path: Path
    line: int
    what: str
    remedy: str

    def text(self, root: Path) -> str:
        """The finding on one line, its path relative to `root` where it lies below it."""
        place = self.path.relative_to(root) if self.path.is_relative_to(root) else self.path
        return f"{place}:{self.line}: {self.what}; {self.remedy}"
