"""The AWS emulator of `windrow dev`: moto's server, with its S3 made durable.

Run as a process: `python -m windrow_cli.emulator --root DIR --port N --topology FILE --prefix P --region R`.

moto keeps everything in memory. Here every S3 object is in files (`mirror`) before the request that wrote it is
answered, and comes back with its ETag and times at the next start. Queues are not kept: messages are hints, and
Windrow's sweepers make lost ones good. DynamoDB tables are not kept either: they are made again, empty. What the
topology names is created before the port opens, so no service ever meets an emulator without its queues. Of a versioned
bucket only the current versions are kept; tags are not.
"""

import argparse
import io
import os
import signal
import sys
import threading
from collections import deque
from collections.abc import Iterable
from datetime import UTC
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from moto.backends import get_backend
from moto.core.model_instances import model_data
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from moto.s3.models import FakeKey
from werkzeug.serving import BaseWSGIServer, make_server

from windrow import topology as topologies
from windrow.aws.provision import provision
from windrow.aws.session import AwsSession
from windrow.units import from_us, to_us
from windrow_cli import queues
from windrow_cli.listing import Index
from windrow_cli.mirror import Headers, Mirror

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

HOST = "127.0.0.1"
PROBE_PATH = "/healthz"
_FAILED = (
    b'<?xml version="1.0" encoding="UTF-8"?><Error><Code>ServiceUnavailable</Code>'
    b"<Message>The emulator could not write to its folder: %s</Message></Error>"
)
_CHECKSUM_FIELDS = ("checksum_algorithm", "checksum_value", "checksum_type", "checksum_parts")


class BodyFile:
    """The part of a file object that moto uses to read a body, opened anew for each read: bytes stay on disk."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0

    def seek(self, offset: int) -> None:
        self._offset = offset

    def read(self, size: int = -1) -> bytes:
        with self._path.open("rb") as file:
            file.seek(self._offset)
            found = file.read(size)
        self._offset += len(found)
        return found

    def close(self) -> None:
        """Nothing is held open."""


class DurableMoto(DomainDispatcherApplication):
    """moto as a WSGI application whose S3 answers only what is on disk.

    S3 requests run one at a time, so that nobody reads, or loses a conditional write to, an object that is not yet
    durable; moto's own check-then-write of `If-None-Match` becomes atomic by the same lock. Queues run freely.
    """

    def __init__(self, mirror: Mirror, region: str) -> None:
        super().__init__(create_backend_app)
        self._mirror = mirror
        self._region = region
        self._s3_lock = threading.Lock()
        self._touched: list[tuple[str, str]] = []
        self._index = Index()
        self._s3: Any = get_backend("s3")[DEFAULT_ACCOUNT_ID]["aws"]
        self._note_touched_keys()
        queues.use_plain_clock()
        queues.make_orderly(get_backend("sqs")[DEFAULT_ACCOUNT_ID][region])
        self._apps = {service: create_backend_app(service) for service in ("dynamodb", "s3", "sqs")}
        _forget_instances()
        for headers in mirror.load():
            self._restore(headers)

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        if environ["PATH_INFO"] == PROBE_PATH and "HTTP_AUTHORIZATION" not in environ:
            start_response("200 OK", [("Content-Type", "application/json")])
            return [b'{"objects": %d}' % self._mirror.count()]
        app: Any = self.get_application(environ)
        if app.service != "s3":
            answer: Iterable[bytes] = app(environ, start_response)
            return answer
        _read_ahead(environ)
        with self._s3_lock:
            listed = self._listed(environ)
            if listed is not None:
                start_response("200 OK", [("Content-Type", "application/xml"), ("Content-Length", str(len(listed)))])
                return [listed]
            self._touched.clear()
            answer = app(environ, start_response)
            try:
                for bucket, key in dict.fromkeys(self._touched):
                    self._settle(bucket, key)
            except OSError as error:
                start_response("503 Service Unavailable", [("Content-Type", "application/xml")], sys.exc_info())
                return [_FAILED % (error.strerror or "unknown").encode()]
        return answer

    def _listed(self, environ: "WSGIEnvironment") -> bytes | None:
        """The answer to a ListObjectsV2 of a bucket we know; everything else is moto's."""
        if environ["REQUEST_METHOD"] != "GET" or "list-type=2" not in environ["QUERY_STRING"]:
            return None
        bucket = environ["PATH_INFO"].strip("/")
        if bucket not in self._s3.buckets:
            return None
        try:
            return self._index.answer(bucket, dict(parse_qsl(environ["QUERY_STRING"], keep_blank_values=True)))
        except ValueError:
            return None

    def get_application(self, environ: "WSGIEnvironment") -> Any:
        """Found by the signature: moto compares each request with the addresses of two hundred services."""
        signature = environ.get("HTTP_AUTHORIZATION", "")
        for service, app in self._apps.items():
            if f"/{service}/aws4_request" in signature:
                return app
        return super().get_application(environ)

    def _note_touched_keys(self) -> None:
        """Every road by which moto creates or deletes an object (PUT, copy, multipart, multi-delete) leads here."""
        put, delete = self._s3.put_object, self._s3.delete_object

        def put_object(bucket_name: str, key_name: str, *args: Any, **more: Any) -> Any:
            self._touched.append((bucket_name, key_name))
            return put(bucket_name, key_name, *args, **more)

        def delete_object(bucket_name: str, key_name: str, *args: Any, **more: Any) -> Any:
            self._touched.append((bucket_name, key_name))
            return delete(bucket_name, key_name, *args, **more)

        self._s3.put_object, self._s3.delete_object = put_object, delete_object

    def _settle(self, bucket: str, key: str) -> None:
        """Bring the files in line with moto; if that fails, bring moto in line with the files and raise."""
        keys = self._s3.buckets[bucket].keys
        found = keys.get(key)
        if not isinstance(found, FakeKey):  # gone, or a delete marker over the versions of a versioned bucket
            self._mirror.remove(bucket, key)
            self._index.remove(bucket, key)
            _drop(keys, key)
            return
        headers = _headers(bucket, found)
        try:
            self._mirror.save(headers, found.value)
        except OSError:
            _drop(keys, key)
            self._index.remove(bucket, key)
            durable = self._mirror.find(bucket, key)
            if durable is not None:
                self._restore(durable)
            raise
        self._index.put(headers)
        keys.setlist(key, [found])
        self._read_from_disk(found, bucket)

    def _restore(self, headers: Headers) -> None:
        bucket = self._s3.buckets.get(headers.bucket) or self._s3.create_bucket(headers.bucket, self._region)
        key: Any = FakeKey(
            headers.key,
            b"",
            account_id=DEFAULT_ACCOUNT_ID,
            region_name=self._s3.region_name,
            storage=headers.storage_class,
            etag=headers.etag,
            version_id="null",
            bucket_name=headers.bucket,
        )
        key.last_modified = from_us(headers.modified_us).replace(tzinfo=None)  # moto's times are UTC without saying so
        key.set_metadata(dict(headers.metadata))
        for name, value in headers.checksums.items():
            setattr(key, name, value)
        key.contentsize = headers.size_bytes
        self._read_from_disk(key, headers.bucket)
        bucket.keys.setlist(headers.key, [key])
        self._index.put(headers)

    def _read_from_disk(self, key: Any, bucket: str) -> None:
        key._value_buffer.close()  # noqa: SLF001  moto has no setting for where bodies live
        key._value_buffer = BodyFile(self._mirror.body_path(bucket, key.name))  # noqa: SLF001


