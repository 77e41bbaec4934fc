"""What a request costs and counts, whichever way it ends."""

import asyncio
import gzip
from pathlib import Path

import pytest

from tests.support.pipeline import Pipeline, lines
from tests.support.sensors import reading
from windrow.admission import Acknowledgement
from windrow.errors import BadInput, NotFound, TooLarge, Unavailable
from windrow.framing import Malformed
from windrow_ingest.budget import Budget

NDJSON = "application/x-ndjson"


def accept(pipeline: Pipeline, body: bytes, codec: str = "identity", key: str | None = None) -> Acknowledgement:
    async def run() -> Acknowledgement:
        handler = pipeline.ingest()
        with handler.budget.lease() as lease:
            spec = await handler.spec_of("sensors")
            return (await handler.accept(spec, body, NDJSON, codec, idempotency_key=key, lease=lease)).body

    return asyncio.run(run())


def test_well_formed_records_are_counted_and_the_others_are_listed(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    accepted = accept(pipeline, lines([reading(1), reading(2)]) + b"oops\n")

    assert (accepted.accepted, [reject.index for reject in accepted.quarantined]) == (2, [2])
    assert pipeline.metrics.total("records_accepted") == 2
    assert pipeline.store.head(accepted.landing_key).metadata["records"] == "3"  # the bad one is durable too


def test_a_repeated_request_is_not_counted_again(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    for _ in range(3):
        accept(pipeline, lines([reading(1)]), key="same")

    assert pipeline.metrics.total("records_accepted") == 1


@pytest.mark.parametrize(
    ("body", "codec", "error"),
    [
        (b"oops\n", "identity", Malformed),
        (b"not gzip", "gzip", BadInput),
        (gzip.compress(b" " * (65 << 20)), "gzip", TooLarge),
    ],
)
def test_a_refused_request_lands_nothing_and_holds_nothing(
    tmp_path: Path, body: bytes, codec: str, error: type[Exception]
) -> None:
    pipeline = Pipeline(tmp_path)
    with pytest.raises(error):
        accept(pipeline, body, codec)

    assert list(pipeline.store.list("landing/")) == []
    assert pipeline.metrics.total("records_accepted") == 0
    assert pipeline.metrics.gauges.get(("pending_bytes", ()), 0) == 0


def test_what_a_small_body_inflates_to_counts_as_held(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    pipeline.budget = Budget(10_000, pipeline.metrics)
    body = gzip.compress(lines([reading(second) for second in range(500)]))
    assert len(body) < 10_000

    with pytest.raises(Unavailable, match="waiting to become durable"):
        accept(pipeline, body, "gzip")
    assert pipeline.metrics.gauges["pending_bytes", ()] == 0


def test_a_stream_is_known_as_soon_as_it_has_a_spec(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)

    asyncio.run(pipeline.ingest().spec_of("sensors"))
    with pytest.raises(NotFound, match=r"there is no stream 'other' \(streams: sensors\)"):
        asyncio.run(pipeline.ingest().spec_of("other"))
    with pytest.raises(BadInput, match="is not a stream name"):
        asyncio.run(pipeline.ingest().spec_of("../sensors"))
