"""What a seal does to the records of its buckets: each is left once, in order, in files of the right size."""

from collections.abc import Sequence
from dataclasses import dataclass

from windrow.lake import tables
from windrow.lake.schema import BUCKET, SHARD, records_schema
from windrow.lake.tables import DataFile, Place, Table
from windrow.spec import StreamSpec
from windrow_writer import plan
from windrow_writer.committing import Step
from windrow_writer.sorting import Disk, sorted_on_disk


@dataclass(frozen=True)
class Sealer:
    """Seals places in one commit, as many as memory holds; what it does not hold is sealed alone, by way of disk."""

    max_places: int
    max_rows: int
    disk: Disk

    def seal(self, handle: Table, spec: StreamSpec, due: Sequence[Place], marks: plan.MarksOf) -> Step:
        """Rewrite what needs it among places whose batches are all in the table, and mark them as sealed."""
        files = handle.files()
        places = plan.fitting(due[: self.max_places], files, self.max_rows)
        if len(places) == 1 and plan.most_rows(places[0], files) > self.max_rows:
            self._seal_large(handle, spec, places[0], files, marks)
            return "some"
        scattered = [place for place in places if plan.is_scattered(place, files, handle.target_file_bytes)]
        whole = [place for place in places if place not in scattered]
        identity = dict.fromkeys((*spec.identity, BUCKET, SHARD))
        doubled = plan.doubled(handle.read(whole, list(identity))) if whole else []
        if not scattered and not doubled:
            handle.append(records_schema(spec).to_frame(), marks(places))
            return "some"
        compaction = plan.compact(handle.read([*scattered, *doubled]), spec)
        handle.replace([*scattered, *doubled], compaction.rows, self._marks(handle, marks(places), compaction.removed))
        return "some"

    def _seal_large(
        self, handle: Table, spec: StreamSpec, place: Place, files: Sequence[DataFile], marks: plan.MarksOf
    ) -> None:
        with sorted_on_disk(handle.scan(place), spec, self.disk) as found:
            if found.removed or (found.row_count and plan.is_scattered(place, files, handle.target_file_bytes)):
                handle.replace([place], found.batches, self._marks(handle, marks([place]), found.removed))
            else:
                handle.append(records_schema(spec).to_frame(), marks([place]))

    def _marks(self, handle: Table, marks: dict[str, int], removed: int) -> dict[str, int]:
        return {**marks, tables.DUPLICATES: (handle.mark(tables.DUPLICATES) or 0) + removed}
