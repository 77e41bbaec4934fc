"""Names that a table can have, for any names that a sender may use."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from windrow.keys import STREAM_NAME, TABLE_NAME
from windrow.proposal.naming import column_names, stream_name
from windrow.spec import RESERVED_COLUMNS


@settings(max_examples=200)
@given(st.lists(st.lists(st.text(max_size=80), min_size=1, max_size=3).map(tuple), max_size=12))
def test_every_name_is_one_that_a_table_can_have_and_there_once(paths: list[tuple[str, ...]]) -> None:
    names = column_names(paths)

    assert len(names) == len(paths) == len(set(names))
    assert all(TABLE_NAME.fullmatch(name) and name not in RESERVED_COLUMNS for name in names)


@given(st.text(max_size=80))
def test_every_file_has_a_stream_name(name: str) -> None:
    assert STREAM_NAME.fullmatch(stream_name(name))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("temperature", "temperature"),
        ("InvoiceNo", "invoice_no"),
        ("CustomerID", "customer_id"),
        ("PM2.5 (µg/m³)", "pm2_5_ug_m3"),
        ("Straße", "strasse"),
        ("Łódź", "lodz"),
        ("2m", "c_2m"),
        ("revision", "revision_sent"),
        ("温度", "column_1"),
        ("_id", "id"),
    ],
)
def test_a_name_stays_as_near_as_it_can(name: str, expected: str) -> None:
    assert column_names([(name,)]) == [expected]


def test_names_that_meet_are_numbered_and_the_one_that_was_written_so_keeps_its_name() -> None:
    assert column_names([("A b",), ("a_b",), ("a", "b")]) == ["a_b_2", "a_b", "a_b_3"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("readings.csv", "readings"),
        ("Monday Readings.csv.gz", "monday_readings"),
        ("2010-12-01.csv", "records"),
        ("7days.json", "s_7days"),
        ("stdin", "stdin"),
    ],
)
def test_a_stream_is_named_after_its_file(name: str, expected: str) -> None:
    assert stream_name(name) == expected
