"""All of Windrow on loopback ports: the embedded emulator, the five services under their keepers, and, where asked for,
the fault proxy between them."""

import os
import signal
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec

from tests.faults import nursery, proxy
from tests.faults.keeper import Charge, Death, keep
from tests.faults.points import SERVICES
from tests.faults.trap import Arm, read_arms, write_arms
from tests.support import http
from tests.support.waiting import eventually
from windrow import topology as topologies
from windrow.aws.session import AwsSession
from windrow_cli import connection, emulator, ports

_ROOT = Path(__file__).parents[2]
_PREFIX = "faults"
_REGION = "eu-central-1"
_START_S = 120.0
_STOP_S = 10.0
_VISIBILITY_S = 3
"""Messages of a killed worker come back soon: their redelivery is to fall into the same run."""

_SETTINGS: Mapping[str, Mapping[str, str]] = {
    # As `windrow dev` has them, only quicker: nothing is waited for that a run does not need.
    "ingest": {"LINGER_S": "0.05"},
    "consumer": {"SWEEP_S": "2", "SWEEP_AFTER_S": "2"},
    "windower": {"SWEEP_S": "2", "SWEEP_AFTER_S": "2", "LINGER_S": "0.05"},
    "writer": {"LINGER_S": "0.2", "LEASE_S": "1"},
    "reprocessor": {},
}
_WORKER = {"WAIT_S": "1", "RETRY_BASE_S": "0.2", "RETRY_CAP_S": "2", "STOPPED_PROBE_S": "0.5"}


