"""Tables as they were: which version a person means, or why there is none. Pure."""

from dataclasses import dataclass
from datetime import UTC, datetime

from windrow.errors import BadInput, NotFound
from windrow.units import from_us, parse_duration_us, to_us
from windrow_cli.delta_log import LogFolder, spans


@dataclass(frozen=True, slots=True)
class At:
    """A version, or a moment (µs since 1970); with neither, now."""

    version: int | None = None
    moment_us: int | None = None

    @property
    def is_now(self) -> bool:
        """Whether the newest version is meant, whichever that is."""
        return self.version is None and self.moment_us is None


def at(version: int | None, as_of: str | None, now_us: int) -> At:
    """What `--version` and `--as-of` mean; BadInput with the remedy otherwise."""
    if version is not None and as_of is not None:
        raise BadInput("--version and --as-of both say which state to read; give one of them")
    if version is not None and version < 0:
        raise BadInput(f"--version {version} is none; the first version of a table is 0")
    return At(version, None if as_of is None else _moment_us(as_of, now_us))


def _moment_us(text: str, now_us: int) -> int:
    try:
        return now_us - parse_duration_us(text)
    except BadInput:
        pass
    try:
        moment = datetime.fromisoformat(text)
        return to_us(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    except (ValueError, OverflowError) as error:
        raise BadInput(
            f"--as-of {text!r} is not a time; write 2026-01-31T12:00:00Z (or a day alone), or how long ago, such as 2h"
        ) from error


def version_of(table: str, wanted: At, log: LogFolder) -> int | None:
    """The version to read of a table, None for the newest. NotFound says which there are."""
    if wanted.is_now:
        return None
    readable = log.readable()
    if wanted.version is not None:
        if wanted.version in readable:
            return wanted.version
        if wanted.version > log.newest:
            raise NotFound(f"{table} has no version {wanted.version} yet; there are versions {spans(readable)}")
        raise NotFound(
            f"{table} at version {wanted.version} cannot be read any more, its log has been cleaned up; "
            f"there are versions {spans(readable)}"
        )
    assert wanted.moment_us is not None
    found = log.at(wanted.moment_us)
    if found is not None:
        return found
    moment, first = written(wanted.moment_us), readable[0]
    since = written(log.times()[first])
    if first == 0:
        raise NotFound(f"{table} did not exist yet at {moment}; its first version is of {since}")
    raise NotFound(
        f"{table} at {moment} cannot be read any more, its log has been cleaned up; "
        f"it reaches back to version {first} of {since}"
    )


def vacuumed(table: str, version: int, gone: int, of: int, whole: range) -> NotFound:
    """What to say of a version whose files have been removed; `whole` are the versions that have all of theirs."""
    left = f"there are versions {spans(whole)}" if whole else "no later version has all of its files either"
    return NotFound(
        f"{table} at version {version} cannot be read any more: {gone} of its {of} files have been removed (vacuum); "
        f"{left}"
    )


def written(moment_us: int) -> str:
    """A moment as it is written: 2026-01-31T12:00:00Z."""
    return from_us(moment_us).isoformat().replace("+00:00", "Z")
