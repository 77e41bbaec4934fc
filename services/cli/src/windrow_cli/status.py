"""`windrow status`: what came in and what became of it."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Annotated, Any

import msgspec
from cyclopts import Parameter
from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.live import Live
from rich.markup import escape
from rich.table import Table

from windrow import flows, halts
from windrow.aws.session import AwsSession
from windrow.catalog import SpecCatalog
from windrow.clock import SystemClock
from windrow.conservation import Balance, balance
from windrow.errors import Transient
from windrow.halts import Halt
from windrow.lake.delta import DeltaLake
from windrow.ports import ObjectStore, QueueDepth
from windrow.units import SECOND_US, from_us
from windrow_cli.context import AsJson, Injected, State

_WATCH_EVERY_S = 2.0
_LAW = "received = written + duplicate + quarantined + filtered + expired + in flight"
_SELDOM = ("filtered", "expired", "moved")
_MOVED = "moved: replayed out of quarantine into newer tables of the stream, and received there"


@dataclass(frozen=True, slots=True)
class Figures:
    """A deployment at one moment."""

    balances: tuple[Balance, ...]
    depths: dict[str, QueueDepth]
    now_us: int
    halts: tuple[Halt, ...] = ()
    """Streams that stopped themselves."""

    @property
    def is_explained(self) -> bool:
        """Law 8: whether every record is accounted for."""
        return all(found.unexplained == 0 for found in self.balances)

    @property
    def is_quiet(self) -> bool:
        """Whether nothing is on its way."""
        moving = any(found.in_flight or found.uncounted_objects for found in self.balances)
        waiting = any(
            depth.waiting or depth.in_flight for name, depth in self.depths.items() if not is_dead(self, name)
        )
        return not moving and not waiting


def is_dead(figures: Figures, queue: str) -> bool:
    """Whether a queue is the dead-letter queue of another."""
    return any(queue != name and queue.startswith(name) for name in figures.depths)


def status(
    *,
    stream: str | None = None,
    watch: Annotated[bool, Parameter(negative="", alias="-w")] = False,
    state: State = None,
    as_json: AsJson = False,
    context: Injected,
) -> int:
    """Show what came in and what became of it, per stream; older versions of its tables, such as sensors__v1, apart.

    received = written + duplicate + quarantined + filtered + expired + in flight, at any time. What does not add up is
    unexplained: then this ends with exit code 1, which makes it an alarm.

    ```
    windrow status
    windrow status --stream sensors --json
    windrow status --watch
    ```

    Parameters
    ----------
    stream:
        One stream only.
    watch:
        Show it again every two seconds until Ctrl-C.
    state:
        State folder of the `windrow dev` to ask.
    as_json:
        Print the figures as JSON.
    """
    deployment = context.connect(state)
    session, lake = deployment.session(), deployment.lake()
    if not watch:
        figures = gather(session, lake, stream)
        if as_json:
            context.print_json(as_plain(figures))
        else:
            context.out.print(render(figures))
        return 0 if figures.is_explained else 1
    with Live(console=context.out, auto_refresh=False, screen=False) as live:
        while True:
            try:
                live.update(render(gather(session, lake, stream)), refresh=True)
            except Transient as error:
                live.update(f"[yellow]no answer: {error}", refresh=True)
            time.sleep(_WATCH_EVERY_S)


def gather(session: AwsSession, lake: DeltaLake, stream: str | None = None) -> Figures:
    """The figures of all streams, or of one (NotFound if there is no such stream)."""
    store, clock = session.store(), SystemClock()
    catalog = SpecCatalog(store, clock)
    every = catalog.flows()
    wanted = list(every) if stream is None else flows.of_stream(stream, every)
    if stream is not None and not wanted:
        catalog.current(stream)
    balances = tuple(replace(balance(store, lake, flow), stream=flows.shown(flow, every)) for flow in wanted)
    depths: dict[str, QueueDepth] = {}
    for name in session.topology.queues:
        for queue in (name, session.topology.dead_letter_queue(name)):
            depths[queue] = session.queue(queue).depth()
    return Figures(balances, depths, clock.now_us(), tuple(_halts(store, catalog, wanted)))


def _halts(store: ObjectStore, catalog: SpecCatalog, wanted: Sequence[str]) -> Iterator[Halt]:
    for flow in wanted:
        published = catalog.current(flow)
        found = halts.find(store, flow, published.version) if published.spec.halt is not None else None
        if found is not None:
            yield msgspec.structs.replace(found, stream=flows.shown(flow, catalog.flows()))


def as_plain(figures: Figures) -> dict[str, Any]:
    """The figures for programs; times as ISO 8601."""
    return {
        "streams": [
            {
                **{name: value for name, value in asdict(found).items() if not name.endswith("_us")},
                "unexplained": found.unexplained,
                "last_commit": _iso(found.last_commit_us),
                "largest_event_time": _iso(found.max_time_us),
            }
            for found in figures.balances
        ],
        "halted": [msgspec.structs.asdict(halt) for halt in figures.halts],
        "queues": {name: asdict(depth) for name, depth in figures.depths.items()},
        "is_explained": figures.is_explained,
    }


def render(figures: Figures) -> RenderableType:
    """The figures for people."""
    parts: list[RenderableType] = [balances_table(figures), _freshness_table(figures), _queues_table(figures)]
    if not figures.balances:
        parts = ["There are no streams yet: publish a spec with `windrow publish FILE`.", _queues_table(figures)]
    parts.extend(
        f"[bold yellow]{halt.stream} is halted[/]: {halt.quarantined:,} of its last {halt.records:,} records would be "
        f"in quarantine. Most often: {escape(halt.reason)}\n  Publish a better spec, or: windrow resume {halt.stream}"
        for halt in figures.halts
    )
    if any(found.moved for found in figures.balances):
        parts.insert(1, f"[dim]{_MOVED}[/]")
    if not figures.is_explained:
        parts.append("[bold red]Some records are unexplained. That must never be: please report it.")
    return Group(*parts)


def balances_table(figures: Figures) -> Table:
    """The conservation figures, a row per stream."""
    # Narrow enough for a terminal of 80 columns.
    table = Table(
        "stream",
        box=SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        pad_edge=False,
        title=_LAW,
        title_justify="left",
        title_style="",
        header_style="bold",
    )
    # Most streams filter nothing and keep everything; their table is the narrower for it.
    seldom = [name for name in _SELDOM if any(getattr(found, name) for found in figures.balances)]
    for name in ("received", "written", "duplicate", "quarantined", *seldom, "in flight", "unexplained"):
        table.add_column(name, justify="right")
    for found in figures.balances:
        in_flight = f"{found.in_flight:,}"
        if found.uncounted_objects:
            in_flight += f" and {found.uncounted_objects:,} file{'' if found.uncounted_objects == 1 else 's'}"
        table.add_row(
            found.stream,
            f"{found.received:,}",
            f"{found.written:,}",
            f"{found.duplicate:,}",
            f"[yellow]{found.quarantined:,}[/]" if found.quarantined else "0",
            *(f"{getattr(found, name):,}" for name in seldom),
            in_flight,
            f"[bold red]{found.unexplained:,}[/]" if found.unexplained else "[green]0[/]",
        )
    return table


def _freshness_table(figures: Figures) -> Table:
    table = Table("stream", "last commit", "largest event time (UTC)", header_style="bold")
    for found in figures.balances:
        largest = "" if found.max_time_us is None else from_us(found.max_time_us).strftime("%Y-%m-%d %H:%M:%S")
        table.add_row(found.stream, _age(found.last_commit_us, figures.now_us), largest)
    return table


def _queues_table(figures: Figures) -> Table:
    table = Table("queue", header_style="bold")
    for name in ("waiting", "in flight"):
        table.add_column(name, justify="right")
    for name, depth in figures.depths.items():
        style = "red" if is_dead(figures, name) and depth.waiting else ""
        table.add_row(name, f"{depth.waiting:,}", f"{depth.in_flight:,}", style=style)
    return table


def _age(moment_us: int | None, now_us: int) -> str:
    if moment_us is None:
        return "never"
    seconds = max(0, now_us - moment_us) // SECOND_US
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size} {unit} ago"
    return f"{seconds} s ago"


def _iso(moment_us: int | None) -> str | None:
    return None if moment_us is None else from_us(moment_us).isoformat().replace("+00:00", "Z")
