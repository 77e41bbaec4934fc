"""Law 8, nothing vanishes: received = written + duplicate + quarantined + in flight, at every step of the way."""

from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from windrow import conservation, keys, manifest
from windrow.conservation import Balance
from windrow.lake import tables
from windrow.lake.delta import DeltaLake
from windrow.manifest import RECORDS_METADATA, RETURNED_METADATA, Manifest
from windrow.ports import ObjectHeaders
from windrow.testing import ManualClock, MemoryObjectStore

STREAM = "sensors"
SCHEMA = pl.Schema({"value": pl.Int64(), "_bucket": pl.Int64(), "_shard": pl.Int32(), "event_date": pl.Date()})


@dataclass
class Ledger:
    """The store and the lake, and what the services do to them, by hand."""

    store: MemoryObjectStore
    lake: DeltaLake
    totals: dict[str, int] = field(default_factory=dict)

    def land(self, name: str, metadata: dict[str, str]) -> str:
        """Put a landing object; returns its batch."""
        key = f"landing/{STREAM}/2026-03-31/{name}"
        info = self.store.put_if_absent(key, name.encode(), ObjectHeaders(metadata))
        return keys.batch_id(key, info.etag)

    def land_counted(self, name: str, records: int, returned: int = 0) -> str:
        metadata = {RECORDS_METADATA: str(records)}
        return self.land(name, metadata | ({RETURNED_METADATA: str(returned)} if returned else {}))

    def decode(self, batch: str, accepted: int, quarantined: int, returned: int = 0) -> None:
        """What the consumer leaves behind."""
        made = Manifest(
            stream=STREAM,
            batch=batch,
            landing_key="",
            spec_version=1,
            source="http",
            received_us=0,
            decoded=accepted + quarantined,
            accepted=accepted,
            quarantined=quarantined,
            returned=returned,
        )
        self.store.put_if_absent(keys.manifest_key(STREAM, batch), manifest.encode(made), ObjectHeaders())

    def write(self, batch: str, accepted: int, quarantined: int, returned: int = 0) -> None:
        """What the writer commits: rows and running totals in one."""
        for name, amount in (
            (tables.DECODED, accepted + quarantined),
            (tables.QUARANTINED, quarantined),
            (tables.RETURNED, returned),
        ):
            self.totals[name] = self.totals.get(name, 0) + amount
        table = self.lake.open_or_create(STREAM, keys.RECORDS_TABLE, SCHEMA)
        table.append(rows(accepted), {**self.totals, tables.batch_mark(batch): 1, tables.LAST_BATCH_US: 7})

    def remove_duplicates(self, count: int) -> None:
        """What the writer commits when a bucket seals."""
        table = self.lake.open(STREAM, keys.RECORDS_TABLE)
        assert table is not None
        self.totals[tables.DUPLICATES] = self.totals.get(tables.DUPLICATES, 0) + count
        table.replace([tables.Place(0, 0)], rows(table.row_count() - count), self.totals)

    def balance(self) -> Balance:
        return conservation.balance(self.store, self.lake, STREAM)


def rows(count: int) -> pl.DataFrame:
    data = {
        "value": [1] * count,
        "_bucket": [0] * count,
        "_shard": [0] * count,
        "event_date": [date(1970, 1, 1)] * count,
    }
    return pl.DataFrame(data, schema=SCHEMA)


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(MemoryObjectStore(ManualClock()), DeltaLake(str(tmp_path), {}))


def figures(balance: Balance) -> tuple[int, int, int, int, int]:
    assert balance.stream == STREAM
    return balance.received, balance.written, balance.duplicate, balance.quarantined, balance.in_flight


def test_a_stream_nobody_used_is_all_zero(ledger: Ledger) -> None:
    assert ledger.balance() == Balance(STREAM)
    assert ledger.balance().unexplained == 0


def test_a_batch_is_accounted_for_at_every_step_of_its_way(ledger: Ledger) -> None:
    batch = ledger.land_counted("a", records=10)
    assert figures(ledger.balance()) == (10, 0, 0, 0, 10)
    ledger.decode(batch, accepted=7, quarantined=3)
    assert figures(ledger.balance()) == (10, 0, 0, 3, 7)
    ledger.write(batch, accepted=7, quarantined=3)
    assert figures(ledger.balance()) == (10, 7, 0, 3, 0)
    ledger.remove_duplicates(2)
    assert figures(ledger.balance()) == (10, 5, 2, 3, 0)
    assert ledger.balance().unexplained == 0
    assert ledger.balance().last_commit_us == 7


