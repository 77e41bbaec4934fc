"""Real files, which lie beside the repository where somebody has them."""

from pathlib import Path

import pytest

from windrow.proposal import Choices, Proposal, propose
from windrow.spec import StreamSpec

_DATA = Path(__file__).parents[4] / "shared" / "data"
_WITHOUT_DATA = "needs the recorded files at ../shared/data, which are not part of the repository"

pytestmark = [
    pytest.mark.skipif(not _DATA.is_dir(), reason=_WITHOUT_DATA),
    pytest.mark.may_skip(_WITHOUT_DATA),
]


def of(name: str, **choices: object) -> Proposal:
    path = _DATA / name
    with path.open("rb") as file:
        return propose(file, path.name, Choices(**choices))  # type: ignore[arg-type]


def spec_of(name: str, **choices: object) -> StreamSpec:
    proposal = of(name, **choices)
    assert proposal.spec is not None, proposal.questions
    return proposal.spec


def types(found: StreamSpec) -> dict[str, str]:
    return {name: column.type for name, column in found.columns.items()}


def test_montreal_bikes() -> None:
    found = spec_of("montreal_bikes/bikes.csv")

    csv = found.format.csv
    assert (csv.encoding, csv.delimiter, csv.ragged, csv.header) == ("latin-1", ";", "pad", True)
    assert found.time.formats == ("%d/%m/%Y",)
    assert found.source_of("cote_sainte_catherine") == "Côte-Sainte-Catherine"
    assert found.unique == ("date",)
    assert types(found)["berri_1"] == "int"


def test_online_retail() -> None:
    found = spec_of("online_retail/2010-12-01.csv")

    assert types(found) == {
        "invoice_no": "string", "stock_code": "string", "description": "string", "quantity": "int",
        "invoice_date": "timestamp", "unit_price": "float", "customer_id": "int", "country": "categorical",
    }  # fmt: skip
    assert found.unique == ()


def test_beijing() -> None:
    found = spec_of("beijing_pm25/pollution.csv")

    assert found.time.parts == ("year", "month", "day", "hour")
    assert found.time.formats == ("%Y %m %d %H",)
    assert found.columns["pm2_5"].missing == ("NA",)
    assert types(found)["cbwd"] == "categorical"


def test_earthquakes() -> None:
    proposal = of("usgs_earthquakes/earthquakes.json")
    found = proposal.spec

    assert found is not None
    assert found.format.json_.records == "features"
    assert (found.source_of(found.time.column), found.time.formats) == ("properties.time", ("epoch_ms",))
    assert found.columns["updated"].formats == ("epoch_ms",)
    assert any("'properties.updated'" in each.why for each in proposal.evidence)


def test_seattle() -> None:
    found = spec_of("seattle_weather/seattle-weather.csv")

    assert (found.stream, found.unique, types(found)["weather"]) == ("seattle_weather", ("date",), "categorical")


@pytest.mark.parametrize(
    ("name", "zone"),
    [
        ("forecast_daily_berlin_2023-05-28.json", "America/Chicago"),
        ("openmeteo_shaped_seattle_2012_2015.json", "UTC"),
    ],
)
def test_open_meteo(name: str, zone: str) -> None:
    found = spec_of(f"open_meteo/{name}")

    assert found.format.json_.arrays == "daily"
    assert (found.time.column, found.time.zone) == ("time", zone)
    assert found.columns["temperature_2m_max"].unit == "°C"


def test_carts() -> None:
    proposal = of("fake_store/carts.json")

    assert proposal.spec is not None
    assert proposal.spec.time.column == "date"
    assert "explode: products" in (proposal.text or "")


def test_products_have_no_time() -> None:
    (question,) = of("fake_store/products.json").questions

    assert "Looked at: id, title, price, description, category, image, rating.rate, rating.count" in question.text
    assert spec_of("fake_store/products.json", receipt=True).time.of == "receipt"


def test_cloudwatch() -> None:
    for path in sorted((_DATA / "aws_cloudwatch").glob("*.csv")):
        found = spec_of(f"aws_cloudwatch/{path.name}")
        assert types(found)["timestamp"] == "timestamp"
        assert found.unique in (("timestamp",), ())
        assert (found.unique == ()) == (path.name == "ec2_disk_write_bytes_1ef3de.csv")
