"""The S3 key layout. Every key is a pure function of its content's identity (law 2).

config/streams/<stream>/<version>-<digest>.yaml      stream specs, every version kept
config/streams/<stream>/<version>-<digest>-tables<n>.yaml  those whose records go to the n-th version of the tables
landing/<stream>/<yyyy-mm-dd>/<name>                 raw batches, untouched

Below, `<stream>` is a flow: the stream itself, and `<stream>__v<n>` from the second version of its tables on.

config/columns/<stream>/<column>.json                columns that records brought themselves (schema: evolve)
config/halts/<stream>/<version>.json                 that a spec version quarantined too much, and decoding stopped
batches/<stream>/<batch>.json                        what became of a batch once decoded
batches/<stream>/<batch>-<part>.json                 the same of each further part of a large one
segments/<stream>/<bucket>/<shard>/<batch>.parquet   typed rows of one batch in one bucket and shard
results/<stream>/<table>/<bucket>/<shard>/<count>-<digest>-<version>/  rows of exactly that set of segments
results/<stream>/<table>.panes/<bucket>/<shard>/<count>-<digest>-<version>.parquet  parts of windows, merged so far
quarantine/<stream>/<batch>.ndjson                   bad records with reason and original bytes
dead-letters/<queue>/<digest>.json                   messages that could not be processed
leases/tables/<stream>/<table>.json                  which writer commits to a table
leases/writers/<writer>                              that a writer is at work
lake/<stream>/<table>/                               Delta tables
exports/<any>/event_date=<day>/bucket=<bucket>/shard=<n>/  a sealed bucket as plain files; `_SUCCESS` names them
"""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache

from windrow.errors import BadInput
from windrow.units import from_us, to_us, utc_date

STREAM_NAME = re.compile(r"(?!.*__v[0-9]+$)[a-z][a-z0-9_-]{0,62}")
TABLE_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
_VERSIONED = re.compile(r"(.+)__v([0-9]{1,6})")
_OF_SPEC = re.compile(r"([0-9]+)-[0-9a-f]+(?:-tables([0-9]+))?\.yaml")
_BUCKET = "%Y-%m-%dT%H%M%SZ"
_DIGEST_CHARS = 32
_FEW, _MANY = 4, 20_000
"""Prefixes that are listed rather than a wider one; buckets beyond which a stream is listed whole."""


def check_stream_name(name: str) -> str:
    """The name itself, if a stream may bear it; BadInput with the rule otherwise."""
    if found := _VERSIONED.fullmatch(name):
        raise BadInput(f"{name!r} names tables of a version of the stream {found[1]!r}; give the stream another name")
    if not STREAM_NAME.fullmatch(name):
        raise BadInput(
            f"{name!r} is not a stream name; use 1 to 63 characters of a-z, 0-9, '-' and '_', starting with a letter"
        )
    return name


def flow_name(stream: str, tables: int) -> str:
    """What a version of a stream's tables is called behind the landing zone, as if it were a stream of its own."""
    return check_stream_name(stream) if tables == 1 else f"{check_stream_name(stream)}__v{tables}"


def named_tables(name: str) -> tuple[str, int | None]:
    """The stream, and the version of its tables if a name says one: `sensors`, `sensors__v1`, `sensors__v2`.

    BadInput when it is no name of a stream.
    """
    found = _VERSIONED.fullmatch(name)
    return (check_stream_name(found[1]), int(found[2])) if found else (check_stream_name(name), None)


def stream_of_flow(flow: str) -> str:
    """The stream whose records a flow holds."""
    return named_tables(flow)[0]


def tables_of_flow(flow: str) -> int:
    """Which version of its stream's tables a flow is."""
    return named_tables(flow)[1] or 1


def check_flow(name: str) -> str:
    """The name itself, if it may stand in a key behind the landing zone; BadInput otherwise."""
    return flow_name(stream_of_flow(name), tables_of_flow(name))


