"""Law 10. Memory, sizes, nesting and retries have limits; overload is 503 with Retry-After, never loss, never a 500."""

import gzip
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard
from starlette.testclient import TestClient

from tests.support.pipeline import MIB, Pipeline
from tests.support.sensors import expected_records, reading
from windrow.errors import Unavailable
from windrow.health import Health
from windrow.metrics import PrometheusMetrics
from windrow_ingest.api import create_app
from windrow_ingest.budget import Budget

URL = "/v1/streams/sensors/records"
JSON = {"content-type": "application/json"}


def client(pipeline: Pipeline) -> TestClient:
    app = create_app(pipeline.ingest(), Health(pipeline.clock, 60), PrometheusMetrics())
    return TestClient(app, raise_server_exceptions=False)


@pytest.mark.parametrize("compress", [gzip.compress, zstandard.compress])
def test_a_bomb_is_refused_without_being_inflated(tmp_path: Path, compress: Callable[[bytes], bytes]) -> None:
    pipeline = Pipeline(tmp_path)
    codec = "gzip" if compress is gzip.compress else "zstd"
    bomb = compress(b" " * (100 * MIB))
    answer = client(pipeline).post(URL, content=bomb, headers={**JSON, "content-encoding": codec})

    assert (answer.status_code, answer.json()["reason"]) == (413, "too_large")


def test_a_body_over_the_limit_is_refused(tmp_path: Path) -> None:
    answer = client(Pipeline(tmp_path)).post(URL, content=b" " * (17 * MIB), headers=JSON)

    assert (answer.status_code, answer.json()["reason"]) == (413, "too_large")


def test_a_record_over_the_limit_is_refused(tmp_path: Path) -> None:
    body = b'{"ts":"' + b"x" * (2 * MIB) + b'"}'
    answer = client(Pipeline(tmp_path)).post(URL, content=body, headers=JSON)

    assert (answer.status_code, answer.json()["reason"]) == (413, "too_large")


@pytest.mark.parametrize("body", [b"[" * 100_000, b'{"a":' * 100_000, b'[{"a":' + b"[" * 100_000])
def test_nesting_without_end_is_refused(tmp_path: Path, body: bytes) -> None:
    answer = client(Pipeline(tmp_path)).post(URL, content=body, headers=JSON)

    assert (answer.status_code, answer.json()["reason"]) == (400, "malformed_json")


def test_overload_is_answered_with_503_and_retry_after_and_nothing_is_kept_half(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    pipeline.budget = Budget(100, pipeline.metrics)
    answer = client(pipeline).post(URL, json=[reading(second) for second in range(20)])

    assert (answer.status_code, answer.json()["reason"]) == (503, "unavailable")
    assert int(answer.headers["retry-after"]) >= 1
    assert list(pipeline.store.list("landing/")) == []


def test_a_store_that_is_down_is_answered_with_503_and_retry_after(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)

    def down(operation: str, key: str) -> None:
        if key.startswith("landing/"):
            raise Unavailable("connection refused")

    pipeline.store.fault = down
    answer = client(pipeline).post(URL, json=reading(1))

    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")


def test_what_a_request_borrowed_is_given_back_however_it_ends(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    web = client(pipeline)
    for body in (b'{"a":', b"{}", b'[{"ts":1}]'):
        web.post(URL, content=body, headers=JSON)

    assert pipeline.metrics.gauges["pending_bytes", ()] == 0


def test_a_message_that_keeps_failing_ends_as_a_dead_letter_after_a_set_number_of_attempts(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    good = [reading(second) for second in range(30)]
    for record in good:
        pipeline.post([record])
    poisoned = pipeline.post([reading(100)]).landing_key

    def poison(operation: str, key: str) -> None:
        if operation == "read" and key == poisoned:
            raise Unavailable("this one never answers")

    pipeline.store.fault = poison
    for _ in range(12):
        pipeline.run_until_quiet()
        pipeline.clock.advance(130)
    pipeline.keep_dead_letters()

    assert pipeline.record_rows() == expected_records(good)
    from windrow_reprocessor.triage import Filter

    [letter] = pipeline.triage.messages(Filter())
    assert "gave up after 6 attempts" in letter.letter.reason
    assert poisoned in letter.letter.body
