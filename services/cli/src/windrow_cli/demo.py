"""`windrow demo`: all of it on this machine, and proof that it adds up."""

import difflib
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import httpx2
from cyclopts import Parameter
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn
from rich.syntax import Syntax
from rich.table import Table

from windrow import catalog
from windrow.clock import SystemClock
from windrow.conservation import Balance
from windrow.errors import BadInput, Permanent, Transient
from windrow_cli import background, devfile, ports
from windrow_cli.cells import cell, shown
from windrow_cli.chunking import Chunk, ndjson_chunks
from windrow_cli.connection import Deployment
from windrow_cli.context import Context, Injected
from windrow_cli.delivery import Deliverer
from windrow_cli.failures import Reprocessor, groups_table
from windrow_cli.fleet import FIRMWARE_REASON, Fleet
from windrow_cli.machine import Machine
from windrow_cli.status import Figures, balances_table, gather
from windrow_cli.tables import RunningLake, Session

STATE = Path(".windrow/demo")
_SENSORS, _MACHINE = "sensors", "machine"
_FILES = {_SENSORS: Path("sensors/sensors.yaml"), _MACHINE: Path("metrics/machine.yaml")}
_OLD_FORMATS, _NEW_FORMATS = "formats: [iso8601]", "formats: [iso8601, epoch_ms]"
_FLEET_SIZE = 40
_TICK_S = 0.5
_QUIET_S = 45.0
_POLL_S = 0.5
_GIVE_UP_S = 30.0
_MAX_CHUNK_BYTES = 1 << 20
_WINDOWS_SHOWN = 8


class DemoFailed(Permanent):
    """A claim of the demonstration did not hold."""


def demo(
    *,
    seconds: Annotated[int, Parameter(alias="-s")] = 20,
    keep: Annotated[bool, Parameter(negative="")] = False,
    seed: int = 7,
    context: Injected,
) -> None:
    """See all of Windrow on this machine, in a minute.

    Starts everything on an embedded AWS emulator, streams this machine's own figures and those of a simulated fleet of
    sensors, some of them late, doubled or broken, and shows what became of every record. Then it fixes a spec, replays
    what that repairs, and checks that each record counts once. Ends with exit code 1 if anything does not add up.

    ```
    windrow demo
    windrow demo --seconds 60 --keep     # leave it running
    ```

    Parameters
    ----------
    seconds:
        How long to stream.
    keep:
        Leave everything running at the end.
    seed:
        Start of the random numbers of the fleet.
    """
    if seconds < 1:
        raise BadInput(f"--seconds {seconds}: stream for at least one second")
    specs = _specs()
    with _running(specs, context, keep=keep) as deployment:
        _Demo(deployment, specs[_SENSORS], context).run(seconds, seed)
    _print_next(context, keep=keep)


# ---------------------------------------------------------------------------------------------------- before


def _specs() -> dict[str, str]:
    """The text of both specs, from the examples."""
    places = (Path("examples"), Path(__file__).parents[4] / "examples")
    found = next((place for place in places if (place / _FILES[_SENSORS]).exists()), None)
    if found is None:
        raise BadInput("the demo needs the examples: run it in a checkout of Windrow")
    texts = {name: (found / path).read_text(encoding="utf-8") for name, path in _FILES.items()}
    if texts[_SENSORS].count(_OLD_FORMATS) != 1:
        raise BadInput(f"{found / _FILES[_SENSORS]} no longer says {_OLD_FORMATS!r}, which the demo changes")
    return texts


@contextmanager
def _running(specs: dict[str, str], context: Context, *, keep: bool) -> Iterator[Deployment]:
    """Everything embedded, from nothing, on free ports; stopped at the end unless it is to be kept."""
    if devfile.is_running(STATE):
        background.stop_running(STATE, context)
    shutil.rmtree(STATE, ignore_errors=True)
    config = STATE / "config" / "streams"
    config.mkdir(parents=True)
    for name, text in specs.items():
        (config / f"{name}.yaml").write_text(text, encoding="utf-8")
    environment = {name: value for name, value in context.environment.items() if name != "AWS_ENDPOINT_URL"}
    embedded = Context(environment, context.out, context.err, context.program, context.export)
    _title(context, "Starting five services on an embedded AWS emulator")
    started_s = time.monotonic()
    content = background.start_detached(
        background.Plan(STATE, STATE / "config", ports.free_base(5), fresh=True, verbose=False), embedded
    )
    context.out.print(
        f"{len(content.children)} processes are ready after {time.monotonic() - started_s:.1f} s: "
        f"{', '.join(content.children)}",
        highlight=False,
    )
    is_fine = False
    try:
        yield embedded.connect(STATE)
        is_fine = True
    finally:
        if not (keep and is_fine):
            background.stop_running(STATE, context, is_quiet=True)
        if not is_fine:
            context.err.print(f"The logs are in {STATE / 'logs'}.", style="dim")


