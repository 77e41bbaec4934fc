"""Tables as Delta Lake on S3 or a local folder, through `deltalake`."""

from collections.abc import Mapping
from pathlib import Path

import polars as pl
from deltalake import DeltaTable
from deltalake.exceptions import DeltaError, TableNotFoundError

from windrow import keys
from windrow.errors import OutcomeUnknown, Unavailable, first_line
from windrow.lake.bounds import bounded_name
from windrow.lake.handle import BOUNDED_COLUMNS, DeltaHandle
from windrow.lake.marks import Marks, has_commit
from windrow.lake.schema import EVENT_DATE
from windrow.lake.storage import Folder, Storage, Stored
from windrow.lake.tables import TARGET_FILE_BYTES
from windrow.lake.tables import Table as OpenTable
from windrow.ports import ObjectStore

_CONFIGURATION: Mapping[str, str | None] = {
    # Time travel goes back a week: as long as removed files are kept, and their versions in the log.
    "delta.logRetentionDuration": "interval 7 days",
    "delta.deletedFileRetentionDuration": "interval 7 days",
}
_CHECKPOINT_EVERY = 100
"""Commits from one checkpoint of a table to the next, unless it says otherwise."""


class DeltaLake:
    """Every table of a deployment, below one URI: a local folder, or a bucket that `store` reads too.

    Files that are made batch by batch lie in `scratch` meanwhile, or in the machine's folder for temporary files.
    """

    def __init__(
        self, uri: str, options: Mapping[str, str], store: ObjectStore | None = None, scratch: Path | None = None
    ) -> None:
        self._uri = uri.rstrip("/")
        self._options = dict(options)
        self._store = store
        self._scratch = scratch
        self._marks: dict[str, Marks] = {}
        self._kept: dict[str, tuple[int, DeltaTable]] = {}
        """Tables that were opened before, and at which version, by URI."""

    def table_uri(self, stream: str, table: str) -> str:
        """Where a table lies, for people and readers."""
        return f"{self._uri}/{keys.lake_prefix(stream, table).rstrip('/')}"

    def delta(self, stream: str, table: str) -> DeltaTable | None:
        """The library's own handle, for readers, opened anew."""
        try:
            return DeltaTable(self.table_uri(stream, table), storage_options=self._options)
        except TableNotFoundError:
            return None
        except (DeltaError, OSError) as error:
            raise Unavailable(f"open {stream}/{table}: {first_line(error)}") from error

    def open(self, stream: str, table: str) -> OpenTable | None:
        found = self._newest(stream, table)
        return None if found is None else self._handle(found, stream, table)

    def open_or_create(
        self, stream: str, table: str, schema: pl.Schema, target_file_bytes: int = TARGET_FILE_BYTES
    ) -> OpenTable:
        found = self._newest(stream, table)
        if found is None:
            names = ",".join(filter(None, map(bounded_name, schema.items())))
            try:
                found = DeltaTable.create(
                    self.table_uri(stream, table),
                    schema=schema,
                    mode="ignore",
                    partition_by=[EVENT_DATE],
                    configuration={**_CONFIGURATION, BOUNDED_COLUMNS: names},
                    storage_options=self._options,
                )
            except (DeltaError, OSError) as error:
                raise OutcomeUnknown(f"create {stream}/{table}: {first_line(error)}") from error
        return self._handle(found, stream, table, target_file_bytes)

    def _handle(
        self, found: DeltaTable, stream: str, table: str, target_file_bytes: int = TARGET_FILE_BYTES
    ) -> DeltaHandle:
        storage = self._storage(stream, table)
        return DeltaHandle(found, self._options, storage, self._marks, self._scratch, target_file_bytes)

    def _newest(self, stream: str, table: str) -> DeltaTable | None:
        """A table at its newest version.

        One that was open before is brought up to date, which reads only what is new; to open it anew is to read every
        commit since the last checkpoint. What is kept grows slower with every commit, so once there is a new checkpoint
        it is opened anew. Handles share what is kept here, and see that it has moved on.
        """
        uri, storage = self.table_uri(stream, table), self._storage(stream, table)
        opened_at, found = self._kept.pop(uri, (0, None))
        if found is not None and found.version() // _CHECKPOINT_EVERY != opened_at // _CHECKPOINT_EVERY:
            found = None
        if found is not None:
            try:
                found.update_incremental()
            except (DeltaError, OSError):
                found = None
            else:
                if not has_commit(storage, found.version()):  # it was removed, or begun anew
                    found = None
        if found is None:
            found = self.delta(stream, table)
            opened_at = 0 if found is None else found.version()
        if found is not None:
            self._kept[uri] = opened_at, found
        return found

    def _storage(self, stream: str, table: str) -> Storage:
        prefix = keys.lake_prefix(stream, table)
        return Folder(Path(self._uri) / prefix) if self._store is None else Stored(self._store, prefix)
