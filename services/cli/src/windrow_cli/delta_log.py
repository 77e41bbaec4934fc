"""What lies in the log of a Delta table: which versions there are, of when, and which can still be read. Pure."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import accumulate
from typing import Self

_COMMIT = re.compile(r"(\d{20})\.json")
_CHECKPOINT = re.compile(r"(\d{20})\.checkpoint\.(?:.*\.)?(?:parquet|json)")


@dataclass(frozen=True, slots=True)
class LogFolder:
    """Versions with a commit, and versions with a checkpoint, each with the time (µs) its file was written."""

    commits: Mapping[int, int]
    checkpoints: Mapping[int, int]

    @classmethod
    def of(cls, files: Iterable[tuple[str, int]]) -> Self:
        """From the names of the files and the times (µs) they were written."""
        commits: dict[int, int] = {}
        checkpoints: dict[int, int] = {}
        for name, written_us in files:
            for pattern, found in ((_COMMIT, commits), (_CHECKPOINT, checkpoints)):
                if (match := pattern.fullmatch(name)) is not None:
                    found[int(match[1])] = written_us
        return cls(commits, checkpoints)

    @property
    def newest(self) -> int:
        """The last version; -1 of a log in which there is none."""
        return max([-1, *self.commits, *self.checkpoints])

    @property
    def last_checkpoint(self) -> int | None:
        """The version of the last checkpoint."""
        return max(self.checkpoints, default=None)

    def readable(self) -> list[int]:
        """The versions that the log still tells: by a checkpoint, or by each commit since one, or since the first."""
        found: list[int] = []
        is_told = False
        for version in sorted({*self.commits, *self.checkpoints}):
            follows = version == 0 or (is_told and found[-1] == version - 1)
            is_told = version in self.checkpoints or follows
            if is_told:
                found.append(version)
        return found

    def missing(self) -> list[int]:
        """Versions since the last checkpoint, or since the first, whose commits are not there though later ones are."""
        start = -1 if self.last_checkpoint is None else self.last_checkpoint
        return [version for version in range(start + 1, self.newest) if version not in self.commits]

    def times(self) -> dict[int, int]:
        """When each readable version was committed, µs. As readers of Delta tell it: by its file, and never back."""
        versions = self.readable()
        written = (self.commits.get(version, self.checkpoints.get(version, 0)) for version in versions)
        return dict(zip(versions, accumulate(written, max), strict=True))

    def at(self, moment_us: int) -> int | None:
        """The version a table had at a moment; None if that was before all that the log tells."""
        return max((version for version, since_us in self.times().items() if since_us <= moment_us), default=None)


def spans(versions: Iterable[int]) -> str:
    """Versions as people write them: `0, 3 to 7`."""
    runs: list[list[int]] = []
    for version in sorted(versions):
        if runs and runs[-1][-1] == version - 1:
            runs[-1][1:] = [version]
        else:
            runs.append([version])
    return ", ".join(" to ".join(map(str, run)) for run in runs)
