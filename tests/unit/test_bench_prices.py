"""The price model of `make bench`: pure arithmetic from counts to dollars."""

import pytest

from tests.bench.counted_emulator import request_name
from tests.bench.prices import (
    MONTH_S,
    Assumptions,
    Flow,
    objects_per_s,
    requests_per_s,
    storage_usd_per_month,
    usd_per_month,
)

_ASSUMED = Assumptions(linger_s=0.1, max_object_bytes=1_000_000, stream_mb_per_s=10.0)
_FLOW = Flow({"PUT landing": 20, "PUT lake log": 30, "GET segments": 60, "SendMessageBatch sqs": 40}, 20, 10.0)


@pytest.mark.parametrize(
    ("mb_per_s", "objects"),
    [(1.0, 10.0), (10.0, 10.0), (10.1, 20.0), (100.0, 100.0)],
)
def test_objects_land_by_time_and_more_bytes_need_more_streams(mb_per_s: float, objects: float) -> None:
    assert objects_per_s(mb_per_s, _ASSUMED) == objects


def test_full_objects_land_without_waiting() -> None:
    small = Assumptions(linger_s=1.0, max_object_bytes=1_000_000, stream_mb_per_s=10.0)
    assert objects_per_s(8.0, small) == 8.0


def test_what_is_done_per_object_grows_with_objects_and_the_rest_with_time() -> None:
    found = requests_per_s(_FLOW, 1.0, _ASSUMED)
    assert found == {"PUT": 10.0 + 3.0, "LIST": 0, "GET": 30.0, "HEAD": 0, "DELETE": 0, "sqs": 20.0 + 10.0}
    assert requests_per_s(_FLOW, 100.0, _ASSUMED) == {name: 10 * rate for name, rate in found.items()}


def test_a_month_of_requests_costs_what_the_price_list_says() -> None:
    assert usd_per_month({"PUT": 1.0, "sqs": 1_000_000 / MONTH_S}) == pytest.approx(
        {"PUT": 730 * 3.6 * 0.005, "sqs": 0.40}
    )


def test_storage_is_a_month_of_what_is_kept_of_each_byte() -> None:
    assert storage_usd_per_month(1.0, 0.5) == pytest.approx(2_628 * 0.5 * 0.023)


@pytest.mark.parametrize(
    ("method", "path", "query", "target", "name"),
    [
        ("PUT", "/b-raw/landing/s/x.ndjson", "", "", "PUT landing"),
        ("GET", "/b-staged", "list-type=2&prefix=segments%2Fs%2F", "", "LIST segments"),
        ("GET", "/b-lake/", "list-type=2&prefix=lake/s/records/_delta_log/", "", "LIST lake log"),
        ("GET", "/b-lake/lake/s/records/_delta_log/0.json", "", "", "GET lake log"),
        ("PUT", "/b-lake/lake/s/records/event_date=x/part.parquet", "", "", "PUT lake data"),
        ("POST", "/b-lake/lake/s/records/part.parquet", "uploads=", "", "PUT lake data"),
        ("HEAD", "/b-raw/landing/s/x", "", "", "HEAD landing"),
        ("POST", "/", "", "AmazonSQS.ReceiveMessage", "ReceiveMessage sqs"),
    ],
)
def test_requests_are_named_as_they_are_charged(method: str, path: str, query: str, target: str, name: str) -> None:
    assert request_name(method, path, query, target) == name