def digest(*parts: str | bytes) -> str:
    """A 128-bit name for these parts, in order, as 32 hex digits."""
    hasher = hashlib.sha256()
    for part in parts:
        raw = part.encode() if isinstance(part, str) else part
        hasher.update(len(raw).to_bytes(8, "big"))
        hasher.update(raw)
    return hasher.hexdigest()[:_DIGEST_CHARS]


def set_digest(members: Iterable[str]) -> str:
    """A name for a set: the same members in any order give the same digest."""
    return digest(*sorted(set(members)))


# ------------------------------------------------------------------------------------------------ landing


def landing_prefix(stream: str) -> str:
    return f"landing/{check_stream_name(stream)}/"


def landing_key(stream: str, received_us: int, write_id: str, suffix: str) -> str:
    """Where a batch lands: by day of receipt, named by the write id its sender keeps across retries."""
    return f"{landing_prefix(stream)}{utc_date(received_us).isoformat()}/{write_id}{suffix}"


def idempotent_landing_key(stream: str, idempotency_key: str, suffix: str) -> str:
    """Where a request with an idempotency key lands: the same on every day, so a late retry meets itself."""
    return f"{landing_prefix(stream)}once/{digest(idempotency_key)}{suffix}"


def replay_landing_key(stream: str, write_id: str, suffix: str) -> str:
    """Where a replay lands: named by what it replays, so replaying the same thing twice is one object."""
    return f"{landing_prefix(stream)}replay/{write_id}{suffix}"


def stream_of_landing_key(key: str) -> str:
    """The stream an object landed for; BadInput when the key is not `landing/<stream>/<name>`."""
    zone, _, rest = key.partition("/")
    stream, _, name = rest.partition("/")
    if zone != "landing" or not name:
        raise BadInput(f"{key!r} is not a landing key; upload to landing/<stream>/<file name>")
    return check_stream_name(stream)


def batch_id(landing_object_key: str, etag: str) -> str:
    """The identity of a batch: this object with these bytes. An overwritten upload is a new batch."""
    return digest(landing_object_key, etag.strip('"'))


# ------------------------------------------------------------------------------------------------ after decoding


def manifest_prefix(stream: str) -> str:
    return f"batches/{check_flow(stream)}/"


def manifest_key(stream: str, batch: str) -> str:
    return f"{manifest_prefix(stream)}{batch}.json"


def batch_of_manifest_key(key: str) -> str:
    """The batch a manifest speaks of, told from its key alone."""
    return key.rsplit("/", 1)[1].removesuffix(".json")


def part_id(batch: str, number: int) -> str:
    """The name of a part of a batch. The first bears the batch's own name, and most batches have no other.

    What holds of a batch (manifest, segments, quarantine, pointer, mark) holds of each part by itself; that the first
    part has a manifest means that all others have theirs.
    """
    return batch if number == 0 else f"{batch}-{number:05d}"


def batch_of_part(part: str) -> str:
    """The batch a part is of."""
    return part[:_DIGEST_CHARS]


def bucket_text(bucket_us: int) -> str:
    """A bucket's start as it stands in keys. Buckets start on whole seconds."""
    start = from_us(bucket_us)
    return f"{start.year:04d}-{start:%m-%dT%H%M%SZ}"  # %Y does not pad years before 1000


@lru_cache(maxsize=4096)  # every listing names the same few buckets again and again
def bucket_us(text: str) -> int:
    return to_us(datetime.strptime(text, _BUCKET).replace(tzinfo=UTC))


@dataclass(frozen=True, slots=True)
class SegmentAddress:
    """Which rows a segment holds: one batch's rows in one bucket and shard of a stream."""

    stream: str
    bucket_us: int
    shard: int
    batch: str


def segments_prefix(stream: str, bucket: int | None = None, shard: int = 0) -> str:
    """All segments of a stream, or those of one bucket (start in µs) and shard."""
    prefix = f"segments/{check_flow(stream)}/"
    return prefix if bucket is None else f"{prefix}{bucket_text(bucket)}/{shard}/"


