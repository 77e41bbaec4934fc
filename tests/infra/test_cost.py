from dataclasses import replace

import pytest

from infra.checks import cost
from infra.checks.cost import MEASURED, RATES_MB_S, SOURCES, Assumed
from infra.checks.modules import INFRA, read_all
from infra.checks.plan import plan
from tests.bench import prices


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


def test_kinesis_is_in_the_mode_that_costs_less():
    assert cost.flink(10)["Kinesis"] == pytest.approx(26_280 * 0.12 + 0.04 * 730)
    assert cost.flink(20)["Kinesis"] == pytest.approx(26.2 * 2_628 * 0.048)
    assert cost.flink(100)["Kinesis"] == pytest.approx(262_800 * 0.048)


def test_requests_to_the_front_are_counted_by_each_512_kilobytes_begun():
    def front(request_kb: float) -> float:
        return cost.windrow(1, replace(Assumed(), request_kb=request_kb))["endpoints and front"]

    assert front(513) > front(512)
    assert front(0.09) - front(0.18) == pytest.approx(1e3 * 3.6 * 730 / 1e3 * (1 / 0.09 - 1 / 0.18))


def test_the_endpoints_that_are_paid_for_are_those_that_are_made():
    modules, _ = read_all(INFRA)
    network = plan(INFRA / "environments" / "dev", modules).once("module", "windrow").once("module", "network")

    assert len(network.once("var", "interface_services")) == Assumed().endpoints
    assert len(network.once("var", "availability_zones")) == Assumed().zones


def test_the_bench_counts_with_the_same_prices():
    lines = {"PUT": "S3 PUT, LIST (1,000)", "LIST": "S3 PUT, LIST (1,000)"}
    lines |= {"GET": "S3 GET, HEAD (1,000)", "HEAD": "S3 GET, HEAD (1,000)"}
    here = {name: cost.PRICES[line] / 1e3 for name, line in lines.items()}
    here |= {"sqs": cost.PRICES["SQS (million requests)"] / 1e6, "DELETE": 0.0}

    assert here == pytest.approx(dict(prices.USD_PER_REQUEST))
    assert cost.PRICES["S3 Standard (GB-month)"] == prices.USD_PER_GB_MONTH


def test_every_source_is_one_of_a_price_and_a_price_without_one_is_told_of():
    assert set(SOURCES) <= set(cost.PRICES)
    for what in set(cost.PRICES) - set(SOURCES):
        assert f"| {what} | {cost.PRICES[what]:g} | none found" in cost.table("prices")
