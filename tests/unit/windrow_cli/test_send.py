"""`windrow send`, as a person runs it."""

import bz2
import gzip
import json
import signal
import subprocess
import sys
import threading
import time
import tracemalloc
from pathlib import Path

import pytest
import zstandard

from tests.support.emulators import Deploy
from tests.support.http import free_port
from tests.support.waiting import eventually
from tests.unit.windrow_cli.conftest import Answer, Asked, Loopback, Windrow
from windrow.aws.session import AwsSession
from windrow.decoding import formats
from windrow.errors import BadInput, NotFound, OutcomeUnknown, Unavailable
from windrow.ports import Body, ObjectHeaders, ObjectInfo
from windrow.testing import ManualClock, MemoryObjectStore
from windrow_cli import source
from windrow_cli.send import parse_size
from windrow_cli.upload import upload

_SPEC = "stream: sensors\ntime: {column: ts}\ncolumns: {ts: timestamp}\n"


class Ingest:
    """Takes records as ingest does: a key it knows adds nothing."""

    def __init__(self, loopback: Loopback) -> None:
        self.by_key: dict[str, bytes] = {}
        self._lock = threading.Lock()
        loopback.answer = self._answer

    @property
    def records(self) -> list[object]:
        return [json.loads(line) for body in self.by_key.values() for line in body.splitlines() if line.strip()]

    def _answer(self, asked: Asked) -> Answer:
        body = zstandard.ZstdDecompressor().decompress(asked.body)
        key = asked.headers["idempotency-key"]
        with self._lock:
            is_known = key in self.by_key
            assert self.by_key.setdefault(key, body) == body
        count = sum(1 for line in body.splitlines() if line.strip())
        content = {"accepted": count, "quarantined_count": 0, "quarantined": [], "repeated": is_known}
        return 202, {}, json.dumps(content).encode()


@pytest.fixture
def ingest(loopback: Loopback) -> Ingest:
    return Ingest(loopback)


def _lines(count: int) -> bytes:
    return b"".join(b'{"number": %d}\n' % number for number in range(count))


def test_every_record_of_a_file_arrives_once(windrow: Windrow, loopback: Loopback, ingest: Ingest) -> None:
    Path("r.ndjson").write_bytes(_lines(1_000))
    ran = windrow("send", "sensors", "r.ndjson", "--url", loopback.url, "--batch-bytes", "1KiB")

    assert (ran.code, ran.out) == (0, "1,000 records for sensors: 1,000 accepted\n")
    assert sorted(record["number"] for record in ingest.records) == list(range(1_000))  # type: ignore[index]
    assert len(ingest.by_key) > 10


def test_the_same_file_again_is_recognised_and_counts_nothing(
    windrow: Windrow, loopback: Loopback, ingest: Ingest
) -> None:
    Path("r.ndjson").write_bytes(_lines(100))
    Path("elsewhere").mkdir()
    Path("elsewhere/r.ndjson").write_bytes(_lines(100))
    for path in ("r.ndjson", "r.ndjson", "elsewhere/r.ndjson"):
        ran = windrow("send", "sensors", path, "--url", loopback.url)

    assert ran.out == "100 records for sensors: 0 accepted, 100 already sent\n"
    assert len(ingest.records) == 100


def test_a_token_goes_with_every_request_to_the_address_that_was_given(
    windrow: Windrow, loopback: Loopback, ingest: Ingest
) -> None:
    Path("r.ndjson").write_bytes(_lines(10))
    with_token = {"WINDROW_TOKEN": "secret-1"}
    ran = windrow("send", "sensors", "r.ndjson", "--url", loopback.url, environment=with_token)

    assert ran.code == 0
    assert len(ingest.records) == 10
    assert {request.headers["authorization"] for request in loopback.asked} == {"Bearer secret-1"}


def test_a_token_is_never_sent_in_the_clear_over_a_network(windrow: Windrow) -> None:
    Path("r.ndjson").write_bytes(_lines(10))
    with_token = {"WINDROW_TOKEN": "secret-1"}
    ran = windrow("send", "sensors", "r.ndjson", "--url", "http://ingest.example.com", environment=with_token)

    assert ran.code == 2
    assert "in the clear" in ran.err
    assert "secret-1" not in ran.err


