"""The HTTP face for operators: what failed, and send it round again."""

from collections.abc import Callable, Mapping
from typing import Annotated

import msgspec
from fastapi import FastAPI, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from windrow.errors import BadInput, Conflict, NotFound, TooLarge, WindrowError
from windrow.metrics import PrometheusMetrics
from windrow_reprocessor.replay import Replayer, ReplayRequest
from windrow_reprocessor.triage import Filter, Kind, Triage

_MAX_BODY_BYTES = 4 << 20
_REQUEST = msgspec.json.Decoder(ReplayRequest)


class Refusal(msgspec.Struct, frozen=True):
    """The body of every error."""

    reason: str
    message: str


def create_app(
    triage: Triage, replayer: Replayer, is_ready: Callable[[], tuple[bool, str]], metrics: PrometheusMetrics
) -> FastAPI:
    """The application. It holds no state of its own."""
    app = FastAPI(title="Windrow reprocessor", docs_url="/docs", redoc_url=None)

    @app.get("/v1/dead-letters")
    def dead_letters(
        stream: str | None = None,
        kind: Kind | None = None,
        reason: str | None = None,
        limit: Annotated[int, Query(ge=0, le=10_000)] = 100,
    ) -> Response:
        """Everything that waits for an operator: counted, grouped by cause, the first `limit` in full."""
        return _answer(200, triage.list(Filter(stream, kind, reason), limit))

    @app.post("/v1/replays", status_code=202)
    async def replays(request: Request) -> Response:
        """Send failures round again. Replaying the same thing twice adds it once."""
        body = await _read(request)
        try:
            wanted = _REQUEST.decode(body or b"{}")
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            return _answer(400, Refusal("bad_request", str(error)))
        return _answer(202, await run_in_threadpool(replayer.replay, wanted))

    @app.get("/healthz", include_in_schema=False)
    def healthz() -> Response:
        return _probe(fine=True, why="ok")

    @app.get("/readyz", include_in_schema=False)
    def readyz() -> Response:
        fine, why = is_ready()
        return _probe(fine=fine, why=why)

    @app.get("/metrics", include_in_schema=False)
    def prometheus() -> Response:
        return Response(metrics.render(), media_type="text/plain; version=0.0.4")

    @app.exception_handler(WindrowError)
    async def refused(_request: Request, error: Exception) -> Response:
        status, reason = _status(error)
        return _answer(status, Refusal(reason, str(error)), {"Retry-After": "1"} if status == 503 else {})

    @app.exception_handler(RequestValidationError)
    async def misread(_request: Request, error: Exception) -> Response:
        faults = error.errors() if isinstance(error, RequestValidationError) else []
        message = "; ".join(f"{fault['loc'][-1]}: {fault['msg']}" for fault in faults)
        return _answer(400, Refusal("bad_request", message))

    @app.exception_handler(HTTPException)
    async def unknown(_request: Request, error: HTTPException) -> Response:
        names = {404: "not_found", 405: "method_not_allowed"}
        message = "there is nothing here; GET /v1/dead-letters or POST /v1/replays"
        return _answer(error.status_code, Refusal(names.get(error.status_code, "refused"), message), error.headers)

    @app.exception_handler(Exception)
    async def failed(_request: Request, _error: Exception) -> Response:
        # Replays may be repeated at will, so the truthful answer to a fault of ours is: try again.
        refusal = Refusal("unavailable", "the request could not be completed; send it again, nothing is done twice")
        return _answer(503, refusal, {"Retry-After": "1"})

    return app


async def _read(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _MAX_BODY_BYTES:
            raise TooLarge(f"the body has more than {_MAX_BODY_BYTES} bytes")
    return bytes(body)


def _status(error: Exception) -> tuple[int, str]:
    match error:
        case BadInput():
            return 400, "bad_request"
        case NotFound():
            return 404, "not_found"
        case Conflict():
            return 409, "conflict"
        case TooLarge():
            return 413, "too_large"
        case _:
            return 503, "unavailable"


def _answer(status: int, body: msgspec.Struct, headers: Mapping[str, str] | None = None) -> Response:
    return Response(msgspec.json.encode(body), status, dict(headers or {}), "application/json")


def _probe(*, fine: bool, why: str) -> Response:
    return Response(msgspec.json.encode({"ok": fine, "why": why}), 200 if fine else 503, {}, "application/json")
