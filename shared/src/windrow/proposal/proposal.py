"""A stream spec proposed from a sample: what each guess rests on, and what the sample does not decide."""

from dataclasses import dataclass
from typing import Any, BinaryIO

from windrow import spec
from windrow.errors import BadInput
from windrow.keys import check_stream_name
from windrow.proposal.candidates import candidates, read_all
from windrow.proposal.csv_sample import read_csv
from windrow.proposal.evidence import Choices, Evidence, Question, Undecided, counted
from windrow.proposal.identity import NamedColumn, identify
from windrow.proposal.json_sample import read_json
from windrow.proposal.kinds import Guess, guess
from windrow.proposal.layout import lay_out
from windrow.proposal.naming import column_names, stream_name
from windrow.proposal.rendering import Draft, RenderedColumn, render
from windrow.proposal.sample import Field, Sample
from windrow.proposal.sniffing import TableFile, open_sample
from windrow.proposal.table_sample import read_table
from windrow.proposal.times import EventTime, event_time
from windrow.spec import StreamSpec

_NAME = "ts"
"""What a time is called that stands in several columns, or in none."""


@dataclass(frozen=True, slots=True)
class ProposedColumn:
    """A column for people to look at."""

    name: str
    type: str
    source: str
    why: str
    hints: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Proposal:
    """What comes of a sample: a spec, or the questions that stand in its way."""

    stream: str
    text: str | None
    """The spec as YAML; None while there are questions."""
    spec: StreamSpec | None
    columns: tuple[ProposedColumn, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    questions: tuple[Question, ...] = ()


def propose(file: BinaryIO, name: str, choices: Choices | None = None) -> Proposal:
    """The spec that a sample speaks for. `file` is read from its start and must be seekable; `name` is the file's.

    Looks at the first 8 MiB of text or 100,000 records. Raises BadInput when the sample, or one of the choices, cannot
    be read at all.
    """
    choices = choices or Choices()
    stream = check_stream_name(choices.stream) if choices.stream is not None else stream_name(name)
    try:
        sample = _sample(file, name, choices)
        return _proposed(sample, stream, name, choices)
    except Undecided as undecided:
        return Proposal(stream, None, None, questions=(undecided.question,))


def _sample(file: BinaryIO, name: str, choices: Choices) -> Sample:
    try:
        sample = _read(file, name, choices)
        if not sample.row_count:
            raise BadInput("it holds no records")
    except BadInput as error:
        raise BadInput(f"{name}: {error}") from error
    return sample


def _read(file: BinaryIO, name: str, choices: Choices) -> Sample:
    found = open_sample(file, choices.encoding)
    if isinstance(found, TableFile):
        return read_table(found)
    is_csv = any(f".{ending}" in name.lower() for ending in ("csv", "tsv"))
    if found.text.lstrip("\ufeff \t\r\n").startswith(("{", "[")) and not is_csv:
        return read_json(found, choices, _has_time)
    return read_csv(found, name, choices)


def _has_time(sample: Sample) -> bool:
    return any(not candidate.is_weak for candidate in candidates(sample, read_all(sample)))


def _proposed(sample: Sample, stream: str, name: str, choices: Choices) -> Proposal:
    readings = read_all(sample)
    time = event_time(sample, readings, choices)
    others = [field for field in sample.fields if field not in time.fields]
    is_one_column = len(time.fields) == 1
    time_path = time.fields[0].path if is_one_column else (_NAME,)
    time_name, *names = column_names([time_path, *(field.path for field in others)])
    columns = [
        NamedColumn(column, field.texts, guess(field, readings.get(field.source, ()), is_typed=sample.is_typed))
        for column, field in zip(names, others, strict=True)
    ]
    identity = identify(time_name, time.moments, columns)
    layout = lay_out(time.moments, identity.keys, columns)
    of_time = RenderedColumn(time_name, _time_column(time, time_name), "the event time")
    rendered = {column.name: _rendered(column, field) for column, field in zip(columns, others, strict=True)}
    # In the sender's order; a time without a column of its own comes first.
    place = sample.fields.index(time.fields[0]) if is_one_column else 0
    ordered = [*rendered.values()]
    ordered.insert(place, of_time)
    evidence = (*sample.evidence, *time.evidence, *identity.evidence, *layout.evidence, *sample.left_out)
    draft = Draft(
        head=_head(sample, name),
        stream=stream,
        format=sample.settings,
        time=_time_settings(time, time_name),
        keys=identity.keys,
        unique=identity.unique,
        columns=tuple(ordered),
        bucket_us=layout.bucket_us,
        window=layout.window,
        window_us=layout.window_us,
        aggregates=layout.aggregates,
        evidence=evidence,
        remarks=_remarks(sample),
    )
    text = render(draft)
    sources = {time_name: " + ".join(field.source for field in time.fields) or "receipt"}
    sources |= {column.name: field.source for column, field in zip(columns, others, strict=True)}
    return Proposal(
        stream=stream,
        text=text,
        spec=spec.parse(text, f"the proposal for {name}"),
        columns=tuple(
            ProposedColumn(each.name, str(each.settings["type"]), sources[each.name], each.why, each.hints)
            for each in ordered
        ),
        evidence=evidence,
    )


def _time_column(time: EventTime, name: str) -> dict[str, Any]:
    settings: dict[str, Any] = {"type": "timestamp"}
    if len(time.fields) == 1 and time.fields[0].source != name:
        settings["source"] = time.fields[0].source
    return settings


def _time_settings(time: EventTime, name: str) -> dict[str, Any]:
    settings: dict[str, Any] = {"column": name}
    if not time.fields:
        return {**settings, "of": "receipt"}
    if len(time.fields) > 1:
        settings["parts"] = [field.source for field in time.fields]
    settings["formats"] = list(time.formats)
    if time.zone != "UTC":
        settings["zone"] = time.zone
    return settings


def _rendered(column: NamedColumn, field: Field) -> RenderedColumn:
    found = column.guess
    settings: dict[str, Any] = {"type": _type(found)}
    if field.source != column.name:
        settings["source"] = field.source
    if found.missing:
        settings["missing"] = list(found.missing)
    if found.formats:
        settings["formats"] = list(found.formats)
    if field.unit and field.unit != "iso8601":
        settings["unit"] = field.unit
    return RenderedColumn(column.name, settings, found.why, found.hints)


def _type(found: Guess) -> str:
    if found.type == "list":
        return f"list({found.items})"
    if found.type == "decimal" and found.digits:
        return f"decimal({found.digits[0]},{found.digits[1]})"
    return found.type


def _head(sample: Sample, name: str) -> tuple[str, ...]:
    which = sample.rows if sample.is_whole else f"the first {sample.rows}"
    return (
        f"Proposed from {which} of {name}.",
        "Every comment says what a guess rests on. The sample may not show everything: look it through first.",
    )


def _remarks(sample: Sample) -> tuple[str, ...]:
    remarks = [f"{each.about} is left out: {each.why}" for each in sample.left_out]
    remarks += [
        f"{path} is a list of up to {counted(most, 'object')}; explode: {path} makes every one of them a row, "
        f"with columns whose source begins with {path}"
        for path, most in sample.explode
    ]
    if sample.around:
        names = ", ".join(f"$.{name}" for name in list(sample.around)[:12])
        remarks.append(
            f"Around the records stand {names}; a column reads one with source: $.{next(iter(sample.around))}"
        )
    return tuple(remarks)