@pytest.mark.parametrize("token", ["a\nb", "two words", "ключ"])
def test_what_cannot_be_a_token_is_refused_before_anything_is_sent(
    windrow: Windrow, loopback: Loopback, token: str
) -> None:
    Path("r.ndjson").write_bytes(_lines(10))
    ran = windrow("send", "sensors", "r.ndjson", "--url", loopback.url, environment={"WINDROW_TOKEN": token})

    assert (ran.code, loopback.asked) == (2, [])
    assert "WINDROW_TOKEN holds what no token has" in ran.err
    assert token not in ran.err


def test_who_is_refused_for_want_of_a_token_is_told_where_to_put_it(windrow: Windrow, loopback: Loopback) -> None:
    Path("r.ndjson").write_bytes(_lines(10))
    loopback.answer = lambda _asked: (401, {}, b'{"message":"Unauthorized"}')
    ran = windrow("send", "sensors", "r.ndjson", "--url", loopback.url)

    assert ran.code == 1
    assert "WINDROW_TOKEN" in ran.err
    assert "Unauthorized" in ran.err


def test_again_means_new_records(windrow: Windrow, loopback: Loopback, ingest: Ingest) -> None:
    Path("r.ndjson").write_bytes(_lines(100))
    windrow("send", "sensors", "r.ndjson", "--url", loopback.url)
    ran = windrow("send", "sensors", "r.ndjson", "--url", loopback.url, "--again", "--json")

    assert json.loads(ran.out)["accepted"] == 100
    assert len(ingest.records) == 200


def test_every_format_and_codec_brings_the_same_records(windrow: Windrow, loopback: Loopback, ingest: Ingest) -> None:
    records = [{"number": number} for number in range(10)]
    array = json.dumps(records, indent=2).encode()
    files = {
        "a.ndjson": _lines(10),
        "b.jsonl": _lines(10),
        "c.json": array,
        "d.json": _lines(10),
        "e.ndjson.gz": gzip.compress(_lines(10)),
        "f.JSON.ZST": zstandard.ZstdCompressor().compress(array),
        "g.ndjson.bz2": bz2.compress(_lines(10)),
    }
    for name, body in files.items():
        Path(name).write_bytes(body)
    ran = windrow("send", "sensors", *files, "--url", loopback.url)

    assert ran.out == "70 records for sensors: 70 accepted\n"
    assert sorted(record["number"] for record in ingest.records) == sorted(list(range(10)) * 7)  # type: ignore[index]


@pytest.mark.parametrize(
    ("name", "body", "message"),
    [
        ("r.txt", b"{}", "its name does not say what it holds"),
        ("r", b"{}", "its name does not say what it holds"),
        ("cut.ndjson.gz", gzip.compress(_lines(1_000), mtime=0)[:-9], "cannot be read to its end"),
        ("no.ndjson.zst", b"not zstd at all", "cannot be read to its end"),
        ("cut.ndjson.zst", zstandard.compress(_lines(1_000))[:-9], "cannot be read to its end"),
        ("cut.json.bz2", bz2.compress(_lines(1_000))[:-9], "cannot be read to its end"),
        ("broken.ndjson.gz", gzip.compress(b"x" * 50, mtime=0)[:12] + bytes(30), "cannot be read to its end"),
    ],
)
def test_a_file_that_cannot_be_read_is_named_with_the_reason(
    *, windrow: Windrow, loopback: Loopback, ingest: Ingest, name: str, body: bytes, message: str
) -> None:
    Path(name).write_bytes(body)
    ran = windrow("send", "sensors", name, "--url", loopback.url)

    assert ran.code == 2
    assert message in ran.err
    assert name in ran.err
    assert "Traceback" not in ran.err


def test_nobody_there_is_said_clearly_and_at_once(windrow: Windrow) -> None:
    Path("r.ndjson").write_bytes(_lines(1))
    ran = windrow("send", "sensors", "r.ndjson")
    assert (ran.code, "nothing is running here: start `windrow dev`" in ran.err) == (1, True)

    url = f"http://127.0.0.1:{free_port()}"
    ran = windrow("send", "sensors", "r.ndjson", "--url", url, "--give-up-after", "1s")
    assert ran.code == 1
    assert ran.err.startswith(f"{url} does not answer (connection refused); trying again for up to 1 s\n")
    assert "connection refused); gave up after 1 s. Send it again later" in ran.err


