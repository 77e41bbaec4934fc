"""Visits to two shops: lines of invoices and carts of one customer, until the next is too long in coming.

Invoices have whole minutes, and carts whole days, so some follow each other at exactly the gap. Customers that nobody
knows are one customer, who hardly ever leaves.
"""

import random
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import polars as pl
import pytest

from tests.real import arrivals, recorded
from tests.real.arrivals import Record, Row
from tests.support.pipeline import Pipeline

INVOICES, CARTS = "online_retail", "fake_store_carts"
FILES = [recorded.DATA / INVOICES / f"{day}.csv" for day in ("2010-12-01", "2010-12-02")]
CARTS_FILE = recorded.DATA / "fake_store" / "carts.json"
pytestmark = recorded.needs()
HALF_AN_HOUR = timedelta(minutes=30)

WINDOWS = """
windows:
  visit:
    kind: session
    gap: 30m
    aggregates:
      units: sum(quantity)
      revenue: sum(revenue)
      products: n_unique(stock_code)
      basket: collect(stock_code)
      opening: first(stock_code)
      closing: last(stock_code)
  stricter:
    kind: session
    gap: 30m
    gap_inclusive: false
    session_end: last
    aggregates: {units: sum(quantity), revenue: sum(revenue), opening: first(stock_code), closing: last(stock_code)}
  return:
    kind: session
    gap: 1d
    aggregates: {units: sum(quantity), dearest: max(unit_price), closing: last(stock_code)}
  shift:
    kind: session
    gap: 30m
    max_duration: 30m
    aggregates: {units: sum(quantity), products: n_unique(stock_code)}
"""
NOBODY = 0
"""Whom the lines belong to that name no customer."""
NAMES = ("visit", "stricter", "return", "shift")


@dataclass(frozen=True)
class Line:
    """A line of an invoice; what says that two are one comes first, in the order of the spec."""

    at: datetime
    invoice: str
    stock_code: str
    quantity: int
    unit_price: Decimal
    customer: int

    @property
    def order(self) -> tuple[object, ...]:
        """By event time, ties by record id."""
        return self.at, self.invoice, self.stock_code, self.quantity, self.unit_price

    def sent(self) -> Record:
        return {
            "InvoiceNo": self.invoice,
            "StockCode": self.stock_code,
            "Quantity": self.quantity,
            "InvoiceDate": f"{self.at:%Y-%m-%d %H:%M:%S}",  # London had the time of UTC in December
            "UnitPrice": str(self.unit_price),
            "CustomerID": self.customer or None,
            "Country": "",
            "Description": "",
        }


@pytest.fixture(scope="module")
def lines() -> list[Line]:
    """The lines of two days, each once, in order."""
    found = {
        Line(
            datetime.fromisoformat(each["InvoiceDate"]).replace(tzinfo=UTC),
            each["InvoiceNo"],
            each["StockCode"],
            int(each["Quantity"]),
            Decimal(each["UnitPrice"]),
            int(each["CustomerID"].removesuffix(".0")) if each["CustomerID"] else NOBODY,
        )
        for file in FILES
        for each in recorded.csv_records(file)
    }
    assert len({each.order for each in found}) == len(found)  # a line's customer is always the same
    return sorted(found, key=lambda each: each.order)


def text() -> str:
    changes = {
        "keys: [country]": "keys: [customer]",
        "source: CustomerID}": f"source: CustomerID, default: {NOBODY}}}",
        "bucket: 1d": "bucket: 1h",
    }
    return arrivals.with_windows(INVOICES, WINDOWS, changes)


# ------------------------------------------------------------------------------------------------ what must come of it


def of_each(lines: Sequence[Line]) -> dict[int, list[Line]]:
    groups: dict[int, list[Line]] = defaultdict(list)
    for line in lines:
        groups[line.customer].append(line)
    return groups


def visits(lines: Sequence[Line], is_pause: Callable[[timedelta], bool]) -> Iterator[list[Line]]:
    """The lines of each visit, in order."""
    for of_one in of_each(lines).values():
        begins = [number for number, (each, later) in enumerate(pairwise(of_one), 1) if is_pause(later.at - each.at)]
        yield from (of_one[begin:end] for begin, end in pairwise([0, *begins, len(of_one)]))


def shifts(visit: Sequence[Line], longest: timedelta) -> Iterator[list[Line]]:
    """A visit, cut where it has lasted for so long since it began, or was cut last."""
    rest = list(visit)
    while rest:
        part = [line for line in rest if line.at - rest[0].at < longest]
        yield part
        rest = rest[len(part) :]


def units(visit: Sequence[Line]) -> int:
    return sum(line.quantity for line in visit)


def revenue(visit: Sequence[Line]) -> Decimal:
    return sum((line.quantity * line.unit_price for line in visit), Decimal())


