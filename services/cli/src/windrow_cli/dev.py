"""`windrow dev`: everything on this machine, in one process group."""

import os
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated

import msgspec
from cyclopts import Parameter
from rich.markup import escape

from windrow import catalog
from windrow import topology as topologies
from windrow.aws.provision import provision, provision_tables
from windrow.aws.session import AwsSession
from windrow.clock import SystemClock
from windrow.errors import BadInput, NotFound, Unavailable
from windrow.topology import Topology
from windrow_cli import connection, devfile, ports
from windrow_cli.background import (
    DRAIN_S,
    EMULATOR,
    EMULATOR_STOP_S,
    LOG_LINES,
    START_TIMEOUT_S,
    Plan,
    end_leftovers,
    start_detached,
    state_option,
    stop_running,
)
from windrow_cli.context import Context, Injected
from windrow_cli.devfile import DevFile, ProcessId
from windrow_cli.logs import LogTail, last_lines
from windrow_cli.specs import default_config, read_specs
from windrow_cli.supervisor import ChildSpec, Event, Supervisor

_SAME_SIGNAL_S = 1.0

SERVICE_DEFAULTS: Mapping[str, Mapping[str, str]] = {
    # One person is waiting: long polls are short so that a stop is quick, and lost pointers are looked for often.
    "ingest": {},
    "consumer": {"WINDROW_WAIT_S": "1", "WINDROW_SWEEP_S": "5", "WINDROW_SWEEP_AFTER_S": "10"},
    "windower": {"WINDROW_WAIT_S": "1", "WINDROW_SWEEP_S": "5", "WINDROW_SWEEP_AFTER_S": "10"},
    "writer": {"WINDROW_WAIT_S": "1"},
    "reprocessor": {"WINDROW_WAIT_S": "1"},
}


def dev(
    *,
    config: Path | None = None,
    state: Path = connection.DEFAULT_STATE,
    port_base: int | None = None,
    fresh: Annotated[bool, Parameter(negative="")] = False,
    detach: Annotated[bool, Parameter(negative="")] = False,
    stop: Annotated[bool, Parameter(negative="")] = False,
    verbose: Annotated[bool, Parameter(negative="", alias="-v")] = False,
    context: Injected,
) -> None:
    """Run all of Windrow on this machine until Ctrl-C.

    Starts the five services and, unless AWS_ENDPOINT_URL is set, an AWS emulator that keeps everything in files below
    STATE/s3: nothing is lost when any of the processes is killed, or when you stop it and start it again.

    ```
    windrow dev                                  # start; specs from ./config or ./examples
    windrow dev --config my/config --port-base 9000
    windrow dev --detach                         # in the background; returns when everything is ready
    windrow dev --stop                           # stop it
    windrow dev --fresh                          # forget all records first
    ```

    Parameters
    ----------
    config:
        Folder with stream specs (*.yaml, however deep); each is published at the start. Default: ./config, else
        ./examples.
    state:
        Folder for objects, logs and dev.json.
    port_base:
        First of five ports in a row for the services. Default: the ports of the topology (8080 to 8084).
    fresh:
        Delete the emulator's objects first.
    detach:
        Run in the background and return when everything is ready.
    stop:
        Stop the one that runs with this state folder.
    verbose:
        Show the services' logs as they are written.
    """
    if stop:
        stop_running(state, context)
    elif detach:
        start_detached(Plan(state, config, port_base, fresh, verbose), context)
        _print_endpoints(_running(state), state, context)
    else:
        _Dev(Plan(state, config, port_base, fresh, verbose), context).run()


# ---------------------------------------------------------------------------------------------------- in front


