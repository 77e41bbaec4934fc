"""What a spec may say and this version of Windrow does not do yet."""

from collections.abc import Iterator

from windrow.spec.faults import Fault, Path
from windrow.spec.stream import StreamSpec
from windrow.spec.windows import AggregateFunction, TumblingWindow, WindowSpec
from windrow.units import format_duration

AGGREGATES: frozenset[AggregateFunction] = frozenset({"count", "sum", "mean", "min", "max", "first", "last"})
"""What the services compute."""
_NOT_YET = "this version does not do that yet"


def not_carried_out(spec: StreamSpec) -> list[Fault]:
    """Every setting that is good and has no effect yet. A stream whose spec has one cannot be published."""
    return [*_stream(spec), *(fault for name, window in spec.windows.items() for fault in _window(name, window))]


def _stream(spec: StreamSpec) -> Iterator[Fault]:
    if spec.retention is not None:
        message = f"removing records after {format_duration(spec.retention)}: {_NOT_YET}; they are kept for good"
        yield Fault(("retention",), message)
    for place, sink in enumerate(spec.sinks):
        yield Fault(("sinks", place), f"a {sink.kind} sink: {_NOT_YET}; read the stream's tables instead")


def _window(name: str, window: WindowSpec) -> Iterator[Fault]:
    path: Path = ("windows", name)
    if isinstance(window, TumblingWindow):
        yield from _tumbling(path, window)
    else:
        yield Fault((*path, "kind"), f"a {window.kind} window: {_NOT_YET}; only tumbling windows are computed")
    if window.late == "divert":
        yield Fault((*path, "late"), f"diverting late records: {_NOT_YET}; they reopen their bucket")
    for output, aggregate in window.aggregates.items():
        if aggregate.function not in AGGREGATES:
            message = f"{aggregate.function}: {_NOT_YET}; computed are {', '.join(sorted(AGGREGATES))}"
            yield Fault((*path, "aggregates", output), message)


def _tumbling(path: Path, window: TumblingWindow) -> Iterator[Fault]:
    if window.span.fixed_us(window.timezone) is None:
        message = f"windows of {window.span} in {window.timezone}: {_NOT_YET}; only lengths that are fixed are computed"
        yield Fault((*path, "size"), message)
    if window.offset:
        yield Fault((*path, "offset"), f"windows that begin later than at round times: {_NOT_YET}")
    if window.fill is not None:
        yield Fault((*path, "fill"), f"filling windows without rows: {_NOT_YET}; they are absent")
