"""Lines of invoices, twenty days of them: copies, cancellations, losses, gifts, and customers that nobody knows.

The files give lines no number, so what a line says is its identity, and a line that stands twice on an invoice counts
once. Where that is not wanted, as in the second spec, lines have no identity but their place.
"""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.real import recorded

pytestmark = recorded.needs("online_retail")

FOLDER = recorded.DATA / "online_retail"
FILES = sorted(FOLDER.glob("*.csv"))
LONDON = ZoneInfo("Europe/London")
LINES = """
    CREATE MACRO lines(files) AS TABLE
    SELECT * FROM read_csv(files, header = true, delim = ',', quote = '"', columns = {
        'InvoiceNo': 'VARCHAR', 'StockCode': 'VARCHAR', 'Description': 'VARCHAR', 'Quantity': 'BIGINT',
        'InvoiceDate': 'TIMESTAMP', 'UnitPrice': 'DECIMAL(10,2)', 'CustomerID': 'DOUBLE', 'Country': 'VARCHAR'
    });
"""


@pytest.fixture(scope="module")
def lines() -> list[dict[str, str]]:
    """Every line of every file, by the csv module."""
    return [line for file in FILES for line in recorded.csv_records(file)]


def identity(line: dict[str, str]) -> tuple[str, ...]:
    return tuple(line[name] for name in ("InvoiceNo", "StockCode", "Quantity", "UnitPrice", "InvoiceDate"))


def moment(line: dict[str, str]) -> datetime:
    return datetime.fromisoformat(line["InvoiceDate"]).replace(tzinfo=LONDON).astimezone(UTC)


def row(line: dict[str, str]) -> tuple[Any, ...]:
    """A line as it must stand in the table."""
    quantity, price = int(line["Quantity"]), Decimal(line["UnitPrice"])
    description = line["Description"].strip()
    return (
        line["InvoiceNo"],
        line["StockCode"],
        None if description in ("", "?") else description,
        quantity,
        moment(line),
        price,
        int(line["CustomerID"].removesuffix(".0")) if line["CustomerID"] else None,
        line["Country"],
        line["InvoiceNo"][0] == "C",
        quantity * price,
    )


def is_sale(line: dict[str, str]) -> bool:
    return line["InvoiceNo"][0] != "C" and int(line["Quantity"]) > 0 and Decimal(line["UnitPrice"]) > 0


def by_duckdb(query: str) -> list[tuple[Any, ...]]:
    return recorded.asked(LINES + query, files=[str(file) for file in FILES])


def test_the_files_are_those_that_their_readme_describes(lines: list[dict[str, str]]) -> None:
    assert (len(FILES), len(lines)) == (20, 42_481)
    assert sum(not line["CustomerID"] for line in lines) == 15_631
    assert sum(line["InvoiceNo"][0] == "C" for line in lines) == 728
    assert sum(float(line["UnitPrice"]) <= 0 for line in lines) == 273


def test_every_line_is_a_record_once_and_the_days_of_every_country_add_up(
    tmp_path: Path, lines: list[dict[str, str]]
) -> None:
    pipeline = recorded.landed(tmp_path, recorded.spec_text("online_retail"), *FILES)

    once = {identity(line): line for line in lines}  # the last of equal ones stays
    assert len(once) < len(lines)
    recorded.assert_figures(
        pipeline, "online_retail", received=len(lines), written=len(once), duplicate=len(lines) - len(once)
    )
    recorded.assert_same_rows(pipeline.records("online_retail"), map(row, once.values()))
    daily = pipeline.windows("daily", "online_retail").select(
        "country", "window_start", "row_count", "revenue_sum", "quantity_sum", "price_max", "customer_count"
    )
    recorded.assert_same_windows(
        daily,
        by_duckdb("""
            SELECT Country, date_trunc('day', InvoiceDate) AS day, count(*), sum(Quantity * UnitPrice), sum(Quantity),
                   max(UnitPrice), count(CustomerID)
            FROM (SELECT DISTINCT * EXCLUDE (Description) FROM lines($files)) GROUP BY ALL
        """),
    )


def test_a_filter_leaves_out_what_is_no_sale_and_every_other_line_counts(
    tmp_path: Path, lines: list[dict[str, str]]
) -> None:
    pipeline = recorded.landed(tmp_path, recorded.spec_text("online_retail_sales"), *FILES)

    sales = [line for line in lines if is_sale(line)]
    assert len({identity(line) for line in sales}) < len(sales) < len(lines)
    recorded.assert_figures(
        pipeline, "online_retail_sales", received=len(lines), written=len(sales), filtered=len(lines) - len(sales)
    )
    recorded.assert_same_rows(
        pipeline.records("online_retail_sales"),
        (
            (line["InvoiceNo"], quantity, moment(line), price, quantity * price)
            for line in sales
            for quantity, price in [(int(line["Quantity"]), float(line["UnitPrice"]))]
        ),
    )
    recorded.assert_same_windows(
        pipeline.windows("daily", "online_retail_sales").select("window_start", "revenue_sum", "line_count"),
        by_duckdb("""
            SELECT date_trunc('day', InvoiceDate) AS day, sum(Quantity * UnitPrice)::DOUBLE, count(*)
            FROM lines($files) WHERE InvoiceNo NOT LIKE 'C%' AND Quantity > 0 AND UnitPrice > 0 GROUP BY ALL
        """),
    )


def test_explain_counts_a_day_as_the_tables_do(windrow) -> None:
    day = recorded.csv_records(FILES[0])
    kept = windrow("explain", recorded.SPECS / "online_retail.yaml", FILES[0], "--json")
    sold = windrow("explain", recorded.SPECS / "online_retail_sales.yaml", FILES[0], "--json")

    assert (kept.code, kept.answer["rejects"], kept.answer["filtered"]) == (0, [], 0)
    assert len(kept.answer["records"]) == len(day)
    assert sum(each["cancelled"] for each in kept.answer["records"]) == sum(row(line)[8] for line in day) > 0
    assert sum(each["customer"] is None for each in kept.answer["records"]) == sum(
        not line["CustomerID"] for line in day
    )
    assert sum(each["row_count"] for each in kept.answer["windows"]) == len({identity(line) for line in day})
    assert kept.answer["response"]["body"]["accepted"] == len(day)

    sales = sum(map(is_sale, day))
    assert (sold.code, len(sold.answer["records"]), sold.answer["filtered"]) == (0, sales, len(day) - sales)
    assert set(sold.answer["unknown_fields"]) == {"StockCode", "Description", "CustomerID", "Country"}
    assert sold.answer["unknown_fields"]["CustomerID"] == sum(bool(line["CustomerID"]) for line in day)
