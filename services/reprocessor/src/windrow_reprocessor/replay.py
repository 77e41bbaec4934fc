"""Sends failures round again. Every step names what it makes after what it replays, so twice is once (law 7)."""

import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

import msgspec
import zstandard

from windrow import keys
from windrow.clock import Clock
from windrow.errors import AlreadyExists, BadInput, Conflict, Permanent
from windrow.immutable import put_once
from windrow.log import Log
from windrow.manifest import RECORDS_METADATA, RETURNED_FROM_METADATA, RETURNED_METADATA
from windrow.metrics import Metrics
from windrow.ports import ObjectHeaders, ObjectStore, Outgoing, Queue
from windrow.quarantine import REPLAY_TYPE, encode_lines
from windrow.receipts import Receipt, encode_receipt
from windrow_reprocessor.letters import encode_dead
from windrow_reprocessor.triage import FailedMessage, FailedRecord, Filter, Kind, Triage

_SUFFIX = ".replay.ndjson.zst"
_NAME_CHARS = 200


class ReplayRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which failures to replay; with `dry_run` only counted. Something must be chosen: `{}` replays nothing."""

    stream: str | None = None
    kind: Kind | None = None
    reason: str | None = None
    ids: tuple[str, ...] | None = None
    limit: int | None = None
    dry_run: bool = False

    def filter(self) -> Filter:
        """What it restricts to; BadInput when it restricts to nothing."""
        if self.stream is None and self.kind is None and self.reason is None and self.ids is None:
            raise BadInput("choose what to replay: give at least one of stream, kind, reason or ids")
        if self.limit is not None and self.limit < 1:
            raise BadInput(f"limit is {self.limit}; it must be at least 1")
        return Filter(self.stream, self.kind, self.reason, self.ids)


class ReplayDone(msgspec.Struct, frozen=True):
    """What was sent round again (or would be), and the landing objects it became."""

    records: int
    objects: int
    messages: int
    landing_keys: tuple[str, ...]
    dry_run: bool


@dataclass(frozen=True)
class Replayer:
    """The only way back into the flow."""

    store: ObjectStore
    queues: Mapping[str, Queue]
    triage: Triage
    clock: Clock
    metrics: Metrics
    log: Log
    max_object_records: int
    max_object_bytes: int

    def replay(self, request: ReplayRequest) -> ReplayDone:
        """Land chosen records and objects again, send chosen messages again, and note that it was done.

        The effect comes before the note: a crash in between leads to a second replay of the same thing, which lands
        at the same key. Raises Conflict when objects could not be landed again; all the rest has been replayed then.
        """
        wanted = request.filter()
        limit = None if request.limit is None else min(request.limit, sys.maxsize)
        records = list(islice(self.triage.records(wanted), limit))
        left = None if limit is None else limit - len(records)
        letters = list(islice(self.triage.messages(wanted), left))
        whole = [failed for failed in records if failed.kind == "object"]
        single = [failed for failed in records if failed.kind == "record"]
        landing_keys: list[str] = []
        refused: list[str] = []
        if not request.dry_run:
            landing_keys.extend(self._land_records(group) for group in self._groups(single))
            for failed in whole:
                try:
                    landing_keys.append(self._land_object(failed))
                except Permanent as error:
                    refused.append(str(error))
            for letter in letters:
                self._resend(letter)
            self.log.info(
                "failures_replayed",
                records=len(single),
                objects=len(whole),
                messages=len(letters),
                landing_keys=landing_keys,
                refused=refused,
            )
        if refused:
            raise Conflict(
                f"{len(refused)} of {len(whole)} objects could not be landed again (first: {refused[0]}); "
                "everything else that was chosen has been replayed"
            )
        return ReplayDone(len(single), len(whole), len(letters), tuple(landing_keys), request.dry_run)

    def _groups(self, failed: Sequence[FailedRecord]) -> Iterator[list[FailedRecord]]:
        """Records of one flow, as many as one landing object may hold."""
        by_flow: dict[str, list[FailedRecord]] = defaultdict(list)
        for each in failed:
            by_flow[each.flow].append(each)
        for members in by_flow.values():
            for start in range(0, len(members), self.max_object_records):
                yield members[start : start + self.max_object_records]

    def _land_records(self, group: Sequence[FailedRecord]) -> str:
        flow = group[0].flow
        write_id = keys.set_digest(failed.id for failed in group)
        key = keys.replay_landing_key(keys.stream_of_flow(flow), write_id, _SUFFIX)
        body = zstandard.ZstdCompressor(level=3).compress(encode_lines([failed.record for failed in group]))
        metadata = {
            "source": "replay",
            "received-us": str(self.clock.now_us()),
            RECORDS_METADATA: str(len(group)),
            RETURNED_METADATA: str(len(group)),
            RETURNED_FROM_METADATA: flow,
        }
        headers = ObjectHeaders(metadata, REPLAY_TYPE, "zstd")
        put_once(self.store, key, body, write_id, headers)
        self._note(flow, group, key, write_id)
        return key

    def _land_object(self, failed: FailedRecord) -> str:
        """Land an object that could not be read once more, bytes and headers as they were."""
        source = self.store.get(failed.record.data, self.max_object_bytes)
        write_id = keys.digest(failed.id)
        name = source.info.key.rsplit("/", 1)[1][-_NAME_CHARS:]  # the end of a name says its format
        key = keys.replay_landing_key(keys.stream_of_flow(failed.flow), write_id, f"-{name}")
        metadata = {
            **source.info.metadata,
            "source": "replay",
            "received-us": str(failed.record.received_us),
            RETURNED_METADATA: str(failed.record.record_count),
            RETURNED_FROM_METADATA: failed.flow,
        }
        headers = ObjectHeaders(metadata, source.info.content_type, source.info.content_encoding)
        put_once(self.store, key, source.body, write_id, headers)
        self._note(failed.flow, [failed], key, write_id)
        return key

    def _note(self, flow: str, group: Sequence[FailedRecord], landing_key: str, write_id: str) -> None:
        landed_us = self.store.head(landing_key).modified_us
        goes_to = self.triage.catalog.at(keys.stream_of_flow(flow), landed_us).spec.stream
        files: dict[str, list[FailedRecord]] = defaultdict(list)
        for failed in group:
            files[failed.file_batch].append(failed)
        for file_batch, members in files.items():
            receipt = Receipt(
                stream=flow,
                file_batch=file_batch,
                lines=tuple(failed.line for failed in members),
                landing_key=landing_key,
                at_us=self.clock.now_us(),
                flow=goes_to,
                record_count=sum(failed.record.record_count for failed in members),
            )
            key = keys.replay_receipt_key(flow, file_batch, write_id)
            put_once(self.store, key, encode_receipt(receipt), write_id, ObjectHeaders(content_type="application/json"))
        self.metrics.count("replays_started", stream=flow)

    def _resend(self, failed: FailedMessage) -> None:
        letter = failed.letter
        self.queues[letter.queue].send([Outgoing(letter.body)])
        sent = msgspec.structs.replace(letter, state="replayed", replays=letter.replays + 1)
        try:
            headers = ObjectHeaders(content_type="application/json")
            self.store.put(failed.key, encode_dead(sent), headers, if_match=failed.etag)
        except AlreadyExists:
            # It died again, or somebody replayed it too, in this very moment; the newer note stands.
            self.log.warning("dead_letter_changed", key=failed.key)
