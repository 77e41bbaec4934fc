"""What a sender is told: every answer is JSON, every fault is the sender's or temporary, and nothing is a 500."""

import asyncio
import bz2
import gzip
import io
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import polars as pl
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from tests.support.pipeline import SENSORS, Pipeline, lines
from tests.support.sensors import expected_records, reading
from windrow.admission import RequestLimits
from windrow.errors import Unavailable
from windrow.health import Health
from windrow.inflate import inflate
from windrow.metrics import PrometheusMetrics
from windrow_ingest.api import create_app
from windrow_reprocessor.triage import Filter

URL = "/v1/streams/sensors/records"
JSON = {"content-type": "application/json"}
NDJSON = {"content-type": "application/x-ndjson"}
ONE = b'{"ts":"2026-01-01T00:00:01Z","sensor":"a","temperature":21.0}'


class Ingest:
    """Ingest behind its HTTP face, and what it made durable."""

    def __init__(self, folder: Path) -> None:
        self.pipeline = Pipeline(folder)
        self.health = Health(self.pipeline.clock, 60)
        self.health.ready()
        handler = self.pipeline.ingest()
        handler.limits = RequestLimits(max_body_bytes=10_000, max_plain_bytes=20_000, max_record_bytes=2_000)
        app = create_app(handler, self.health, PrometheusMetrics())
        self.web = TestClient(app, raise_server_exceptions=False)

    def landed(self) -> list[bytes]:
        """The plain bytes of every landing object."""
        found = self.pipeline.store.list("landing/")
        return [inflate(self.pipeline.store.get(info.key).body, "zstd", 1 << 20) for info in found]


@pytest.fixture
def ingest(tmp_path: Path) -> Iterator[Ingest]:
    with (made := Ingest(tmp_path)).web:
        yield made


# ------------------------------------------------------------------------------------------------ good input


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        (JSON, ONE),
        (JSON, b" [" + ONE + b",\n" + ONE + b"] "),
        (NDJSON, ONE + b"\n" + ONE + b"\n"),
        ({"content-type": "application/jsonl"}, b"\r\n" + ONE + b"\r\n"),
        ({"content-type": "Application/JSON; charset=utf-8"}, ONE),
    ],
)
def test_records_in_every_form_are_acknowledged_once_they_stand_in_the_store(
    ingest: Ingest, headers: dict[str, str], body: bytes
) -> None:
    answer = ingest.web.post(URL, content=body, headers=headers)

    count = body.count(ONE)
    assert answer.status_code == 202
    assert answer.headers["content-type"] == "application/json"
    [key] = [info.key for info in ingest.pipeline.store.list("landing/")]
    assert answer.json() == {
        "accepted": count,
        "quarantined_count": 0,
        "quarantined": [],
        "landing_key": key,
        "repeated": False,
    }
    assert ingest.landed() == [(ONE + b"\n") * count]


@pytest.mark.parametrize(
    ("codec", "compress"),
    [("gzip", gzip.compress), ("zstd", zstandard.compress), (" GZip ", gzip.compress), ("identity", bytes)],
)
def test_compressed_bodies_are_taken(ingest: Ingest, codec: str, compress: Callable[[bytes], bytes]) -> None:
    headers = {**NDJSON, "content-encoding": codec}
    answer = ingest.web.post(URL, content=compress(ONE + b"\n"), headers=headers)

    assert (answer.status_code, answer.json()["accepted"]) == (202, 1)
    assert ingest.landed() == [ONE + b"\n"]


def test_a_body_that_comes_in_chunks_of_unknown_number_is_taken(ingest: Ingest) -> None:
    body = (ONE + b"\n") * 20
    answer = ingest.web.post(URL, content=(body[at : at + 7] for at in range(0, len(body), 7)), headers=NDJSON)

    assert (answer.status_code, answer.json()["accepted"]) == (202, 20)
    assert ingest.landed() == [body]


