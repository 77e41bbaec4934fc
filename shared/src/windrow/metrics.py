"""The catalogue of metrics. A name that is not here does not type-check; what a name means stands here once."""

from typing import Literal, Protocol

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

CounterName = Literal[
    "messages_settled",  # messages by queue and outcome (done, retry, dead)
    "requests_answered",  # HTTP requests by stream and status
    "records_accepted",  # records acknowledged by ingest, by stream
    "batches_landed",  # landing objects written by ingest, by stream
    "batches_decoded",  # landing objects decoded, by stream
    "records_decoded",  # records found in landing objects, by stream
    "records_quarantined",  # records put into quarantine, by stream
    "records_filtered",  # rows left out by the spec's filter, by stream
    "values_discarded",  # values of fields that no column names, by stream
    "streams_halted",  # times decoding of a stream stopped itself, by stream
    "refreshes_computed",  # buckets recomputed, by stream
    "buckets_sealed",  # buckets whose seal was sent to the writer, by stream
    "records_late",  # records entered in the late ledger, by stream
    "commits_made",  # Delta commits, by stream and table
    "commits_repeated",  # commits that failed and were tried again on a fresh handle, by stream and table
    "files_written",  # data files of tables, by stream, table and why each ended where it does
    "rows_expired",  # rows removed because they were older than the spec keeps them, by stream and table
    "files_compacted",  # data files that were merged into others, by stream and table
    "files_vacuumed",  # data files deleted because no version of the last week has them, by stream and table
    "leases_lost",  # leases another writer turned out to hold, by stream and table
    "latest_records_put",  # records put into key-value tables, by stream
    "buckets_exported",  # sealed buckets written as plain Parquet files, by stream
    "sinks_failed",  # pointers whose sink failed and that wait to be tried again, by stream and kind of sink
    "replays_started",  # replays asked for by an operator, by stream
    "sweeps_found",  # lost pointers a sweep made good, by stream
]
GaugeName = Literal[
    "is_ready",  # 1 when the service would answer 200 on /readyz
    "held_messages",  # messages received and not yet settled, by queue
    "pending_bytes",  # bytes ingest holds that are not yet durable
    "records_received",  # law 8, as of the latest commit, by stream
    "records_written",  # rows in the records table, by stream
    "records_duplicate",  # rows removed as duplicates, by stream
    "records_filtered_out",  # rows left out by the spec's filter as of the latest commit, by stream
    "records_expired",  # records that retention has removed as of the latest commit, by stream
    "records_in_quarantine",  # law 8, as of the latest commit, by stream
]
HistogramName = Literal[
    "handle_seconds",  # seconds a handler took for one group of messages, by queue
    "file_bytes",  # size of the data files of tables, by stream and table
    "land_seconds",  # seconds from the first request of a group to its durable object, by stream
]

