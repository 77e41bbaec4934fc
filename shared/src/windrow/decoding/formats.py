"""What format an object has, told from its content type and its name."""

from typing import Literal

from windrow.errors import BadInput
from windrow.framing import JSON_TYPES, LINES_TYPES
from windrow.inflate import COMPRESSED_SUFFIXES, codec_of_name
from windrow.quarantine import REPLAY_TYPE

Kind = Literal["json", "lines", "csv", "tsv", "parquet", "arrow", "replay"]

_TYPES: dict[str, Kind] = {
    **dict.fromkeys(JSON_TYPES, "json"),
    **dict.fromkeys(LINES_TYPES, "lines"),
    "application/geo+json": "json",
    "text/csv": "csv",
    "application/csv": "csv",
    "text/tab-separated-values": "tsv",
    "application/vnd.apache.parquet": "parquet",
    "application/vnd.apache.arrow.file": "arrow",
    "application/vnd.apache.arrow.stream": "arrow",
    REPLAY_TYPE: "replay",
}
_SUFFIXES: dict[str, Kind] = {
    ".json": "json",
    ".geojson": "json",
    ".ndjson": "lines",
    ".jsonl": "lines",
    ".csv": "csv",
    ".tsv": "tsv",
    ".parquet": "parquet",
    ".arrow": "arrow",
    ".feather": "arrow",
    ".arrows": "arrow",
}
SUFFIXES = tuple(_SUFFIXES)
"""Endings of file names that say what a file holds."""
CONTENT_TYPES: dict[Kind, str] = {
    "json": "application/json",
    "lines": "application/x-ndjson",
    "csv": "text/csv",
    "tsv": "text/tab-separated-values",
    "parquet": "application/vnd.apache.parquet",
    "arrow": "application/vnd.apache.arrow.file",
}
"""How a sender declares each format."""


def kind_of_type(content_type: str) -> Kind | None:
    """The format a media type stands for, if we know it."""
    return _TYPES.get(content_type.partition(";")[0].strip().lower())


def kind_of_name(name: str) -> Kind | None:
    """The format a file name's ending stands for, below any ending that speaks of compression."""
    plain = name.lower()
    for suffix in COMPRESSED_SUFFIXES:
        plain = plain.removesuffix(suffix)
    return next((kind for suffix, kind in _SUFFIXES.items() if plain.endswith(suffix)), None)


def kind_of(name: str, content_type: str) -> Kind:
    """The format that was declared, else what the file name's ending says.

    S3 clients stamp uploads with a type of their own, so only a type we know overrules the name. Raises BadInput when
    neither says it.
    """
    found = kind_of_type(content_type) or kind_of_name(name)
    if found is None:
        raise BadInput(
            f"{name}: content type {content_type or 'none'!r} is not understood; use one of {', '.join(SUFFIXES)}"
        )
    return found


def codec_of(name: str, content_encoding: str, content_type: str = "") -> str:
    """How an object is compressed: what was declared, else what the name's ending says."""
    if content_type.partition(";")[0].strip().lower() in ("application/zip", "application/x-zip-compressed"):
        return "zip"
    return content_encoding.strip().lower() or codec_of_name(name.lower())
