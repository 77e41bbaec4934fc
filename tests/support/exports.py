"""What a parquet sink has written, looked at from outside."""

import hashlib
import io
from pathlib import Path

import polars as pl

from windrow.ports import ObjectStore
from windrow_writer.sinks.exported import Export, decode

PREFIX = "exports/sensors/"
SINKS = f"sinks: [{{kind: dynamodb, table: latest}}, {{kind: parquet, prefix: {PREFIX}}}]\n"


def export_keys(store: ObjectStore, prefix: str = PREFIX) -> list[str]:
    """The keys of everything below a prefix, without it."""
    return [info.key.removeprefix(prefix) for info in store.list(prefix)]


def exports(store: ObjectStore, prefix: str = PREFIX) -> list[Export]:
    """Every export, in order of bucket and shard."""
    return [
        decode(store.get(prefix + key).body, key) for key in export_keys(store, prefix) if key.endswith("/_SUCCESS")
    ]


def exported(store: ObjectStore, prefix: str = PREFIX) -> pl.DataFrame:
    """The rows that the manifests name, every file checked against what they say; and there are no other files."""
    found = [file for export in exports(store, prefix) for file in export.files]
    assert sorted(key for key in export_keys(store, prefix) if not key.endswith("_SUCCESS")) == sorted(
        file.path for file in found
    )
    frames = []
    for file in found:
        body = store.get(prefix + file.path).body
        frame = pl.read_parquet(io.BytesIO(body))
        assert (len(body), hashlib.sha256(body).hexdigest()) == (file.size_bytes, file.sha256)
        assert frame.height == file.row_count
        frames.append(frame)
    for export in exports(store, prefix):
        assert export.row_count == sum(file.row_count for file in export.files)
    rows = pl.concat(frames, how="diagonal")
    rows = rows.select(~pl.selectors.starts_with("_"))
    return rows.sort(*rows.columns)


def as_folder(store: ObjectStore, folder: Path, prefix: str = PREFIX) -> Path:
    """Everything below a prefix as a tree of files."""
    for key in export_keys(store, prefix):
        path = folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(store.get(prefix + key).body)
    return folder