def codes(visit: Sequence[Line]) -> list[str]:
    return [line.stock_code for line in visit]


def expected(lines: Sequence[Line]) -> dict[str, list[Row]]:
    """The rows of every table."""
    tables: dict[str, list[Row]] = {name: [] for name in NAMES}
    for visit in visits(lines, lambda pause: pause > HALF_AN_HOUR):
        first, last = visit[0], visit[-1]
        basket = codes(visit)
        tables["visit"].append(
            (
                *(first.customer, first.at, last.at + HALF_AN_HOUR, first.at, last.at),
                *(units(visit), revenue(visit), len(set(basket)), basket, basket[0], basket[-1], len(visit)),
            )
        )
        parts = list(shifts(visit, HALF_AN_HOUR))
        for part, following in zip(parts, [*parts[1:], []], strict=True):
            end = min([part[-1].at + HALF_AN_HOUR, *(line.at for line in following[:1])])
            tables["shift"].append(
                (
                    *(first.customer, part[0].at, end, part[0].at, part[-1].at),
                    *(units(part), len(set(codes(part))), len(part)),
                )
            )
    for visit in visits(lines, lambda pause: pause >= HALF_AN_HOUR):
        first, last = visit[0], visit[-1]
        tables["stricter"].append(
            (
                *(first.customer, first.at, last.at, first.at, last.at),
                *(units(visit), revenue(visit), first.stock_code, last.stock_code, len(visit)),
            )
        )
    for visit in visits(lines, lambda pause: pause > timedelta(days=1)):
        first, last = visit[0], visit[-1]
        tables["return"].append(
            (
                *(first.customer, first.at, last.at + timedelta(days=1), first.at, last.at),
                *(units(visit), max(line.unit_price for line in visit), last.stock_code, len(visit)),
            )
        )
    return tables


def assert_tables(pipeline: Pipeline, lines: Sequence[Line]) -> None:
    arrivals.assert_at_rest(pipeline, INVOICES)
    for name, rows in expected(lines).items():
        arrivals.assert_windows(pipeline, INVOICES, name, rows)


# ------------------------------------------------------------------------------------------------ invoices


def test_lines_in_any_order_make_visits_that_begin_in_one_hour_and_end_in_another(
    tmp_path: Path, lines: list[Line]
) -> None:
    pipeline = Pipeline(tmp_path)
    pipeline.publish(text())
    sent = arrivals.shuffled(pipeline, INVOICES, [line.sent() for line in lines], batches=4)
    pipeline.settle()

    recorded.assert_figures(pipeline, INVOICES, received=sent, written=len(lines), duplicate=sent - len(lines))
    assert sent > 1.09 * len(lines)
    assert_tables(pipeline, lines)
    tables = {name: pipeline.windows(name, INVOICES) for name in NAMES}
    crossing = pl.col("first_time").dt.truncate("1h") != pl.col("last_time").dt.truncate("1h")
    assert all(tables[name].filter(crossing).height >= 3 for name in ("visit", "stricter", "return"))
    assert tables["stricter"].height == tables["visit"].height + 1  # one customer came back after exactly half an hour
    assert tables["return"].filter(pl.col("last_time").dt.date() > pl.col("first_time").dt.date()).height == 5
    assert tables["shift"].height > tables["visit"].height > tables["return"].height
    assert any(part["window_end"] < part["last_time"] + HALF_AN_HOUR for part in tables["shift"].rows(named=True))
    assert tables["return"].filter(customer=NOBODY)["row_count"].item() == len(of_each(lines)[NOBODY])


