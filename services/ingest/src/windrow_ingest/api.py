"""The HTTP face: reads bodies within limits and renders outcomes. Every answer is JSON, errors included."""

from collections.abc import Mapping

import msgspec
from fastapi import FastAPI, Request, Response
from starlette.exceptions import HTTPException

from windrow.admission import RETRY_AFTER_S, Answer, Refusal, check_media, refused
from windrow.errors import BadInput, TooLarge, WindrowError
from windrow.health import Health
from windrow.keys import check_stream_name
from windrow.metrics import PrometheusMetrics
from windrow.spec import StreamSpec
from windrow_ingest.budget import Lease
from windrow_ingest.handler import Handler


def create_app(handler: Handler, health: Health, metrics: PrometheusMetrics) -> FastAPI:
    """The application. It holds no state of its own."""
    app = FastAPI(title="Windrow ingest", docs_url="/docs", redoc_url=None)

    @app.post("/v1/streams/{stream}/records", status_code=202)
    async def post_records(stream: str, request: Request) -> Response:
        """Take records in any format the decoder knows; answer once they are durable."""
        label = "-"  # an unknown name is not a label: anyone could fill memory with invented streams
        try:
            content_type = request.headers.get("content-type", "")
            codec = check_media(content_type, request.headers.get("content-encoding", "identity"))
            spec = await handler.spec_of(check_stream_name(stream))
            label = stream
            answer = await _accept(handler, spec, request, content_type, codec)
        except WindrowError as error:
            answer = refused(error)
        metrics.count("requests_answered", stream=label, status=str(answer.status))
        return _rendered(answer.status, answer.body, answer.headers)

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
    async def not_here(_request: Request, error: HTTPException) -> Response:
        names = {404: "not_found", 405: "method_not_allowed"}
        message = "there is nothing here; POST records to /v1/streams/<stream>/records"
        return _rendered(error.status_code, Refusal(names.get(error.status_code, "refused"), message), error.headers)

    @app.exception_handler(Exception)
    async def failed(_request: Request, _error: Exception) -> Response:
        # Nothing was acknowledged, so the truthful answer to a fault of ours is: try again.
        refusal = Refusal("unavailable", "the request could not be completed; nothing of it was kept, send it again")
        return _rendered(503, refusal, {"Retry-After": str(RETRY_AFTER_S)})

    return app


async def _accept(handler: Handler, spec: StreamSpec, request: Request, content_type: str, codec: str) -> Answer:
    key = request.headers.get("idempotency-key")
    if key == "":
        raise BadInput("the Idempotency-Key is empty; give every request its own, or leave the header out")
    with handler.budget.lease() as lease:
        body = await _read(request, handler.limits.max_body_bytes, lease)
        return await handler.accept(spec, body, content_type, codec, idempotency_key=key, lease=lease)


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


def _rendered(status: int, body: msgspec.Struct, headers: Mapping[str, str] | None = None) -> Response:
    return Response(msgspec.json.encode(body), status, dict(headers or {}), "application/json")


def _probe(fine: bool, why: str) -> Response:
    return Response(msgspec.json.encode({"ok": fine, "why": why}), 200 if fine else 503, {}, "application/json")
