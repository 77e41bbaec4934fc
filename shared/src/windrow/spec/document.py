"""A spec as people write it: YAML, read strictly, with every fault and its place."""

from collections.abc import Iterable, Mapping
from copy import deepcopy
from typing import Any

from pydantic import ValidationError

from windrow.errors import BadSettings
from windrow.spec.faults import Fault, Path, PlacedFault, dotted
from windrow.spec.reading import Reading, read
from windrow.spec.stream import StreamSpec
from windrow.spec.wording import faults_in

_MAX_FAULTS = 100
_MAX_ROUNDS = 20
_AS_WRITTEN = frozenset({"missing"})
"""Settings whose values are compared with what the sender wrote, so that 007 or -9.90 must stay as it stands."""

_STAND_INS: Mapping[str, Any] = {
    "stream": "unknown",
    "time": {"column": "unknown"},
    "time.column": "unknown",
    "columns": {},
    "columns.*": "string",
    "columns.*.type": "string",
    "windows.*.size": "1s",
    "windows.*.slide": "1s",
    "windows.*.step": "1s",
    "windows.*.gap": "1s",
    "windows.*.length": 1,
    "windows.*.aggregates": {},
    "windows.*.aggregates.*": "count",
}
"""What takes the place of a faulty setting that there must be, so that the others can still be looked at."""


def parse(text: str | bytes, origin: str) -> StreamSpec:
    """The spec in a YAML text; BadSettings lists every fault with its place. `origin` names the file in messages."""
    spec, faults = _examined(text)
    if spec is None:
        listed = [str(fault) for fault in faults[:_MAX_FAULTS]]
        left = len(faults) - len(listed)
        raise BadSettings(origin, [*listed, f"and {left:,} more"] if left else listed)
    return spec


def check(text: str | bytes) -> list[PlacedFault]:
    """Every fault of a YAML text, in order of its place; none if it is a spec."""
    return _examined(text)[1]


def placed(text: str | bytes, faults: Iterable[Fault]) -> list[PlacedFault]:
    """Faults of the spec in a text, each with its place there, in order."""
    reading = read(text, _AS_WRITTEN)
    return sorted({_placed(reading, fault) for fault in faults})


def _examined(text: str | bytes) -> tuple[StreamSpec | None, list[PlacedFault]]:
    """The spec, or every fault. Faulty settings are put aside, so that the rest is looked at too."""
    reading = read(text, _AS_WRITTEN)
    if not isinstance(reading.value, dict):
        what = PlacedFault(*reading.place(()), "", "expected a mapping with stream, time, columns and so on")
        return None, sorted(reading.faults) or [what]
    raw, lost = deepcopy(reading.value), set(reading.lost)
    found: list[Fault] = []
    lost |= {_put_aside(raw, path) for path in reading.lost}
    for _ in range(_MAX_ROUNDS):
        try:
            spec = StreamSpec.model_validate(raw)
        except ValidationError as error:
            errors = error.errors(include_url=False)
            if any(item["type"] == "incoherent" for item in errors):
                coherence: list[Fault] = errors[0]["ctx"]["faults"]
                found += [fault for fault in coherence if not _rests_on(fault, lost)]
                break
            faults = faults_in(errors, StreamSpec)
            # What shows only now, around a setting that was put aside, may be our own doing.
            found += [fault for fault in faults if not any(_is_below(path, fault.path) for path in lost)]
            aside: set[Path] = set()
            for fault in faults:
                if not any(_is_below(fault.path, path) for path in aside):
                    aside |= {_put_aside(raw, fault.path), *fault.between}
            lost |= aside
        else:
            if not found and not reading.faults:
                return spec, []
            break
    return None, sorted({*reading.faults, *(_placed(reading, fault) for fault in found)})


def _rests_on(fault: Fault, lost: set[Path]) -> bool:
    """Whether a fault between settings is about one whose value is unknown."""
    return any(_is_below(path, gone) for path in (fault.path, *fault.between) for gone in lost)


def _is_below(path: Path, top: Path) -> bool:
    return path[: len(top)] == top


def _put_aside(raw: Any, path: Path) -> Path:
    """Take a faulty setting out of what was read, or put a stand-in there. Returns what is unknown from now on."""
    for length, step in enumerate(path):
        if isinstance(step, int) or (step == "kind" and length):
            # Without one member the places of the others move; without its kind nothing in a window makes sense.
            return _put_aside(raw, path[:length])
    if not path:
        return path
    holder = raw
    for place, step in enumerate(path[:-1]):
        inner = holder.get(step)
        if not isinstance(inner, dict):
            if _stand_in(path) is None:
                return _put_aside(raw, path[: place + 1])
            inner = holder[step] = {}
        holder = inner
    stand_in = _stand_in(path)
    if stand_in is not None:
        holder[path[-1]] = deepcopy(stand_in)
    elif path[-1] in holder:
        del holder[path[-1]]
    else:
        return _put_aside(raw, path[:-1])
    return path


def _stand_in(path: Path) -> Any:
    named = [
        "*" if place and path[place - 1] in ("columns", "windows", "aggregates") else step
        for place, step in enumerate(path)
    ]
    return _STAND_INS.get(dotted(tuple(named)))


def _placed(reading: Reading, fault: Fault) -> PlacedFault:
    line, column = reading.place(fault.path, is_name=fault.is_name)
    return PlacedFault(line, column, dotted(fault.path), fault.message)
