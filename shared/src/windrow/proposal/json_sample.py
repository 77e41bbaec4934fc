"""A sample of JSON: documents or lines, where in them the records are, and their columns."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import jmespath as jmes

from windrow.errors import BadInput
from windrow.proposal.documents import Documents, read_documents
from windrow.proposal.evidence import Choices, Evidence, Option, Question, Undecided, counted
from windrow.proposal.records import Columns, feature, feature_path, source
from windrow.proposal.sample import MAX_RECORDS, Path, Sample
from windrow.proposal.sniffing import Text

_MAX_LEVELS = 3
"""How far down in a document records are looked for."""

HasTime = Callable[[Sample], bool]
"""Whether a sample has a column that could be the event time."""


@dataclass(frozen=True, slots=True)
class _Shape:
    """One way to find records in a document."""

    kind: Literal["itself", "records", "arrays"]
    path: Path = ()
    size: int = 1
    """Records in the first document."""


def read_json(text: Text, choices: Choices, has_time: HasTime) -> Sample:
    """The columns of JSON text. Raises BadInput where there are no records, Undecided where they could be elsewhere."""
    if text.encoding not in ("utf-8", "utf-16") or (text.evidence and "not UTF-8" in text.evidence[0].why):
        raise BadInput(f"JSON is UTF-8 text, and this is not: {text.evidence[0].why}")
    found = read_documents(text)
    documents = [each for each in found.documents if isinstance(each, Mapping)]
    others = len(found.documents) - len(documents)
    if not documents:
        raise BadInput("the JSON holds no objects, and records are objects")
    evidence = list(found.evidence)
    if others or found.bad_lines:
        what = [counted(found.bad_lines, "line") + " not JSON"] if found.bad_lines else []
        what += [f"{counted(others, 'value')} not an object"] if others else []
        evidence.append(Evidence("records", f"{len(documents):,}", f"left out: {' and '.join(what)}; they are refused"))
    shape, why = _shape(documents, found, choices, has_time)
    evidence += why
    return replace(_sample(documents, shape, found), evidence=tuple(evidence))


# ---------------------------------------------------------------------------------------------------- shapes


def _shape(
    documents: Sequence[Mapping[str, Any]], found: Documents, choices: Choices, has_time: HasTime
) -> tuple[_Shape, list[Evidence]]:
    if choices.records is not None or choices.arrays is not None:
        return _chosen(documents, choices)
    shapes = list(_shapes(documents[0], ()))
    if any(_at(document, shape.path) is None for shape in shapes for document in documents[:3]):
        shapes = [shape for shape in shapes if all(_at(document, shape.path) is not None for document in documents)]
    if documents[0].get("type") == "FeatureCollection" and isinstance(documents[0].get("features"), list):
        size = len(documents[0]["features"])
        shape = _Shape("records", ("features",), size)
        return shape, [Evidence("format.json.records", "features", f"a GeoJSON FeatureCollection of {size:,}")]
    if not shapes or found.is_array:
        return _Shape("itself"), []
    itself = _Shape("itself")
    timed = [shape for shape in shapes if has_time(_sample(documents[:200], shape, found))]
    is_itself_timed = has_time(_sample(documents[:200], itself, found))
    # One object alone is no sample of records; several are, if they have times of their own.
    if not timed or (is_itself_timed and len(documents) > 1):
        if is_itself_timed or len(documents) > 1:
            return itself, []
        timed = shapes
    if len(timed) > 1:
        raise Undecided(
            Question(
                "records",
                "The document holds records in more than one place.",
                tuple(Option(_option(shape), _meaning(shape)) for shape in timed),
            )
        )
    shape = timed[0]
    why = _meaning(shape) + (
        "; the document itself has a time too (--records . reads it as the record)" if is_itself_timed else ""
    )
    return shape, [Evidence(f"format.json.{shape.kind}", _path(shape), why)]


def _chosen(documents: Sequence[Mapping[str, Any]], choices: Choices) -> tuple[_Shape, list[Evidence]]:
    if choices.records is not None and choices.arrays is not None:
        raise BadInput("a document holds records or arrays, not both; give --records or --arrays")
    if choices.records == ".":
        return _Shape("itself"), [Evidence("records", "the document itself", "as you said")]
    kind: Literal["records", "arrays"] = "records" if choices.records is not None else "arrays"
    wanted = choices.records if choices.records is not None else choices.arrays
    assert wanted is not None
    try:
        value = jmes.search(wanted, documents[0])
    except jmes.exceptions.JMESPathError as error:
        raise BadInput(f"{wanted!r} is not a path; write names with points between them, such as data.items") from error
    is_fine = (
        isinstance(value, list) and any(isinstance(each, Mapping) for each in value)
        if kind == "records"
        else isinstance(value, Mapping) and _column_length(value) is not None
    )
    if not is_fine:
        places = ", ".join(_option(shape) for shape in _shapes(documents[0], ()))
        what = "array of objects" if kind == "records" else "object of equally long arrays"
        raise BadInput(f"there is no {what} at {wanted!r}" + (f"; there is {places}" if places else ""))
    path = _path_to(documents[0], value)
    return _Shape(kind, path, 0), [Evidence(f"format.json.{kind}", wanted, "as you said")]


def _path_to(document: Any, value: Any) -> Path:
    for shape in _shapes(document, ()):
        if _at(document, shape.path) is value:
            return shape.path
    raise BadInput("the path must lead down through names alone, at most three of them")


def _shapes(document: Any, path: Path) -> Iterator[_Shape]:
    """Every array of objects and every object of equally long arrays in a document."""
    if not isinstance(document, Mapping):
        return
    length = _column_length(document)
    if length is not None:
        yield _Shape("arrays", path, length)
        return
    for name, value in document.items():
        here = (*path, name)
        if isinstance(value, list) and value and all(isinstance(each, Mapping) for each in value):
            yield _Shape("records", here, len(value))
        elif isinstance(value, Mapping) and len(here) <= _MAX_LEVELS:
            yield from _shapes(value, here)


def _column_length(document: Mapping[str, Any]) -> int | None:
    """How long the arrays are, if the object holds two or more of plain values, all equally long, and nothing else."""
    values = list(document.values())
    if len(values) < 2 or not all(isinstance(value, list) and value for value in values):
        return None
    if len({len(value) for value in values}) > 1:
        return None
    return len(values[0]) if not any(isinstance(each, Mapping) for value in values for each in value) else None


def _at(document: Any, path: Path) -> Any:
    for name in path:
        document = document.get(name) if isinstance(document, Mapping) else None
    return document


def _option(shape: _Shape) -> str:
    return f"--{shape.kind} {_path(shape)}"


def _path(shape: _Shape) -> str:
    return source(shape.path) if shape.path else "@"


def _meaning(shape: _Shape) -> str:
    if shape.kind == "arrays":
        return f"equally long arrays, {counted(shape.size, 'place')} in each"
    return f"an array of {counted(shape.size, 'object')}"


# ---------------------------------------------------------------------------------------------------- records


def _sample(documents: Sequence[Mapping[str, Any]], shape: _Shape, found: Documents) -> Sample:
    columns = Columns()
    around: dict[str, Any] = {}
    units: dict[str, str] = {}
    is_geo = shape == replace(shape, kind="records", path=("features",)) and all(
        document.get("type") == "FeatureCollection" for document in documents
    )
    for document in documents:
        for record in _records(document, shape):
            if columns.row_count < MAX_RECORDS:
                columns.add(feature(record) if is_geo else record)
        if shape.kind != "itself":
            around |= {
                name: value
                for name, value in document.items()
                if isinstance(value, str | int | float) and not (is_geo and name == "type")
            }
            units |= _units(document, shape)
    fields = columns.fields(units)
    if is_geo:
        fields = [
            replace(
                field,
                path=feature_path(field.path),
                source=".".join(field.path) if field.path[-1].startswith("coordinates[") else field.source,
            )
            for field in fields
        ]
    path = _path(shape)
    return Sample(
        fields=tuple(fields),
        row_count=columns.row_count,
        is_whole=found.is_whole and columns.row_count < MAX_RECORDS,
        is_typed=True,
        settings={"json": {shape.kind: path}} if shape.kind != "itself" else {},
        left_out=tuple(columns.left_out()),
        explode=tuple(columns.explode()),
        around=around,
    )


def _records(document: Mapping[str, Any], shape: _Shape) -> Iterator[Mapping[str, Any]]:
    value = _at(document, shape.path)
    if shape.kind == "itself":
        yield document
    elif shape.kind == "records":
        yield from (each for each in value if isinstance(each, Mapping)) if isinstance(value, list) else ()
    elif isinstance(value, Mapping) and _column_length(value) is not None:
        for members in zip(*value.values(), strict=True):
            yield dict(zip(value, members, strict=True))


def _units(document: Mapping[str, Any], shape: _Shape) -> dict[str, str]:
    """Units that stand beside arrays: `daily_units` beside `daily`."""
    if shape.kind != "arrays" or not shape.path:
        return {}
    beside = _at(document, (*shape.path[:-1], f"{shape.path[-1]}_units"))
    if not isinstance(beside, Mapping):
        return {}
    return {name: unit for name, unit in beside.items() if isinstance(unit, str) and 0 < len(unit) <= 32}
