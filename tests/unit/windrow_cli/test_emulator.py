"""The emulator: what it has acknowledged survives its death, down to ETag and time."""

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.http import free_port, get
from tests.support.waiting import eventually
from windrow import topology as topologies
from windrow.aws.provision import provision, provision_tables
from windrow.aws.session import AwsSession
from windrow.errors import AlreadyExists, NotFound, Unavailable
from windrow.latest import LatestRecord
from windrow.messages import Landed, decode_landed
from windrow.ports import ObjectHeaders, ObjectInfo
from windrow.spec import parse
from windrow_cli.emulator import DurableMoto, listen
from windrow_cli.mirror import Headers, Mirror

_REGION = "eu-central-1"
_TOPOLOGY = topologies.find()
_JSON = ObjectHeaders({"write-id": "w1", "received-us": "17"}, "application/x-ndjson", "zstd")
_START_S = 60.0

Serve = Callable[[], AwsSession]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Starts a fresh emulator over the same files, in this process; each call is a restart."""
    servers = []
    _forget_moto()

    def start() -> AwsSession:
        server = listen(DurableMoto(Mirror(tmp_path / "s3"), _REGION), 0)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        servers.append((server, thread))
        session = AwsSession(topologies.load(_TOPOLOGY), "windrow", _REGION, f"http://127.0.0.1:{server.server_port}")
        provision(session)
        return session

    yield start
    _forget_moto()
    for server, thread in servers:
        server.shutdown()
        server.server_close()
        thread.join()


def _forget_moto() -> None:
    """moto's state belongs to the process, not to a server."""
    from moto.backends import get_backend

    for service in ("dynamodb", "s3", "sqs"):
        get_backend(service).reset()  # type: ignore[arg-type]


def _objects(session: AwsSession) -> dict[str, ObjectInfo]:
    store = session.store()
    listed = {info.key: info for zone in ("landing/", "lake/") for info in store.list(zone)}
    assert all(store.head(key).etag == info.etag for key, info in listed.items())
    return listed


# ---------------------------------------------------------------------------------------------------- death


@contextmanager
def _process(root: Path, port: int) -> Iterator["subprocess.Popen[bytes]"]:
    command = [sys.executable, "-m", "windrow_cli.emulator", "--root", str(root), "--port", str(port)]
    command += ["--topology", str(_TOPOLOGY), "--prefix", "windrow", "--region", _REGION]
    process = subprocess.Popen(command)

    def answers() -> bool:
        assert process.poll() is None
        try:
            return get(f"http://127.0.0.1:{port}/healthz")[0] == 200
        except OSError:
            return False

    try:
        eventually(answers, _START_S, "the emulator to answer")
        yield process
    finally:
        process.kill()
        process.wait()


def test_what_was_acknowledged_survives_kill_9_with_etag_time_and_headers(tmp_path: Path) -> None:
    port = free_port()
    session = AwsSession(topologies.load(_TOPOLOGY), "windrow", _REGION, f"http://127.0.0.1:{port}")
    store, s3 = session.store(), session.s3
    with _process(tmp_path, port) as process:
        written = [
            store.put_if_absent(f"landing/s/2026 ü/{number}.ndjson.zst", b"x" * number, _JSON) for number in (0, 9)
        ]
        store.put("landing/s/again", b"first", ObjectHeaders())
        store.put("landing/s/again", b"second", ObjectHeaders())
        s3.copy_object(Bucket="windrow-raw", Key="landing/s/copy", CopySource="windrow-raw/landing/s/again")
        _upload_in_parts(s3)
        for key in ("one", "two", "three"):
            store.put(f"landing/s/gone/{key}", b"x", ObjectHeaders())
        s3.delete_object(Bucket="windrow-raw", Key="landing/s/gone/one")
        doomed = [{"Key": f"landing/s/gone/{key}"} for key in ("two", "three")]
        s3.delete_objects(Bucket="windrow-raw", Delete={"Objects": doomed})
        before = _objects(session)
        process.kill()
        process.wait()

    with _process(tmp_path, port):
        assert _objects(session) == before
        assert sorted(before) == [
            "lake/s/big",
            "landing/s/2026 ü/0.ndjson.zst",
            "landing/s/2026 ü/9.ndjson.zst",
            "landing/s/again",
            "landing/s/copy",
        ]
        found = store.get("landing/s/2026 ü/9.ndjson.zst")
        assert (found.body, found.info.metadata) == (b"x" * 9, _JSON.metadata)
        assert (found.info.content_type, found.info.content_encoding) == ("application/x-ndjson", "zstd")
        assert found.info.etag == written[1].etag
        assert store.get("landing/s/again").body == store.get("landing/s/copy").body == b"second"
        part = s3.get_object(Bucket="windrow-lake", Key="lake/s/big", Range="bytes=5242879-5242881")
        assert part["Body"].read() == b"abb"
        with pytest.raises(AlreadyExists):
            store.put_if_absent("landing/s/again", b"third", ObjectHeaders())
        # Queues and notifications are made before the port opens: no service ever meets an emulator without them.
        landed = session.queue("landed")
        store.put_if_absent("landing/s/new", b"x", ObjectHeaders())
        eventually(
            lambda: (
                [key for event in landed.receive(10, 1, 30) for key in decode_landed(event.body)]
                == [Landed(key="landing/s/new")]
            ),
            10,
            "the event of a PUT",
        )


