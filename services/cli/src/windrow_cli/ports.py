"""Which TCP ports of this machine are free, and who holds the others."""

import fcntl
import os
import socket
import tempfile
from collections.abc import Iterable
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

import psutil

LOOPBACK = "127.0.0.1"
_EMULATOR_FROM = 4566
_BASES = range(18080, 32000, 10)
"""Below the range from which the system hands out ports by itself: a connection to a dead server on one of those can
end up connected to itself."""
_CLAIMS: dict[int, int] = {}
"""The lock file held for each claimed port; the system lets go of it when the process ends, however it ends."""


def is_free(port: int) -> bool:
    """Whether a server could listen on this loopback port now."""
    with socket.socket() as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def claim(port: int) -> bool:
    """Keep a port for this process until it ends, among all of Windrow on this machine.

    Whoever finds a port free only listens on it seconds later; two that start together would find the same one.
    """
    if port in _CLAIMS:
        return True
    lock = os.open(
        Path(tempfile.gettempdir(), f"windrow-port-{port}.lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666
    )
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(lock)
        return False
    _CLAIMS[port] = lock
    return True


def free_emulator_port(reserved: Iterable[int]) -> int:
    """The first free port from 4566, where people expect an AWS emulator."""
    taken = set(reserved)
    return next(port for port in range(_EMULATOR_FROM, 32000) if port not in taken and is_free(port) and claim(port))


def free_base(count: int) -> int:
    """The first of `count` free ports in a row."""
    return next(base for base in _BASES if all(is_free(base + offset) for offset in range(count)) and claim(base))


def holder(port: int) -> str:
    """Who listens on a port, for people: `pid 4711 (python -m http.server)`, or nothing if that cannot be seen."""
    try:
        for connection in psutil.net_connections("tcp"):
            if connection.status == psutil.CONN_LISTEN and connection.laddr[1:] == (port,) and connection.pid:
                command = " ".join(psutil.Process(connection.pid).cmdline())
                return f"pid {connection.pid} ({command[:80]})"
    except psutil.Error:
        pass
    return ""


def is_loopback(url: str) -> bool:
    """Whether a URL leads to this very machine, where no proxy has any business."""
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