@dataclass
class Stack:
    """A deployment of its own in a folder. Used as a context; whatever it started is gone after it."""

    folder: Path
    proxy_seed: int | None = None
    """Put the fault proxy between the services and the emulator, with faults drawn by this seed."""
    is_cold: bool = False
    """Start services as any new process starts, instead of from one that has its packages imported."""
    mutants: Mapping[str, str] = field(default_factory=dict)
    """Service → the way in which it is broken on purpose."""
    _processes: dict[str, ForkServerProcess] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._ports = _claim_ports((*SERVICES, "emulator", "proxy"))

    # ------------------------------------------------------------------------------------------ starting and ending

    def __enter__(self) -> Self:
        _RUNNING.append(self)
        self.folder.mkdir(parents=True, exist_ok=True)
        try:
            self._start()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._end()

    def _start(self) -> None:
        topology = topologies.load(_ROOT / "infra" / "topology.json")
        queues = {
            name: msgspec.structs.replace(shape, visibility_s=_VISIBILITY_S) for name, shape in topology.queues.items()
        }
        topology = msgspec.structs.replace(topology, queues=queues)
        self._topology_path = self.folder / "topology.json"
        self._topology_path.write_bytes(msgspec.json.encode(topology))
        arguments = ["--root", str(self.folder / "s3"), "--port", str(self._ports["emulator"])]
        arguments += ["--topology", str(self._topology_path), "--prefix", _PREFIX, "--region", _REGION]
        self._run("emulator", emulator.main, arguments)
        self._await("emulator", "healthz")
        self.aws = AwsSession(topology, _PREFIX, _REGION, self._url("emulator"))
        if self.proxy_seed is not None:
            self._run("proxy", proxy.serve, self._ports["proxy"], self._ports["emulator"], self.proxy_seed)
            self._await("proxy", proxy.CONTROL.strip("/"))

    def start_services(self) -> None:
        """Once the specs are published."""
        for name in SERVICES:
            files = (self._arms(name), self._deaths(name), self._pid(name))
            self._run(name, keep, Charge(name, *files, self.mutants.get(name), self.is_cold))
        for name in SERVICES:
            self._await(name, "readyz")

    def _run(self, name: str, run: Callable[..., Any], *arguments: Any) -> None:
        given: dict[str, str | None] = {**os.environ, **connection.embedded_variables(os.environ)}
        environment = {variable: value for variable, value in given.items() if value is not None}
        own = {**_SETTINGS.get(name, {}), **({} if name == "ingest" else _WORKER)} if name in SERVICES else {}
        environment |= {f"WINDROW_{variable}": value for variable, value in own.items()}
        environment |= {
            "PYTHONPATH": str(_ROOT),
            "PYTHONUNBUFFERED": "1",
            "AWS_REGION": _REGION,
            "AWS_ENDPOINT_URL": self._url("emulator" if self.proxy_seed is None else "proxy"),
            "WINDROW_PREFIX": _PREFIX,
            "WINDROW_TOPOLOGY": str(self._topology_path),
            "WINDROW_PORT": str(self._ports[name]),
        }
        self._processes[name] = nursery.start(run, *arguments, environment=environment, log=self.log_path(name))

    def _await(self, name: str, path: str) -> None:
        def answers() -> bool:
            assert self._processes[name].is_alive(), f"{name} ended: {self.log_path(name).read_text()[-2000:]}"
            try:
                return http.get(f"{self._url(name)}/{path}")[0] == 200
            except OSError:
                return False

        eventually(answers, _START_S, f"{name} to answer; its log is {self.log_path(name)}", every_s=0.05)

    def _end(self) -> None:
        for process in reversed(self._processes.values()):  # services first; a keeper takes its child along
            process.terminate()
        for process in self._processes.values():
            process.join(_STOP_S)
            if process.is_alive():
                process.kill()
                process.join()
            process.close()
        self._processes.clear()
        _RUNNING.remove(self)
        _IN_USE.discard(min(self._ports.values()))
        if hasattr(self, "aws"):
            self.aws.s3.close()
            self.aws.sqs.close()

    def kill(self) -> None:
        """End every process at once. A keeper takes its child along, so it is asked to."""
        for process in self._processes.values():
            if process.pid is not None:
                os.kill(process.pid, signal.SIGTERM)

    # ------------------------------------------------------------------------------------------ what runs

    @property
    def lake_folder(self) -> Path:
        """Where the emulator keeps the tables."""
        return self.folder / "s3" / f"{_PREFIX}-lake"

    @property
    def ingest(self) -> int:
        """The port that takes records."""
        return self._ports["ingest"]

    @property
    def reprocessor(self) -> int:
        """The port that replays."""
        return self._ports["reprocessor"]

    @property
    def proxy_url(self) -> str:
        """Where the fault proxy is told and asked."""
        return f"{self._url('proxy')}{proxy.CONTROL}"

    def pid(self, service: str) -> int:
        """The process that serves now, or did a moment ago."""
        return int(self._pid(service).read_text())

    def is_ready(self, service: str) -> bool:
        """Whether a service says so."""
        try:
            return http.get(f"{self._url(service)}/readyz")[0] == 200
        except OSError:
            return False

    def arm(self, service: str, arms: list[Arm]) -> None:
        write_arms(self._arms(service), arms)

    def armed(self, service: str) -> list[Arm]:
        """What has not fired yet."""
        return read_arms(self._arms(service))

    def fired(self, service: str) -> list[str]:
        """The points at which a service has killed itself so far, in order."""
        path = self._arms(service).with_suffix(".fired")
        return [line.split()[0] for line in path.read_text().splitlines()] if path.exists() else []

    def deaths(self) -> list[Death]:
        """Every death so far, by time."""
        found = [
            msgspec.json.decode(line, type=Death)
            for name in SERVICES
            if self._deaths(name).exists()
            for line in self._deaths(name).read_bytes().splitlines()
        ]
        return sorted(found, key=lambda death: death.at_s)

    def log_path(self, name: str) -> Path:
        return self.folder / f"{name}.log"

    def _url(self, name: str) -> str:
        return f"http://{ports.LOOPBACK}:{self._ports[name]}"

    def _arms(self, service: str) -> Path:
        return self.folder / f"{service}.arms"

    def _deaths(self, service: str) -> Path:
        return self.folder / f"{service}.deaths"

    def _pid(self, service: str) -> Path:
        return self.folder / f"{service}.pid"


_RUNNING: list[Stack] = []
_BASES = range(20_000, 32_000, 10)
_IN_USE: set[int] = set()
_CLAIMING = threading.Lock()


def kill_all() -> None:
    """End every process of every deployment of this one, at once; whoever waits for them waits in vain."""
    for stack in _RUNNING:
        stack.kill()


def _claim_ports(names: Sequence[str]) -> dict[str, int]:
    """Free ports in a row for all of these, that no other deployment takes, of this process or another."""
    with _CLAIMING:
        for base in _BASES:
            chosen = {name: base + number for number, name in enumerate(names)}
            if base not in _IN_USE and all(ports.is_free(port) for port in chosen.values()) and ports.claim(base):
                _IN_USE.add(base)
                return chosen
    raise AssertionError(f"there are no {len(names)} free ports in a row between {_BASES.start} and {_BASES.stop}")