def _title(context: Context, text: str) -> None:
    context.out.print(f"\n[bold cyan]━━ {text}[/]")


# ---------------------------------------------------------------------------------------------------- the show


@dataclass
class _Demo:
    deployment: Deployment
    sensors_spec: str
    context: Context

    def __post_init__(self) -> None:
        self._session = self.deployment.session()
        self._lake = self.deployment.lake()
        self._reprocessor = Reprocessor(self.deployment.url("reprocessor"))
        self._out = self.context.out

    def run(self, seconds: int, seed: int) -> None:
        fleet, machine_records = self._stream(seconds, seed)
        sent = fleet.sent
        quarantined = len(sent.firmware) + sent.broken.total()
        self._await_quiet({_SENSORS: len(sent.good), _MACHINE: machine_records})
        self._show_windows()
        self._show_quarantine()
        figures = self._figures()
        self._check("quarantined records", figures[_SENSORS].quarantined, quarantined)
        self._check("records received for sensors", figures[_SENSORS].received, sent.records)

        self._fix_spec()
        replayed = self._replay()
        self._check("replayed records", replayed, len(sent.firmware))
        self._await_quiet({_SENSORS: len(sent.good | sent.firmware)})
        self._show_repaired(len(sent.firmware))
        before = self._figures()
        again = self._replay()
        self._await_quiet({_SENSORS: len(sent.good | sent.firmware)})
        after = self._figures()
        self._out.print(
            f"Replayed the same once more: {again} records, and the figures have not moved.", highlight=False
        )
        self._check("records written after a second replay", after[_SENSORS].written, before[_SENSORS].written)
        self._check("records in quarantine at the end", after[_SENSORS].quarantined, sent.broken.total())
        self._show_balance(machine_records, sent.records)

    # ------------------------------------------------------------------------------------------ streaming

    def _stream(self, seconds: int, seed: int) -> tuple[Fleet, int]:
        _title(self.context, f"Streaming for {seconds} s: this machine's figures and {_FLEET_SIZE} simulated sensors")
        fleet, machine, machine_records = Fleet(seed, _FLEET_SIZE), Machine(), 0
        started_s = time.monotonic()
        with httpx2.Client(timeout=_GIVE_UP_S, trust_env=False) as http, self._progress(seconds) as show:
            sensors, figures = self._deliverer(http, _SENSORS), self._deliverer(http, _MACHINE)
            tick = 0
            while (elapsed_s := time.monotonic() - started_s) < seconds:
                now = datetime.now(UTC)
                _deliver(sensors, fleet.tick(now), tick)
                if tick % 2 == 0:
                    lines = machine.sample(now)
                    machine_records += len(lines)
                    _deliver(figures, b"".join(line + b"\n" for line in lines), tick)
                tick += 1
                show(elapsed_s, f"{fleet.sent.records + machine_records:,} records sent")
                time.sleep(max(0.0, started_s + tick * _TICK_S - time.monotonic()))
        sent = fleet.sent
        self._out.print(
            f"{machine_records:,} records of this machine and {sent.records:,} of the sensors are acknowledged: "
            f"durable in S3.\nAmong the latter: {sent.late} late, {sent.twice} sent twice, {sent.broken.total()} "
            f"broken, and {len(sent.firmware)} with times that the spec does not know.",
            highlight=False,
        )
        return fleet, machine_records

    def _deliverer(self, http: httpx2.Client, stream: str) -> Deliverer:
        return Deliverer(http, self.deployment.url("ingest"), stream, SystemClock(), _GIVE_UP_S)

    @contextmanager
    def _progress(self, seconds: int) -> Iterator[Callable[[float, str], None]]:
        with Progress(
            TextColumn("  "),
            BarColumn(),
            TextColumn("{task.description}"),
            console=self._out,
            transient=True,
            disable=not self._out.is_terminal,
        ) as progress:
            task = progress.add_task("", total=seconds)
            yield lambda elapsed_s, text: progress.update(task, completed=elapsed_s, description=text)

    # ------------------------------------------------------------------------------------------ waiting and checking

    def _await_quiet(self, counted: dict[str, int]) -> None:
        """Until nothing is on its way and the windows of each stream count so many records."""
        deadline_s = time.monotonic() + _QUIET_S
        found: dict[str, int] = {}
        with self._out.status("waiting until everything is in its window"):
            while time.monotonic() < deadline_s:
                try:
                    found = {stream: self._windowed(stream) for stream in counted}
                    if gather(self._session, self._lake).is_quiet and found == counted:
                        return
                except Transient:
                    pass
                time.sleep(_POLL_S)
        for stream, count in counted.items():
            self._check(f"records counted in the windows of {stream}", found.get(stream, 0), count)
        raise DemoFailed(f"the pipeline did not come to rest within {_QUIET_S:.0f} s")

    def _windowed(self, stream: str) -> int:
        window = {"sensors": "every_minute", "machine": "every_10s"}[stream]
        if self._lake.delta(stream, f"windows_{window}") is None:
            return 0
        ((count,),) = self._rows(f"select coalesce(sum(row_count), 0) from {stream}.windows_{window}")  # noqa: S608
        return int(count)

    def _check(self, what: str, found: int, expected: int) -> None:
        if found != expected:
            raise DemoFailed(f"{what}: {found:,}, but {expected:,} were expected. This is a bug: please report it")

    def _figures(self) -> dict[str, Balance]:
        return {found.stream: found for found in self._gathered().balances}

    def _gathered(self) -> Figures:
        figures = gather(self._session, self._lake)
        for found in figures.balances:
            self._check(f"unexplained records of {found.stream}", found.unexplained, 0)
        return figures

    def _rows(self, sql: str) -> list[tuple[Any, ...]]:
        result = Session(RunningLake(self.deployment)).run(sql)
        assert result is not None
        return [tuple(row.values()) for row in result.read_all().to_pylist()]

    # ------------------------------------------------------------------------------------------ what came of it

    def _show_windows(self) -> None:
        _title(self.context, "Windows: one row per key and minute, exactly once, however late or often a record came")
        self._print_rows(
            ("sensor", "minute (UTC)", "mean °C", "min", "max", "records"),
            f"""select sensor, strftime(window_start, '%H:%M'), round(temperature_mean, 2), temperature_min,
                       temperature_max, row_count
                from sensors.windows_every_minute order by window_start desc, sensor limit {_WINDOWS_SHOWN}""",  # noqa: S608
        )
        self._print_rows(
            ("metric", "10 s from (UTC)", "mean", "max", "unit"),
            f"""select w.metric, strftime(window_start, '%H:%M:%S'), round(value_mean, 2), round(value_max, 2), r.unit
                from machine.windows_every_10s w
                join (select distinct metric, unit from machine.records) r using (metric)
                where window_start = (select max(window_start) from machine.windows_every_10s)
                order by metric limit {_WINDOWS_SHOWN}""",  # noqa: S608
        )

    def _print_rows(self, names: Sequence[str], sql: str) -> None:
        table = Table(*names, header_style="bold")
        for column in table.columns[2:]:
            column.justify = "right"
        for row in self._rows(sql):
            table.add_row(*map(cell, row))
        self._out.print(table)

    def _show_quarantine(self) -> None:
        _title(self.context, "Quarantine: a bad record costs only itself, and is kept with the reason why")
        found = self._reprocessor.dead_letters({"stream": _SENSORS, "limit": 0})
        self._out.print(groups_table(found))
        for group in found["groups"]:
            chosen = {"stream": _SENSORS, "reason": group["reason"], "limit": 1}
            (entry,) = self._reprocessor.dead_letters(chosen)["entries"]
            self._out.print(f"[yellow]{group['reason']}[/]  {escape(shown(str(entry['message'])))}", highlight=False)
            self._out.print(f"  [dim]{escape(shown(str(entry['data'])))}[/]", highlight=False, soft_wrap=True)

    def _fix_spec(self) -> None:
        _title(self.context, "A fix: three sensors write milliseconds since 1970, so the spec learns that format")
        fixed = self.sensors_spec.replace(_OLD_FORMATS, _NEW_FORMATS)
        lines = difflib.unified_diff(self.sensors_spec.splitlines(), fixed.splitlines(), n=0, lineterm="")
        diff = "\n".join(line for line in lines if not line.startswith(("---", "+++", "@@")))
        self._out.print(Syntax(diff, "diff", background_color="default") if self._out.is_terminal else escape(diff))
        path = STATE / "config" / "streams" / f"{_SENSORS}.yaml"
        path.write_text(fixed, encoding="utf-8")
        stream, version, _ = catalog.publish(self._session.store(), fixed, str(path), SystemClock())
        self._out.print(f"published as version {version} of {stream}", highlight=False)

    def _replay(self) -> int:
        chosen = {"stream": _SENSORS, "kind": "record", "reason": FIRMWARE_REASON, "dry_run": False}
        return int(self._reprocessor.replay(chosen)["records"])

    def _show_repaired(self, count: int) -> None:
        self._out.print(f"Replayed {count} records, and here they are:", highlight=False)
        self._print_rows(
            ("sensor", "minute (UTC)", "mean °C", "records"),
            """select sensor, strftime(window_start, '%H:%M'), round(temperature_mean, 2), row_count
               from sensors.windows_every_minute where sensor in
                 (select distinct sensor from sensors.windows_every_minute order by sensor desc limit 3)
               order by sensor, window_start""",
        )

    def _show_balance(self, machine_records: int, sensor_records: int) -> None:
        _title(self.context, "Nothing vanishes: received = written + duplicate + quarantined + in flight")
        figures = self._gathered()
        self._out.print(balances_table(figures))
        received = {found.stream: found.received for found in figures.balances}
        self._check("records received in all", sum(received.values()), machine_records + sensor_records)
        copies = sum(found.written for found in figures.balances) - sum(
            self._rows(f"select count(*) from (select distinct {key} from {stream}.records)")[0][0]  # noqa: S608
            for stream, key in ((_SENSORS, "sensor, ts"), (_MACHINE, "host, metric, ts"))
        )
        if copies:
            self._out.print(
                f"{copies} of those written are copies of records that came twice. No window counts them, and they "
                "leave the table when their hour is sealed.",
                highlight=False,
            )
        _title(self.context, "The tables are Delta tables: Parquet files and a log, for any engine")
        for stream, table in (
            (_SENSORS, "records"),
            (_SENSORS, "windows_every_minute"),
            (_MACHINE, "records"),
            (_MACHINE, "windows_every_10s"),
        ):
            self._out.print(f"  {self._lake.table_uri(stream, table)}", highlight=False, soft_wrap=True)
        bucket = self._lake.table_uri(_SENSORS, "records").removeprefix("s3://").partition("/")[0]
        self._out.print(f"On this machine they lie in {STATE / 's3' / bucket / 'lake'}, as Delta tables too.")