class _Dev:
    """One run in the foreground."""

    def __init__(self, plan: Plan, context: Context) -> None:
        self._plan = plan
        self._context = context
        self._stop = threading.Event()
        self._hurry = threading.Event()
        self._is_up = False
        self._supervisor = Supervisor(self._tell, self._record)
        self._content: DevFile | None = None
        self._logs = LogTail(context) if plan.verbose else None

    def run(self) -> None:
        plan, environment = self._plan, self._context.environment
        plan.state.mkdir(parents=True, exist_ok=True)
        with devfile.held(plan.state) as is_ours:
            if not is_ours:
                raise Unavailable(
                    f"a `windrow dev` already runs with {plan.state}: stop it with `windrow dev --stop"
                    f"{state_option(plan.state)}`, or give this one another --state and --port-base"
                )
            topology_path = connection.topology_of(environment).resolve()
            topology = topologies.load(topology_path)
            specs = read_specs(plan.config if plan.config is not None else default_config(Path.cwd()))
            self._take_over()
            if plan.fresh:
                shutil.rmtree(plan.state / "s3", ignore_errors=True)
            self._content = _content(plan, environment, topology, topology_path)
            with self._signals():
                try:
                    self._start(topology, specs)
                    self._print_welcome()
                    self._supervisor.run(self._stop, self._turned)
                finally:
                    self._wind_down(topology)

    def _turned(self) -> bool:
        if self._logs is not None:
            self._logs.turn()
        return False

    # ------------------------------------------------------------------------------------------ starting

    def _take_over(self) -> None:
        left = devfile.read(self._plan.state)
        ended = end_leftovers(left) if left is not None else []
        if ended:
            self._context.out.print(
                f"An earlier `windrow dev` was killed here; ended what it left running: {', '.join(ended)}.",
                style="yellow",
            )

    def _start(self, topology: Topology, specs: Mapping[str, str]) -> None:
        assert self._content is not None
        content, out = self._content, self._context.out
        self._record()
        with out.status("starting") as status:
            if content.is_embedded:
                self._context.export(connection.embedded_variables(self._context.environment))
                self._supervisor.add(self._emulator())
                self._await_ready([EMULATOR], status.update)
            session = AwsSession(topology, content.prefix, content.region, content.endpoint_url)
            if not content.is_embedded:
                status.update("provisioning")
                provision(session)
            store = session.store()
            for origin, text in specs.items():
                catalog.publish(store, text, origin)
            streams = catalog.SpecCatalog(store, SystemClock())  # those of earlier starts too
            provision_tables(session, (streams.current(flow).spec for flow in streams.flows()))
            for name in topology.services:
                self._supervisor.add(self._service(name))
            self._await_ready(list(topology.services), status.update)
        self._is_up = True
        self._record()

    def _await_ready(self, names: Sequence[str], show: Callable[[str], None]) -> None:
        deadline_s = time.monotonic() + START_TIMEOUT_S

        def is_over() -> bool:
            self._turned()
            waiting = [name for name in names if name in self._supervisor.reasons()]
            show(f"starting: waiting for {', '.join(waiting)}")
            return not waiting or time.monotonic() > deadline_s or self._supervisor.hopeless() is not None

        self._supervisor.run(self._stop, is_over)
        if self._stop.is_set():
            raise KeyboardInterrupt
        reasons = {name: why for name, why in self._supervisor.reasons().items() if name in names}
        if not reasons:
            return
        name = self._supervisor.hopeless() or next(iter(reasons))
        log_path = self._supervisor.log_path(name)
        tail = "\n".join(f"  {line}" for line in last_lines(log_path, LOG_LINES))
        raise Unavailable(f"{name} does not start: it {reasons.get(name, 'died')}\n{tail}\n(all of it: {log_path})")

    def _emulator(self) -> ChildSpec:
        assert self._content is not None
        content, port = self._content, self._content.ports[EMULATOR]
        command = [sys.executable, "-m", "windrow_cli.emulator"]
        command += ["--root", str((self._plan.state / "s3").resolve()), "--port", str(port)]
        command += ["--topology", content.topology, "--prefix", content.prefix, "--region", content.region]
        return ChildSpec(
            EMULATOR, command, self._environment(), f"http://{ports.LOOPBACK}:{port}/healthz", self._log(EMULATOR)
        )

    def _service(self, name: str) -> ChildSpec:
        assert self._content is not None
        content, port = self._content, self._content.ports[name]
        environment = {
            **SERVICE_DEFAULTS.get(name, {}),
            **self._environment(),
            "AWS_REGION": content.region,
            "AWS_ENDPOINT_URL": content.endpoint_url,
            "WINDROW_PREFIX": content.prefix,
            "WINDROW_TOPOLOGY": content.topology,
            "WINDROW_HOST": ports.LOOPBACK,
            "WINDROW_PORT": str(port),
        }
        command = [sys.executable, "-m", f"windrow_{name}.main"]
        return ChildSpec(name, command, environment, f"http://{ports.LOOPBACK}:{port}/readyz", self._log(name))

    def _environment(self) -> dict[str, str]:
        assert self._content is not None
        environment: dict[str, str | None] = {**self._context.environment, "PYTHONUNBUFFERED": "1"}
        if self._content.is_embedded:
            environment |= connection.embedded_variables(self._context.environment)
        return {name: value for name, value in environment.items() if value is not None}

    def _log(self, name: str) -> Path:
        path = self._plan.state / "logs" / f"{name}.log"
        if self._logs is not None:
            self._logs.follow(name, path)
        return path

    # ------------------------------------------------------------------------------------------ telling

    def _tell(self, event: Event) -> None:
        if event.kind == "ready" and not self._is_up:
            return  # the spinner shows it
        style = {"ready": "green", "started": "default"}.get(event.kind, "yellow")
        moment = datetime.now().astimezone().strftime("%H:%M:%S")
        self._context.out.print(
            f"[dim]{moment}[/]  [{style}]{event.child} {escape(event.text)}[/]", highlight=False, soft_wrap=True
        )

    def _record(self) -> None:
        if self._content is not None:
            self._content = msgspec.structs.replace(
                self._content, children=self._supervisor.identities, is_ready=self._is_up
            )
            devfile.write(self._plan.state, self._content)

    def _print_welcome(self) -> None:
        assert self._content is not None
        _print_endpoints(self._content, self._plan.state, self._context)
        self._context.out.print("Ctrl-C stops everything; nothing is lost.", style="dim")

    # ------------------------------------------------------------------------------------------ stopping

    @contextmanager
    def _signals(self) -> Iterator[None]:
        first_s: list[float] = []

        def stopping(_signum: int, _frame: object) -> None:
            # The same Ctrl-C may reach us twice, from the terminal and from whoever started us: that is no hurry.
            if first_s and time.monotonic() - first_s[0] > _SAME_SIGNAL_S:
                self._hurry.set()
            first_s.append(time.monotonic())
            self._stop.set()

        caught = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        before = {number: signal.signal(number, stopping) for number in caught}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _wind_down(self, topology: Topology) -> None:
        """Services first: they still need their store while they drain."""
        assert self._content is not None
        self._is_up = False
        with self._context.out.status("stopping"):
            killed = self._supervisor.stop(list(topology.services), DRAIN_S, self._hurry)
            killed += self._supervisor.stop([EMULATOR], EMULATOR_STOP_S, self._hurry)
        self._content = msgspec.structs.replace(self._content, supervisor=None)
        self._record()
        if killed:
            self._context.out.print(f"Killed, because they did not stop by themselves: {', '.join(killed)}.")
        self._context.out.print("Stopped.", style="dim")


