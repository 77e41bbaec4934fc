"""What a spec may say and a stream does not do, though it may be done for files."""

from collections.abc import Iterator

from windrow.spec.faults import Fault, Path
from windrow.spec.stream import StreamSpec
from windrow.spec.windows import (
    WITH_CARRY,
    AlignedWindow,
    CountWindow,
    PairwiseWindow,
    SequenceWindow,
    WindowSpec,
)

_UNBOUNDED = "in a stream, a record could change windows at any distance"


def not_carried_out(spec: StreamSpec) -> list[Fault]:
    """Every setting that is good and that a stream does not follow. A spec that has one cannot be published."""
    return [fault for name, window in spec.windows.items() for fault in _window(name, window)]


def _window(name: str, window: WindowSpec) -> Iterator[Fault]:
    path: Path = ("windows", name)
    match window:
        case CountWindow():
            message = "in a stream, a late record would move the bounds of all windows after it"
            yield Fault((*path, "kind"), f"count windows are for files only: {message}; use `windrow window`")
            return
        case PairwiseWindow():
            message = "in a stream, every record would be a window, and change others"
            remedy = "use `windrow window`, or kind: sliding"
            yield Fault((*path, "kind"), f"pairwise windows are for files only: {message}; {remedy}")
            return
        case AlignedWindow():
            yield from _filled(path, window)
        case SequenceWindow() if window.max_gap is None and not _is_padded_with_its_fill(window):
            fill, padding = _shown(window.fill), _shown(window.padding)
            message = f"a gap is filled with {fill} and silence with {padding}, and nothing says where silence begins"
            yield Fault((*path, "fill"), f"{message}: {_UNBOUNDED}; set max_gap, or make both the same")
    for output, aggregate in window.aggregates.items():
        if aggregate.function in WITH_CARRY and aggregate.carry != "none" and aggregate.max_carry is None:
            example = f"{{function: {aggregate.function}, column: {aggregate.column}, max_carry: 1h}}"
            message = f"a value is carried for any time: {_UNBOUNDED}; set max_carry, such as {example}, or carry: none"
            yield Fault((*path, "aggregates", output), message)


def _filled(path: Path, window: AlignedWindow) -> Iterator[Fault]:
    for setting in ("fill_from", "fill_to"):
        if getattr(window, setting) is not None:
            message = "is for files only: in a stream, every new key would change windows at any distance"
            yield Fault((*path, setting), f"{message}; leave it out, or use `windrow window`")
    if window.fill is not None and window.max_gap is None:
        message = f"a gap of any length is filled: {_UNBOUNDED}"
        yield Fault((*path, "fill"), f"{message}; set max_gap, the most windows without rows that are a gap")


def _is_padded_with_its_fill(window: SequenceWindow) -> bool:
    """Whether the same stands in a step without rows, be it in a gap or in silence."""
    fill, padding = (0.0 if each == "zero" else each for each in (window.fill, window.padding))
    return fill == padding and (fill == "null" or window.fill_limit is None)


def _shown(value: str | float | None) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
