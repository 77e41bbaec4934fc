"""One writer per table at a time, and whoever has lost a table cannot commit to it (law 5)."""

from contextlib import suppress
from dataclasses import dataclass, field

import msgspec
import pytest

from windrow import keys, log
from windrow.errors import OutcomeUnknown, Unavailable
from windrow.lake import tables
from windrow.lake.marks import AddedFile
from windrow.ports import ObjectHeaders
from windrow.testing import ManualClock, MemoryObjectStore, RecordingMetrics
from windrow_writer.committing import Committer
from windrow_writer.leases import Elsewhere, Lease, Leases
from windrow_writer.roster import Roster

TTL_S = 9.0
TABLES = [f"windows_{number}" for number in range(40)]


@dataclass
class Place:
    """Where writers meet."""

    clock: ManualClock = field(default_factory=ManualClock)
    metrics: RecordingMetrics = field(default_factory=RecordingMetrics)

    def __post_init__(self) -> None:
        self.store = MemoryObjectStore(self.clock)

    def writer(self, name: str, clock: ManualClock | None = None) -> Leases:
        return Leases(self.store, Roster(self.store, clock or self.clock, name, TTL_S), self.metrics, log.quiet())


@pytest.fixture
def place() -> Place:
    return Place()


def held(writer: Leases) -> set[str]:
    """The tables that a writer gets when it asks for all of them."""
    found = set()
    for table in TABLES:
        try:
            writer.hold("s", table)
        except (Elsewhere, OutcomeUnknown):
            continue
        found.add(table)
    return found


def test_a_writer_that_is_alone_holds_every_table_under_one_token_each(place: Place) -> None:
    alone = place.writer("a")

    assert held(alone) == set(TABLES)
    assert {alone.hold("s", table) for table in TABLES} == {1}


def test_writers_share_the_tables_and_no_table_is_held_by_two(place: Place) -> None:
    writers = [place.writer(name) for name in ("a", "b", "c")]
    for writer in writers:
        writer.beat()
    for writer in writers:
        writer.beat()
    shares = [held(writer) for writer in writers]

    assert set().union(*shares) == set(TABLES)
    assert sum(map(len, shares)) == len(TABLES)
    assert all(shares)


def test_one_that_comes_takes_over_its_share_and_nothing_else_changes_hands(place: Place) -> None:
    first = place.writer("a")
    before = held(first)
    second = place.writer("b")
    assert held(second) == set()  # they are held still
    place.clock.advance(TTL_S / 2)
    first.beat()
    second.beat()

    shares = held(first), held(second)
    assert shares[0] | shares[1] == before
    assert not shares[0] & shares[1]
    assert {first.hold("s", table) for table in shares[0]} == {1}
    assert {second.hold("s", table) for table in shares[1]} == {2}


def test_the_tables_of_one_that_is_gone_are_taken_over_once_it_has_not_been_heard_of(place: Place) -> None:
    gone, left = place.writer("a"), place.writer("b")
    gone.beat()
    left.beat()
    gone.beat()
    lost = held(gone)
    kept = held(left)
    assert lost
    assert held(left) == kept

    while not left.roster.is_due():
        place.clock.advance(1)
    for _ in range(5):
        place.clock.advance(TTL_S / 3)
        left.beat()
    assert held(left) == set(TABLES)
    assert {left.hold("s", table) for table in lost} == {2}


def test_one_that_leaves_is_not_waited_for(place: Place) -> None:
    leaving, left = place.writer("a"), place.writer("b")
    for _ in range(2):
        leaving.beat()
        left.beat()
    assert held(leaving)
    held(left)
    leaving.leave()
    left.beat()

    assert held(left) == set(TABLES)


@pytest.mark.parametrize("unheard", ["the reply", "its own pause"])
def test_a_lease_that_its_holder_does_not_know_of_is_given_up_all_the_same(place: Place, unheard: str) -> None:
    first, second = place.writer("a"), place.writer("b")
    if unheard == "the reply":
        place.store.fault = losing_the_reply
        assert held(first) == set()
        place.store.fault = None
    else:
        assert held(first) == set(TABLES)
        place.clock.advance(2 * TTL_S)
    for writer in (first, second, first, second):
        writer.beat()
    for_second = {table for table in TABLES if second.roster.writer_for(f"s/{table}") == "b"}
    assert for_second
    held(first)

    assert held(second) == for_second


