"""`windrow backfill`: windows computed again over what is already in the lake."""

from datetime import UTC, datetime
from typing import Annotated, Literal

from cyclopts import Parameter
from rich.progress import Progress

from windrow import flows
from windrow.backfill import Backfill, Compute
from windrow.catalog import SpecCatalog
from windrow.clock import SystemClock
from windrow.computed import Results
from windrow.errors import BadInput
from windrow.units import to_us
from windrow.windows import engine as windrow_engine
from windrow_cli.context import AsJson, Injected, State


def backfill(
    stream: str,
    /,
    *,
    start: Annotated[datetime | None, Parameter(name="--from")] = None,
    end: Annotated[datetime | None, Parameter(name="--to")] = None,
    window: Annotated[list[str] | None, Parameter(negative="")] = None,
    engine: Literal["local", "spark"] = "local",
    max_rows: int = 2_000_000,
    state: State = None,
    as_json: AsJson = False,
    context: Injected,
) -> int:
    """Compute windows again over what is already in the lake, and let the writer commit them.

    Use it after a window was added to a spec, or an aggregate to a window: records already stored then fill it too. It
    is safe to run at any time and as often as you like; the writer takes a result only if it knows of more records than
    what is there, or comes from a newer version of the spec.

    ```
    windrow backfill sensors --window hourly
    windrow backfill sensors --from 2026-01-01 --to 2026-02-01
    windrow backfill sensors --engine spark --max-rows 50000000
    ```

    Parameters
    ----------
    stream:
        The stream: its newest tables. Older ones are named with their version, such as sensors__v1.
    start:
        Windows that start from here on (UTC). Without it, from the first record.
    end:
        Windows that start before this. Without it, up to the last record.
    window:
        One of its windows; may be given more than once. All, if not given.
    engine:
        Who computes: this process, or Spark on this machine (needs Java and the package `windrow[spark]`).
    max_rows:
        Most records that are held at once.
    state:
        State folder of the `windrow dev` to speak to.
    as_json:
        Print what was done as JSON.
    """
    if max_rows < 1:
        raise BadInput("--max-rows is the number of records held at once; use 1 or more")
    from_us, end_us = _us(start), _us(end)
    if from_us is not None and end_us is not None and from_us >= end_us:
        raise BadInput(f"--from {start} is not before --to {end}; nothing starts in between")
    deployment = context.connect(state)
    session = deployment.session()
    store, clock = session.store(), SystemClock()
    catalog = SpecCatalog(store, clock)
    published = catalog.current(flows.meant(stream, catalog.flows()))
    work = Backfill(
        store=store,
        lake=deployment.lake(),
        results=Results(store, session.queue("writes")),
        clock=clock,
        published=published,
        compute=_compute(engine),
        max_rows=max_rows,
    )
    pieces = work.pieces(window or list(published.spec.windows), from_us, end_us)
    rows = owners = 0
    with Progress(console=context.err, transient=True, disable=not context.err.is_terminal) as progress:
        task = progress.add_task(stream, total=sum(piece.row_count for piece in pieces))
        for piece in pieces:
            rows += work.run(piece)
            owners += len(piece.owners)
            progress.advance(task, piece.row_count)
    if as_json:
        context.print_json({"stream": stream, "buckets": owners, "windows": rows, "engine": engine})
    else:
        context.out.print(f"{stream}: {rows} windows of {owners} buckets computed; the writer commits them now")
    return 0


def _us(at: datetime | None) -> int | None:
    return None if at is None else to_us(at if at.tzinfo else at.replace(tzinfo=UTC))


def _compute(engine: str) -> Compute:
    if engine == "local":
        return windrow_engine.compute
    try:
        from windrow.spark.local import compute  # noqa: PLC0415  Spark is wanted by few and takes seconds
    except ImportError as error:
        raise BadInput(f"--engine spark needs the package windrow[spark]: {error}") from error
    return compute