def test_batches_at_different_steps_add_up(ledger: Ledger) -> None:
    written, decoded, _ = (ledger.land_counted(name, records=5) for name in ("a", "b", "c"))
    for batch in (written, decoded):
        ledger.decode(batch, accepted=4, quarantined=1)
    ledger.write(written, accepted=4, quarantined=1)

    assert figures(ledger.balance()) == (15, 4, 0, 2, 9)
    assert ledger.balance().unexplained == 0


def test_a_replay_takes_records_out_of_quarantine_and_receives_none_twice(ledger: Ledger) -> None:
    first = ledger.land_counted("a", records=5)
    ledger.decode(first, accepted=2, quarantined=3)
    ledger.write(first, accepted=2, quarantined=3)
    replay = ledger.land_counted("b", records=3, returned=3)
    assert figures(ledger.balance()) == (5, 2, 0, 0, 3)
    ledger.decode(replay, accepted=2, quarantined=1, returned=3)
    assert figures(ledger.balance()) == (5, 2, 0, 1, 2)
    ledger.write(replay, accepted=2, quarantined=1, returned=3)
    assert figures(ledger.balance()) == (5, 4, 0, 1, 0)
    assert ledger.balance().unexplained == 0


def test_an_upload_nobody_has_read_is_an_object_and_not_yet_records(ledger: Ledger) -> None:
    batch = ledger.land("upload.csv", {})
    assert figures(ledger.balance()) == (0, 0, 0, 0, 0)
    assert ledger.balance().uncounted_objects == 1

    ledger.decode(batch, accepted=3, quarantined=0)
    assert figures(ledger.balance()) == (3, 0, 0, 0, 3)
    assert ledger.balance().uncounted_objects == 0


def test_landing_objects_may_be_removed_once_their_records_are_written(ledger: Ledger) -> None:
    batch = ledger.land_counted("a", records=4)
    ledger.decode(batch, accepted=4, quarantined=0)
    ledger.write(batch, accepted=4, quarantined=0)
    ledger.store.remove(f"landing/{STREAM}/2026-03-31/a")

    assert figures(ledger.balance()) == (4, 4, 0, 0, 0)


def test_an_overwritten_upload_is_a_batch_more(ledger: Ledger) -> None:
    batch = ledger.land("upload.csv", {})
    ledger.decode(batch, accepted=3, quarantined=0)
    ledger.write(batch, accepted=3, quarantined=0)
    ledger.store.put(f"landing/{STREAM}/2026-03-31/upload.csv", b"corrected", ObjectHeaders())

    assert figures(ledger.balance()) == (3, 3, 0, 0, 0)
    assert ledger.balance().uncounted_objects == 1


def test_a_commit_between_opening_the_table_and_listing_is_still_counted_once(ledger: Ledger) -> None:
    batch = ledger.land_counted("a", records=6)
    ledger.decode(batch, accepted=5, quarantined=1)
    late = ledger.land_counted("b", records=2)

    def commit_before_the_list(operation: str, _key: str) -> None:
        if operation == "list":
            ledger.store.fault = None
            ledger.write(batch, accepted=5, quarantined=1)
            ledger.decode(late, accepted=2, quarantined=0)

    ledger.store.fault = commit_before_the_list
    balance = ledger.balance()

    assert balance.received == 8
    assert balance.unexplained == 0


def test_rows_that_vanish_from_the_table_are_unexplained(ledger: Ledger) -> None:
    batch = ledger.land_counted("a", records=4)
    ledger.decode(batch, accepted=4, quarantined=0)
    ledger.write(batch, accepted=4, quarantined=0)
    table = ledger.lake.open(STREAM, keys.RECORDS_TABLE)
    assert table is not None
    table.replace([tables.Place(0, 0)], rows(1), ledger.totals)

    assert ledger.balance().unexplained == 3


def test_another_stream_is_another_account(ledger: Ledger) -> None:
    ledger.store.put_if_absent("landing/sensors-2/2026-03-31/a", b"x", ObjectHeaders({RECORDS_METADATA: "9"}))

    assert ledger.balance() == Balance(STREAM)


@pytest.mark.parametrize("key", ["landing/sensors/", "landing/sensors/2026-03-31/"])
def test_a_folder_that_a_console_made_does_not_hide_the_figures(ledger: Ledger, key: str) -> None:
    ledger.land_counted("a", records=4)
    ledger.store.put_if_absent(key, b"", ObjectHeaders())

    assert figures(ledger.balance()) == (4, 0, 0, 0, 4)


@pytest.mark.parametrize("claim", ["lots", "", "-3", "1e3"])
def test_a_count_an_uploader_made_up_does_not_hide_the_figures(ledger: Ledger, claim: str) -> None:
    ledger.land_counted("a", records=4)
    ledger.land("upload.csv", {RECORDS_METADATA: claim})

    assert figures(ledger.balance()) == (4, 0, 0, 0, 4)
    assert ledger.balance().uncounted_objects == 1
