"""A `windrow dev` in steady flow: how long until an acknowledged row can be read, and what that asks of S3 and SQS.

One of a kind record goes along in each request. It counts as readable when a commit is in the log of a table that names
a file with it: in `records` its row, in the windows table its window. The tables are read as files on disk, so that
looking costs no requests. All of Windrow and the emulator, which answers S3 requests one at a time, share this machine:
the emulator is the bottleneck, and times are of it more than of Windrow.
"""

import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.client import HTTPConnection
from pathlib import Path
from statistics import quantiles
from threading import Thread

import msgspec
import polars as pl

from tests.bench import prices
from tests.bench.counted_emulator import PATH
from tests.bench.prices import Assumptions, Flow
from tests.support import http
from tests.support.waiting import eventually
from windrow import topology as topologies
from windrow.lake.marks import read_commit
from windrow_cli import connection, devfile, ports

SPEC = """
stream: sensors
time: {column: ts, formats: [iso8601]}
keys: [sensor]
unique: [sensor, ts]
columns: {ts: timestamp, sensor: string, temperature: float, humidity: int}
bucket: 1d
windows:
  every_minute: {size: 1m, aggregates: {temperature_mean: mean(temperature), humidity_last: last(humidity)}}
"""
TABLES = ("records", "windows_every_minute")
_PROBE = "probe-"
_RATES_MB_S = (1, 10, 100)
_START_S, _DRAIN_S, _LOOK_S = 300.0, 180.0, 0.05


@dataclass
class Watch:
    """When the one-of-a-kind record of each request could first be read in a table."""

    folder: Path
    seen_s: dict[str, float] = field(default_factory=dict)
    _next: int = 0

    def read(self, name: str) -> bytes | None:
        """A file of the table's log."""
        try:
            return (self.folder / "_delta_log" / name).read_bytes()
        except FileNotFoundError:
            return None

    def look(self) -> None:
        """Take in the commits that have come since."""
        while (commit := read_commit(self, self._next)) is not None:
            at_s = time.monotonic()
            self._next += 1
            for added in commit.added:
                sensors = pl.scan_parquet(self.folder / added.path).select("sensor").unique().collect()["sensor"]
                for sensor in sensors.filter(sensors.str.starts_with(_PROBE)):
                    self.seen_s.setdefault(sensor, at_s)


def run(folder: Path, per_s: float, records: int, seconds: float) -> None:
    """Send at a steady rate, wait until all of it can be read, and print times, counts and what they would cost."""
    with _deployment(folder) as (root, dev, endpoint):
        watches = {name: Watch(root / f"{connection.DEFAULT_PREFIX}-lake/lake/sensors/{name}") for name in TABLES}
        acknowledged_s: dict[str, float] = {}
        before = _counts(endpoint)
        started_s = time.monotonic()
        sender = Thread(target=_send, args=(dev.ports["ingest"], per_s, records, seconds, acknowledged_s))
        sender.start()

        def all_seen() -> bool:
            for watch in watches.values():
                watch.look()
            return not sender.is_alive() and all(
                acknowledged_s.keys() <= each.seen_s.keys() for each in watches.values()
            )

        eventually(all_seen, seconds + _DRAIN_S, "everything that was acknowledged to be readable", every_s=_LOOK_S)
        took_s = time.monotonic() - started_s
        counts = Counter(_counts(endpoint))
        counts.subtract(before)
        stored = {name: _size(root / f"{connection.DEFAULT_PREFIX}-{name}") for name in ("raw", "lake")}
    sent_bytes = sum(len(_body(str(number), records)) for number in range(len(acknowledged_s)))
    total = len(acknowledged_s) * records
    print(
        f"flow: {len(acknowledged_s)} requests of {records:,} records in {took_s:.0f} s: {total / took_s:,.0f} ev/s, "
        f"{sent_bytes / took_s / 1e6:.2f} MB/s; `windrow dev`, one window of a minute (the emulator is the bottleneck)"
    )
    print("  seconds from the 202 until readable      p50     p99")
    for name, watch in watches.items():
        waited_s = [watch.seen_s[probe] - at_s for probe, at_s in acknowledged_s.items()]
        cuts = quantiles(waited_s, n=100, method="inclusive")
        print(f"    {name:<36}{cuts[49]:>6.2f}{cuts[98]:>8.2f}")
    objects = counts["PUT landing"]
    _print_requests(Flow({name: count for name, count in counts.items() if count}, objects, took_s), total)
    _print_prices(Flow(counts, objects, took_s), {name: size / sent_bytes for name, size in stored.items()})


# ------------------------------------------------------------------------------------------------ printing


def _print_requests(flow: Flow, records: int) -> None:
    print(f"  requests per million records ({flow.objects} objects landed, {records // flow.objects:,} records each)")
    by_kind: dict[str, dict[str, int]] = {}
    for name, count in flow.counts.items():
        kind, _, what = name.partition(" ")
        by_kind.setdefault("SQS" if what == "sqs" else kind, {})[kind if what == "sqs" else what] = count
    for kind in sorted(by_kind):
        parts = sorted(by_kind[kind].items(), key=lambda part: -part[1])
        shown = ", ".join(f"{what} {count / records * 1e6:,.0f}" for what, count in parts)
        print(f"    {kind:<8}{sum(by_kind[kind].values()) / records * 1e6:>8,.0f}  {shown}")


