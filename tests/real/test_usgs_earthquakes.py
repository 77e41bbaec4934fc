"""A week of earthquakes as GeoJSON: nested, times in milliseconds, the newest first, ints among floats, nulls."""

from collections import defaultdict
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.real import recorded

pytestmark = recorded.needs("usgs_earthquakes")

STREAM = "usgs_earthquakes"
FILE = recorded.DATA / "usgs_earthquakes" / "earthquakes.json"
SPEC = recorded.SPECS / f"{STREAM}.yaml"
NAMED = {"time", "updated", "net", "type", "mag", "magType", "place", "felt", "alert", "tsunami", "gap"}


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    found: dict[str, Any] = recorded.json_document(FILE)
    return found


def number(value: float | None) -> float | None:
    return None if value is None else float(value)


def row(feature: dict[str, Any], generated_ms: int) -> tuple[Any, ...]:
    """A quake as it must stand in the table."""
    of = feature["properties"]
    longitude, latitude, depth = feature["geometry"]["coordinates"]
    return (
        feature["id"],
        recorded.from_ms(of["time"]),
        recorded.from_ms(of["updated"]),
        of["net"],
        of["type"],
        number(of["mag"]),
        of["magType"],
        of["place"],
        of["felt"],
        of["alert"],
        of["tsunami"] == 1,
        number(of["gap"]),
        float(longitude),
        float(latitude),
        float(depth),
        recorded.from_ms(generated_ms),
        (of["updated"] - of["time"]) / 1_000,
    )


def test_every_feature_is_a_record_value_for_value(tmp_path: Path, document: dict[str, Any]) -> None:
    features = document["features"]
    pipeline = recorded.landed(tmp_path, recorded.spec_text(STREAM), FILE)

    assert len(features) == document["metadata"]["count"] == 1_707
    recorded.assert_figures(pipeline, STREAM, received=len(features), written=len(features))
    records = pipeline.records(STREAM)
    rows = [row(feature, document["metadata"]["generated"]) for feature in features]
    recorded.assert_same_rows(records, rows)
    assert records["felt"].null_count() == 1_580

    windows = defaultdict(list)
    for each in rows:
        windows[each[3], recorded.span_start(each[1], timedelta(hours=6))].append(each)
    recorded.assert_same_windows(
        pipeline.windows("six_hours", STREAM).select(
            "net", "window_start", "row_count", "mag_max", "felt_sum", "depth_mean", "place_last"
        ),
        [
            (
                net,
                start,
                len(of),
                max(each[5] for each in of),
                sum(each[8] or 0 for each in of) if any(each[8] is not None for each in of) else None,
                sum(each[14] for each in of) / len(of),
                max(of, key=lambda each: each[1])[7],
            )
            for (net, start), of in windows.items()
        ],
    )


def test_the_same_feed_pulled_again_adds_nothing(tmp_path: Path, document: dict[str, Any]) -> None:
    pipeline = recorded.landed(tmp_path, recorded.spec_text(STREAM), FILE)
    pipeline.upload("an-hour-later.json", FILE.read_bytes(), "application/geo+json", STREAM)
    pipeline.settle()

    count = len(document["features"])
    recorded.assert_figures(pipeline, STREAM, received=2 * count, written=count, duplicate=count)


def test_explain_reads_every_feature_and_counts_the_fields_that_no_column_names(
    windrow, document: dict[str, Any]
) -> None:
    ran = windrow("explain", SPEC, FILE, "--json")

    features = document["features"]
    assert (ran.code, ran.answer["rejects"]) == (0, [])
    assert [each["quake"] for each in ran.answer["records"]] == [feature["id"] for feature in features]
    assert [each["mag"] for each in ran.answer["records"]] == [feature["properties"]["mag"] for feature in features]
    assert {path: count for path, count in ran.answer["unknown_fields"].items() if path.startswith("properties.")} == {
        f"properties.{name}": sum(feature["properties"][name] is not None for feature in features)
        for name in features[0]["properties"]
        if name not in NAMED
    }
    assert ran.answer["response"]["body"]["accepted"] == len(features)
