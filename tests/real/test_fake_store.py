"""A shop: carts with lists in them, a list of products without times, and users whose numbers are texts."""

import csv
from collections import Counter
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.real import recorded
from windrow.units import from_us

pytestmark = recorded.needs("fake_store")

FOLDER = recorded.DATA / "fake_store"
CARTS, PRODUCTS, USERS = (FOLDER / name for name in ("carts.json", "products.json", "users_sample.json"))


def cart_lines() -> list[tuple[Any, ...]]:
    return [
        (cart["id"], cart["userId"], datetime.fromisoformat(cart["date"]), line["productId"], line["quantity"])
        for cart in recorded.json_document(CARTS)
        for line in cart["products"]
    ]


def product_row(product: dict[str, Any], seen_at: datetime) -> tuple[Any, ...]:
    """A product as it must stand in the table."""
    return (
        seen_at,
        product["id"],
        product["title"].strip(),
        Decimal(str(product["price"])),
        product.get("description"),
        product["category"],
        product.get("image", "none"),
        float(product["rating"]["rate"]),
        product["rating"]["count"],
    )


def test_every_line_of_every_cart_is_a_row(tmp_path: Path) -> None:
    lines = cart_lines()
    pipeline = recorded.landed(tmp_path, recorded.spec_text("fake_store_carts"), CARTS)

    assert len(lines) == 14
    recorded.assert_figures(pipeline, "fake_store_carts", received=len(lines), written=len(lines))
    recorded.assert_same_rows(pipeline.records("fake_store_carts"), lines)
    sold: Counter[tuple[int, datetime]] = Counter()
    for _, _, at, product, quantity in lines:
        sold[product, at.astimezone(UTC)] += quantity
    recorded.assert_same_windows(
        pipeline.windows("daily", "fake_store_carts").select("product", "window_start", "sold"),
        [(product, at, quantity) for (product, at), quantity in sold.items()],
    )


def test_every_pull_of_the_products_is_a_snapshot_at_its_receipt(tmp_path: Path) -> None:
    products = recorded.json_document(PRODUCTS)
    pipeline = recorded.landed(tmp_path, recorded.spec_text("fake_store_products"), PRODUCTS)
    first = pipeline.records("fake_store_products")["seen_at"].unique().to_list()
    pipeline.upload("later.json", PRODUCTS.read_bytes(), "application/json", "fake_store_products")
    second = from_us(pipeline.clock.now_us())
    pipeline.settle()

    assert (len(products), len(first)) == (20, 1)
    assert first[0] < second
    recorded.assert_figures(pipeline, "fake_store_products", received=40, written=40)
    records = pipeline.records("fake_store_products")
    recorded.assert_same_rows(
        records, [product_row(product, seen_at) for seen_at in (first[0], second) for product in products]
    )
    assert any(product["title"] != product["title"].strip() for product in products)
    assert records["description"].null_count() == 2 * sum("description" not in product for product in products) == 6


def test_the_same_products_exported_as_csv_are_the_same_records(tmp_path: Path) -> None:
    products = recorded.json_document(PRODUCTS)
    names = ["id", "title", "price", "description", "category", "image"]
    export = tmp_path / "products.csv"
    with export.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow([*names, "rating.rate", "rating.count"])
        writer.writerows([*map(product.get, names), *product["rating"].values()] for product in products)
    pipeline = recorded.landed(tmp_path / "lake", recorded.spec_text("fake_store_products"), export)

    recorded.assert_figures(pipeline, "fake_store_products", received=len(products), written=len(products))
    records = pipeline.records("fake_store_products")
    recorded.assert_same_rows(records, [product_row(product, records["seen_at"][0]) for product in products])


def test_texts_that_hold_numbers_become_numbers_and_what_is_nested_is_kept_as_json(tmp_path: Path) -> None:
    users = recorded.json_document(USERS)
    pipeline = recorded.landed(tmp_path, recorded.spec_text("fake_store_users"), USERS)

    recorded.assert_figures(pipeline, "fake_store_users", received=len(users), written=len(users))
    records = pipeline.records("fake_store_users")
    recorded.assert_same_rows(
        records.drop("seen_at", "address"),
        [
            (
                user["id"],
                user["name"]["firstname"],
                user["name"]["lastname"],
                user["address"]["city"],
                user["address"]["street"],
                user["address"]["number"],
                user["address"]["zipcode"],
                float(user["address"]["geolocation"]["lat"]),
                float(user["address"]["geolocation"]["long"]),
            )
            for user in users
        ],
    )
    kept = dict(records.select("user", "address").rows())
    assert {user: recorded.json_text(text) for user, text in kept.items()} == {
        user["id"]: user["address"] for user in users
    }


@pytest.mark.parametrize(
    ("name", "file", "count"),
    [("fake_store_carts", CARTS, 14), ("fake_store_products", PRODUCTS, 20), ("fake_store_users", USERS, 2)],
)
def test_explain_counts_the_same(windrow, name: str, file: Path, count: int) -> None:
    ran = windrow("explain", recorded.SPECS / f"{name}.yaml", file, "--received", "2026-05-02T06:00:00Z", "--json")

    assert (ran.code, ran.answer["rejects"], len(ran.answer["records"])) == (0, [], count)
    if name != "fake_store_carts":
        assert {each["seen_at"] for each in ran.answer["records"]} == {"2026-05-02T06:00:00Z"}
    assert ran.answer["response"]["body"]["accepted"] == len(recorded.json_document(file))
