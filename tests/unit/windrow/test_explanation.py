"""What an explanation says is what the services would do: the same records, rejects, windows and answer."""

import gzip
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import polars as pl
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from tests.support.pipeline import SENSORS, Pipeline, parsed
from windrow.admission import RequestLimits
from windrow.explanation import Payload, explain, plain
from windrow.health import Health
from windrow.metrics import PrometheusMetrics
from windrow.spec import StreamSpec
from windrow_ingest.api import create_app
from windrow_reprocessor.triage import Filter

LIMITS = RequestLimits(max_body_bytes=20_000, max_plain_bytes=40_000, max_record_bytes=2_000)
RECEIVED_US = 1_767_225_600_000_000 + 30 * 60 * 1_000_000
STRICT = SENSORS + "on_error: reject\n"
NESTED = SENSORS + "format: {json: {records: items}}\n"
GOOD = b'{"ts":"2026-01-01T00:00:01Z","sensor":"a","temperature":21.0}'
BAD = b'{"ts":"2026-01-01T00:00:61Z","sensor":"a","temperature":21.0}'
CSV = b"ts,sensor,temperature\n2026-01-01T00:00:01Z,a,1\n2026-01-01T00:00:02Z,b,warm\n"
CONTENT_TYPES = {
    "json": "application/json",
    "ndjson": "application/x-ndjson",
    "csv": "text/csv",
    "tsv": "text/tab-separated-values",
    "parquet": "application/vnd.apache.parquet",
}
CODECS = {"": "identity", ".gz": "gzip", ".zst": "zstd"}


def _parquet(**columns: list[object]) -> bytes:
    buffer = io.BytesIO()
    pl.DataFrame(columns).write_parquet(buffer)
    return buffer.getvalue()


def _explained(payload: Payload, spec: StreamSpec) -> dict[str, Any]:
    """The explanation as a program reads it."""
    document: dict[str, Any] = msgspec.json.decode(
        msgspec.json.encode(plain(explain(payload, spec, RECEIVED_US, LIMITS)))
    )
    return document


class Told:
    """What ingest answers and the pipeline makes of the same bytes."""

    def __init__(self, folder: Path, spec: str) -> None:
        self.pipeline = Pipeline(folder, RECEIVED_US - 1_000_000)  # publishing takes the second that lacks
        self.pipeline.publish(spec)
        self.pipeline.clock.advance((RECEIVED_US - self.pipeline.clock.now_us()) / 1_000_000)
        handler = self.pipeline.ingest()
        handler.limits = LIMITS
        health = Health(self.pipeline.clock, 60)
        self.web = TestClient(create_app(handler, health, PrometheusMetrics()), raise_server_exceptions=False)

    def post(self, name: str, body: bytes) -> tuple[int, dict[str, str], dict[str, Any]]:
        kind, _, codec = name.partition(".")[2].partition(".")
        headers = {
            "content-type": CONTENT_TYPES.get(kind, ""),
            "content-encoding": CODECS[f".{codec}" if codec else ""],
        }
        answer = self.web.post("/v1/streams/sensors/records", content=body, headers=headers)
        kept = {name: answer.headers[name] for name in ("content-type", "retry-after") if name in answer.headers}
        return answer.status_code, kept, answer.json()


PAYLOADS = {
    "one.json": GOOD,
    "bad.json": BAD,
    "not.json": b"oops",
    "cut.json": b'[{"ts": 1},\n {"ts": }]',
    "list.json": b"[" + GOOD + b",\n1, " + BAD + b"]",
    "empty.json": b"",
    "nothing.json": b"[]",
    "bom.json": b"\xef\xbb\xbf" + GOOD,
    "nested.json": b'{"items": [' + GOOD + b",\n" + BAD + b"]}",
    "features.json": b'{"type": "FeatureCollection", "features": [' + GOOD + b"]}",
    "lines.ndjson": GOOD + b"\n\n" + BAD + b"\n?\n",
    "bad.ndjson": b"?\n[1]\n",
    "long.ndjson": b'{"ts":"' + b"x" * 3_000 + b'"}\n',
    "many.ndjson": (GOOD + b"\n") * 400,
    "lines.ndjson.gz": gzip.compress(GOOD + b"\n" + BAD),
    "cut.ndjson.gz": gzip.compress(GOOD)[:-4],
    "inflated.ndjson.zst": zstandard.compress(b" " * 50_000),
    "table.csv": CSV,
    "table.csv.gz": gzip.compress(CSV),
    "bad.csv": b"ts,sensor,temperature\n?,a,1\n",
    "other.csv": b"a;b\n1;2\n",
    "ragged.csv": CSV + b"1\n" + b'"\n',
    "head.csv": b"ts,sensor,temperature\n",
    "none.csv": b"",
    "large.csv": CSV + b"x" * 20_000,
    "table.tsv": CSV.replace(b",", b"\t"),
    "table.parquet": _parquet(ts=["2026-01-01T00:00:01Z", "?"], sensor=["a", "b"], temperature=[1, 2]),
    "not.parquet": b"PAR1",
    "what.xlsx": b"PK",
}


@pytest.fixture(scope="module", params=[SENSORS, STRICT, NESTED], ids=["quarantine", "reject", "nested"])
def told(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Told, str]]:
    made = Told(tmp_path_factory.mktemp("told"), request.param)
    with made.web:
        yield made, request.param


@pytest.mark.parametrize("name", PAYLOADS)
def test_the_answer_is_the_one_that_ingest_gives(told: tuple[Told, str], name: str) -> None:
    ingest, spec = told
    found = _explained(Payload(name, PAYLOADS[name]), parsed(spec))["response"]
    status, headers, body = ingest.post(name, PAYLOADS[name])

    assert (found["status"], found["headers"]) == (status, headers)
    assert _without_key(found["body"]) == _without_key(body)
    assert found["body"].keys() == body.keys()