def _content(plan: Plan, environment: Mapping[str, str], topology: Topology, topology_path: Path) -> DevFile:
    endpoint_url = environment.get("AWS_ENDPOINT_URL")
    chosen = choose_ports(topology, plan.port_base)
    if not endpoint_url:
        chosen[EMULATOR] = ports.free_emulator_port(chosen.values())
    return DevFile(
        endpoint_url=endpoint_url or f"http://{ports.LOOPBACK}:{chosen[EMULATOR]}",
        is_embedded=not endpoint_url,
        region=connection.region_of(environment),
        prefix=environment.get("WINDROW_PREFIX", connection.DEFAULT_PREFIX),
        topology=str(topology_path),
        ports=chosen,
        supervisor=ProcessId.of(os.getpid()),
    )


def choose_ports(topology: Topology, port_base: int | None) -> dict[str, int]:
    """A port for each service; BadInput names every one that is taken, and by whom."""
    chosen = {
        name: shape.port if port_base is None else port_base + number
        for number, (name, shape) in enumerate(topology.services.items())
    }
    faults = []
    for name, port in chosen.items():
        if not ports.is_free(port):
            holder = ports.holder(port)
            faults.append(f"port {port} for {name} is taken" + (f" by {holder}" if holder else ""))
    if faults:
        free = ports.free_base(len(chosen))
        last = free + len(chosen) - 1
        raise BadInput("; ".join([*faults, f"choose others: --port-base {free} takes {free} to {last}"]))
    return chosen


def _print_endpoints(content: DevFile, state: Path, context: Context) -> None:
    out, option = context.out, state_option(state)
    out.print(f"[bold green]Windrow is running[/] (state in {state}, prefix {content.prefix}, {content.region})")
    out.print(f"  send to      http://{ports.LOOPBACK}:{content.ports['ingest']}/v1/streams/<stream>/records")
    out.print(f"  dead letters http://{ports.LOOPBACK}:{content.ports['reprocessor']}/v1/dead-letters")
    kept = f"   files in {state / 's3'}" if content.is_embedded else ""
    out.print(f"  S3 and SQS   {content.endpoint_url}{kept}")
    out.print(f"  logs         {state / 'logs'}")
    out.print("Next, in another terminal:")
    out.print(f"  {context.program} send{option} STREAM FILE.ndjson", highlight=False)
    out.print(f"  {context.program} query{option}", highlight=False)
    out.print(f"  {context.program} status{option} --watch", highlight=False)


def _running(state: Path) -> DevFile:
    content = devfile.read(state)
    if content is None:
        raise NotFound(f"{devfile.path(state)} is gone")
    return content
