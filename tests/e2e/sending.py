"""Sends batches as an honest client does: again and again, under one idempotency key, until they are acknowledged."""

import gzip
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass

import httpx2
import zstandard

from tests.e2e.cloudwatch import Batch, Road, Row
from windrow.errors import Transient
from windrow.ports import ObjectHeaders, ObjectStore

_GIVE_UP_S = 90.0
_PAUSE_S = 0.3


@dataclass(frozen=True, slots=True)
class Body:
    """One request: its idempotency key, content and number of records."""

    key: str
    content: bytes
    content_type: str
    encoding: str
    records: int


def send(batch: Batch, stream: str, ingest_url: str, store: ObjectStore) -> int:
    """Send a batch and return how many attempts were answered by silence or by 503; fails on any other answer."""
    if batch.road is Road.UPLOAD_CSV:
        return _upload(batch, stream, store)
    with httpx2.Client(base_url=ingest_url, timeout=30) as client:
        return sum(_post(client, f"/v1/streams/{stream}/records", body) for body in _bodies(batch))


def _upload(batch: Batch, stream: str, store: ObjectStore) -> int:
    lines = ["series,timestamp,value", *(f"{row.series},{row.timestamp},{row.value}" for row in batch.rows)]
    content = "\n".join(lines).encode() + b"\n"
    failures = 0
    deadline_s = time.monotonic() + _GIVE_UP_S
    while True:
        try:
            store.put(f"landing/{stream}/{batch.name}.csv", content, ObjectHeaders(content_type="text/csv"))
            return failures
        except Transient:
            failures += 1
            if time.monotonic() >= deadline_s:
                raise
        time.sleep(_PAUSE_S)


def _post(client: httpx2.Client, path: str, body: Body) -> int:
    headers = {"Content-Type": body.content_type, "Idempotency-Key": body.key}
    if body.encoding:
        headers["Content-Encoding"] = body.encoding
    failures = 0
    deadline_s = time.monotonic() + _GIVE_UP_S
    while True:
        try:
            answer = client.post(path, content=body.content, headers=headers)
            last = f"{answer.status_code} {answer.text[:500]}"
            if answer.status_code == 202:
                told = answer.json()
                assert told["accepted"] == body.records, f"{body.key}: {last}"
                assert told["quarantined_count"] == 0, f"{body.key}: {last}"
                return failures
            assert answer.status_code == 503, f"{body.key}: {last}"
            assert "retry-after" in answer.headers, f"{body.key}: {last}"
        except httpx2.TransportError as error:
            # Killed before, while or after it stored the batch: only the key makes trying again harmless.
            last = repr(error)
        failures += 1
        assert time.monotonic() < deadline_s, f"{body.key} was not acknowledged within {_GIVE_UP_S:g} s: {last}"
        time.sleep(_PAUSE_S)


def _bodies(batch: Batch) -> Iterator[Body]:
    records = [_record(row) for row in batch.rows]
    key = f"e2e-{batch.name}"
    match batch.road:
        case Road.POST_OBJECTS:
            for number, record in enumerate(records):
                yield Body(f"{key}-{number}", record.encode(), "application/json", "", 1)
        case Road.POST_ARRAY | Road.POST_ARRAY_ZSTD:
            plain = f"[{','.join(records)}]".encode()
            is_packed = batch.road is Road.POST_ARRAY_ZSTD
            content = zstandard.compress(plain) if is_packed else plain
            yield Body(key, content, "application/json", "zstd" if is_packed else "", len(records))
        case _:
            plain = "".join(f"{record}\n" for record in records).encode()
            is_packed = batch.road is Road.POST_LINES_GZIP
            content = gzip.compress(plain, mtime=0) if is_packed else plain
            yield Body(key, content, "application/x-ndjson", "gzip" if is_packed else "", len(records))


def _record(row: Row) -> str:
    return json.dumps({"series": row.series, "timestamp": row.timestamp, "value": float(row.value)})
