"""Where else a stream's data goes, besides its tables."""

import re
from typing import Annotated, Literal

from pydantic import Discriminator, Tag, field_validator

from windrow.keys import EXPORTS_PREFIX
from windrow.spec.base import Part

_DYNAMODB_TABLE = re.compile(r"[A-Za-z0-9_.-]{1,150}")
_PREFIX = re.compile(r"[A-Za-z0-9!_.*'()=-]+(/[A-Za-z0-9!_.*'()=-]+)*/?")


class DynamodbSink(Part):
    r"""The latest record of every key by event time, in a DynamoDB table.

    Its partition key is the text `_key`: the stream's key columns in order, joined by `|`. A `|` or `\` within one is
    preceded by `\`, and an empty one is `\0`. Of records with the same time the one received last stands there, or the
    first with `keep: first`. Numbers are exact, times are text, nulls are left out.
    """

    kind: Literal["dynamodb"]
    table: str
    """Name of the table within the stream; in DynamoDB it is called `<prefix>.<stream>.<table>`."""

    @field_validator("table")
    @classmethod
    def _table_name(cls, name: str) -> str:
        if not _DYNAMODB_TABLE.fullmatch(name):
            raise ValueError(f"{name!r} is no table name; use 1 to 150 of a-z, A-Z, 0-9, '_', '-' and '.'")
        return name


class ParquetSink(Part):
    """Plain Parquet files of every sealed bucket, for readers that know no Delta tables.

    Below the prefix lie `event_date=<day>/bucket=<start>/shard=<n>/part-….parquet`. `_SUCCESS` beside them, written
    last, names the files of a bucket with their checksums, and says how many rows they have, from when to when.
    """

    kind: Literal["parquet"]
    prefix: str
    """Where in the lake's bucket, such as `exports/sensors/`. No two streams may share one."""

    @field_validator("prefix")
    @classmethod
    def _key_prefix(cls, prefix: str) -> str:
        if not _PREFIX.fullmatch(prefix) or any(part in (".", "..") for part in prefix.split("/")):
            raise ValueError(f"{prefix!r} is no prefix of keys; use names with '/' between, such as exports/sensors/")
        whole = f"{prefix.rstrip('/')}/"
        if not whole.removeprefix(EXPORTS_PREFIX) or not whole.startswith(EXPORTS_PREFIX):
            remedy = f"exports/{whole.removeprefix(EXPORTS_PREFIX) or 'sensors/'}"
            raise ValueError(f"{prefix!r} does not lie below exports/, where exports are; write {remedy}")
        return whole


def _kind(value: object) -> object:
    return value.get("kind") if isinstance(value, dict) else getattr(value, "kind", None)


Sink = Annotated[
    Annotated[DynamodbSink, Tag("dynamodb")] | Annotated[ParquetSink, Tag("parquet")],
    Discriminator(_kind),
]