def test_what_is_acknowledged_reaches_the_tables(ingest: Ingest) -> None:
    ingest.web.post(URL, json=[reading(1), reading(2)])
    ingest.pipeline.settle()

    assert ingest.pipeline.record_rows() == expected_records([reading(1), reading(2)])


# ------------------------------------------------------------------------------------------------ partly bad input


def test_bad_lines_are_listed_with_their_place_and_the_rest_is_accepted(ingest: Ingest) -> None:
    body = ONE + b'\n\n{"sensor": "\xc3\xa9", oops}\n' + ONE + b"\n[1]\n"
    answer = ingest.web.post(URL, content=body, headers=NDJSON)

    told = answer.json()
    assert (answer.status_code, told["accepted"], told["quarantined_count"]) == (202, 2, 2)
    places = [(each["reason"], each["index"], each["line"], each["column"]) for each in told["quarantined"]]
    assert places == [("malformed_json", 1, 3, 17), ("not_an_object", 3, 5, 1)]
    assert all(each["message"] for each in told["quarantined"])


def test_elements_that_are_not_objects_are_listed_and_the_rest_is_accepted(ingest: Ingest) -> None:
    answer = ingest.web.post(URL, content=b"[1,\n" + ONE + b', "x"]', headers=JSON)

    told = answer.json()
    assert (answer.status_code, told["accepted"]) == (202, 1)
    places = [(each["reason"], each["index"], each["line"], each["value"]) for each in told["quarantined"]]
    assert places == [("not_an_object", 0, 1, "1"), ("not_an_object", 2, 2, '"x"')]


def test_what_was_listed_as_bad_is_what_ends_in_quarantine(ingest: Ingest) -> None:
    body = ONE + b'\n{"ts":"x\ry"}\n\v{}\n{"sensor":"\xff"}\n'
    told = ingest.web.post(URL, content=body, headers=NDJSON).json()
    ingest.pipeline.run_until_quiet()

    kept = [failed.record for failed in ingest.pipeline.triage.records(Filter())]
    assert [each.reject.index for each in kept] == [each["index"] for each in told["quarantined"]] == [1, 2, 3]
    assert [each.raw() for each in kept] == [b'{"ts":"x\ry"}', b"\v{}", b'{"sensor":"\xff"}']
    assert len(ingest.pipeline.record_rows()) == told["accepted"]


def test_a_long_list_of_bad_lines_is_counted_in_full_and_shown_in_part(ingest: Ingest) -> None:
    told = ingest.web.post(URL, content=ONE + b"\n?" * 150, headers=NDJSON).json()

    assert (told["quarantined_count"], len(told["quarantined"])) == (150, 100)


# ------------------------------------------------------------------------------------------------ bad input

MALFORMED = [
    (JSON, b'{"ts": 1,\n "\xc3\xa9": ?}', (0, 2, 7)),
    (JSON, b'[{"ts": 1},\n {"ts": }]', (None, 2, 9)),
    (JSON, b"[{", (None, 1, 3)),
    (JSON, b"", (None, 1, 1)),
    (JSON, b"[]", (None, 1, 1)),
    (JSON, b" \n ", (None, 1, 1)),
    (JSON, b"null", (0, 1, 1)),
    (JSON, b"[1, 2]", (0, 1, 2)),
    (NDJSON, b"", (None, 1, 1)),
    (NDJSON, b"\n\n", (None, 1, 1)),
    (NDJSON, b"\n?\n[1]\n", (0, 2, 1)),
]


@pytest.mark.parametrize(("headers", "body", "place"), MALFORMED)
def test_a_body_without_a_record_is_refused_with_reason_and_place(
    ingest: Ingest, headers: dict[str, str], body: bytes, place: tuple[int | None, int, int]
) -> None:
    answer = ingest.web.post(URL, content=body, headers=headers)

    told = answer.json()
    assert answer.status_code == 400
    assert told["reason"] in ("malformed_json", "not_an_object", "empty_body")
    assert (told.get("index"), told["line"], told["column"]) == place
    assert told["message"]
    assert told["rejects"][0]["reason"] == told["reason"]
    assert ingest.landed() == []