def _deliver(deliverer: Deliverer, body: bytes, tick: int) -> None:
    for chunk in ndjson_chunks([body], _MAX_CHUNK_BYTES):
        deliverer.deliver("demo", chunk, _key(deliverer.stream, tick, chunk))


def _key(stream: str, tick: int, chunk: Chunk) -> str:
    return f"demo-{stream}-{tick}-{chunk.offset}"


def _print_next(context: Context, *, keep: bool) -> None:
    program, option = context.program, f"--state {STATE}"
    _title(context, "Try next")
    ask = f"{program} query {option} \"from sensors.windows_every_minute where sensor = 'sensor-39'\""
    failures = f"{program} dead-letters {option} --stream sensors"
    if keep:
        commands = [
            (ask, ""),
            (failures, ""),
            (f"{program} dev --stop {option}", "everything is still running: this stops it"),
        ]
    else:
        start = f"{program} dev --detach {option} --config {STATE / 'config'}"
        commands = [
            (ask, "everything has been stopped; tables need nothing running"),
            (start, "start it again, with all it holds"),
            (failures, "then look into the quarantine"),
        ]
    for command, note in commands:
        context.out.print(f"  [bold]{escape(command)}[/]", highlight=False, soft_wrap=True)
        if note:
            context.out.print(f"    [dim]{note}[/]", highlight=False)
