"""What failed, in one list, whatever its kind: quarantined records, unreadable objects, dead letters."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import msgspec

from windrow import flows, keys, messages, quarantine
from windrow.catalog import SpecCatalog
from windrow.errors import BadInput
from windrow.ports import ObjectStore
from windrow.quarantine import QuarantinedRecord
from windrow.receipts import Receipt, decode_receipt
from windrow.units import from_us
from windrow_reprocessor.letters import DeadLetter, decode_dead

Kind = Literal["record", "object", "message"]


@dataclass(frozen=True, slots=True)
class FailedRecord:
    """A quarantined record or object: the file it stands in, and its line there, from 0."""

    flow: str
    file_batch: str
    line: int
    record: QuarantinedRecord

    @property
    def id(self) -> str:
        return f"{self.flow}:{self.file_batch}:{self.line}"

    @property
    def kind(self) -> Kind:
        return "object" if self.record.format == "object" else "record"


@dataclass(frozen=True, slots=True)
class FailedMessage:
    """A dead letter and where it is kept."""

    key: str
    etag: str
    letter: DeadLetter

    @property
    def id(self) -> str:
        return self.key


class Filter(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which failures are meant; what is not given does not restrict."""

    stream: str | None = None
    kind: Kind | None = None
    reason: str | None = None
    ids: tuple[str, ...] | None = None


class Entry(msgspec.Struct, frozen=True, omit_defaults=True):
    """One failure, as it is shown."""

    id: str
    kind: Kind
    reason: str
    message: str
    received_at: datetime
    stream: str | None = None
    queue: str | None = None
    index: int | None = None
    line: int | None = None
    column: int | None = None
    field: str | None = None
    value: str | None = None
    data: str | None = None
    batch: str | None = None
    ordinal: int | None = None


class Group(msgspec.Struct, frozen=True, omit_defaults=True):
    """Failures of one kind and reason. `count` counts records; an unreadable object counts what it held."""

    kind: Kind
    reason: str
    count: int
    stream: str | None = None
    queue: str | None = None


class Listing(msgspec.Struct, frozen=True):
    """What there is in all, by group, and the first few in full."""

    total: int
    groups: tuple[Group, ...]
    entries: tuple[Entry, ...]


@dataclass(frozen=True)
class Triage:
    """Reads failures out of the object store."""

    store: ObjectStore
    catalog: SpecCatalog

    def records(self, wanted: Filter) -> Iterator[FailedRecord]:
        """Quarantined records and objects that wait and match."""
        if wanted.kind == "message":
            return
        every = self.catalog.flows()
        for flow in every if wanted.stream is None else flows.of_stream(wanted.stream, every):
            replayed = {(receipt.file_batch, line) for receipt in self._receipts(flow) for line in receipt.lines}
            for info in self.store.list(keys.quarantine_prefix(flow)):
                file_batch = info.key.rsplit("/", 1)[1].removesuffix(".ndjson")
                for line, record in enumerate(quarantine.decode_lines(self.store.get(info.key).body)):
                    failed = FailedRecord(flow, file_batch, line, record)
                    if (file_batch, line) not in replayed and _matches_record(wanted, failed):
                        yield failed

    def messages(self, wanted: Filter) -> Iterator[FailedMessage]:
        """Dead letters that wait and match."""
        if wanted.kind not in (None, "message"):
            return
        for info in self.store.list(keys.DEAD_LETTERS_PREFIX):
            stored = self.store.get(info.key)
            failed = FailedMessage(info.key, stored.info.etag, decode_dead(stored.body))
            if failed.letter.state == "waiting" and _matches_message(wanted, failed):
                yield failed

    def list(self, wanted: Filter, limit: int) -> Listing:
        """Everything that waits and matches, counted, and the first `limit` of it in full."""
        entries: list[Entry] = []
        groups: Counter[tuple[Kind, str | None, str | None, str]] = Counter()
        every = self.catalog.flows()
        for record in self.records(wanted):
            name = flows.shown(record.flow, every)
            groups[record.kind, name, None, record.record.reject.reason] += record.record.record_count
            if len(entries) < limit:
                entries.append(_record_entry(record, name))
        for message in self.messages(wanted):
            entry = _message_entry(message, every)
            groups["message", entry.stream, entry.queue, entry.reason] += 1
            if len(entries) < limit:
                entries.append(entry)
        return Listing(sum(groups.values()), _groups(groups), tuple(entries))

    def _receipts(self, stream: str) -> Iterable[Receipt]:
        for info in self.store.list(keys.replay_receipt_prefix(stream)):
            yield decode_receipt(self.store.get(info.key).body)


def _groups(counts: Counter[tuple[Kind, str | None, str | None, str]]) -> tuple[Group, ...]:
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0][3]))
    return tuple(Group(kind, reason, count, stream, queue) for (kind, stream, queue, reason), count in ordered)


def _matches_record(wanted: Filter, failed: FailedRecord) -> bool:
    return (
        (wanted.kind is None or wanted.kind == failed.kind)
        and (wanted.reason is None or wanted.reason == failed.record.reject.reason)
        and (wanted.ids is None or failed.id in wanted.ids)
    )


def _matches_message(wanted: Filter, failed: FailedMessage) -> bool:
    return (
        (wanted.stream is None or _is_about(failed.letter, wanted.stream))
        and (wanted.reason is None or wanted.reason == failed.letter.reason)
        and (wanted.ids is None or failed.id in wanted.ids)
    )


def _is_about(letter: DeadLetter, stream: str) -> bool:
    flow = _flow_of(letter)
    return flow is not None and flow in flows.of_stream(stream, [flow])


def _flow_of(letter: DeadLetter) -> str | None:
    """The flow a message was about, where it can still be told; the stream, if that is all it says."""
    try:
        if letter.queue == "landed":
            pointers: Sequence[messages.Landed] = messages.decode_landed(letter.body)
            return keys.stream_of_landing_key(pointers[0].key) if pointers else None
        message = messages.decode(letter.body)
    except BadInput:
        return None
    return None if isinstance(message, messages.Landed) else message.stream


def _record_entry(failed: FailedRecord, stream: str) -> Entry:
    record, reject = failed.record, failed.record.reject
    return Entry(
        id=failed.id,
        kind=failed.kind,
        reason=reject.reason,
        message=reject.message,
        received_at=from_us(record.received_us),
        stream=stream,
        index=reject.index,
        line=reject.line,
        column=reject.column,
        field=reject.field,
        value=reject.value,
        data=record.data,
        batch=record.batch,
        ordinal=record.ordinal,
    )


def _message_entry(failed: FailedMessage, every: Sequence[str]) -> Entry:
    flow = _flow_of(failed.letter)
    return Entry(
        id=failed.id,
        kind="message",
        reason=failed.letter.reason,
        message=f"died {failed.letter.deaths} times; {failed.letter.reason}",
        received_at=from_us(failed.letter.last_us),
        # What has only landed belongs to the stream; which of its tables it goes to is not said there.
        stream=flow if flow is None or failed.letter.queue == "landed" else flows.shown(flow, every),
        queue=failed.letter.queue,
        data=failed.letter.body,
    )