def _print_prices(flow: Flow, stored: dict[str, float]) -> None:
    assumed = Assumptions()
    print(
        f"  modelled USD per month at list prices (us-east-1): objects every {assumed.linger_s:g} s, a stream takes "
        f"{assumed.stream_mb_per_s:g} MB/s"
    )
    names = [name for name, usd in prices.USD_PER_REQUEST.items() if usd]
    print(
        f"    {'MB/s':>6}"
        + "".join(f"{name:>9}" for name in names)
        + f"{'requests':>10}{'a month of raw':>16}{'of lake':>9}"
    )
    for rate in _RATES_MB_S:
        usd = prices.usd_per_month(prices.requests_per_s(flow, rate, assumed))
        kept = [prices.storage_usd_per_month(rate, stored[name]) for name in ("raw", "lake")]
        print(
            f"    {rate:>6}" + "".join(f"{usd[name]:>9,.0f}" for name in names) + f"{sum(usd.values()):>10,.0f}"
            f"{kept[0]:>16,.0f}{kept[1]:>9,.0f}"
        )
    print(flush=True)


# ------------------------------------------------------------------------------------------------ sending


def _send(port: int, per_s: float, records: int, seconds: float, acknowledged_s: dict[str, float]) -> None:
    """One request after another on a schedule; a late answer delays the ones behind it."""
    client = HTTPConnection(ports.LOOPBACK, port, timeout=60)
    started_s = time.monotonic()
    for number in range(round(per_s * seconds)):
        time.sleep(max(0.0, started_s + number / per_s - time.monotonic()))
        probe = f"{_PROBE}{number}"
        client.request(
            "POST",
            "/v1/streams/sensors/records",
            _body(str(number), records),
            {"Content-Type": "application/x-ndjson"},
        )
        answer = client.getresponse()
        answer.read()
        assert answer.status == 202, answer.status
        acknowledged_s[probe] = time.monotonic()
    client.close()


def _body(name: str, records: int) -> bytes:
    """Records of now: one of the sensor `probe-<name>`, the others of a hundred sensors."""
    now_us = time.time_ns() // 1_000
    sensors = [f"{_PROBE}{name}", *(f"s{number % 100:03d}" for number in range(records - 1))]
    rows = (
        {
            "ts": datetime.fromtimestamp((now_us + number) / 1e6, UTC).isoformat(),
            "sensor": sensor,
            "temperature": 15 + number * 7 % 1000 / 100,
            "humidity": number % 100,
        }
        for number, sensor in enumerate(sensors)
    )
    return msgspec.json.Encoder().encode_lines(list(rows))


# ------------------------------------------------------------------------------------------------ the deployment


@contextmanager
def _deployment(folder: Path) -> Iterator[tuple[Path, devfile.DevFile, str]]:
    """A counted emulator and a `windrow dev` on it; both gone at the end."""
    config, state, root = folder / "config", folder / "state", folder / "s3"
    config.mkdir(parents=True)
    (config / "sensors.yaml").write_text(SPEC)
    base = ports.free_base(6)
    endpoint = f"http://{ports.LOOPBACK}:{base + 5}"
    given = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "WINDROW_"))}
    variables = {**given, **connection.embedded_variables(given), "AWS_REGION": connection.DEFAULT_REGION}
    environment = {name: value for name, value in variables.items() if value is not None}
    os.environ.update({name: environment[name] for name in ("NO_PROXY", "no_proxy")})
    arguments = ["--root", str(root), "--port", str(base + 5), "--topology", str(topologies.find())]
    arguments += ["--prefix", connection.DEFAULT_PREFIX, "--region", connection.DEFAULT_REGION]
    with (folder / "log").open("ab") as log:

        def start(*command: str, **more: str) -> "subprocess.Popen[bytes]":
            return subprocess.Popen(
                [sys.executable, "-m", *command],
                stdout=log,
                stderr=log,
                start_new_session=True,
                env={**environment, **more},
            )

        emulator = start("tests.bench.counted_emulator", *arguments)
        dev = None
        try:
            eventually(lambda: _is_up(f"{endpoint}/healthz"), _START_S, "the emulator", every_s=0.1)
            options = ("--state", str(state), "--port-base", str(base), "--config", str(config))
            dev = start("tests.bench.patient_dev", "dev", *options, AWS_ENDPOINT_URL=endpoint)
            yield (
                root,
                eventually(lambda: _ready(state, dev), _START_S, "windrow dev to be ready", every_s=0.1),
                endpoint,
            )
        finally:
            if dev is not None:
                dev.terminate()
                dev.wait()
            emulator.terminate()
            emulator.wait()


def _is_up(url: str) -> bool:
    try:
        return http.get(url)[0] == 200
    except OSError:
        return False


def _ready(state: Path, dev: "subprocess.Popen[bytes]") -> devfile.DevFile | None:
    assert dev.poll() is None, "windrow dev has ended"
    content = devfile.read(state)
    return content if content is not None and content.is_ready else None


def _counts(endpoint: str) -> dict[str, int]:
    return dict(json.loads(http.get(f"{endpoint}{PATH}")[2]))


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
