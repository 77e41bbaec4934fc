"""The two AWS emulators as fixtures: moto inside this process, LocalStack in a container.

Each is started once per session. Isolation comes from names: every deployment a test makes has a prefix of its own.
"""

import copy
import gc
import itertools
import logging
import os
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import msgspec
import pytest

from tests.support.waiting import eventually
from windrow import topology as topologies
from windrow.aws.provision import provision
from windrow.aws.session import AwsSession
from windrow.topology import Topology

LOCALSTACK_IMAGE = "localstack/localstack:4.14.0"
"""The last release that needs no token. docker-compose.yml must name the same (tests/unit/windrow/test_topology.py)."""
REGION = "eu-central-1"
ROOT = Path(__file__).parents[2]

_LOCALSTACK_PORT = 4566
_LOCALSTACK_START_S = 90.0
_prefixes = itertools.count()

Deploy = Callable[..., AwsSession]
"""deploy(endpoint_url, topology=None): make a fresh deployment there and return its session."""


@pytest.fixture(scope="session")
def topology() -> Topology:
    """The topology everything real is made from."""
    return topologies.load(ROOT / "infra" / "topology.json")


@pytest.fixture(scope="session")
def moto(scrubbed_environment: None) -> Iterator[str]:
    """The URL of a moto server on a free loopback port."""
    from moto.moto_server import threaded_moto_server

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = threaded_moto_server.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(scope="session")
def localstack(scrubbed_environment: None) -> Iterator[str]:
    """The URL of a LocalStack container on a loopback port. Skips where there is no Docker engine."""
    # Ryuk is a second container that removes the first. It needs an image and a mounted socket; `finally` needs none.
    os.environ["TESTCONTAINERS_RYUK_DISABLED"] = "true"
    container, trouble = _start_localstack()
    if container is None:
        pytest.skip(f"no Docker engine to run LocalStack in: {trouble}")
    try:
        url = f"http://127.0.0.1:{container.get_exposed_port(_LOCALSTACK_PORT)}"
        eventually(lambda: _is_healthy(url), _LOCALSTACK_START_S, f"LocalStack at {url} to start", every_s=0.25)
        yield url
    finally:
        container.stop()


def _start_localstack() -> tuple[Any, str]:
    """The started container, or None and why there is none."""
    from docker.errors import DockerException  # type: ignore[import-untyped]
    from testcontainers.core.container import DockerContainer

    trouble = ""
    with warnings.catch_warnings():
        # Docker's client leaves its socket to the garbage collector when it reaches no engine.
        warnings.simplefilter("ignore", ResourceWarning)
        try:
            container = DockerContainer(LOCALSTACK_IMAGE).with_envs(
                SERVICES="s3,sqs", DISABLE_EVENTS="1", SKIP_SSL_CERT_DOWNLOAD="1"
            )
            ports: dict[str, Any] = container.ports  # its with_bind_ports takes no address
            ports[f"{_LOCALSTACK_PORT}/tcp"] = ("127.0.0.1",)
            return container.start(), trouble
        except DockerException as error:
            trouble = str(error)
        gc.collect()
    return None, trouble


@pytest.fixture(scope="session")
def deploy(topology: Topology) -> Iterator[Deploy]:
    """Makes deployments with names nobody else uses. They share connections: making clients costs more than a test."""
    sessions: dict[str, AwsSession] = {}

    def make(endpoint_url: str, shape: Topology | None = None) -> AwsSession:
        if endpoint_url not in sessions:
            sessions[endpoint_url] = AwsSession(topology, "t", REGION, endpoint_url)
        session = copy.copy(sessions[endpoint_url])
        session.topology = shape or topology
        session.prefix = f"t{os.getpid()}-{next(_prefixes)}"
        provision(session)
        return session

    yield make
    for session in sessions.values():
        session.s3.close()
        session.sqs.close()


def only(topology: Topology, *, buckets: Sequence[str] = (), queues: Sequence[str] = ()) -> Topology:
    """The part of a topology that a test is about: quicker to make, and nothing is announced."""
    return msgspec.structs.replace(
        topology,
        buckets={name: topology.buckets[name] for name in buckets},
        queues={name: topology.queues[name] for name in queues},
        notifications=(),
    )


def with_max_receives(topology: Topology, max_receives: int) -> Topology:
    """The same topology, less patient: its queues give up on a message after this many receives."""
    queues = {
        name: msgspec.structs.replace(shape, max_receives=max_receives) for name, shape in topology.queues.items()
    }
    return msgspec.structs.replace(topology, queues=queues)


def _is_healthy(url: str) -> bool:
    try:
        with closing(urlopen(f"{url}/_localstack/health", timeout=2)) as answer:
            services: dict[str, Any] = msgspec.json.decode(answer.read())["services"]
    except (OSError, msgspec.MsgspecError):
        return False
    return all(services.get(name) in ("available", "running") for name in ("s3", "sqs"))
