"""The names of a CSV file's fields: its header line, and what a header must have."""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import chain

from windrow.decoding.csv_dialect import LINE_BREAKS, Dialect, records
from windrow.errors import BadInput
from windrow.spec import StreamSpec

_NAMES_SHOWN = 20
_STEP_BYTES = 1 << 20
_TOO_LONG = "the header has more than {} bytes; is this a CSV file?"
_DELIMITERS = {",": "','", ";": "';'", "\t": "a tab", "|": "'|'"}


def read_header(
    blocks: Iterator[bytes], dialect: Dialect, spec: StreamSpec, max_record_bytes: int
) -> tuple[tuple[str, ...], Iterator[bytes], int]:
    """The names in the first record of a UTF-8 text, what follows it, and the line on which that begins.

    Blanks around names do not count. Raises BadInput when there is no such record or it cannot be read.
    """
    held = b""
    tried_bytes = 0
    steps = (block[start : start + _STEP_BYTES] for block in blocks for start in range(0, len(block), _STEP_BYTES))
    for block in steps:
        held += block
        # Only a text that has grown by half is tried again, so that small blocks cost no more than large ones.
        if len(held) > tried_bytes * 1.5:
            found = _first_record(held, dialect, is_last=False)
            if found is not None:
                break
            tried_bytes = len(held)
        if len(held.lstrip(LINE_BREAKS)) > 2 * max_record_bytes + len(block):
            raise BadInput(_TOO_LONG.format(max_record_bytes))
    else:
        found = _first_record(held, dialect, is_last=True)
        if found is None:
            raise BadInput("the header opens a quote that is not closed")
    fields, size, line_count = found
    text = held[:size].strip(LINE_BREAKS)
    if len(text) > max_record_bytes:
        raise BadInput(_TOO_LONG.format(max_record_bytes))
    try:
        text.decode()
    except UnicodeDecodeError as error:
        encoding = spec.format.csv.encoding
        raise BadInput(
            f"the header is not {encoding}: byte {text[error.start]:#04x} at {error.start}; set format.csv.encoding "
            "to the encoding it is written in, such as windows-1252"
        ) from error
    return tuple(name.strip() for name in fields), chain((held[size:],), steps), 1 + line_count


def _first_record(text: bytes, dialect: Dialect, *, is_last: bool) -> tuple[list[str], int, int] | None:
    """Fields of the first record, and the bytes and lines up to its end; None if it does not end here."""
    lines = text.splitlines(keepends=True)
    if not is_last and lines and not lines[-1].endswith(b"\n"):
        del lines[-1]
    for record in records(lines, dialect):
        if record.is_open:
            return None
        if record.fields:
            return record.fields, sum(map(len, lines[: record.end])), record.end
    return ([], len(text), len(lines)) if is_last else None


def check_names(names: Sequence[str], spec: StreamSpec, dialect: Dialect) -> None:
    """Raises BadInput when a name is there twice, or no source of the time is there. Empty names name nothing."""
    twice = {name for name, count in Counter(names).items() if name and count > 1}
    if twice:
        raise BadInput(f"the header names {', '.join(map(repr, sorted(twice)))} more than once")
    lacking = _lacking(names, spec)
    if lacking:
        shown = ", ".join(names[:_NAMES_SHOWN]) + ", …" * (len(names) > _NAMES_SHOWN) or "none"
        raise BadInput(f"the header has no column {lacking} (columns: {shown}){_hint(names, spec, dialect)}")


def _lacking(names: Sequence[str], spec: StreamSpec) -> str:
    """What is missing for the time; empty if nothing is."""
    if spec.time.parts:
        return ", ".join(repr(part) for part in spec.time.parts if part not in names)
    if spec.time.column not in spec.read:
        return ""  # it is derived, or that of receipt
    sources = spec.sources_of(spec.time.column)
    return "" if any(source in names for source in sources) else " or ".join(map(repr, sources))


def _hint(names: Sequence[str], spec: StreamSpec, dialect: Dialect) -> str:
    """What to set, where that can be told from the header."""
    line = dialect.delimiter.join(names)
    if "\0" in line:
        return "; it looks like utf-16: set format.csv.encoding to utf-16"
    for delimiter, shown in _DELIMITERS.items():
        parts = [part.strip().strip(dialect.quote or None) for part in line.split(delimiter)]
        if delimiter != dialect.delimiter and len(parts) > 1 and (len(names) == 1 or not _lacking(parts, spec)):
            return f"; its fields seem to be separated by {shown}: set format.csv.delimiter to {delimiter!r}"
    return ""
