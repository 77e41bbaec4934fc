"""The HTTP face: reads bodies within limits and renders outcomes. Every answer is JSON, errors included."""

from collections.abc import Mapping

import msgspec
from fastapi import FastAPI, Request, Response
from starlette.exceptions import HTTPException

from windrow.errors import BadInput, Conflict, NotFound, TooLarge, WindrowError
from windrow.framing import JSON_TYPES, LINES_TYPES, Malformed
from windrow.health import Health
from windrow.inflate import CODECS
from windrow.keys import check_stream_name
from windrow.metrics import PrometheusMetrics
from windrow.quarantine import Reject
from windrow_ingest.budget import Lease
from windrow_ingest.handler import Accepted, Handler

_LISTED_REJECTS = 100
_RETRY_AFTER_S = 1


class Acknowledgement(msgspec.Struct, frozen=True):
    """The body of a 202."""

    accepted: int
    quarantined_count: int
    quarantined: tuple[Reject, ...]
    landing_key: str
    repeated: bool


class Refusal(msgspec.Struct, frozen=True, omit_defaults=True):
    """The body of every error: a stable reason, a sentence, and the place of the first fault."""

    reason: str
    message: str
    index: int | None = None
    line: int | None = None
    column: int | None = None
    rejects: tuple[Reject, ...] = ()


def create_app(handler: Handler, health: Health, metrics: PrometheusMetrics) -> FastAPI:
    """The application. It holds no state of its own."""
    app = FastAPI(title="Windrow ingest", docs_url="/docs", redoc_url=None)

    @app.post("/v1/streams/{stream}/records", status_code=202)
    async def post_records(stream: str, request: Request) -> Response:
        """Take one JSON object, an array of them, or NDJSON; answer once they are durable."""
        label = "-"  # an unknown name is not a label: anyone could fill memory with invented streams
        try:
            content_type, codec = _media(request)
            await handler.check_stream(check_stream_name(stream))
            label = stream
            accepted = await _accept(handler, stream, request, content_type, codec)
        except WindrowError as error:
            status, refusal = _refusal(error)
            headers = {"Retry-After": str(_RETRY_AFTER_S)} if status == 503 else {}
            metrics.count("requests_answered", stream=label, status=str(status))
            return _answer(status, refusal, headers)
        metrics.count("requests_answered", stream=label, status="202")
        return _answer(
            202,
            Acknowledgement(
                accepted.accepted,
                len(accepted.quarantined),
                accepted.quarantined[:_LISTED_REJECTS],
                accepted.landing_key,
                accepted.repeated,
            ),
        )

    @app.get("/healthz", include_in_schema=False)
    async def healthz() -> Response:
        health.progressed()  # that this ran is the progress of an HTTP server
        return _probe(*health.is_alive())

    @app.get("/readyz", include_in_schema=False)
    async def readyz() -> Response:
        return _probe(*health.is_ready())

    @app.get("/metrics", include_in_schema=False)
    async def prometheus() -> Response:
        return Response(metrics.render(), media_type="text/plain; version=0.0.4")

    @app.exception_handler(HTTPException)
    async def refused(_request: Request, error: HTTPException) -> Response:
        names = {404: "not_found", 405: "method_not_allowed"}
        message = "there is nothing here; POST records to /v1/streams/<stream>/records"
        return _answer(error.status_code, Refusal(names.get(error.status_code, "refused"), message), error.headers)

    @app.exception_handler(Exception)
    async def failed(_request: Request, _error: Exception) -> Response:
        # Nothing was acknowledged, so the truthful answer to a fault of ours is: try again.
        refusal = Refusal("unavailable", "the request could not be completed; nothing of it was kept, send it again")
        return _answer(503, refusal, {"Retry-After": str(_RETRY_AFTER_S)})

    return app


def _media(request: Request) -> tuple[str, str]:
    """Content type and encoding, if they are offered."""
    content_type = request.headers.get("content-type", "")
    if content_type.partition(";")[0].strip().lower() not in JSON_TYPES | LINES_TYPES:
        raise _UnsupportedType(
            f"content type {content_type or 'none'!r} is not understood; send application/json or application/x-ndjson"
        )
    codec = request.headers.get("content-encoding", "identity").strip().lower()
    if codec not in CODECS:
        raise _UnsupportedType(
            f"content encoding {codec!r} is not understood; send {', '.join(CODECS[:-1])} or {CODECS[-1]}"
        )
    return content_type, codec


async def _accept(handler: Handler, stream: str, request: Request, content_type: str, codec: str) -> Accepted:
    key = request.headers.get("idempotency-key")
    if key == "":
        raise BadInput("the Idempotency-Key is empty; give every request its own, or leave the header out")
    with handler.budget.lease() as lease:
        body = await _read(request, handler.limits.max_body_bytes, lease)
        return await handler.accept(stream, body, content_type, codec, idempotency_key=key, lease=lease)


async def _read(request: Request, max_bytes: int, lease: Lease) -> bytes:
    told = request.headers.get("content-length", "")
    if told.isdecimal() and int(told) > max_bytes:
        raise TooLarge(f"the body has {told} bytes; the limit is {max_bytes}")
    body = bytearray()
    async for chunk in request.stream():
        lease.take(len(chunk))
        body += chunk
        if len(body) > max_bytes:
            raise TooLarge(f"the body has more than {max_bytes} bytes")
    return bytes(body)


class _UnsupportedType(BadInput):
    """A content type or encoding that is not offered."""


def _refusal(error: WindrowError) -> tuple[int, Refusal]:
    message = str(error)
    match error:
        case Malformed(rejects=rejects):
            first = rejects[0]
            return 400, Refusal(first.reason, message, first.index, first.line, first.column, rejects[:_LISTED_REJECTS])
        case _UnsupportedType():
            return 415, Refusal("unsupported_media_type", message)
        case BadInput():
            return 400, Refusal("bad_request", message)
        case TooLarge():
            return 413, Refusal("too_large", message)
        case NotFound():
            return 404, Refusal("unknown_stream", message)
        case Conflict():
            return 409, Refusal("idempotency_conflict", "this Idempotency-Key was used for other records: " + message)
        case _:
            return 503, Refusal("unavailable", message)


def _answer(status: int, body: msgspec.Struct, headers: Mapping[str, str] | None = None) -> Response:
    return Response(msgspec.json.encode(body), status, dict(headers or {}), "application/json")


def _probe(fine: bool, why: str) -> Response:
    return Response(msgspec.json.encode({"ok": fine, "why": why}), 200 if fine else 503, {}, "application/json")
