from dataclasses import replace

import pytest

from infra.checks import cost
from infra.checks.cost import MEASURED, RATES_MB_S, Assumed


def total(**changes: object) -> float:
    return sum(cost.windrow(10, replace(Assumed(), **changes)).values())


def test_requests_follow_objects_until_objects_are_full():
    often, seldom = (cost.windrow(1, replace(Assumed(), linger_s=linger_s)) for linger_s in (0.1, 1.0))

    assert often["SQS requests"] == pytest.approx(10 * seldom["SQS requests"])
    assert cost.windrow(1)["S3 requests"] == cost.windrow(10)["S3 requests"]
    assert cost.windrow(100)["S3 requests"] == pytest.approx(10 * cost.windrow(10)["S3 requests"])


def test_a_month_of_one_megabyte_per_second_is_computed_by_hand():
    month_s = 730 * 3600
    puts_lists = 3.0 * 20 + 3.49 + 1.95 * 20 + 5.89
    gets_heads = 5.65 * 20 + 6.78 + 1.07 * 20

    assert cost.windrow(1)["S3 requests"] == pytest.approx(
        (puts_lists * 0.005 / 1000 + gets_heads * 0.0004 / 1000) * month_s
    )
    assert cost.windrow(1)["hosts"] == pytest.approx(4 * 0.0816 * 730)
    assert cost.firehose(1)["Firehose"] == pytest.approx(2628 * (0.029 + 0.018))
    assert cost.flink(1)["Kinesis"] == pytest.approx(2628 * 0.12 + 0.04 * 730)


def test_every_model_costs_more_for_more_load():
    for model in (cost.windrow, cost.firehose, cost.flink):
        totals = [sum(model(rate).values()) for rate in RATES_MB_S]
        assert totals == sorted(totals)
    assert total(vcpu_per_mb_s=4.0) > total()
    assert MEASURED.lake_bytes_per_byte > 0


def test_the_document_says_what_follows_from_the_prices(monkeypatch, tmp_path):
    assert list(cost.check()) == []

    stale = tmp_path / "cost.md"
    stale.write_text(cost.DOCUMENT.read_text().replace("| SQS requests |", "| SQS requests, about |", 1))
    monkeypatch.setattr(cost, "DOCUMENT", stale)

    assert [finding.what for finding in cost.check()] == ["the tables do not follow from the prices"]
