"""A client that gives up on nothing: it sends until it is answered, and writes down what it was promised."""

import json
import time
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from typing import Any

from tests.faults.findings import Findings, NotRight
from tests.faults.log import ClientLog
from tests.faults.stack import Stack
from tests.faults.traffic import Request
from windrow import keys
from windrow.errors import WindrowError
from windrow.ports import ObjectHeaders, Outgoing

_GIVE_UP_S = 240.0
_PAUSE_S = 0.05
_TIMEOUT_S = 15.0


@dataclass(frozen=True)
class Sender:
    """Sends what a wave brings. Uploads and messages reach the store by themselves, as other people's would."""

    stack: Stack
    log: ClientLog

    def post(self, request: Request) -> None:
        """Records over HTTP, again and again until they are acknowledged."""
        headers = {"Content-Type": "application/x-ndjson"}
        if request.key is not None:
            headers["Idempotency-Key"] = request.key

        def attempt() -> bool:
            self.log.about_to_send(request)
            path = f"/v1/streams/{request.stream}/records"
            return _post(self.stack.ingest, path, request.body(), headers)[0] == 202

        _until(attempt, f"{len(request.good)} records of {request.stream} to be acknowledged")
        self.log.was_acknowledged(request)

    def upload(self, request: Request, name: str) -> None:
        """A file put into the landing zone by hand."""
        self.log.about_to_send(request)
        key = f"{keys.landing_prefix(request.stream)}{name}"
        self.stack.aws.store().put(key, request.csv(), ObjectHeaders(content_type="text/csv"))
        self.log.was_acknowledged(request)

    def junk(self, body: str) -> None:
        """A message that nobody can read; it must end among the dead letters."""
        self.stack.aws.queue("landed").send([Outgoing(body)])
        self.log.junk.add(body)

    def replay(self, **wanted: Any) -> int:
        """Have the reprocessor replay failures; returns how many it says they were."""
        counts: list[int] = []

        def attempt() -> bool:
            headers = {"Content-Type": "application/json"}
            status, body = _post(self.stack.reprocessor, "/v1/replays", json.dumps(wanted).encode(), headers)
            if status == 202:
                done = json.loads(body)
                counts.append(done["records"] + done["objects"] + done["messages"])
            return status == 202

        _until(attempt, f"a replay of {wanted}")
        return counts[0]


def _post(port: int, path: str, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
    with closing(HTTPConnection("127.0.0.1", port, timeout=_TIMEOUT_S)) as connection:
        connection.request("POST", path, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.read()


def _until(attempt: Any, what: str) -> None:
    deadline_s = time.monotonic() + _GIVE_UP_S
    trouble = "nothing was tried"
    while time.monotonic() < deadline_s:
        try:
            if attempt():
                return
            trouble = "it was refused"
        except (OSError, HTTPException, WindrowError) as error:
            trouble = str(error)
        time.sleep(_PAUSE_S)
    raise NotRight(Findings(waiting=[f"{what}; at last: {trouble}"]), f"after {_GIVE_UP_S:g} s")