def _without_key(body: dict[str, Any]) -> dict[str, Any]:
    """An answer without the key under which its records landed: that is only known once they have."""
    return {name: value for name, value in body.items() if name != "landing_key"}


_PARTS = st.sampled_from(
    [GOOD, BAD, b"{}", b"{", b"}", b"[", b"]", b",", b"\n", b"null", b"\xff", b'"', b"\r", b"ts", b"1"]
)


@settings(max_examples=150, deadline=None)
@given(parts=st.lists(_PARTS, max_size=6), kind=st.sampled_from(["a.json", "a.ndjson", "a.csv", "a.tsv", "a.parquet"]))
def test_the_answer_to_anything_is_the_one_that_ingest_gives(
    told: tuple[Told, str], parts: list[bytes], kind: str
) -> None:
    ingest, spec = told
    body = b"".join(parts)
    found = _explained(Payload(kind, body), parsed(spec))
    status, _, answered = ingest.post(kind, body)

    assert (found["response"]["status"], _without_key(found["response"]["body"])) == (status, _without_key(answered))


# ------------------------------------------------------------------------------------------------ what is explained


def test_an_explanation_has_exactly_these_parts() -> None:
    payload = Payload(
        "a.csv", b"ts,sensor,temperature,extra\n2026-01-01T00:00:01Z,a,1,7\n2026-01-01T00:00:02Z,b,warm,\n"
    )
    found = _explained(payload, parsed())

    assert list(found) == ["records", "rejects", "windows", "filtered", "unknown_fields", "response"]
    assert found["records"] == [
        {
            "ts": "2026-01-01T00:00:01Z",
            "sensor": "a",
            "temperature": 1.0,
            "humidity": None,
            "_ordinal": 0,
            "event_date": "2026-01-01",
            "_bucket": "2026-01-01T00:00:00Z",
            "_shard": 0,
        }
    ]
    assert found["rejects"] == [
        {
            "index": 1,
            "line": 3,
            "reason": "wrong_type",
            "message": "column 'temperature' is not a float: 'warm'",
            "field": "temperature",
            "value": "warm",
        }
    ]
    assert found["windows"] == [
        {
            "table": "windows_every_minute",
            "sensor": "a",
            "window_start": "2026-01-01T00:00:00Z",
            "window_end": "2026-01-01T00:01:00Z",
            "row_count": 1,
            "event_date": "2026-01-01",
        }
    ]
    assert (found["filtered"], found["unknown_fields"]) == (0, {"extra": 1})
    assert list(found["response"]) == ["status", "headers", "body"]


def test_a_reject_has_its_place_in_the_text_where_there_is_one() -> None:
    found = _explained(Payload("a.ndjson", GOOD + b'\n{"ts": "x" "y"}\n'), parsed())

    [reject] = found["rejects"]
    assert (reject["index"], reject["line"], reject["column"], reject["reason"]) == (1, 2, 12, "malformed_json")


def test_a_record_that_is_there_twice_is_a_row_twice_and_counts_once() -> None:
    found = _explained(Payload("a.ndjson", (GOOD + b"\n") * 2), parsed())

    assert len(found["records"]) == 2
    assert [window["row_count"] for window in found["windows"]] == [1]


def test_what_a_filter_leaves_out_is_counted() -> None:
    spec = parsed(SENSORS + "filter: temperature > 21\n")
    found = _explained(Payload("a.ndjson", GOOD + b"\n" + GOOD.replace(b"21.0", b"22")), spec)

    assert (len(found["records"]), found["filtered"], found["rejects"]) == (1, 1, [])


def test_the_time_of_receipt_decides_what_lies_too_far_ahead() -> None:
    payload = Payload("a.json", GOOD)
    late, early = (explain(payload, parsed(), us, LIMITS) for us in (RECEIVED_US, RECEIVED_US - 86_400_000_000))

    assert late.rejects == ()
    assert [reject.reason for reject in early.rejects] == ["time_in_future"]


@pytest.mark.parametrize(
    "name", ["lines.ndjson", "table.csv", "ragged.csv", "list.json", "table.parquet", "table.csv.gz"]
)
def test_what_is_explained_is_what_comes_of_an_upload(tmp_path: Path, name: str) -> None:
    found = explain(Payload(name, PAYLOADS[name]), parsed(), RECEIVED_US, LIMITS)
    pipeline = Pipeline(tmp_path, RECEIVED_US - 2_000_000)
    pipeline.clock.advance(1)
    pipeline.upload(name, PAYLOADS[name], content_type="binary/octet-stream")
    pipeline.settle()

    assert (
        pipeline.records().rows()
        == found.records.select(pipeline.records().columns)
        .sort("ts")
        .unique(["sensor", "ts"], keep="last", maintain_order=True)
        .rows()
    )
    kept = [each.record.reject for each in pipeline.triage.records(Filter())]
    assert sorted(kept, key=lambda reject: reject.index or 0) == list(found.rejects)
    windows = found.windows.select("sensor", "window_start", "row_count").rows()
    assert pipeline.windows().select("sensor", "window_start", "row_count").rows() == windows


@given(body=st.binary(max_size=60), name=st.sampled_from([*PAYLOADS, "a.zip", "a.geojson", "a.arrow", "a", ""]))
@settings(max_examples=100, deadline=None)
def test_no_payload_is_too_much_to_be_explained(body: bytes, name: str) -> None:
    found = explain(Payload(name, body), parsed(), RECEIVED_US, LIMITS)

    assert found.records.height + len(found.rejects) + found.filtered > 0 or found.record_count == 0
    assert msgspec.json.encode(plain(found))
