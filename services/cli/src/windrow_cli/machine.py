"""This machine's own figures, as records of the stream `machine`."""

import json
import platform
import time
from collections.abc import Iterator
from datetime import datetime

import psutil

_MIB = 1 << 20


class Machine:
    """Samples CPU, memory, disk and network; rates are since the sample before."""

    def __init__(self) -> None:
        self._host = platform.node() or "localhost"
        self._before = self._counters()
        self._before_s = time.monotonic()
        psutil.cpu_percent(percpu=True)  # the first answer is about nothing, the next about the time since

    def sample(self, now: datetime) -> list[bytes]:
        """One JSON record per metric."""
        at = now.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return [
            json.dumps(
                {"ts": at, "host": self._host, "metric": metric, "value": round(value, 3), "unit": unit}
            ).encode()
            for metric, value, unit in self._figures()
        ]

    def _figures(self) -> Iterator[tuple[str, float, str]]:
        cores = psutil.cpu_percent(percpu=True)
        yield "cpu", sum(cores) / len(cores), "%"
        for number, load in enumerate(cores):
            yield f"cpu.{number}", load, "%"
        memory = psutil.virtual_memory()
        yield "memory.used", memory.percent, "%"
        yield "memory.available", memory.available / _MIB, "MiB"
        yield "disk.used", psutil.disk_usage("/").percent, "%"
        counters, now_s = self._counters(), time.monotonic()
        elapsed_s = max(now_s - self._before_s, 1e-3)
        for name, value in counters.items():
            yield name, max(0.0, value - self._before.get(name, value)) / elapsed_s / _MIB, "MiB/s"
        self._before, self._before_s = counters, now_s

    @staticmethod
    def _counters() -> dict[str, float]:
        """Bytes so far; a container may not be shown its disks or its network."""
        found: dict[str, float] = {}
        disk, network = psutil.disk_io_counters(), psutil.net_io_counters()
        if disk is not None:
            found |= {"disk.read": disk.read_bytes, "disk.write": disk.write_bytes}
        if network is not None:
            found |= {"network.in": network.bytes_recv, "network.out": network.bytes_sent}
        return found