def test_a_server_that_stops_answering_in_the_middle_leaves_a_count_of_what_arrived(
    windrow: Windrow, loopback: Loopback, ingest: Ingest
) -> None:
    Path("r.ndjson").write_bytes(_lines(1_000))
    answer = loopback.answer
    loopback.answer = lambda asked: answer(asked) if len(loopback.asked) <= 3 else (503, {}, b"{}")
    ran = windrow(
        "send", "sensors", "r.ndjson", "--url", loopback.url, "--batch-bytes", "1KiB", "--give-up-after", "1ms"
    )

    assert ran.code == 1
    assert f"{len(ingest.records):,} accepted" in ran.out
    assert "Send it again later" in ran.err


def test_ctrl_c_ends_at_once_even_while_nobody_answers(loopback: Loopback) -> None:
    is_over = threading.Event()

    def answer(_asked: Asked) -> Answer:
        is_over.wait(60)
        return 503, {}, b"{}"

    loopback.answer = answer
    Path("r.ndjson").write_bytes(_lines(1_000))
    command = [sys.executable, "-m", "windrow_cli.main", "send", "sensors", "r.ndjson", "--url", loopback.url]
    with subprocess.Popen([*command, "--batch-bytes", "1KiB"], stderr=subprocess.PIPE, text=True) as process:
        try:
            eventually(lambda: len(loopback.asked) == 4, 30, "four requests to be under way")
            started_s = time.monotonic()
            process.send_signal(signal.SIGINT)
            assert process.wait(30) == 130
            assert time.monotonic() - started_s < 10
            assert process.stderr is not None
            assert process.stderr.read().endswith(
                "Stopped. The same command again sends the rest; what has arrived counts once.\n"
            )
        finally:
            is_over.set()
            process.kill()


def test_bad_records_are_listed_with_their_place(windrow: Windrow, loopback: Loopback) -> None:
    reject = {"reason": "malformed_json", "message": "not JSON", "index": 1, "line": 2, "column": 9}
    content = {"accepted": 1, "quarantined_count": 1, "quarantined": [reject], "repeated": False}
    loopback.answer = lambda _asked: (202, {}, json.dumps(content).encode())
    Path("r.ndjson").write_bytes(_lines(2))
    ran = windrow("send", "sensors", "r.ndjson", "--url", loopback.url)

    assert "1 accepted, 1 in quarantine" in ran.out
    assert [cell.strip() for cell in ran.out.splitlines()[4].split("│")[1:-1]] == [
        "r.ndjson",
        "1",
        "2",
        "9",
        "malformed_json",
        "not JSON",
    ]


@pytest.mark.parametrize("option", [["--batch-bytes", "1TB"], ["--batch-bytes", "1"], ["--give-up-after", "soon"]])
def test_a_wrong_option_is_wrong_usage(windrow: Windrow, loopback: Loopback, option: list[str]) -> None:
    Path("r.ndjson").write_bytes(_lines(1))
    assert windrow("send", "sensors", "r.ndjson", "--url", loopback.url, *option).code == 2
    assert not loopback.asked


def test_sizes_are_read_with_their_unit() -> None:
    assert [parse_size(text) for text in ("1MiB", "256 KiB", "2MB", "5000")] == [1 << 20, 256 << 10, 2_000_000, 5_000]
    with pytest.raises(BadInput):
        parse_size("a lot")


# ---------------------------------------------------------------------------------------------------- whole files


def _store(text: str = _SPEC) -> MemoryObjectStore:
    from windrow import catalog

    store = MemoryObjectStore(ManualClock())
    catalog.publish(store, text, "spec.yaml")
    return store


def test_csv_lands_as_it_is_and_only_once() -> None:
    store, body = _store(), b"ts,number\n2026-01-01T00:00:00Z,1\n"
    Path("my file.csv").write_bytes(body)
    first = upload(source.describe("my file.csv"), "sensors", "", store)
    again = upload(source.describe("my file.csv"), "sensors", "", store)
    anew = upload(source.describe("my file.csv"), "sensors", "salt", store)

    assert (first[1], again, anew[1]) == (False, (first[0], True), False)
    found = store.get(first[0])
    assert first[0].startswith("landing/sensors/uploads/")
    assert first[0].endswith("-my_file.csv")
    assert (found.body, found.info.content_type, found.info.metadata["source"]) == (body, "text/csv", "upload")