def _upload_in_parts(s3: Any) -> None:
    place = {"Bucket": "windrow-lake", "Key": "lake/s/big"}
    upload = s3.create_multipart_upload(**place, Metadata={"write-id": "w2"})["UploadId"]
    bodies = (b"a" * (5 << 20), b"b" * 10)
    parts = [
        {"PartNumber": number, "ETag": s3.upload_part(**place, UploadId=upload, PartNumber=number, Body=body)["ETag"]}
        for number, body in enumerate(bodies, start=1)
    ]
    s3.complete_multipart_upload(**place, UploadId=upload, MultipartUpload={"Parts": parts})


# ---------------------------------------------------------------------------------------------------- durability


def test_a_write_that_cannot_be_kept_is_refused_and_leaves_what_was_there(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = serve().store()
    store.put("landing/s/a", b"old", ObjectHeaders())

    def full(_self: Mirror, _headers: Headers, _body: bytes) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Mirror, "save", full)
        for key in ("landing/s/a", "landing/s/b"):
            with pytest.raises(Unavailable, match="No space left"):
                store.put(key, b"new", ObjectHeaders())

    assert store.get("landing/s/a").body == b"old"
    assert [info.key for info in store.list("landing/")] == ["landing/s/a"]
    with pytest.raises(NotFound):
        store.head("landing/s/b")
    store.put_if_absent("landing/s/b", b"new", ObjectHeaders())


