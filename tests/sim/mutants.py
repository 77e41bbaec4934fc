"""Windrow with one thing wrong in it. Each mutant breaks what a law says, in production's own objects."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, replace
from typing import Any
from unittest import mock

import polars as pl

from tests.sim import people
from windrow import conservation, immutable, keys
from windrow.decoding import decode as decoding
from windrow.decoding import replays
from windrow.errors import Conflict, OutcomeUnknown, Transient
from windrow.lake import dedupe
from windrow.lake.tables import batch_mark, place_mark
from windrow.listing import Known, Listing
from windrow.manifest import Manifest
from windrow.ports import ObjectStore
from windrow.testing.lake import MemoryTable
from windrow.worker import Worker
from windrow_consumer import handler as consuming
from windrow_consumer import landing
from windrow_consumer import sweep as consumer_sweep
from windrow_ingest import grouping
from windrow_reprocessor import replay as replaying
from windrow_windower import handler as windowing
from windrow_windower import places
from windrow_windower import sweep as windower_sweep
from windrow_writer import committing, leases, loading, plan, sealing
from windrow_writer import handler as writing


@dataclass(frozen=True)
class Mutant:
    """What is wrong, the law that it breaks, and how to make it so while a context lasts."""

    name: str
    law: int
    what: str
    patch: Callable[[], AbstractContextManager[None]]


MUTANTS: list[Mutant] = []


def mutant(law: int, what: str) -> Callable[[Callable[[], Iterator[None]]], Callable[[], Iterator[None]]]:
    """Add a mutant, named as its function."""

    def add(patch: Callable[[], Iterator[None]]) -> Callable[[], Iterator[None]]:
        MUTANTS.append(Mutant(patch.__name__, law, what, contextmanager(patch)))
        return patch

    return add


# ------------------------------------------------------------------------------------------------ 1: acknowledged


@mutant(1, "ingest answers before its PUT has landed")
def acknowledges_before_the_put() -> Iterator[None]:
    put = grouping.Grouper._put

    async def early(self: Any, stream: str, key: str, write_id: str, body: bytes, headers: Any) -> Any:
        asyncio.create_task(put(self, stream, key, write_id, body, headers))  # noqa: RUF006  nobody waits for it
        return grouping.LandedAt(key, was_repeated=False)

    with mock.patch.object(grouping.Grouper, "_put", early):
        yield


@mutant(1, "a PUT that was refused for what already stands there counts as ours, whoever wrote it")
def takes_any_412_for_its_own() -> Iterator[None]:
    once = immutable.put_once

    def careless(store: ObjectStore, key: str, body: Any, write_id: str, headers: Any) -> Any:
        try:
            return once(store, key, body, write_id, headers)
        except Conflict:
            return "already_ours", store.head(key)

    with mock.patch.object(grouping, "put_once", careless):
        yield


# ------------------------------------------------------------------------------------------------ 2: keys


@mutant(2, "a batch that is delivered again is another batch: it is named after its delivery, not after what it holds")
def names_batches_after_their_delivery() -> Iterator[None]:
    deliveries: Counter[str] = Counter()

    def named(key: str, etag: str) -> str:
        deliveries[key] += 1
        number = min(deliveries[key], 3)
        return keys.batch_id(key, etag if number == 1 else f"{etag}{number}")

    with mock.patch.object(consuming, "keys", _Instead(keys, batch_id=named)):
        yield


class _Instead:
    """Something else in the place of some names of an object."""

    def __init__(self, inner: Any, **instead: Any) -> None:
        self._inner = inner
        self.__dict__.update(instead)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


# ------------------------------------------------------------------------------------------------ 3: effect first


@mutant(3, "a worker deletes its messages before it handles them")
def deletes_before_the_effect() -> Iterator[None]:
    handle = Worker._handle

    def early(self: Any, deliveries: Sequence[Any]) -> Any:
        with suppress(Transient):
            self.queue.delete([delivery.receipt for delivery in deliveries])
        return handle(self, deliveries)

    with mock.patch.object(Worker, "_handle", early):
        yield


@mutant(3, "the consumer sends its pointers before the manifest stands")
def sends_pointers_before_the_manifest() -> Iterator[None]:
    put = landing.Landing._put_manifest

    def early(self: Any, found: Any, made: Manifest) -> None:
        self.send(made)
        put(self, found, made)

    with mock.patch.object(landing.Landing, "_put_manifest", early):
        yield


@mutant(3, "a batch that has a manifest is taken for done: the pointers of a consumer that died are never sent")
def takes_a_manifest_for_the_end() -> Iterator[None]:
    with mock.patch.object(consuming.Handler, "_send_again", return_value=None):
        yield


@mutant(3, "the manifest is written before the segments that it names")
def writes_the_manifest_before_the_segments() -> Iterator[None]:
    put = landing.Landing._put

    def late(self: Any, found: Any, key: str, body: bytes, content_type: str) -> None:
        postponed = self.__dict__.setdefault("_postponed", [])
        if key.startswith("segments/"):
            postponed.append((key, body, content_type))
            return
        put(self, found, key, body, content_type)
        if key.startswith("batches/"):
            for each in postponed:
                put(self, found, *each)
            postponed.clear()

    with mock.patch.object(landing.Landing, "_put", late):
        yield


@mutant(3, "a send of which only a part was taken passes for a whole one")
def takes_part_of_a_send_for_all_of_it() -> Iterator[None]:
    send = consuming.Handler._send_pointers

    def careless(self: Any, found: Manifest) -> None:
        with suppress(Transient):
            send(self, found)

    with mock.patch.object(consuming.Handler, "_send_pointers", careless):
        yield


# ------------------------------------------------------------------------------------------------ 4: the store


@mutant(4, "no sweep looks for objects whose event was lost")
def does_not_look_for_lost_events() -> Iterator[None]:
    with mock.patch.object(consumer_sweep.Sweep, "run", return_value=None):
        yield


@mutant(4, "no sweep looks for batches and windows whose pointer died")
def does_not_look_for_lost_pointers() -> Iterator[None]:
    with (
        mock.patch.object(windower_sweep.Sweep, "_point_at_forgotten_batches", return_value=None),
        mock.patch.object(windower_sweep.Sweep, "_is_old", return_value=False),
    ):
        yield


@mutant(4, "a refresh lists its inputs once and for all, not anew for each group")
def lists_once_and_for_all() -> Iterator[None]:
    def remembered(store: Any, stream: str) -> Any:
        return store.__dict__.setdefault(f"listing of {stream}", Listing(store, stream))

    with mock.patch.object(windowing, "Listing", remembered):
        yield


# ------------------------------------------------------------------------------------------------ 5: one committer


def _decides_and_commits_apart(name: str) -> Any:
    commit = getattr(MemoryTable, name)

    def by_path(self: MemoryTable, *arguments: Any) -> None:
        self._at = self._log.newest
        commit(self, *arguments)

    return mock.patch.object(MemoryTable, name, by_path)


@mutant(5, "commits go to whatever version is newest, not through the handle under which they were decided")
def writes_by_path() -> Iterator[None]:
    with _decides_and_commits_apart("append"), _decides_and_commits_apart("replace"), _no_leases():
        yield


@contextmanager
def _no_leases() -> Iterator[None]:
    """Leases keep writers apart, and with them most of what handles are for; without them it shows."""
    with mock.patch.object(leases.Leases, "hold", return_value=1):
        yield


@mutant(5, "whether a batch is in the table already is not asked")
def does_not_compare_batch_marks() -> Iterator[None]:
    load = loading.Loader.load

    def forgetful(self: Any, stream: str, batches: Any, handle: Any, failed: Any, spec: Any) -> Any:
        loaded, _ = load(self, stream, batches, _Unmarked(handle), failed, spec)
        return loaded, True

    with mock.patch.object(loading.Loader, "load", forgetful):
        yield


class _Unmarked:
    """A handle that knows of no batch."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def mark(self, name: str) -> int | None:
        return None if name.startswith(batch_mark("")) else self._inner.mark(name)


