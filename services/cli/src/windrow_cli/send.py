"""`windrow send`: files of records to a stream, each record once however often it is sent."""

import re
import uuid
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import asdict, dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import Annotated

import httpx2
from cyclopts import Parameter
from rich.table import Table

from windrow import keys, units
from windrow.clock import SystemClock
from windrow.errors import BadInput, WindrowError
from windrow_cli import source as sources
from windrow_cli.cells import cell
from windrow_cli.chunking import Chunk, json_chunks, ndjson_chunks
from windrow_cli.context import AsJson, Context, Injected, State
from windrow_cli.delivery import TOKEN, Deliverer, Fault, Receipt, idempotency_key
from windrow_cli.ports import is_loopback
from windrow_cli.progress import Bar, bar_over
from windrow_cli.source import Source

_PARALLEL = 4
_TIMEOUT_S = 60.0
_LAST_ANSWERS_S = 2.0
_SHOWN_FAULTS = 10
_MIN_BATCH_BYTES = 1 << 10
_MAX_BATCH_BYTES = 16 << 20
"""Ingest's own limit of a body, by default."""
_SIZE = re.compile(r"(\d+)\s*(B|KiB|MiB|kB|KB|MB)?")
_SIZE_UNITS = {None: 1, "B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "kB": 1_000, "KB": 1_000, "MB": 1_000_000}


@dataclass
class Summary:
    """What became of everything that was sent."""

    stream: str
    records: int = 0
    accepted: int = 0
    already_sent: int = 0
    quarantined: int = 0
    refused: int = 0
    uploads: list[str] = field(default_factory=list)
    uploads_already_sent: int = 0
    faults: list[Fault] = field(default_factory=list)

    def add(self, receipt: Receipt) -> None:
        self.records += receipt.record_count
        self.refused += receipt.refused_count
        if receipt.was_repeated:
            self.already_sent += receipt.record_count
            return
        self.accepted += receipt.accepted
        self.quarantined += receipt.quarantined_count
        self.faults.extend(receipt.faults[: _SHOWN_FAULTS - len(self.faults)])


def send(
    stream: str,
    /,
    *files: str,
    url: str | None = None,
    batch_bytes: str = "1MiB",
    again: Annotated[bool, Parameter(negative="")] = False,
    give_up_after: str = "2m",
    state: State = None,
    as_json: AsJson = False,
    context: Injected,
) -> int:
    """Send files of records to a stream.

    NDJSON and JSON records go to ingest over HTTP, in chunks. Every other file goes into the landing zone as it is:
    CSV, TSV, Parquet, Arrow, GeoJSON, zip, and JSON documents that hold their records somewhere inside. Sending the
    same file again counts nothing twice: what has arrived is recognised. So after any failure, run the same command
    again. Records that are not JSON are kept in quarantine and listed at the end.

    ```
    windrow send sensors readings.ndjson
    windrow send sensors monday.json.gz tuesday.jsonl.zst wednesday.csv
    windrow send quakes all_month.geojson
    windrow send trips trips-2026-*.parquet
    zcat readings.ndjson.gz | windrow send sensors -
    windrow send sensors readings.ndjson --again          # the same bytes, but they are new records
    ```

    Parameters
    ----------
    stream:
        The stream that the records belong to.
    files:
        .ndjson, .jsonl, .json, .csv, .tsv, .parquet, .arrow, .feather or .geojson; .gz, .zst or .bz2 may follow; or
        a .zip with one such file. - is NDJSON on standard input.
    url:
        Where ingest is. Default: the running `windrow dev`, or http://127.0.0.1:8080 with AWS_ENDPOINT_URL.
        If it asks for a token, put it in WINDROW_TOKEN.
    batch_bytes:
        Most bytes of records in one request, such as 256KiB or 4MiB.
    again:
        Send as new records, even if the same bytes have been sent before.
    give_up_after:
        How long to keep trying while ingest does not answer, such as 30s or 10m.
    state:
        State folder of the `windrow dev` to send to.
    as_json:
        Print the summary as JSON.
    """
    keys.check_stream_name(stream)
    if not files:
        raise BadInput("give at least one file, or - for standard input")
    found = [sources.describe(argument) for argument in files]
    sending = _Sending(
        stream=stream,
        state=state,
        url=url,
        batch_bytes=parse_size(batch_bytes),
        give_up_after_s=units.parse_duration_us(give_up_after) / units.SECOND_US,
        salt=uuid.uuid4().hex if again else "",
        context=context,
    )
    try:
        sending.run(found)
    except (WindrowError, KeyboardInterrupt) as error:
        if sending.summary.records or sending.summary.uploads:
            _print(sending.summary, context, as_json=as_json)
        if isinstance(error, KeyboardInterrupt):
            context.err.print("Stopped. The same command again sends the rest; what has arrived counts once.")
        raise
    _print(sending.summary, context, as_json=as_json)
    return 1 if sending.summary.refused else 0


@dataclass
class _Sending:
    """One run."""

    stream: str
    state: Path | None
    url: str | None
    batch_bytes: int
    give_up_after_s: float
    salt: str
    context: Context

    def __post_init__(self) -> None:
        self.summary = Summary(self.stream)

    def run(self, found: Sequence[Source]) -> None:
        whole = [source for source in found if self._goes_whole(source)]
        in_chunks = [source for source in found if source not in whole]
        if whole:
            self._upload_all(whole)
        if in_chunks:
            url = (self.url or self.context.connect(self.state).url("ingest")).rstrip("/")
            headers = self._authorization(url)
            with httpx2.Client(timeout=_TIMEOUT_S, trust_env=not is_loopback(url), headers=headers) as http:
                self._post_all(in_chunks, http, url)

    def _authorization(self, url: str) -> dict[str, str]:
        """The token that some fronts ask for: to the address that was given, and never in the clear over a network."""
        token = self.context.environment.get(TOKEN, "").strip()
        if not token or self.url is None:
            return {}
        if not (token.isascii() and token.isprintable()) or " " in token:
            raise BadInput(f"{TOKEN} holds what no token has: blanks, line ends or letters beyond ASCII")
        if not url.startswith("https://") and not is_loopback(url):
            raise BadInput(f"{TOKEN} is set, and {url} would carry it in the clear; use https://, or unset it")
        return {"Authorization": f"Bearer {token}"}

    def _goes_whole(self, source: Source) -> bool:
        """Whether a file goes into the landing zone as it is, rather than over HTTP in chunks."""
        if not source.is_text_of_records:
            return True
        if source.suffix != ".json":
            return False
        return source.is_collection() or self._holds_documents

    @cached_property
    def _holds_documents(self) -> bool:
        """Whether the stream's JSON files hold their records somewhere inside."""
        if self.url is not None:
            return False  # whoever gives a URL may have no way to the specs
        from windrow_cli.upload import spec_of  # noqa: PLC0415  needs the AWS SDK; lines over HTTP do not

        shape = spec_of(self.stream, self.context.connect(self.state).session().store()).format.json_
        return shape.records is not None or shape.arrays is not None

    # ------------------------------------------------------------------------------------------ whole

    def _upload_all(self, found: Sequence[Source]) -> None:
        from windrow_cli.upload import upload  # noqa: PLC0415  needs the AWS SDK; lines over HTTP do not

        if self.url is not None:
            raise BadInput(f"{found[0].path}: goes into the landing zone whole, not to a --url; leave that out")
        store = self.context.connect(self.state).session().store()
        with bar_over(self.context, found, self.give_up_after_s) as bar:
            for source in found:
                on_read = partial(bar.show, source, what="into the landing zone")
                key, was_there = upload(source, self.stream, self.salt, store, on_read)
                self.summary.uploads.append(key)
                self.summary.uploads_already_sent += was_there

    # ------------------------------------------------------------------------------------------ over HTTP

    def _post_all(self, found: Sequence[Source], http: httpx2.Client, url: str) -> None:
        with bar_over(self.context, found, self.give_up_after_s) as bar:
            deliverer = Deliverer(http, url, self.stream, SystemClock(), self.give_up_after_s, on_wait=bar.say)
            for source in found:
                self._post(source, deliverer, bar)

    def _post(self, source: Source, deliverer: Deliverer, bar: Bar) -> None:
        """A few chunks on the way at a time; the file is read no faster than they arrive."""
        read = sources.Progress()
        cut = json_chunks if source.kind == "json" else ndjson_chunks
        chunks = (chunk for chunk in cut(source.blocks(read), self.batch_bytes) if chunk.record_count)
        under_way: dict[Future[Receipt], Chunk] = {}
        pool = ThreadPoolExecutor(_PARALLEL)
        try:
            for chunk in chunks:
                key = idempotency_key(self.stream, source.name, chunk, self.salt)
                under_way[pool.submit(deliverer.deliver, source.name, chunk, key)] = chunk
                if len(under_way) >= _PARALLEL:
                    self._collect(under_way, bar)
                bar.show(source, read.read_bytes, f"{self.summary.records:,} records")
            while under_way:
                self._collect(under_way, bar)
                bar.show(source, read.read_bytes, f"{self.summary.records:,} records")
        except BaseException as error:
            deliverer.abandon()
            wait(under_way, timeout=0.0 if isinstance(error, KeyboardInterrupt) else _LAST_ANSWERS_S)
            for future in under_way:
                if future.done() and not future.cancelled() and future.exception() is None:
                    self.summary.add(future.result())
            raise
        finally:
            # Nobody waits for those that are under way; the process may end with them.
            pool.shutdown(wait=False, cancel_futures=True)

    def _collect(self, under_way: dict[Future[Receipt], Chunk], bar: Bar) -> None:
        done, _ = wait(under_way, return_when=FIRST_COMPLETED)
        for future in done:
            del under_way[future]
            self.summary.add(future.result())
            bar.say("")


def parse_size(text: str) -> int:
    """Bytes in `1MiB`, `256KiB` or `500000`; BadInput when it is none, or no size for a batch."""
    found = _SIZE.fullmatch(text.strip())
    if found is None:
        raise BadInput(f"{text!r} is not a size; write a number and a unit, such as 256KiB or 1MiB")
    size_bytes = int(found[1]) * _SIZE_UNITS[found[2]]
    if not _MIN_BATCH_BYTES <= size_bytes <= _MAX_BATCH_BYTES:
        raise BadInput(f"a batch may have from 1KiB to {_MAX_BATCH_BYTES >> 20}MiB, not {text}")
    return size_bytes


# ---------------------------------------------------------------------------------------------------- what is shown


def _print(summary: Summary, context: Context, *, as_json: bool) -> None:
    if as_json:
        context.print_json({**asdict(summary), "faults": [asdict(fault) for fault in summary.faults]})
        return
    out = context.out
    if summary.records:
        parts = [f"[bold]{summary.accepted:,}[/] accepted"]
        parts += [f"{summary.already_sent:,} already sent"] if summary.already_sent else []
        parts += [f"[yellow]{summary.quarantined:,} in quarantine[/]"] if summary.quarantined else []
        parts += [f"[red]{summary.refused:,} refused[/]"] if summary.refused else []
        out.print(f"{summary.records:,} records for {summary.stream}: {', '.join(parts)}", highlight=False)
    if summary.uploads:
        new = len(summary.uploads) - summary.uploads_already_sent
        again = f", {summary.uploads_already_sent} already sent" if summary.uploads_already_sent else ""
        out.print(f"Files for {summary.stream}: {new} uploaded into the landing zone{again}", highlight=False)
    if summary.faults:
        table = Table("file", "record", "line", "column", "reason", "message", title_justify="left")
        for fault in summary.faults:
            place = [str(value) if value is not None else "" for value in (fault.index, fault.line, fault.column)]
            table.add_row(*map(cell, (fault.file, *place, fault.reason, fault.message)))
        out.print(table)
        left = summary.quarantined + summary.refused - len(summary.faults)
        if left > 0:
            out.print(f"and {left:,} more: windrow dead-letters --stream {summary.stream}", style="dim")