def test_nobody_sees_an_object_before_it_is_on_disk(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    store = serve().store()
    saving, may_save = threading.Event(), threading.Event()
    save = Mirror.save

    def slow(self: Mirror, headers: Headers, body: bytes) -> None:
        saving.set()
        assert may_save.wait(10)
        save(self, headers, body)

    monkeypatch.setattr(Mirror, "save", slow)
    with ThreadPoolExecutor(3) as pool:
        writing = pool.submit(store.put_if_absent, "landing/s/a", b"x", ObjectHeaders({"write-id": "w1"}))
        assert saving.wait(10)
        reading = pool.submit(store.head, "landing/s/a")
        losing = pool.submit(store.put_if_absent, "landing/s/a", b"y", ObjectHeaders({"write-id": "w2"}))
        assert not reading.done()
        assert not losing.done()
        may_save.set()
        assert writing.result().etag == reading.result().etag
        assert reading.result().metadata == {"write-id": "w1"}
        with pytest.raises(AlreadyExists):
            losing.result()


def test_of_many_conditional_writes_exactly_one_wins(serve: Serve) -> None:
    store = serve().store()

    def attempt(number: int) -> bool:
        try:
            store.put_if_absent("landing/s/race", str(number).encode(), ObjectHeaders())
        except AlreadyExists:
            return False
        return True

    with ThreadPoolExecutor(16) as pool:
        won = [number for number, did_win in enumerate(pool.map(attempt, range(32))) if did_win]
    assert [str(number).encode() for number in won] == [store.get("landing/s/race").body]


def test_bodies_stay_on_disk_and_memory_holds_none(serve: Serve) -> None:
    from moto.backends import get_backend

    session = serve()
    for number in range(3):
        session.store().put("landing/s/a", b"x" * number, ObjectHeaders())

    keys = get_backend("s3")["123456789012"]["aws"].buckets["windrow-raw"].keys
    assert len(keys.getlist("landing/s/a")) == 1, "old versions are not kept"
    assert type(keys["landing/s/a"]._value_buffer).__name__ == "BodyFile"


def test_a_delta_table_in_the_emulator_is_a_delta_table_on_disk(serve: Serve, tmp_path: Path) -> None:
    import polars as pl
    from deltalake import DeltaTable, write_deltalake

    session = serve()
    rows = pl.DataFrame({"event_date": ["2026-01-01", "2026-01-02"], "value": [1.5, 2.5]})
    uri = f"{session.lake_uri()}/lake/s/records"
    options = dict(session.lake_options())
    write_deltalake(uri, rows, partition_by=["event_date"], storage_options=options)
    write_deltalake(uri, rows, mode="append", storage_options=options)

    on_disk = DeltaTable(str(tmp_path / "s3" / "windrow-lake" / "lake" / "s" / "records"))
    assert on_disk.version() == 1
    assert pl.scan_delta(on_disk).select(pl.col("value").sum()).collect().item() == 8.0


# ---------------------------------------------------------------------------------------------------- listing


def test_a_listing_is_the_same_as_moto_would_give(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    session = serve()
    for key in ("a b", "a+b", "a/b", "a/c/d", "a/c/e", "ä&<>\"'"):
        session.store().put(f"lake/{key}", key.encode(), ObjectHeaders())
    asked: list[dict[str, Any]] = [
        {},
        {"Prefix": "lake/a"},
        {"Prefix": "lake/", "Delimiter": "/"},
        {"Prefix": "lake/a/", "Delimiter": "/"},
        {"StartAfter": "lake/a/b"},
        {"Prefix": "lake/a", "MaxKeys": 2},
        {"Prefix": "none"},
    ]

    def shape(answer: dict[str, Any]) -> dict[str, Any]:
        names = ("Name", "Prefix", "Delimiter", "StartAfter", "MaxKeys", "KeyCount", "IsTruncated")
        contents = [
            {name: entry[name] for name in ("Key", "ETag", "Size", "LastModified", "StorageClass")}
            for entry in answer.get("Contents", ())
        ]
        return {**{name: answer.get(name) for name in names}, "c": contents, "p": answer.get("CommonPrefixes", [])}

    ours = [shape(session.s3.list_objects_v2(Bucket="windrow-lake", **each)) for each in asked]
    monkeypatch.setattr(DurableMoto, "_listed", lambda _self, _environ: None)
    assert ours == [shape(session.s3.list_objects_v2(Bucket="windrow-lake", **each)) for each in asked]


def test_a_listing_goes_on_after_a_restart(serve: Serve) -> None:
    first = serve()
    for number in range(5):
        first.store().put(f"landing/s/{number}", b"x", ObjectHeaders())
    place = {"Bucket": "windrow-raw", "MaxKeys": 3}
    token = first.s3.list_objects_v2(**place)["NextContinuationToken"]

    _forget_moto()
    rest = serve().s3.list_objects_v2(**place, ContinuationToken=token)
    assert [entry["Key"] for entry in rest["Contents"]] == ["landing/s/3", "landing/s/4"]


def test_a_bucket_that_is_not_there_is_said_not_to_be(serve: Serve) -> None:
    session = serve()
    with pytest.raises(session.s3.exceptions.NoSuchBucket):
        session.s3.list_objects_v2(Bucket="nobody")


# ---------------------------------------------------------------------------------------------------- tables


def test_it_has_key_value_tables_for_sinks(serve: Serve) -> None:
    session = serve()
    spec = parse(
        "stream: s\ntime: {column: ts}\nkeys: [k]\ncolumns: {ts: timestamp, k: string}\n"
        "sinks: [{kind: dynamodb, table: latest}]\n",
        "s.yaml",
    )
    assert provision_tables(session, [spec]) == ["table windrow.s.latest"]
    latest = session.latest()

    assert latest.put_if_later("s.latest", LatestRecord("a", 2, 0, "b", 0, {}), "last")
    assert not latest.put_if_later("s.latest", LatestRecord("a", 1, 0, "b", 0, {}), "last")
    session.dynamodb.close()


def test_what_is_deleted_is_gone_after_a_restart_too(serve: Serve) -> None:
    store = serve().store()
    store.put("exports/s/a", b"x", ObjectHeaders())
    store.put("exports/s/b", b"x", ObjectHeaders())
    store.delete("exports/s/a")
    _forget_moto()

    assert [info.key for info in serve().store().list("exports/")] == ["exports/s/b"]
