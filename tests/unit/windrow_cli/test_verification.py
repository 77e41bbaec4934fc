"""Which types of a file stand for those of its table, and how faults are put."""

import pyarrow as pa
import pytest

from windrow_cli.replay import LiveFile, read_commit, states
from windrow_cli.replay import State as TableState
from windrow_cli.verification import Fault, Footer, misread, reads_as


@pytest.mark.parametrize(
    ("stored", "wanted"),
    [
        (pa.string(), pa.string()),
        (pa.string_view(), pa.string()),
        (pa.int32(), pa.int64()),
        (pa.int32(), pa.float64()),
        (pa.float32(), pa.float64()),
        (pa.decimal128(9, 2), pa.decimal128(12, 4)),
        (pa.large_list(pa.string_view()), pa.list_(pa.string())),
        (pa.timestamp("us", "UTC"), pa.timestamp("us", "UTC")),
    ],
)
def test_a_type_stands_for_itself_and_for_what_it_was_widened_into(stored: pa.DataType, wanted: pa.DataType) -> None:
    assert reads_as(stored, wanted)


@pytest.mark.parametrize(
    ("stored", "wanted"),
    [
        (pa.int64(), pa.int32()),
        (pa.float64(), pa.int64()),
        (pa.uint32(), pa.int64()),
        (pa.string(), pa.int64()),
        (pa.timestamp("ns", "UTC"), pa.timestamp("us", "UTC")),
        (pa.timestamp("us"), pa.timestamp("us", "UTC")),
        (pa.decimal128(12, 2), pa.decimal128(12, 4)),
        (pa.list_(pa.int64()), pa.list_(pa.string())),
    ],
)
def test_no_type_stands_for_a_narrower_or_another(stored: pa.DataType, wanted: pa.DataType) -> None:
    assert not reads_as(stored, wanted)


def test_a_fault_is_one_sentence_with_table_file_and_remedy() -> None:
    schema = pa.schema([("value", pa.int64())])
    footer = Footer(2, pa.schema([("value", pa.string()), ("more", pa.int64())]))
    first, *others = (str(fault) for fault in misread("s.records", LiveFile("a.parquet", 1, 3), footer, schema))

    assert first.startswith("s.records: a.parquet has 2 rows where the log says 3; restore it from a backup")
    assert others == [
        "s.records: a.parquet has 'value' as string where its table has int64; please report it",
        "s.records: a.parquet has a column 'more' that its table has not; please report it",
    ]
    assert str(Fault("s.late", "", "is odd", "look")) == "s.late is odd; look"


def test_a_log_is_replayed_action_by_action() -> None:
    first = b"""{"commitInfo":{"operation":"WRITE"}}
{"add":{"path":"event_date=2026-01-01/a%20b.parquet","size":5,"stats":"{\\"numRecords\\":2}"}}
{"add":{"path":"c.parquet","size":6}}
{"txn":{"appId":"m","version":3}}"""
    second = b'{"remove":{"path":"c.parquet"}}\n{"txn":{"appId":"m","version":4}}\n'
    one, two = states(TableState(), [read_commit(0, first), read_commit(1, second)])

    assert (one.rows, two.rows, two.marks, two.removed) == (None, 2, {"m": 4}, frozenset({"c.parquet"}))
    assert two.live == {"event_date=2026-01-01/a b.parquet": LiveFile("event_date=2026-01-01/a b.parquet", 5, 2)}
