"""Asking a loopback server, without a client library's opinions."""

import socket
from contextlib import closing
from http.client import HTTPConnection
from urllib.parse import urlsplit


def get(url: str) -> tuple[int, dict[str, str], bytes]:
    """Status, headers (names in lower case) and body of a GET."""
    target = urlsplit(url)
    with closing(HTTPConnection(str(target.hostname), target.port, timeout=10)) as connection:
        connection.request("GET", target.path or "/")
        answer = connection.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()


def free_port() -> int:
    """A loopback port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