@pytest.mark.parametrize(
    ("name", "content_type", "kind", "codec"),
    [
        ("a.csv", "text/csv", "csv", "identity"),
        ("a.tsv.gz", "text/tab-separated-values", "tsv", "gzip"),
        ("a.parquet", "application/vnd.apache.parquet", "parquet", "identity"),
        ("a.PARQUET.ZST", "application/vnd.apache.parquet", "parquet", "zstd"),
        ("a.arrow", "application/vnd.apache.arrow.file", "arrow", "identity"),
        ("a.feather", "application/vnd.apache.arrow.file", "arrow", "identity"),
        ("a.geojson.bz2", "application/geo+json", "json", "bzip2"),
        ("a.json.gz", "application/json", "json", "gzip"),
    ],
)
def test_what_is_uploaded_is_declared_as_the_decoder_reads_it(
    *, name: str, content_type: str, kind: str, codec: str
) -> None:
    Path(name).write_bytes(b"x")
    store = _store()
    key, _ = upload(source.describe(name), "sensors", "", store)
    info = store.head(key)

    assert info.content_type == content_type
    assert formats.kind_of(key, info.content_type) == kind
    assert formats.codec_of(key, info.content_encoding, info.content_type) == codec


@pytest.mark.parametrize("name", ["a.zip", "a.csv.zip", "A.ZIP"])
def test_a_zip_is_declared_as_one_whatever_is_in_it(name: str) -> None:
    Path(name).write_bytes(b"x")
    store = _store()
    key, _ = upload(source.describe(name), "sensors", "", store)
    info = store.head(key)

    assert formats.codec_of(key, info.content_encoding, info.content_type) == "zip"


@pytest.mark.parametrize("name", ["a.csv.gz.zst", "a.csv.gz.bz2", "a.gz", "a.xlsx"])
def test_a_name_that_the_decoder_would_not_understand_is_refused_here(name: str) -> None:
    Path(name).write_bytes(b"x")

    with pytest.raises(BadInput, match="does not say what it holds"):
        source.describe(name)


def test_csv_for_an_unknown_stream_is_refused_before_it_lands() -> None:
    store = _store()
    Path("r.csv").write_bytes(b"ts\n")
    with pytest.raises(NotFound, match=r"there is no stream 'other'.*windrow publish"):
        upload(source.describe("r.csv"), "other", "", store)

    assert not list(store.list("landing/"))


def test_a_file_past_what_s3_takes_at_once_is_refused_with_its_size() -> None:
    with Path("huge.csv").open("wb") as file:
        file.truncate((5 << 30) + 1)  # a hole on the disk

    with pytest.raises(BadInput, match=r"huge.csv: has 5\.0 GiB, and an upload may have 5; split it, or compress it"):
        upload(source.describe("huge.csv"), "sensors", "", _store())


def test_a_large_file_is_never_held_whole() -> None:
    size_bytes = 64 << 20
    with Path("large.csv").open("wb") as file:
        file.truncate(size_bytes)
    sizes: list[int] = []

    class Store(MemoryObjectStore):
        def put_if_absent(self, key: str, body: Body, headers: ObjectHeaders) -> ObjectInfo:
            assert not isinstance(body, bytes)
            body.seek(0)
            while block := body.read(1 << 16):
                sizes.append(len(block))
            return super().put_if_absent(key, b"", headers)

    store = Store(ManualClock())
    store.put("config/streams/sensors/000001-x.yaml", _SPEC.encode(), ObjectHeaders())
    seen: list[int] = []
    tracemalloc.start()
    upload(source.describe("large.csv"), "sensors", "", store, seen.append)
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert sum(sizes) == size_bytes
    assert peak_bytes < size_bytes // 4
    assert seen[-1] == size_bytes
    assert seen[0] < size_bytes


def test_a_file_that_grows_while_it_is_looked_at_is_not_taken_for_complete() -> None:
    path = Path("r.csv")
    path.write_bytes(b"ts,number\n" * 400_000)
    store = _store()

    def grow(_read_bytes: int) -> None:
        if path.stat().st_size < 5_000_000:
            with path.open("ab") as file:
                file.write(b"ts,number\n" * 100_000)

    with pytest.raises(BadInput, match=r"r\.csv: is still being written; send it once it is complete"):
        upload(source.describe("r.csv"), "sensors", "", store, grow)
    assert not list(store.list("landing/"))