def test_every_line_of_a_body_without_a_record_is_listed(ingest: Ingest) -> None:
    told = ingest.web.post(URL, content=b"?\n1\n" * 80, headers=NDJSON).json()

    assert len(told["rejects"]) == 100
    assert [each["line"] for each in told["rejects"]] == list(range(1, 101))


@pytest.mark.parametrize("content_type", ["text/html", "application/xml", "multipart/form-data", "json", None])
def test_another_content_type_is_told_which_are_offered(ingest: Ingest, content_type: str | None) -> None:
    headers = {} if content_type is None else {"content-type": content_type}
    answer = ingest.web.post(URL, content=ONE, headers=headers)

    assert (answer.status_code, answer.json()["reason"]) == (415, "unsupported_media_type")
    assert "application/x-ndjson" in answer.json()["message"]


@pytest.mark.parametrize("codec", ["br", "deflate", "gzip, gzip", "x", ""])
def test_another_encoding_is_told_which_are_offered(ingest: Ingest, codec: str) -> None:
    answer = ingest.web.post(URL, content=ONE, headers={**JSON, "content-encoding": codec})

    assert (answer.status_code, answer.json()["reason"]) == (415, "unsupported_media_type")
    assert "identity, gzip, zstd or bzip2" in answer.json()["message"]