def losing_the_reply(operation: str, key: str) -> None:
    if operation.endswith(".after") and key.startswith("leases/tables/"):
        raise OutcomeUnknown("the reply was lost")


def test_a_lease_that_comes_to_be_ours_after_we_saw_that_it_was_not_is_given_up_at_the_next_beat(place: Place) -> None:
    first, second = place.writer("a"), place.writer("b")
    held(first)
    second.beat()
    first.beat()
    shares = held(first), held(second)
    table = min(shares[1])
    key = keys.lease_key("s", table)
    # A put of the first one's from before, on its way until now: it had looked, and the lease was not in its name.
    stale = msgspec.json.encode(Lease(owner="a", token=7))
    second.leave()
    place.store.put(key, stale, ObjectHeaders(content_type="application/json"), if_match=place.store.get(key).info.etag)
    back = place.writer("b")
    back.beat()
    for _ in range(2):
        place.clock.advance(TTL_S / 3)
        first.beat()
        back.beat()
        with suppress(Elsewhere):
            first.hold("s", table)

    assert back.hold("s", table) == 8


def test_one_that_was_silent_for_too_long_asks_again_before_it_commits(place: Place) -> None:
    paused, other = place.writer("a"), place.writer("b")
    assert held(paused) == set(TABLES)
    place.clock.advance(3 * TTL_S)
    taken = held(other)
    assert taken == set(TABLES)  # nobody else was heard of

    back = held(paused)
    assert back == set()
    other.beat()
    shares = held(paused), held(other)
    assert not shares[0] & shares[1]


def test_clocks_that_disagree_do_not_make_one_seem_gone(place: Place) -> None:
    ahead = ManualClock(place.clock.now_us() + 3_600_000_000)
    first, second = place.writer("a"), place.writer("b", ahead)
    for _ in range(2):
        first.beat()
        second.beat()

    assert (first.roster.is_alive("b"), second.roster.is_alive("a")) == (True, True)


def test_a_store_that_does_not_answer_gives_no_lease(place: Place) -> None:
    writer = place.writer("a")

    def fault(operation: str, key: str) -> None:
        raise Unavailable(f"{operation} {key}: slow down")

    place.store.fault = fault
    with pytest.raises(Unavailable):
        writer.hold("s", "records")


# ------------------------------------------------------------------------------------------------ the mark in the table


class Handle:
    """A table that remembers the token it was last committed under."""

    fence: int | None = None

    def mark(self, name: str) -> int | None:
        assert name == tables.FENCE
        return self.fence

    def committed_files(self) -> list[AddedFile]:
        return []

    def carry(self, marks: dict[str, int]) -> None:
        type(self).fence = marks[tables.FENCE]


def committed(place: Place, leases: Leases, table: type[Handle]) -> bool:
    """Whether a writer gets as far as a commit."""
    reached = []
    committer = Committer(place.clock, place.metrics, log.quiet(), leases, attempts=2)
    try:
        committer.commit("s", "records", table, lambda _: reached.append(1) or "all")  # type: ignore[arg-type,return-value]
    except Elsewhere:
        assert not reached
        return False
    return True


def test_a_writer_that_does_not_know_that_it_lost_a_table_finds_the_token_in_it(place: Place) -> None:
    table = type("Records", (Handle,), {})
    zombie, heir = place.writer("a", ManualClock()), place.writer("b")
    assert committed(place, zombie, table)
    place.clock.advance(3 * TTL_S)  # for everyone but the zombie, whose time stands still
    assert committed(place, heir, table)
    assert table.fence == 2

    assert not committed(place, zombie, table)
    assert place.metrics.total("leases_lost") == 1


def test_tokens_go_on_where_the_lease_itself_was_lost(place: Place) -> None:
    table = type("Records", (Handle,), {"fence": 7})
    writer = place.writer("a")

    assert not committed(place, writer, table)
    assert committed(place, writer, table)
    assert table.fence == 8


def test_the_ledger_is_committed_to_under_the_lease_of_records() -> None:
    assert keys.leased_table("late") == "records"
    assert keys.leased_table("windows_late") == "windows_late"
