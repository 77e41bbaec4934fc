"""What requests and storage cost at AWS list prices, from counts of a steady flow. Pure.

The model says what it assumes:

- Requests follow objects or time. Ingest lands an object whenever its linger is over, so that from a few requests per
  second on the number of objects follows time, and more bytes make larger objects. What is done once an object
  (landing, manifest, segments, messages) scales with objects; results and commits follow the lingers of windower and
  writer.
- One stream takes up to `stream_mb_per_s`, with one shard and records of one bucket at a time; more is more streams,
  each with all of this again.
- S3 sends a message to SQS for each object that lands: it is charged as any other.
- Seals, maintenance, quarantine and readers are not in it; compute and traffic out of the region neither.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

MONTH_S = 730 * 3600
USD_PER_REQUEST: Mapping[str, float] = {
    # us-east-1, S3 Standard and SQS standard queues, first tier. Deletes are free. Found where docs/cost.md says.
    "PUT": 0.005 / 1_000,
    "LIST": 0.005 / 1_000,
    "GET": 0.0004 / 1_000,
    "HEAD": 0.0004 / 1_000,
    "DELETE": 0.0,
    "sqs": 0.40 / 1_000_000,
}
USD_PER_GB_MONTH = 0.023
OF_OBJECTS = frozenset(
    {"landing", "batches", "PUT segments", "GET segments", "HEAD segments", "config", "quarantine", "sqs"}
)
"""What is asked for once or so an object: by zone, or by kind and zone. All else is asked for by time."""


@dataclass(frozen=True, slots=True)
class Flow:
    """What was counted: requests by `<kind> <what for>`, while so many objects landed in so many seconds."""

    counts: Mapping[str, int]
    objects: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Assumptions:
    """How a flow of another rate looks."""

    linger_s: float = 0.1
    max_object_bytes: int = 8 << 20
    stream_mb_per_s: float = 10.0
    """What one stream takes; more is spread over more streams."""


def price_name(request: str) -> str:
    """The line of the price list that a request falls under."""
    kind, _, what = request.partition(" ")
    return "sqs" if what == "sqs" else kind


def follows_objects(request: str) -> bool:
    """Whether a request is made for objects, or for time."""
    return request in OF_OBJECTS or request.partition(" ")[2] in OF_OBJECTS


def objects_per_s(mb_per_s: float, assumed: Assumptions) -> float:
    """How many objects land per second in all streams together."""
    streams = _streams(mb_per_s, assumed)
    return max(streams / assumed.linger_s, mb_per_s * 1e6 / assumed.max_object_bytes)


def requests_per_s(flow: Flow, mb_per_s: float, assumed: Assumptions) -> dict[str, float]:
    """Requests per second by line of the price list, at a rate of raw bytes."""
    objects, streams = objects_per_s(mb_per_s, assumed), _streams(mb_per_s, assumed)
    found = dict.fromkeys(USD_PER_REQUEST, 0.0)
    found["sqs"] += objects  # S3's own, which are not seen here
    for request, count in flow.counts.items():
        scaled = count / flow.objects * objects if follows_objects(request) else count / flow.seconds * streams
        found[price_name(request)] += scaled
    return found


def usd_per_month(per_s: Mapping[str, float]) -> dict[str, float]:
    """What requests at these rates cost in a month of 730 hours, by line of the price list."""
    return {name: rate * MONTH_S * USD_PER_REQUEST[name] for name, rate in per_s.items()}


def storage_usd_per_month(mb_per_s: float, stored_per_byte: float) -> float:
    """What it costs per month to keep one month of data, of which each byte sent takes so many bytes."""
    return mb_per_s * 1e6 * MONTH_S * stored_per_byte / 1e9 * USD_PER_GB_MONTH


def _streams(mb_per_s: float, assumed: Assumptions) -> int:
    return max(1, math.ceil(mb_per_s / assumed.stream_mb_per_s))