@pytest.mark.parametrize(("codec", "compress"), [("gzip", gzip.compress), ("zstd", zstandard.compress)])
def test_a_compressed_body_that_is_cut_off_wrong_or_goes_on_is_refused(
    ingest: Ingest, codec: str, compress: Callable[[bytes], bytes]
) -> None:
    whole = compress(ONE)
    for body in (whole[:-1], whole[: len(whole) // 2], b"", ONE, whole + b"more"):
        answer = ingest.web.post(URL, content=body, headers={**JSON, "content-encoding": codec})
        assert (answer.status_code, answer.json()["reason"]) == (400, "bad_request"), body
        assert codec in answer.json()["message"]
    assert ingest.landed() == []


def test_the_largest_body_is_taken_and_one_byte_more_is_not(ingest: Ingest) -> None:
    largest = ONE + b" " * (10_000 - len(ONE))

    assert ingest.web.post(URL, content=largest, headers=JSON).status_code == 202
    for body in (largest + b" ", iter([largest, b" "])):
        answer = ingest.web.post(URL, content=body, headers=JSON)
        assert (answer.status_code, answer.json()["reason"]) == (413, "too_large")
        assert "10000" in answer.json()["message"]


def test_a_body_or_a_record_that_inflates_past_its_limit_is_refused(ingest: Ingest) -> None:
    headers = {**JSON, "content-encoding": "gzip"}
    for plain, limit in ((ONE + b" " * 20_000, "20000"), (b'{"ts":"' + b"x" * 3_000 + b'"}', "2000")):
        answer = ingest.web.post(URL, content=gzip.compress(plain), headers=headers)
        assert (answer.status_code, answer.json()["reason"]) == (413, "too_large")
        assert limit in answer.json()["message"]


def test_more_bad_lines_than_anyone_would_mend_refuse_the_whole_request(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    app = create_app(pipeline.ingest(), Health(pipeline.clock, 60), PrometheusMetrics())
    answer = TestClient(app).post(URL, content=ONE + b"\n?" * 10_001, headers=NDJSON)

    assert (answer.status_code, answer.json()["reason"]) == (400, "malformed_json")
    assert list(pipeline.store.list("landing/")) == []


# ------------------------------------------------------------------------------------------------ stream names


def test_an_unknown_stream_is_told_which_there_are(ingest: Ingest) -> None:
    answer = ingest.web.post("/v1/streams/nothing/records", content=ONE, headers=JSON)

    assert (answer.status_code, answer.json()["reason"]) == (404, "unknown_stream")
    assert answer.json()["message"] == "there is no stream 'nothing' (streams: sensors)"


@pytest.mark.parametrize(
    "name",
    [
        "../config",
        "%2e%2e%2f",
        "%2e%2e",
        "..%2fsensors",
        "%2fetc%2fpasswd",
        "Sensors",
        "1st",
        "-",
        "sensors%00",
        "sensors%0a",
        "%F0%9F%8C%BE",
        "%ff",
        "m%C3%BChle",
        "",
        "%20",
        "a" * 64,
        "sensors%20",
        "*",
        "sensors'--",
    ],
)
def test_a_name_that_cannot_be_a_streams_is_refused_in_json(ingest: Ingest, name: str) -> None:
    answer = ingest.web.post(f"/v1/streams/{name}/records", content=ONE, headers=JSON)

    assert answer.status_code in (400, 404)
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["reason"] in ("bad_request", "not_found")
    assert answer.json()["message"]
    assert ingest.landed() == []


def test_the_longest_name_is_a_name(ingest: Ingest) -> None:
    answer = ingest.web.post(f"/v1/streams/{'a' * 63}/records", content=ONE, headers=JSON)

    assert answer.json()["reason"] == "unknown_stream"


# ------------------------------------------------------------------------------------------------ idempotency keys


def test_a_repeated_idempotency_key_is_recognised_and_adds_nothing(ingest: Ingest) -> None:
    headers = {**JSON, "idempotency-key": "order-7"}
    first, again = (ingest.web.post(URL, content=ONE, headers=headers) for _ in range(2))

    assert (first.status_code, again.status_code) == (202, 202)
    assert again.json() == {**first.json(), "repeated": True}
    assert len(ingest.landed()) == 1
    assert ingest.pipeline.metrics.total("records_accepted") == 1


def test_an_idempotency_key_that_stands_for_other_records_is_a_conflict(ingest: Ingest) -> None:
    headers = {**JSON, "idempotency-key": "order-7"}
    ingest.web.post(URL, content=ONE, headers=headers)
    answer = ingest.web.post(URL, content=ONE.replace(b"21", b"22"), headers=headers)

    assert (answer.status_code, answer.json()["reason"]) == (409, "idempotency_conflict")
    assert "Idempotency-Key" in answer.json()["message"]


def test_a_request_that_was_refused_leaves_its_idempotency_key_free(ingest: Ingest) -> None:
    headers = {**JSON, "idempotency-key": "order-8"}
    assert ingest.web.post(URL, content=b"oops", headers=headers).status_code == 400

    answer = ingest.web.post(URL, content=ONE, headers=headers)
    assert (answer.status_code, answer.json()["repeated"]) == (202, False)


def test_an_empty_idempotency_key_is_refused_for_everybody_would_share_it(ingest: Ingest) -> None:
    answer = ingest.web.post(URL, content=ONE, headers={**JSON, "idempotency-key": ""})

    assert (answer.status_code, answer.json()["reason"]) == (400, "bad_request")
    assert "Idempotency-Key is empty" in answer.json()["message"]


# ------------------------------------------------------------------------------------------------ routes and probes


@pytest.mark.parametrize(
    ("method", "path", "refusal", "allowed"),
    [
        ("GET", URL, (405, "method_not_allowed"), "POST"),
        ("DELETE", URL, (405, "method_not_allowed"), "POST"),
        ("PUT", "/healthz", (405, "method_not_allowed"), "GET"),
        ("GET", "/", (404, "not_found"), None),
        ("POST", "/v1/streams/sensors", (404, "not_found"), None),
        ("POST", "/v2/streams/sensors/records", (404, "not_found"), None),
    ],
)
def test_a_wrong_method_or_path_is_answered_in_json(
    ingest: Ingest, method: str, path: str, refusal: tuple[int, str], allowed: str | None
) -> None:
    answer = ingest.web.request(method, path)

    assert (answer.status_code, answer.json()["reason"]) == refusal
    assert answer.headers.get("allow") == allowed
    assert "/v1/streams/<stream>/records" in answer.json()["message"]


def test_probes_say_alive_and_ready_and_why_not(ingest: Ingest) -> None:
    assert ingest.web.get("/healthz").json() == {"ok": True, "why": "ok"}
    assert ingest.web.get("/readyz").json() == {"ok": True, "why": "ok"}

    ingest.health.unready("stopping")
    answer = ingest.web.get("/readyz")
    assert (answer.status_code, answer.json()) == (503, {"ok": False, "why": "stopping"})
    assert ingest.web.get("/healthz").status_code == 200


def test_an_answered_probe_is_the_progress_of_a_server_without_requests(ingest: Ingest) -> None:
    ingest.pipeline.clock.advance(3_600)

    assert ingest.web.get("/healthz").status_code == 200


def test_metrics_count_answers_by_stream_and_status(ingest: Ingest) -> None:
    ingest.web.post(URL, content=ONE, headers=JSON)
    ingest.web.post(URL, content=b"oops", headers=JSON)
    answer = ingest.web.get("/metrics")

    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert 'windrow_requests_answered_total{status="202",stream="sensors"} 1.0' in answer.text
    assert 'windrow_requests_answered_total{status="400",stream="sensors"} 1.0' in answer.text


def test_names_that_anybody_can_make_up_are_no_labels(ingest: Ingest) -> None:
    def down(operation: str, key: str) -> None:
        raise Unavailable(f"{operation} {key}: connection refused")

    for number, headers in enumerate((JSON, {}, {**JSON, "content-encoding": "br"})):
        ingest.web.post(f"/v1/streams/made-up-{number}/records", content=ONE, headers=headers)
    ingest.pipeline.store.fault = down
    assert ingest.web.post("/v1/streams/made-up-3/records", content=ONE, headers=JSON).status_code == 503

    text = ingest.web.get("/metrics").text
    assert "made-up" not in text
    assert 'windrow_requests_answered_total{status="415",stream="-"} 2.0' in text


def test_a_fault_of_ours_is_answered_with_try_again_and_keeps_nothing(ingest: Ingest) -> None:
    def broken(operation: str, key: str) -> None:
        if operation == "put_if_absent" and key.startswith("landing/"):
            raise ZeroDivisionError("a bug")

    ingest.pipeline.store.fault = broken
    answer = ingest.web.post(URL, content=ONE, headers=JSON)

    assert (answer.status_code, answer.json()["reason"]) == (503, "unavailable")
    assert int(answer.headers["retry-after"]) >= 1
    assert "bug" not in answer.text
    assert ingest.landed() == []


# ------------------------------------------------------------------------------------------------ anything at all

pieces = [ONE, b"{}", b"{", b"}", b"[", b"]", b",", b'"', b"\n", b"\r", b"null", b"1e999", b"\xff", b"\x00", b"\v"]
fragments = st.lists(st.sampled_from(pieces), max_size=8).map(b"".join)
bodies = fragments | st.binary(max_size=60)


@pytest.fixture(scope="module")
def shared_web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    with Ingest(tmp_path_factory.mktemp("any")).web as web:
        yield web


@settings(max_examples=250)
@given(
    body=bodies,
    content_type=st.sampled_from(["application/json", "application/x-ndjson", "text/csv", "", "\xff"]),
    codec=st.sampled_from([None, "identity", "gzip", "zstd", "br"]),
    is_compressed=st.booleans(),
    key=st.sampled_from([None, "k", "\xe9" * 3]),
)
def test_no_input_is_answered_with_a_server_error(
    shared_web: TestClient, *, body: bytes, content_type: str, codec: str | None, is_compressed: bool, key: str | None
) -> None:
    if is_compressed:
        body = {"gzip": gzip.compress, "zstd": zstandard.compress}.get(codec or "", bytes)(body)
    given_headers = {"content-type": content_type, "content-encoding": codec, "idempotency-key": key}
    headers = {name: value.encode("latin-1") for name, value in given_headers.items() if value is not None}
    answer = shared_web.post(URL, content=body, headers=headers)

    assert answer.status_code in (202, 400, 409, 413, 415)
    told = msgspec.json.decode(answer.content)
    if answer.status_code == 202:
        assert told["accepted"] >= 1
        assert told["quarantined_count"] == len(told["quarantined"])
    else:
        assert told["reason"]
        assert told["message"]


@given(path=st.text(max_size=20).map(lambda text: text.encode("utf-8", "replace")) | st.binary(max_size=20))
def test_no_stream_name_is_answered_with_a_server_error(shared_web: TestClient, path: bytes) -> None:
    name = "".join(f"%{byte:02x}" for byte in path)
    answer = shared_web.post(f"/v1/streams/{name}/records", content=ONE, headers=JSON)

    assert answer.status_code in (202, 400, 404)
    assert answer.headers["content-type"] == "application/json"


@pytest.mark.parametrize("told", ["²", "-1", "many", "1e3", ""])
def test_a_content_length_that_is_no_number_is_not_our_undoing(ingest: Ingest, told: str) -> None:
    """Clients and servers put this header right; what stands between them may not."""
    headers = {**JSON, "content-length": told}
    scope = {
        "type": "http",
        "method": "POST",
        "path": URL,
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in headers.items()],
        "query_string": b"",
    }
    answered: list[dict[str, object]] = []

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": ONE}

    async def send(message: dict[str, object]) -> None:
        answered.append(message)

    asyncio.run(ingest.web.app(scope, receive, send))  # type: ignore[arg-type]
    assert answered[0]["status"] == 202


def test_requests_at_the_same_time_are_each_told_their_own_count(ingest: Ingest) -> None:
    answers = ingest.pipeline.post_many([lines([reading(1)]), lines([reading(2), reading(3)]) + b"?\n"])

    assert [(answer.accepted, len(answer.quarantined)) for answer in answers] == [(1, 0), (2, 1)]


# ------------------------------------------------------------------------------------------------ every format

STRICT = SENSORS.replace("bucket: 1h", "bucket: 1h\non_error: reject").replace("stream: sensors", "stream: strict")
QUAKES = """
stream: quakes
time: {column: at, formats: [epoch_ms]}
keys: [place]
columns:
  at: {type: timestamp, source: properties.time}
  place: {type: string, source: properties.place}
  depth: {type: float, source: "geometry.coordinates[2]", required: true}
"""
ROWS = pl.DataFrame(
    {
        "ts": ["2026-01-01T00:00:01Z", "2026-01-01T00:00:02Z", "yesterday"],
        "sensor": ["a", "b", "c"],
        "temperature": [1.5, 2.5, 3.5],
    }
)


def _written(frame: pl.DataFrame, kind: str) -> bytes:
    buffer = io.BytesIO()
    match kind:
        case "text/csv":
            frame.write_csv(buffer)
        case "text/tab-separated-values":
            frame.write_csv(buffer, separator="\t")
        case "application/vnd.apache.parquet":
            frame.write_parquet(buffer)
        case "application/vnd.apache.arrow.file":
            frame.write_ipc(buffer)
        case "application/vnd.apache.arrow.stream":
            frame.write_ipc_stream(buffer)
        case "application/json":
            buffer.write(msgspec.json.encode(frame.to_dicts()))
        case "application/x-ndjson":
            buffer.write(lines(frame.to_dicts()))
    return buffer.getvalue()


def _feature(at_ms: object, place: str, depth: object) -> dict[str, object]:
    return {
        "type": "Feature",
        "properties": {"time": at_ms, "place": place},
        "geometry": {"type": "Point", "coordinates": [1, 2, depth]},
    }


TABLES = [
    "text/csv",
    "text/tab-separated-values",
    "application/vnd.apache.parquet",
    "application/vnd.apache.arrow.file",
    "application/vnd.apache.arrow.stream",
]


@pytest.mark.parametrize("codec", ["identity", "gzip", "zstd", "bzip2"])
@pytest.mark.parametrize("kind", TABLES)
def test_a_table_lands_as_it_is_and_its_bad_rows_are_told_at_once(ingest: Ingest, kind: str, codec: str) -> None:
    compress = {"gzip": gzip.compress, "zstd": zstandard.compress, "bzip2": bz2.compress}.get(codec, bytes)
    body = compress(_written(ROWS, kind))
    answer = ingest.web.post(URL, content=body, headers={"content-type": kind, "content-encoding": codec})

    told = answer.json()
    assert (answer.status_code, told["accepted"], told["quarantined_count"]) == (202, 2, 1), told
    [reject] = told["quarantined"]
    assert (reject["reason"], reject["index"], reject["field"], reject["value"]) == ("bad_time", 2, "ts", "yesterday")
    [info] = ingest.pipeline.store.list("landing/")
    assert info.key == told["landing_key"]
    assert ingest.pipeline.store.get(info.key).body == body

    ingest.pipeline.settle()
    assert ingest.pipeline.record_rows() == [("a", "2026-01-01T00:00:01Z", 1.5), ("b", "2026-01-01T00:00:02Z", 2.5)]
    assert [each.record.reject.message for each in ingest.pipeline.triage.records(Filter())] == [reject["message"]]


def test_features_of_a_map_become_records(ingest: Ingest) -> None:
    ingest.pipeline.publish(QUAKES)
    features = [_feature(1_767_225_600_000, "here", 10), _feature(1_767_225_601_000, "there", "deep")]
    body = msgspec.json.encode({"type": "FeatureCollection", "features": features})
    for content_type in ("application/geo+json", "application/x-ndjson"):
        answer = ingest.web.post("/v1/streams/quakes/records", content=body, headers={"content-type": content_type})
        assert answer.status_code == 202
    told = ingest.web.post("/v1/streams/quakes/records", content=body, headers={"content-type": "application/geo+json"})
    assert (told.json()["accepted"], told.json()["quarantined"][0]["field"]) == (1, "geometry.coordinates[2]")

    ingest.pipeline.settle()
    assert ingest.pipeline.records("quakes").select("place", "depth").rows() == [("here", 10.0)] * 3


@pytest.mark.parametrize("kind", [*TABLES, "application/json", "application/x-ndjson"])
def test_a_stream_that_takes_no_bad_records_refuses_the_request_whole_and_lists_every_one(
    ingest: Ingest, kind: str
) -> None:
    ingest.pipeline.publish(STRICT)
    url = "/v1/streams/strict/records"
    bad = pl.concat([ROWS, ROWS.with_columns(ts=pl.lit("tomorrow"))])
    answer = ingest.web.post(url, content=_written(bad, kind), headers={"content-type": kind})

    told = answer.json()
    assert (answer.status_code, told["reason"]) == (422, "records_refused")
    assert told["message"].startswith("4 of 6 records are bad, and this stream refuses such requests whole")
    assert [each["index"] for each in told["rejects"]] == [2, 3, 4, 5]
    assert {each["reason"] for each in told["rejects"]} == {"bad_time"}
    assert (told["index"], told.get("line")) == (2, told["rejects"][0].get("line"))
    assert list(ingest.pipeline.store.list("landing/")) == []

    good = ingest.web.post(url, content=_written(ROWS.head(2), kind), headers={"content-type": kind})
    assert (good.status_code, good.json()["accepted"]) == (202, 2)


@pytest.mark.parametrize("kind", TABLES)
def test_a_body_that_is_not_what_it_is_called_is_refused(ingest: Ingest, kind: str) -> None:
    for body in (b"", b"\x00\xff\x00", b"sensor\n", ONE):
        answer = ingest.web.post(URL, content=body, headers={"content-type": kind})
        assert answer.status_code == 400, body
        assert answer.json()["message"]
    assert ingest.landed() == []


def test_a_table_with_an_idempotency_key_lands_once(ingest: Ingest) -> None:
    headers = {"content-type": "text/csv", "idempotency-key": "march"}
    answers = [ingest.web.post(URL, content=_written(ROWS, "text/csv"), headers=headers).json() for _ in range(2)]
    other = ingest.web.post(URL, content=_written(ROWS.head(1), "text/csv"), headers=headers)

    assert [each["repeated"] for each in answers] == [False, True]
    assert answers[0]["landing_key"] == answers[1]["landing_key"]
    assert other.status_code == 409