@mutant(5, "a commit that is reported as failed is made again without looking whether it landed")
def repeats_commits_blindly() -> Iterator[None]:
    def blind(
        self: Any, stream: str, table: str, open_handle: Any, step: Any, closed: committing.Closed = "commit"
    ) -> None:
        def again() -> Any:
            handle = open_handle()
            return handle if not failures else _Unmarked(handle)

        failures: list[int] = []

        def counted(handle: Any) -> Any:
            try:
                return step(handle)
            except OutcomeUnknown:
                failures.append(1)
                raise
            finally:
                if failures and handle.__class__ is _Unmarked:
                    failures.clear()

        commit(self, stream, table, again, counted, closed)

    commit = committing.Committer.commit
    with mock.patch.object(committing.Committer, "commit", blind):
        yield


# ------------------------------------------------------------------------------------------------ 6: only grow


@mutant(6, "a result takes the place of any other, however many inputs that one had")
def accepts_smaller_input_sets() -> Iterator[None]:
    with mock.patch.object(plan, "may_replace", return_value=True):
        yield


@mutant(6, "windows are computed from the segments that are left when others have expired")
def computes_from_what_is_left() -> Iterator[None]:
    read = places.Places._read

    def partial(self: Any, published: Any, place: Any, known: Known) -> Any:
        return read(self, published, place, Known(known.batches & known.listed, known.listed))

    with mock.patch.object(places.Places, "_read", partial):
        yield


