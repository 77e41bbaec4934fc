"""What the services' code does with queues and time, against the topology."""

import ast
import importlib
from collections.abc import Iterator
from pathlib import Path

from infra.checks.finding import Finding
from infra.checks.modules import INFRA, ROOT
from windrow.settings import Settings, WorkerSettings
from windrow.topology import Topology

# A message must stay hidden for six times the longest that a handler may take once it has been told to stop: a worker
# that is held up loses nothing it holds, and one that is gone gives it back within minutes.
VISIBILITY_FACTOR = 6
_MAX_RETENTION_S = 1_209_600  # the most SQS gives
_TOPOLOGY = INFRA / "topology.json"


def settings_class(service: str) -> type[Settings]:
    """The settings class of a service, by its name."""
    module = importlib.import_module(f"windrow_{service}.settings")
    found: type[Settings] = getattr(module, f"{service.capitalize()}Settings")
    return found


def check(topology: Topology) -> Iterator[Finding]:
    """Where the code and the topology do not fit together."""
    for name, shape in topology.queues.items():
        for service, uses in topology.services.items():
            kind = settings_class(service)
            if name in uses.consumes and issubclass(kind, WorkerSettings):
                for what in _misfits(topology, name, kind):
                    yield Finding(_TOPOLOGY, 0, what, "change the topology, or the service's settings")
        if shape.retention_s >= topology.dead_letters.retention_s:
            what = f"{name}: messages are kept as long as dead letters, whose time counts from the first send"
            yield Finding(_TOPOLOGY, 0, what, "keep dead letters longer")
    if topology.dead_letters.retention_s != _MAX_RETENTION_S:
        yield Finding(_TOPOLOGY, 0, "dead letters are not kept for 14 days", "keep them as long as SQS can")
    for service in topology.services:
        folder = ROOT / "services" / service / "src" / f"windrow_{service}"
        yield from check_queues(topology, service, sorted(folder.rglob("*.py")))


def _misfits(topology: Topology, queue: str, kind: type[WorkerSettings]) -> Iterator[str]:
    shape = topology.queues[queue]
    stop_timeout_s = float(kind.model_fields["stop_timeout_s"].default)
    max_attempts = int(kind.model_fields["max_attempts"].default)
    if shape.visibility_s < VISIBILITY_FACTOR * stop_timeout_s:
        yield (
            f"{queue}: visibility_s is {shape.visibility_s}, less than {VISIBILITY_FACTOR} x stop_timeout_s "
            f"({stop_timeout_s:g} s)"
        )
    if shape.max_receives <= max_attempts:
        yield (
            f"{queue}: SQS gives up after {shape.max_receives} receives, before the service has after {max_attempts}, "
            "and the dead letter has no reason"
        )


def check_queues(topology: Topology, service: str, files: list[Path]) -> Iterator[Finding]:
    """The queues a service's code asks for by name, and whether it sends back to the one it consumes."""
    shape = topology.services[service]
    for path in files:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
            for queue, verb in _asked(topology, call):
                if queue not in {*shape.consumes, *shape.produces}:
                    what = f"{service} {verb} {queue!r}, which its `consumes` and `produces` do not name"
                    yield Finding(path, call.lineno, what, "name it in infra/topology.json")
            if isinstance(call.func, ast.Name) and call.func.id == "Forward":
                for queue in set(shape.consumes) - set(shape.produces):
                    what = f"{service} forwards messages on {queue!r}, which its `produces` does not name"
                    yield Finding(path, call.lineno, what, "name it in infra/topology.json")


def _asked(topology: Topology, call: ast.Call) -> Iterator[tuple[str, str]]:
    if not isinstance(call.func, ast.Attribute) or not call.args or not isinstance(call.args[0], ast.Constant):
        return
    name = call.args[0].value
    if call.func.attr == "queue" and isinstance(name, str):
        yield name, "uses the queue"
    if call.func.attr == "dead_letters_of" and isinstance(name, str):
        yield topology.dead_letter_queue(name), "writes dead letters to"