def bucket_prefixes(buckets: range) -> list[str]:
    """Beginnings of keys below a zone that all of some buckets (starts in µs) share, few and as long as may be."""
    if len(buckets) > _MANY:
        return [""]
    texts = [f"{bucket_text(bucket)}/" for bucket in buckets]
    for part in ("2026-01-01T000000Z/", "2026-01-01", "2026-01", "2026"):
        named = {text[: len(part)] for text in texts}
        if len(named) <= _FEW:
            return sorted(named)
    return [""]


def segment_key(address: SegmentAddress) -> str:
    return f"{segments_prefix(address.stream, address.bucket_us, address.shard)}{address.batch}.parquet"


def parse_segment_key(key: str) -> SegmentAddress:
    """What a segment's key says; BadInput for a key that is none, such as a folder somebody made by hand."""
    try:
        _, stream, bucket, shard, name = key.split("/")
        return SegmentAddress(stream, bucket_us(bucket), int(shard), name.removesuffix(".parquet"))
    except ValueError as error:
        raise BadInput(f"{key!r} is not a segment's key") from error


def results_prefix(stream: str, table: str, bucket: int | None = None, shard: int = 0) -> str:
    """All results for a table, or those of the windows that start in one bucket and shard."""
    prefix = f"results/{check_flow(stream)}/{table}/"
    return prefix if bucket is None else f"{prefix}{bucket_text(bucket)}/{shard}/"


def result_folder(
    stream: str, table: str, bucket: int, shard: int, *, input_count: int, input_digest: str, spec_version: int
) -> str:
    """Everything computed from one set of inputs by one spec. Zero-padding makes S3's order the order of growth."""
    return f"{results_prefix(stream, table, bucket, shard)}{_grown(input_count, input_digest, spec_version)}/"


def _grown(input_count: int, input_digest: str, spec_version: int) -> str:
    return f"{input_count:09d}-{input_digest}-{spec_version:06d}"


@dataclass(frozen=True, slots=True)
class ResultAddress:
    """What a result's key says of it."""

    bucket_us: int
    shard: int
    count: int
    digest: str
    spec_version: int


def parse_result_key(key: str) -> ResultAddress:
    """What the key of any object in a result's folder says; BadInput for a key that is none."""
    try:
        *_, bucket, shard, folder, _name = key.split("/")
        count, digest_, version = folder.split("-")
        return ResultAddress(bucket_us(bucket), int(shard), int(count), digest_, int(version))
    except ValueError as error:
        raise BadInput(f"{key!r} is not a result's key") from error


def inputs_key(folder: str) -> str:
    return f"{folder}inputs.json"


def rows_key(folder: str) -> str:
    return f"{folder}rows.parquet"


def panes_prefix(stream: str, table: str, bucket: int, shard: int) -> str:
    return f"results/{check_flow(stream)}/{table}.panes/{bucket_text(bucket)}/{shard}/"


def panes_key(
    stream: str, table: str, bucket: int, shard: int, *, input_count: int, input_digest: str, spec_version: int
) -> str:
    """Panes of one bucket's records as of one set of its segments."""
    return f"{panes_prefix(stream, table, bucket, shard)}{_grown(input_count, input_digest, spec_version)}.parquet"


# ------------------------------------------------------------------------------------------------ failures


def quarantine_prefix(stream: str) -> str:
    return f"quarantine/{check_flow(stream)}/"


def quarantine_key(stream: str, batch: str) -> str:
    return f"{quarantine_prefix(stream)}{batch}.ndjson"


def replay_receipt_prefix(stream: str) -> str:
    return f"replays/{check_flow(stream)}/"


def replay_receipt_key(stream: str, batch: str, write_id: str) -> str:
    return f"{replay_receipt_prefix(stream)}{batch}/{write_id}.json"


DEAD_LETTERS_PREFIX = "dead-letters/"


def dead_letter_key(queue: str, body: str) -> str:
    """By content, never by message id: a redriven message has a new id and is still the same letter."""
    return f"{DEAD_LETTERS_PREFIX}{queue}/{digest(body)}.json"