def _headers(bucket: str, key: FakeKey) -> Headers:
    return Headers(
        bucket=bucket,
        key=key.name,
        etag=key.etag.strip('"'),
        size_bytes=key.size,
        modified_us=to_us(key.last_modified.replace(tzinfo=UTC)),
        metadata={str(name): str(value) for name, value in key.metadata.items()},
        storage_class=key.storage_class or "STANDARD",
        checksums={name: value for name in _CHECKSUM_FIELDS if (value := getattr(key, name)) is not None},
    )


def _drop(keys: Any, key: str) -> None:
    """Take a key and all its versions out of a bucket; moto's own `pop` trips over delete markers."""
    for version in dict.pop(keys, key, ()):
        if isinstance(version, FakeKey):
            version.dispose()


def _read_ahead(environ: "WSGIEnvironment") -> None:
    """Take a body off the network before the lock is held, so that a slow sender keeps nobody waiting."""
    length = environ.get("CONTENT_LENGTH")
    if length:
        environ["wsgi.input"] = io.BytesIO(environ["wsgi.input"].read(int(length)))


def _forget_instances() -> None:
    """Keep no list of all objects and messages ever made, as moto does for its dashboard."""
    for service in ("s3", "sqs"):
        for model in model_data[service].values():
            model.instances_tracked = deque(maxlen=0)  # type: ignore[attr-defined]


class _QuietHandler(MotoRequestHandler):
    disable_nagle_algorithm = True  # replies leave in several writes; Nagle would hold the last one back

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002  the base class names it so
        """Thousands of requests are not news; errors are."""
        if type == "error":
            sys.stderr.write(f"{message % args}\n")


def listen(app: DurableMoto, port: int) -> BaseWSGIServer:
    """A threaded server for the application on a loopback port (0: any free one)."""
    return make_server(HOST, port, app, threaded=True, request_handler=_QuietHandler)


def main(arguments: list[str]) -> None:
    """Serve until SIGTERM. SIGINT is ignored: on Ctrl-C the services still need their store while they drain."""
    parser = argparse.ArgumentParser(prog="windrow_cli.emulator")
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--topology", type=Path, required=True)
    parser.add_argument("--prefix", required=True)
    parser.add_argument("--region", required=True)
    chosen = parser.parse_args(arguments)

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _exit_at_once)
    app = DurableMoto(Mirror(chosen.root), chosen.region)

    # Queues and notifications are made through a door of our own, before anyone else is let in.
    private = listen(app, 0)
    threading.Thread(target=private.serve_forever, daemon=True).start()
    topology = topologies.load(chosen.topology)
    provision(AwsSession(topology, chosen.prefix, chosen.region, f"http://{HOST}:{private.server_port}"))
    private.shutdown()
    private.server_close()

    listen(app, chosen.port).serve_forever()


def _exit_at_once(_signum: int, _frame: FrameType | None) -> None:
    os._exit(0)  # whatever was answered is on disk; there is nothing to finish


if __name__ == "__main__":
    main(sys.argv[1:])