def test_every_line_twice_gives_the_same_visits(tmp_path: Path, lines: list[Line]) -> None:
    once, twice = Pipeline(tmp_path / "once"), Pipeline(tmp_path / "twice")
    some = [line.sent() for line in lines[: len(lines) // 3]]
    for pipeline in (once, twice):
        pipeline.publish(text())
    arrivals.in_order(once, INVOICES, some)
    arrivals.shuffled(twice, INVOICES, some, batches=5, again=1)
    for pipeline in (once, twice):
        pipeline.settle()

    recorded.assert_figures(twice, INVOICES, received=2 * len(some), written=len(some), duplicate=len(some))
    for name in NAMES:
        found = arrivals.values(twice.windows(name, INVOICES))
        assert found.height > 10
        assert found.equals(arrivals.values(once.windows(name, INVOICES)))


def test_lines_after_the_seal_change_their_visits_only_and_stand_in_the_ledger_once(
    tmp_path: Path, lines: list[Line]
) -> None:
    some = lines[: len(lines) // 2]
    late = random.Random(11).sample([line for line in some if line.customer != NOBODY], 25)
    pipeline = Pipeline(tmp_path)
    pipeline.publish(text())
    arrivals.in_order(pipeline, INVOICES, [line.sent() for line in some if line not in late])
    pipeline.settle()
    assert_tables(pipeline, [line for line in some if line not in late])
    before = {name: pipeline.windows(name, INVOICES) for name in NAMES}

    arrivals.after_the_seal(pipeline, INVOICES, [[line.sent() for line in late]])

    assert_tables(pipeline, some)
    for name in NAMES:
        arrivals.assert_sessions_revised(before[name], pipeline.windows(name, INVOICES))
    entered = arrivals.ledger(pipeline, INVOICES)
    assert sorted(entered.select("customer", "invoiced_at").rows()) == sorted((line.customer, line.at) for line in late)
    assert entered.select("_batch", "_ordinal").is_unique().all()


def test_a_visit_that_turns_out_to_begin_an_hour_earlier_has_a_revision_of_its_own(
    tmp_path: Path, lines: list[Line]
) -> None:
    """Its first lines come after the seal; then it belongs to the bucket before, and the one that was final is gone."""
    some = [line for line in lines if line.at.hour > 13]
    moved = [
        visit for visit in visits(some, lambda pause: pause > HALF_AN_HOUR) if visit[0].at.hour < visit[-1].at.hour
    ]
    late = [line for visit in moved for line in visit if line.at.hour == visit[0].at.hour]
    pipeline = Pipeline(tmp_path)
    pipeline.publish(text())
    arrivals.in_order(pipeline, INVOICES, [line.sent() for line in some if line not in late])
    pipeline.settle()
    before = {name: pipeline.windows(name, INVOICES) for name in NAMES}

    arrivals.after_the_seal(pipeline, INVOICES, [[line.sent() for line in late]])

    assert len(moved) == 3
    assert_tables(pipeline, some)
    assert len(arrivals.ledger(pipeline, INVOICES)) == len(late)
    for name in NAMES:
        arrivals.assert_sessions_revised(before[name], pipeline.windows(name, INVOICES))


# ------------------------------------------------------------------------------------------------ carts

CART_WINDOWS = """
windows:
  visit: &visit
    kind: session
    gap: 60d
    aggregates: {sold: sum(quantity), products: n_unique(product), basket: collect(product), carts: n_unique(cart)}
  stricter: {<<: *visit, gap_inclusive: false}
"""


def cart_rows(is_pause: Callable[[timedelta], bool]) -> Iterator[Row]:
    """The visits of every user: by the json module, and by looking at each pause."""
    of_user: dict[int, list[tuple[datetime, int, int, int]]] = defaultdict(list)
    for cart in recorded.json_document(CARTS_FILE):
        at = datetime.fromisoformat(cart["date"]).astimezone(UTC)
        of_user[cart["userId"]] += [(at, cart["id"], each["productId"], each["quantity"]) for each in cart["products"]]
    for user, bought in of_user.items():
        bought.sort()
        begins = [number for number, (each, later) in enumerate(pairwise(bought), 1) if is_pause(later[0] - each[0])]
        for begin, end in pairwise([0, *begins, len(bought)]):
            visit = bought[begin:end]
            first, last = visit[0][0], visit[-1][0]
            products = [product for _, _, product, _ in visit]
            yield (
                *(user, first, last + timedelta(days=60), first, last),
                *(sum(each[3] for each in visit), len(set(products)), products, len({each[1] for each in visit})),
                len(visit),
            )


@pytest.mark.parametrize("are_late", [False, True], ids=["at once", "late"])
def test_carts_sixty_days_apart_are_one_visit_unless_the_gap_is_exclusive(tmp_path: Path, *, are_late: bool) -> None:
    """Two users come back after exactly sixty days; between their carts lie as many buckets without any."""
    text = arrivals.with_windows(
        CARTS, CART_WINDOWS, {"keys: [product]": "keys: [user]", "bucket: 1d": "bucket: 1d\nlateness: 1h"}
    )
    carts = recorded.json_document(CARTS_FILE)
    pipeline = Pipeline(tmp_path)
    pipeline.publish(text)
    if are_late:  # the first of their carts come when the second are sealed
        arrivals.in_order(pipeline, CARTS, [cart for cart in carts if cart["date"] > "2020-02"])
        pipeline.settle()
        arrivals.after_the_seal(pipeline, CARTS, [[cart] for cart in carts if cart["date"] < "2020-02"])
    else:
        arrivals.shuffled(pipeline, CARTS, carts, batches=5, again=1)
        pipeline.settle()

    arrivals.assert_at_rest(pipeline, CARTS)
    sixty_days = timedelta(days=60)
    arrivals.assert_windows(pipeline, CARTS, "visit", cart_rows(lambda pause: pause > sixty_days))
    arrivals.assert_windows(pipeline, CARTS, "stricter", cart_rows(lambda pause: pause >= sixty_days))
    assert pipeline.windows("visit", CARTS).height == 5
    assert pipeline.windows("stricter", CARTS).height == 7