# ------------------------------------------------------------------------------------------------ writers

WRITERS_PREFIX = "leases/writers/"
_TABLE_LEASES = "leases/tables/"


def writer_key(writer: str) -> str:
    return f"{WRITERS_PREFIX}{writer}"


def writer_of_key(key: str) -> str:
    return key.removeprefix(WRITERS_PREFIX)


def lease_key(stream: str, table: str) -> str:
    return f"{_TABLE_LEASES}{check_flow(stream)}/{table}.json"


def leased_table(table: str) -> str:
    """The table whose lease a table is committed to under: the ledger is judged by what is in `records`."""
    return RECORDS_TABLE if table == LATE_TABLE else table


def table_of_lease(key: str) -> str:
    """The table that a lease is for, as `<stream>/<table>`."""
    return key.removeprefix(_TABLE_LEASES).removesuffix(".json")


# ------------------------------------------------------------------------------------------------ specs and lake

SPECS_PREFIX = "config/streams/"


def spec_prefix(stream: str) -> str:
    return f"{SPECS_PREFIX}{check_stream_name(stream)}/"


def spec_key(stream: str, version: int, text: str, tables: int = 1) -> str:
    """Where a version of a spec stands whose records go to the `tables`-th version of the stream's tables."""
    ending = "" if tables == 1 else f"-tables{tables}"
    return f"{spec_prefix(stream)}{version:06d}-{digest(text)}{ending}.yaml"


def spec_version(key: str) -> int:
    return int(key.rsplit("/", 1)[1].split("-", 1)[0])


def tables_of_spec(key: str) -> int:
    """Which version of the stream's tables a version of the spec writes to."""
    found = _OF_SPEC.fullmatch(key.rsplit("/", 1)[1])
    return int(found[2]) if found and found[2] else 1


def evolved_columns_prefix(stream: str) -> str:
    return f"config/columns/{check_flow(stream)}/"


def evolved_column_key(stream: str, column: str) -> str:
    return f"{evolved_columns_prefix(stream)}{column}.json"


def halt_key(stream: str, version: int) -> str:
    return f"config/halts/{check_flow(stream)}/{version:06d}.json"


def resume_key(stream: str, version: int) -> str:
    return f"config/halts/{check_flow(stream)}/{version:06d}-resumed.json"


RECORDS_TABLE = "records"
LATE_TABLE = "late"


def windows_table(window: str) -> str:
    return f"windows_{window}"


def window_of_table(table: str) -> str:
    """The window that a windows table is for."""
    return table.removeprefix("windows_")


def lake_prefix(stream: str, table: str) -> str:
    return f"lake/{check_flow(stream)}/{table}/"


# ------------------------------------------------------------------------------------------------ sinks

EXPORTS_PREFIX = "exports/"
_PART = re.compile(r"part-(\d{9})-\d{5}-[0-9a-f]{16}\.parquet")


def export_folder(prefix: str, day: date, bucket: int, shard: int) -> str:
    """Where a bucket's rows of one day lie below a sink's prefix, in the layout of Hive, which readers know."""
    return f"{prefix}event_date={day.isoformat()}/bucket={bucket_text(bucket)}/shard={shard}/"


def export_success_key(folder: str) -> str:
    """What names the files of an export, in the folder of its first day. Readers of folders pass over it."""
    return f"{folder}_SUCCESS"


def export_part_key(folder: str, input_count: int, number: int, sha256: str) -> str:
    """A file of an export: how far its bucket had grown, its place in the export, and what it holds."""
    return f"{folder}part-{input_count:09d}-{number:05d}-{sha256[:16]}.parquet"


def input_count_of_export_part(key: str) -> int | None:
    """How far a bucket had grown when this file of it was written; None for a key that is none of ours."""
    found = _PART.fullmatch(key.rsplit("/", 1)[1])
    return None if found is None else int(found[1])


def latest_table(stream: str, table: str) -> str:
    """The table of a stream's latest records; no two streams share one."""
    return f"{check_flow(stream)}.{table}"
