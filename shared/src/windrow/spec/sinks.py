"""Where else a stream's data goes, besides its tables."""

import re
from typing import Annotated, Literal

from pydantic import Discriminator, Tag, field_validator

from windrow.spec.base import Part

_DYNAMODB_TABLE = re.compile(r"[A-Za-z0-9_.-]{3,255}")
_PREFIX = re.compile(r"[A-Za-z0-9!_.*'()=-]+(/[A-Za-z0-9!_.*'()=-]+)*/?")


class DynamodbSink(Part):
    """The latest record of every key, in a DynamoDB table."""

    kind: Literal["dynamodb"]
    table: str
    """Name of the table. Its partition key is the stream's keys."""

    @field_validator("table")
    @classmethod
    def _table_name(cls, name: str) -> str:
        if not _DYNAMODB_TABLE.fullmatch(name):
            raise ValueError(f"{name!r} is no table name; use 3 to 255 of a-z, A-Z, 0-9, '_', '-' and '.'")
        return name


class ParquetSink(Part):
    """Plain Parquet files, for readers that know no Delta tables."""

    kind: Literal["parquet"]
    prefix: str
    """Where in the lake's bucket, such as `exports/sensors/`."""

    @field_validator("prefix")
    @classmethod
    def _key_prefix(cls, prefix: str) -> str:
        if not _PREFIX.fullmatch(prefix) or any(part in (".", "..") for part in prefix.split("/")):
            raise ValueError(f"{prefix!r} is no prefix of keys; use names with '/' between, such as exports/sensors/")
        return prefix


def _kind(value: object) -> object:
    return value.get("kind") if isinstance(value, dict) else getattr(value, "kind", None)


Sink = Annotated[
    Annotated[DynamodbSink, Tag("dynamodb")] | Annotated[ParquetSink, Tag("parquet")],
    Discriminator(_kind),
]