@mutant(6, "buckets are sealed before all their batches are in the table")
def seals_too_early() -> Iterator[None]:
    def seal(self: Any, stream: str, spec: Any, pointers: Any) -> Mapping[Any, str]:
        def step(handle: Any) -> Any:
            due = [
                place
                for place, pointer in pointers.items()
                if (handle.mark(place_mark(place)) or 0) < plan.growth_of(pointer)
            ]
            if not due:
                return "nothing"
            return self.sealer.seal(
                handle, spec, due, lambda some: plan.window_marks(pointers[place] for place in some)
            )

        self.committer.commit(stream, keys.RECORDS_TABLE, lambda: self._records(stream, spec), step, "seal")
        return {}

    with (
        mock.patch.object(writing.Handler, "_seal", seal),
        mock.patch.object(windower_sweep, "batch_mark", return_value="windrow.last_batch_us"),
    ):
        yield


# ------------------------------------------------------------------------------------------------ 7: once


@mutant(7, "records with the same identity are not one record")
def does_not_deduplicate() -> Iterator[None]:
    def all_of_them(rows: pl.DataFrame, _spec: Any) -> pl.DataFrame:
        return rows

    with (
        mock.patch.object(dedupe, "deduplicate", all_of_them),
        mock.patch.object(places, "deduplicate", all_of_them),
        mock.patch.object(plan, "deduplicate", all_of_them),
    ):
        yield


@mutant(7, "a replayed record is a new one: it does not keep the identity it had when it first came")
def forgets_who_was_replayed() -> Iterator[None]:
    decode = replays.decode_replay

    def renamed(plain: bytes, batch: Any, spec: Any, limits: Any) -> Any:
        found = decode(plain, batch, spec, limits)
        return replace(found, rows=found.rows.with_columns(pl.lit(batch.batch).alias("_batch")))

    with mock.patch.object(decoding, "decode_replay", renamed):
        yield


@mutant(7, "a replay is noted before it has landed: one that breaks off is never made good")
def notes_replays_before_they_land() -> Iterator[None]:
    land, note = replaying.Replayer._land_records, replaying.Replayer._note

    def noted(self: Any, group: Any) -> str:
        flow = group[0].flow
        write_id = keys.set_digest(failed.id for failed in group)
        key = keys.replay_landing_key(keys.stream_of_flow(flow), write_id, ".replay.ndjson.zst")
        note(self, flow, group, key, write_id)
        return land(self, group)

    with mock.patch.object(replaying.Replayer, "_land_records", noted):
        yield


@mutant(7, "what is late is judged after it was appended")
def judges_late_after_the_append() -> Iterator[None]:
    enter = writing.Handler._enter_late

    def later(self: Any, stream: str, spec: Any, loaded: Any, records: Any) -> None:
        append = records.append

        def and_then(rows: Any, marks: Any) -> None:
            append(rows, marks)
            enter(self, stream, spec, loaded, records)

        records.append = and_then

    with mock.patch.object(writing.Handler, "_enter_late", later):
        yield


# ------------------------------------------------------------------------------------------------ 8: figures


@mutant(8, "the table is opened again after what landed was listed, so that a record is counted twice")
def opens_the_table_after_the_list() -> Iterator[None]:
    def late(store: Any, lake: Any, stream: str) -> conservation.Balance:
        opened: list[Any] = []

        class Remembering:
            def open(self, stream: str, table: str) -> Any:
                opened.append(lake.open(stream, table))
                return opened[-1]

        found = figures(store, Remembering(), stream)  # type: ignore[arg-type]
        then, now = (conservation._committed(stream, each) for each in (opened[0], lake.open(stream, "records")))
        totals = ("received", "written", "duplicate", "quarantined", "filtered", "expired")
        grown = {name: getattr(found, name) + getattr(now, name) - getattr(then, name) for name in totals}
        return replace(found, **grown)

    figures = conservation.balance
    with mock.patch.object(people, "balance", late):
        yield


@mutant(8, "duplicates that a seal removes are not counted")
def does_not_count_duplicates() -> Iterator[None]:
    with mock.patch.object(sealing.Sealer, "_marks", lambda _self, _handle, marks, _removed: marks):
        yield


# ------------------------------------------------------------------------------------------------ 10: bounded


@mutant(10, "a lease whose reply was lost is never given up")
def keeps_leases_it_does_not_know_of() -> Iterator[None]:
    def give(self: Any, key: str) -> None:
        token = self._held.pop(key, None)
        if token is None:
            return
        found = self._read(key)
        lease = None if found is None else leases._DECODER.decode(found.body)
        if lease == leases.Lease(owner=self.roster.writer, token=token):
            with suppress(leases.Elsewhere):
                self._put(key, leases.Lease(owner="", token=token), found)

    with mock.patch.object(leases.Leases, "_give", give):
        yield