_HELP: dict[str, str] = {
    "messages_settled": "Messages settled, by queue and outcome.",
    "requests_answered": "HTTP requests answered, by stream and status.",
    "records_accepted": "Records acknowledged, by stream.",
    "batches_landed": "Landing objects written, by stream.",
    "batches_decoded": "Landing objects decoded, by stream.",
    "records_decoded": "Records found in landing objects, by stream.",
    "records_quarantined": "Records put into quarantine, by stream.",
    "records_filtered": "Rows left out by the spec's filter, by stream.",
    "values_discarded": "Values of fields that no column names, dropped, by stream.",
    "streams_halted": "Times decoding of a stream stopped itself, by stream.",
    "refreshes_computed": "Buckets recomputed, by stream.",
    "buckets_sealed": "Buckets whose seal was sent to the writer, by stream.",
    "records_late": "Records entered in the late ledger, by stream.",
    "commits_made": "Delta commits made, by stream and table.",
    "commits_repeated": "Delta commits tried again on a fresh handle, by stream and table.",
    "files_written": "Data files written, by stream, table and why each ended where it does.",
    "rows_expired": "Rows removed because they were older than the spec keeps them, by stream and table.",
    "files_compacted": "Data files merged into others, by stream and table.",
    "files_vacuumed": "Data files deleted that no version of the last week has, by stream and table.",
    "leases_lost": "Leases that another writer turned out to hold, by stream and table.",
    "latest_records_put": "Records put into key-value tables, by stream.",
    "buckets_exported": "Sealed buckets written as plain Parquet files, by stream.",
    "sinks_failed": "Pointers whose sink failed, to be tried again, by stream and kind of sink.",
    "replays_started": "Replays asked for, by stream.",
    "sweeps_found": "Lost pointers made good by a sweep, by stream.",
    "is_ready": "1 when the service is ready.",
    "held_messages": "Messages held and not yet settled, by queue.",
    "pending_bytes": "Bytes accepted from clients and not yet durable (not yet acknowledged either).",
    "records_received": "Records received as of the latest commit, by stream.",
    "records_written": "Rows in the records table, by stream.",
    "records_duplicate": "Rows removed as duplicates, by stream.",
    "records_filtered_out": "Rows left out by the spec's filter as of the latest commit, by stream.",
    "records_expired": "Records that retention has removed as of the latest commit, by stream.",
    "records_in_quarantine": "Records in quarantine as of the latest commit, by stream.",
    "handle_seconds": "Seconds a handler took for one group of messages, by queue.",
    "file_bytes": "Size of the data files written, by stream and table.",
    "land_seconds": "Seconds from the first request of a group to its durable object, by stream.",
}
_FILE_BYTES = tuple(float(megabytes * 1_000_000) for megabytes in (0.1, 1, 8, 32, 64, 128, 256, 512, 1_000))
_LABELS: dict[str, tuple[str, ...]] = {
    "messages_settled": ("queue", "outcome"),
    "requests_answered": ("stream", "status"),
    "commits_made": ("stream", "table"),
    "commits_repeated": ("stream", "table"),
    "leases_lost": ("stream", "table"),
    "files_written": ("stream", "table", "reason"),
    "rows_expired": ("stream", "table"),
    "files_compacted": ("stream", "table"),
    "files_vacuumed": ("stream", "table"),
    "file_bytes": ("stream", "table"),
    "sinks_failed": ("stream", "kind"),
    "is_ready": (),
    "pending_bytes": (),
    "held_messages": ("queue",),
    "handle_seconds": ("queue",),
}


class Metrics(Protocol):
    """Counts, levels and durations."""

    def count(self, name: CounterName, amount: float = 1, **labels: str) -> None: ...

    def gauge(self, name: GaugeName, value: float, **labels: str) -> None: ...

    def observe(self, name: HistogramName, value: float, **labels: str) -> None: ...


class PrometheusMetrics:
    """Metrics in a registry of their own, rendered by `/metrics`."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._counters: dict[str, Counter] = {}
        self._gauges: dict[str, Gauge] = {}
        self._histograms: dict[str, Histogram] = {}

    def count(self, name: CounterName, amount: float = 1, **labels: str) -> None:
        if name not in self._counters:
            self._counters[name] = Counter(f"windrow_{name}", _HELP[name], _labels(name), registry=self.registry)
        metric = self._counters[name]
        (metric.labels(**labels) if labels else metric).inc(amount)

    def gauge(self, name: GaugeName, value: float, **labels: str) -> None:
        if name not in self._gauges:
            self._gauges[name] = Gauge(f"windrow_{name}", _HELP[name], _labels(name), registry=self.registry)
        metric = self._gauges[name]
        (metric.labels(**labels) if labels else metric).set(value)

    def observe(self, name: HistogramName, value: float, **labels: str) -> None:
        if name not in self._histograms:
            self._histograms[name] = Histogram(
                f"windrow_{name}",
                _HELP[name],
                _labels(name),
                registry=self.registry,
                buckets=_FILE_BYTES if name == "file_bytes" else Histogram.DEFAULT_BUCKETS,
            )
        self._histograms[name].labels(**labels).observe(value)

    def render(self) -> bytes:
        """The Prometheus text format."""
        return generate_latest(self.registry)


def _labels(name: str) -> tuple[str, ...]:
    return _LABELS.get(name, ("stream",))
