"""Where a table's files lie: its log, and data files that are made elsewhere."""

import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from windrow.errors import AlreadyExists, NotFound
from windrow.lake.marks import Log
from windrow.ports import ObjectHeaders, ObjectStore

_PARQUET = ObjectHeaders(content_type="application/vnd.apache.parquet")


class Storage(Log, Protocol):
    """A table's log, to be read, and its folder, to be added to."""

    def add(self, name: str, file: Path) -> None:
        """Make a file part of the table's folder under a name that says what it holds; it may be there already."""
        ...


@dataclass(frozen=True, slots=True)
class Stored:
    """A table in the object store."""

    store: ObjectStore
    prefix: str

    def read(self, name: str) -> bytes | None:
        try:
            return self.store.get(f"{self.prefix}_delta_log/{name}").body
        except NotFound:
            return None

    def add(self, name: str, file: Path) -> None:
        with file.open("rb") as body, suppress(AlreadyExists):
            self.store.put_if_absent(f"{self.prefix}{name}", body, _PARQUET)


@dataclass(frozen=True, slots=True)
class Folder:
    """A table on this machine."""

    path: Path

    def read(self, name: str) -> bytes | None:
        try:
            return (self.path / "_delta_log" / name).read_bytes()
        except FileNotFoundError:
            return None

    def add(self, name: str, file: Path) -> None:
        target = self.path / name
        target.parent.mkdir(exist_ok=True)
        shutil.copyfile(file, target)
