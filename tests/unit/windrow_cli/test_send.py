"""`windrow send`, as a person runs it."""

import gzip
import json
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import zstandard

from tests.support.http import free_port
from tests.support.waiting import eventually
from tests.unit.windrow_cli.conftest import Answer, Asked, Loopback, Windrow
from windrow.errors import BadInput, NotFound
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
    }
    for name, body in files.items():
        Path(name).write_bytes(body)
    ran = windrow("send", "sensors", *files, "--url", loopback.url)

    assert ran.out == "60 records for sensors: 60 accepted\n"
    assert sorted(record["number"] for record in ingest.records) == sorted(list(range(10)) * 6)  # type: ignore[index]


@pytest.mark.parametrize(
    ("name", "body", "message"),
    [
        ("r.txt", b"{}", "its name does not say what it holds"),
        ("r", b"{}", "its name does not say what it holds"),
        ("cut.ndjson.gz", gzip.compress(_lines(1_000))[:-9], "cannot be read to its end"),
        ("no.ndjson.zst", b"not zstd at all", "cannot be read to its end"),
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


# ---------------------------------------------------------------------------------------------------- CSV


def _store() -> MemoryObjectStore:
    from windrow import catalog

    store = MemoryObjectStore(ManualClock())
    catalog.publish(store, _SPEC, "sensors.yaml")
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


def test_csv_for_an_unknown_stream_is_refused_before_it_lands() -> None:
    store = _store()
    Path("r.csv").write_bytes(b"ts\n")
    with pytest.raises(NotFound, match=r"there is no stream 'other'.*windrow publish"):
        upload(source.describe("r.csv"), "other", "", store)

    assert not list(store.list("landing/"))


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
