"""Files of every kind through the stack, posted to ingest or laid into the landing zone: all is accounted for."""

from pathlib import Path

import httpx2
import pytest

from tests.e2e.stack import ROOT, Stack
from tests.real.recorded import DATA, needs, spec_text
from tests.support.waiting import eventually
from windrow import catalog, keys
from windrow.conservation import Balance, balance
from windrow.errors import Transient
from windrow.ports import ObjectHeaders

EXAMPLES = ROOT / "examples"
QUIET_WITHIN_S = 120.0


def settled(stack: Stack, stream: str) -> Balance:
    """The figures of a stream, once nothing of it is on its way."""
    figures = Balance(stream)

    def is_quiet() -> bool:
        nonlocal figures
        try:
            figures = balance(stack.store(), stack.lake(), stream)
        except Transient:
            return False
        return figures.received > 0 and not figures.in_flight and not figures.uncounted_objects

    eventually(is_quiet, QUIET_WITHIN_S, f"{stream} to come to rest", every_s=0.5)
    return figures


def post(stack: Stack, stream: str, body: bytes, content_type: str) -> httpx2.Response:
    url = f"{stack.url('ingest')}/v1/streams/{stream}/records"
    return httpx2.post(url, content=body, headers={"content-type": content_type}, timeout=30)


@pytest.mark.parametrize(
    ("stream", "file", "content_type", "written", "quarantined", "filtered"),
    [
        ("counters", "uploads/april.csv", "text/csv", 4, 2, 0),
        ("weather", "weather/answer.json", "application/json", 3, 1, 0),
        ("carts", "shop/carts.json", "application/json", 3, 1, 1),
        ("products", "shop/products.json", "application/json", 3, 2, 0),
    ],
)
def test_an_examples_file_is_acknowledged_and_every_record_of_it_accounted_for(
    stack: Stack, stream: str, file: str, content_type: str, written: int, quarantined: int, filtered: int
) -> None:
    answer = post(stack, stream, (EXAMPLES / file).read_bytes(), content_type)
    assert answer.status_code == 202, answer.text

    figures = settled(stack, stream)
    assert (figures.written, figures.quarantined, figures.filtered) == (written, quarantined, filtered)
    assert figures.unexplained == 0


@pytest.mark.parametrize(
    ("name", "file", "records"),
    [
        pytest.param("montreal_bikes", "montreal_bikes/bikes.csv", 310, marks=needs("montreal_bikes")),
        pytest.param("usgs_earthquakes", "usgs_earthquakes/earthquakes.json", 1_707, marks=needs("usgs_earthquakes")),
    ],
)
def test_a_recorded_file_in_the_landing_zone_is_accounted_for(stack: Stack, name: str, file: str, records: int) -> None:
    stream, _, _ = catalog.publish(stack.store(), spec_text(name), f"{name}.yaml")
    path: Path = DATA / file
    key = f"{keys.landing_prefix(stream)}uploads/{path.name}"
    stack.store().put(key, path.read_bytes(), ObjectHeaders(content_type="binary/octet-stream"))

    figures = settled(stack, stream)
    assert figures.received == records
    assert figures.written + figures.quarantined == records
    assert figures.unexplained == 0
