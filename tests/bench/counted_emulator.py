"""The emulator of `windrow dev`, counting its requests: by kind as AWS charges them, and by what they are for.

Run as the emulator is run; a GET of /__counts__ tells the counts.
"""

import json
import sys
import threading
from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING, ClassVar
from urllib.parse import parse_qs

from windrow_cli import emulator

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

PATH = "/__counts__"


class Counted(emulator.DurableMoto):
    """Counts, and answers as ever."""

    _counts: ClassVar[Counter[str]] = Counter()
    _lock = threading.Lock()

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        if environ["PATH_INFO"] == PATH:
            start_response("200 OK", [("Content-Type", "application/json")])
            with self._lock:
                return [json.dumps(self._counts).encode()]
        if "HTTP_AUTHORIZATION" in environ:
            name = request_name(
                environ["REQUEST_METHOD"],
                environ["PATH_INFO"],
                environ.get("QUERY_STRING", ""),
                environ.get("HTTP_X_AMZ_TARGET", ""),
            )
            with self._lock:
                self._counts[name] += 1
        return super().__call__(environ, start_response)


def request_name(method: str, path: str, query: str, target: str) -> str:
    """A request as `<kind> <what for>`: `PUT landing`, `LIST lake log`, `ReceiveMessage sqs`. Paths name the bucket."""
    if target:
        return f"{target.rpartition('.')[2]} sqs"
    asked = parse_qs(query, keep_blank_values=True)
    key = path.strip("/").partition("/")[2]
    is_list = method == "GET" and not key
    if is_list:
        key = asked.get("prefix", [""])[0]
    # Beginning, feeding and ending an upload in parts are all charged as PUT.
    kind = "LIST" if is_list else "PUT" if method == "POST" and asked.keys() & {"uploads", "uploadId"} else method
    zone = key.partition("/")[0]
    if zone == "lake":
        zone = "lake log" if "/_delta_log" in key else "lake data"
    return f"{kind} {zone}"


if __name__ == "__main__":
    emulator.DurableMoto = Counted  # type: ignore[misc]
    emulator.main(sys.argv[1:])
