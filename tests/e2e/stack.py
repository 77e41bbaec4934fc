"""The compose stack as tests drive it: up, down, kill, look inside."""

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.support.waiting import eventually
from windrow import topology as topologies
from windrow.aws.s3 import S3ObjectStore
from windrow.aws.session import AwsSession
from windrow.lake.delta import DeltaLake

ROOT = Path(__file__).parents[2]
TOPOLOGY = topologies.load(ROOT / "infra" / "topology.json")
SERVICES = tuple(TOPOLOGY.services)

# Read here, because no Windrow setting of the person who runs the tests survives their start. A project name and ports
# of its own keep the stack apart from one that somebody works with.
PROJECT = os.environ.get("WINDROW_E2E_PROJECT", "windrow-e2e")
PORT_PREFIX = os.environ.get("WINDROW_PORT_PREFIX", "1")

_UP_S = 600
_HEALTHY_S = 90
_LOG_LINES = 100


class CommandFailed(Exception):
    """A docker command that did not do what it was asked; the text is what it printed."""


class Stack:
    """One compose project."""

    def __init__(self) -> None:
        self._environment = {**os.environ, "WINDROW_PORT_PREFIX": PORT_PREFIX}
        self._session: AwsSession | None = None

    # ------------------------------------------------------------------------------------------ life

    def is_up(self) -> bool:
        """Whether every service is already running and healthy."""
        return all(self._health(service) == "healthy" for service in SERVICES)

    def up(self) -> None:
        """Build and start everything; returns once all is healthy."""
        self.compose("up", "--detach", "--build", "--wait", "--quiet-pull", within_s=_UP_S)

    def down(self) -> None:
        """Remove every container, network and volume of the project."""
        self.compose("down", "--volumes", "--remove-orphans", within_s=120)

    def kill(self, service: str) -> None:
        """SIGKILL, as a crash or the kernel would. Docker does not restart what was killed by hand."""
        self.docker("kill", "--signal", "KILL", self.container(service))

    def start(self, service: str) -> None:
        """Start the very container that was stopped or killed."""
        self.docker("start", self.container(service))

    def wait_until_healthy(self, service: str) -> None:
        eventually(lambda: self._health(service) == "healthy", _HEALTHY_S, f"{service} to become healthy", every_s=0.5)

    # ------------------------------------------------------------------------------------------ looking

    def container(self, service: str) -> str:
        """The id of a service's container, running or not; empty when there is none."""
        return self.compose("ps", "--all", "--quiet", service).strip()

    def containers(self) -> list[str]:
        """The ids of all containers of the project."""
        return self.compose("ps", "--all", "--quiet").split()

    def inspect(self, container: str) -> Mapping[str, Any]:
        """What the engine knows of a container."""
        found: list[Mapping[str, Any]] = json.loads(self.docker("inspect", container))
        return found[0]

    def logs(self, service: str) -> str:
        """The latest lines a service wrote."""
        container = self.container(service)
        return self.printed_by(container, _LOG_LINES) if container else "there is no container\n"

    def printed_by(self, container: str, lines: int | None = None) -> str:
        """What a container wrote on both of its streams: its latest lines, or all of them."""
        done = self._run(["docker", "logs", "--tail", "all" if lines is None else str(lines), container], 60)
        return done.stdout + done.stderr

    def url(self, service: str) -> str:
        """Where a service is reached from this machine."""
        port = 4566 if service == "localstack" else TOPOLOGY.services[service].port
        return f"http://127.0.0.1:{PORT_PREFIX}{port}"

    # ------------------------------------------------------------------------------------------ contents

    @property
    def session(self) -> AwsSession:
        if self._session is None:
            self._session = AwsSession(TOPOLOGY, "windrow", "us-east-1", self.url("localstack"))
        return self._session

    def store(self) -> S3ObjectStore:
        return self.session.store()

    def lake(self) -> DeltaLake:
        return self.session.lake()

    def close(self) -> None:
        """Close this side's connections."""
        if self._session is not None:
            self._session.s3.close()
            self._session.sqs.close()

    # ------------------------------------------------------------------------------------------ commands

    def compose(self, *arguments: str, within_s: float = 60) -> str:
        """Run docker compose on this project and return what it printed; CommandFailed when it fails."""
        return self._run(["docker", "compose", "--project-name", PROJECT, *arguments], within_s).stdout

    def docker(self, *arguments: str, within_s: float = 60) -> str:
        """Run docker and return what it printed; CommandFailed when it fails."""
        return self._run(["docker", *arguments], within_s).stdout

    def _run(self, command: Sequence[str], within_s: float) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            command,
            cwd=ROOT,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=within_s,
            check=False,
        )
        if done.returncode != 0:
            raise CommandFailed(f"{' '.join(command)} exited with {done.returncode}:\n{done.stdout}{done.stderr}")
        return done

    def _health(self, service: str) -> str:
        container = self.container(service)
        return self.inspect(container)["State"].get("Health", {}).get("Status", "none") if container else "absent"
