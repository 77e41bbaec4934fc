"""Ports: free or not, and who has them."""

import os
import socket
import subprocess
import sys

import pytest

from windrow import topology as topologies
from windrow.errors import BadInput
from windrow_cli import ports
from windrow_cli.dev import choose_ports

_TOPOLOGY = topologies.load(topologies.find())


def test_a_port_with_a_listener_is_taken_and_its_holder_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert not ports.is_free(port)
        assert f"pid {os.getpid()}" in ports.holder(port)
    assert ports.is_free(port)


def _taken(monkeypatch: pytest.MonkeyPatch, *taken: int) -> None:
    monkeypatch.setattr(ports, "is_free", lambda port: port not in taken)


def test_ports_in_a_row_are_all_free_and_the_system_never_hands_them_out(monkeypatch: pytest.MonkeyPatch) -> None:
    _taken(monkeypatch, 18083, 18091)
    base = ports.free_base(5)

    assert not {18083, 18091} & set(range(base, base + 5))
    assert base + 5 < 32_768


def test_services_get_the_ports_of_the_topology_or_a_row_of_others(monkeypatch: pytest.MonkeyPatch) -> None:
    _taken(monkeypatch)
    names = ("ingest", "consumer", "windower", "writer", "reprocessor")

    assert choose_ports(_TOPOLOGY, None) == dict(zip(names, range(8080, 8085), strict=True))
    assert choose_ports(_TOPOLOGY, 9000) == dict(zip(names, range(9000, 9005), strict=True))


def test_every_taken_port_is_named_with_a_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    _taken(monkeypatch, 8081, 8083)
    monkeypatch.setattr(ports, "holder", lambda port: "pid 7 (nginx)" if port == 8081 else "")
    with pytest.raises(BadInput) as caught:
        choose_ports(_TOPOLOGY, None)

    base = ports.free_base(5)
    assert str(caught.value) == (
        "port 8081 for consumer is taken by pid 7 (nginx); port 8083 for writer is taken; "
        f"choose others: --port-base {base} takes {base} to {base + 4}"
    )


def test_a_port_that_another_process_has_claimed_is_passed_over() -> None:
    command = "from windrow_cli import ports; import sys; print(ports.free_base(5), flush=True); sys.stdin.read()"
    with subprocess.Popen([sys.executable, "-c", command], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        theirs = int(other.stdout.readline())

        assert not ports.claim(theirs)
        assert ports.free_base(5) != theirs
        other.kill()
    assert ports.claim(theirs)


def test_only_this_machine_is_loopback() -> None:
    assert all(map(ports.is_loopback, ("http://127.0.0.1:8080", "http://localhost", "http://[::1]:80")))
    assert not any(map(ports.is_loopback, ("http://example.com", "http://127.example.com:80", "http://10.0.0.1")))