def test_a_failed_put_is_tried_again_from_the_start_of_the_file() -> None:
    store, body = _store(), b"ts,number\n" * 1_000
    Path("r.csv").write_bytes(body)
    trouble = [OutcomeUnknown("timed out"), Unavailable("slow down")]

    def fault(operation: str, _key: str) -> None:
        if operation == "put_if_absent" and trouble:
            raise trouble.pop()

    store.fault = fault
    key, was_there = upload(source.describe("r.csv"), "sensors", "", store)

    assert (store.get(key).body, was_there, trouble) == (body, False, [])


@pytest.fixture
def deployed(moto: str, deploy: Deploy) -> tuple[AwsSession, dict[str, str]]:
    """A deployment with a stream of documents and one of plain records, and the environment that leads there."""
    from windrow import catalog

    session = deploy(moto)
    catalog.publish(session.store(), _SPEC, "sensors.yaml")
    catalog.publish(
        session.store(), _SPEC.replace("sensors", "nested") + "format: {json: {records: items}}\n", "n.yaml"
    )
    return session, {"AWS_ENDPOINT_URL": moto, "WINDROW_PREFIX": session.prefix, "AWS_REGION": session.region}


def test_every_file_that_is_not_lines_of_records_is_uploaded_byte_for_byte(
    windrow: Windrow, deployed: tuple[AwsSession, dict[str, str]]
) -> None:
    session, environment = deployed
    collection = b'{"type": "FeatureCollection", "features": []}'
    files = {"a.csv": b"ts\n", "b.tsv.gz": b"gz", "c.parquet": b"PAR1", "d.zip": b"PK", "e.geojson": collection}
    files |= {"f.json": b'\xef\xbb\xbf {"name": {"type": "x"}, "features": [], "type": "FeatureCollection"}'}
    for name, body in files.items():
        Path(name).write_bytes(body)
    ran = windrow("send", "sensors", *files, environment=environment)
    again = windrow("send", "sensors", *files, environment=environment)

    assert (ran.code, ran.err) == (0, "")
    assert ran.out == "Files for sensors: 6 uploaded into the landing zone\n"
    assert again.out == "Files for sensors: 0 uploaded into the landing zone, 6 already sent\n"
    store = session.store()
    landed = {info.key.partition("-")[2]: store.get(info.key).body for info in store.list("landing/sensors/uploads/")}
    assert landed == files


def test_a_json_document_goes_whole_where_the_spec_says_that_records_are_inside(
    windrow: Windrow, deployed: tuple[AwsSession, dict[str, str]]
) -> None:
    session, environment = deployed
    Path("d.json").write_bytes(b'{"items": [{"ts": "2026-01-01T00:00:00Z"}]}')
    ran = windrow("send", "nested", "d.json", environment=environment)

    assert ran.out == "Files for nested: 1 uploaded into the landing zone\n"
    assert [info.key[-7:] for info in session.store().list("landing/nested/")] == ["-d.json"]


def test_json_records_go_over_http_in_chunks_even_if_they_look_like_features(
    windrow: Windrow, loopback: Loopback, ingest: Ingest
) -> None:
    feature = {"type": "Feature", "properties": {"type": "FeatureCollection", "features": [1]}}
    Path("a.json").write_text(json.dumps([feature, feature]))
    Path("b.json").write_text(json.dumps(feature))
    Path("c.ndjson").write_text(json.dumps({"type": "FeatureCollection", "features": []}) + "\n")
    ran = windrow("send", "sensors", "a.json", "b.json", "c.ndjson", "--url", loopback.url)

    assert ran.out == "4 records for sensors: 4 accepted\n"
    assert ingest.records.count(feature) == 3


@pytest.mark.parametrize("name", ["a.csv", "a.parquet", "a.geojson", "a.json"])
def test_a_file_that_goes_whole_needs_more_than_a_url(windrow: Windrow, loopback: Loopback, name: str) -> None:
    Path(name).write_bytes(b'{"type":"FeatureCollection"}')
    ran = windrow("send", "sensors", name, "--url", loopback.url)

    assert ran.code == 2
    assert f"{name}: goes into the landing zone whole, not to a --url" in ran.err
    assert not loopback.asked


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
