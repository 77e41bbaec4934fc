"""A sample of CSV: its dialect, told from how steady the fields are, and its columns as text."""

import csv
import io
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from windrow.errors import BadInput
from windrow.proposal.evidence import Choices, Evidence, Option, Question, Undecided, counted, quoted
from windrow.proposal.numbers import decimal_mark
from windrow.proposal.sample import MAX_FIELDS, MAX_RECORDS, Field, Sample
from windrow.proposal.sniffing import Text

_DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
_SCORED_ROWS = 500
_COMMON_SHARE = 0.01
"""Of short rows, from which on they are how the file is written and not damage."""
_LIKE_DATA = re.compile(r"\s*[-+]?[0-9][0-9.,:/\-+ TZeE]*%?\s*")
"""What stands in rows, not above them: numbers, dates and times."""


@dataclass(frozen=True, slots=True)
class _Rows:
    """The fields of every row, the header among them, and the line (from 1) each starts on."""

    fields: list[list[str]]
    lines: list[int]
    is_cut: bool
    """Whether there are more rows than these."""


@dataclass(frozen=True, slots=True)
class _Dialect:
    delimiter: str
    quote: str
    evidence: tuple[Evidence, ...]


def read_csv(text: Text, name: str, choices: Choices) -> Sample:
    """The columns of a CSV text. Raises BadInput where no table could be read, Undecided where two fit."""
    is_tsv = re.search(r"\.tsv(\.|$)", name, re.IGNORECASE) is not None
    dialect = _dialect(text.text, "\t" if is_tsv else ",", choices)
    rows = _rows(text.text, dialect, MAX_RECORDS + 2)
    fields, lines = rows.fields, rows.lines
    if not text.is_whole and not rows.is_cut and len(fields) > 1:
        del fields[-1], lines[-1]  # the end of the head cuts it
    if not fields:
        raise BadInput("the sample holds no rows")
    _check_preamble(fields, lines)
    settings: dict[str, Any] = {}
    evidence = [*text.evidence, *dialect.evidence]
    if text.encoding != "utf-8":
        settings["encoding"] = text.encoding
    if dialect.delimiter != ("\t" if is_tsv else ","):
        settings["delimiter"] = dialect.delimiter
    if dialect.quote != '"':
        settings["quote"] = dialect.quote
    header = _header(fields, choices, evidence)
    is_whole = text.is_whole and not rows.is_cut
    body = fields[1:] if header is not None else fields
    if rows.is_cut:
        body = body[:MAX_RECORDS]
    if header is None:
        width = Counter(map(len, body)).most_common(1)[0][0]
        header = [f"field_{place}" for place in range(1, width + 1)]
        settings |= {"header": False, "columns": header}
    if len(header) > MAX_FIELDS:
        raise BadInput(f"the header has {len(header):,} fields; the most is {MAX_FIELDS:,}")
    _check_twice(header)
    if _pad(body, len(header), evidence):
        settings["ragged"] = "pad"
    filled = _without_empty(body, evidence)
    columns, left_out = _columns(filled, header)
    mark = decimal_mark(columns, choices.decimal, evidence)
    if mark == ",":
        settings["decimal"] = ","
    return Sample(
        fields=tuple(
            Field(path=(title,), source=title, texts=texts, kinds={"text": len(texts)}, decimal=mark)
            for title, texts in columns.items()
        ),
        row_count=len(filled),
        is_whole=is_whole,
        is_typed=False,
        settings={"csv": settings} if settings else {},
        evidence=tuple(evidence),
        left_out=tuple(left_out),
    )


# ---------------------------------------------------------------------------------------------------- dialect


def _dialect(text: str, default: str, choices: Choices) -> _Dialect:
    if choices.delimiter is not None:
        delimiter = {"tab": "\t", "\\t": "\t"}.get(choices.delimiter, choices.delimiter)
        if len(delimiter) != 1 or delimiter in "\r\n\"'":
            raise BadInput(f"{choices.delimiter!r} is not a delimiter; give one character, such as ';' or tab")
        return _Dialect(delimiter, _quote(text, delimiter), (Evidence("delimiter", delimiter, "as you said"),))
    scored: list[tuple[float, int, str, str]] = []
    for delimiter in _DELIMITERS:
        quote = _quote(text, delimiter)
        counts = [len(row) for row in _rows(text, _Dialect(delimiter, quote, ()), _SCORED_ROWS).fields]
        usual, rows = Counter(counts).most_common(1)[0] if counts else (0, 0)
        if max(usual, counts[0] if counts else 0) > 1:
            is_titled = counts[0] == usual or sum(count == counts[0] for count in counts) > 1
            scored.append((rows / len(counts) + is_titled, usual, delimiter, quote))
    if not scored:
        return _Dialect(default, _quote(text, default), ())
    scored.sort(reverse=True)
    best = scored[0]
    rivals = [each for each in scored if each[0] == best[0]]
    if len(rivals) > 1:
        raise Undecided(
            Question(
                "delimiter",
                f"Every row can be cut at {' and at '.join(_DELIMITERS[each[2]] + 's' for each in rivals)}.",
                tuple(
                    Option(f"--delimiter {_flag(each[2])}", f"{counted(each[1], 'field')} in every row")
                    for each in rivals
                ),
            )
        )
    _, usual, delimiter, quote = best
    why = f"rows have {counted(usual, 'field')} with it"
    return _Dialect(delimiter, quote, (Evidence("delimiter", _DELIMITERS[delimiter], why),))


def _flag(delimiter: str) -> str:
    return "tab" if delimiter == "\t" else f"'{delimiter}'"


def _quote(text: str, delimiter: str) -> str:
    """Single quotes, where they stand around fields and double ones nowhere do."""
    head = text[:65_536]
    if '"' in head:
        return '"'
    mark = re.escape(delimiter)
    around = len(re.findall(rf"(?m)(?:^|{mark})'[^'\n]*'(?={mark}|\r?$)", head))
    return "'" if around > 1 and around >= 0.9 * len(re.findall(rf"(?m)(?:^|{mark})'", head)) else '"'


def _rows(text: str, dialect: _Dialect, most: int) -> _Rows:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=dialect.delimiter, quotechar=dialect.quote)
    fields: list[list[str]] = []
    lines: list[int] = []
    try:
        before = 0
        for row in reader:
            if row:
                fields.append(row)
                lines.append(before + 1)
            before = reader.line_num
            if len(fields) >= most:
                return _Rows(fields, lines, is_cut=True)
    except csv.Error as error:
        raise BadInput(f"not CSV: the row at line {reader.line_num}: {error}; is a quote left open?") from error
    return _Rows(fields, lines, is_cut=False)


# ---------------------------------------------------------------------------------------------------- header and rows


def _check_preamble(fields: Sequence[Sequence[str]], lines: Sequence[int]) -> None:
    """Titles and remarks above the table, which no spec can pass over."""
    usual = Counter(map(len, fields[:_SCORED_ROWS])).most_common(1)[0][0]
    first = next((place for place, row in enumerate(fields) if len(row) >= usual), 0)
    if first and usual > 1 and all(len(row) < max(2, usual // 2 + 1) for row in fields[:first]):
        raise BadInput(
            f"the table begins at line {lines[first]}; above it stands {fields[0][0][:60]!r}. The header must be the "
            f"first line: cut off what is above, for example with tail -n +{lines[first]}"
        )


def _header(fields: Sequence[Sequence[str]], choices: Choices, evidence: list[Evidence]) -> list[str] | None:
    """The names in the first row; None if it is a record like the others."""
    first, body = fields[0], fields[1:]
    if choices.header is not None:
        evidence.append(Evidence("header", str(choices.header).lower(), "as you said"))
        return [title.strip() for title in first] if choices.header else None
    like_data = [place for place, title in enumerate(first) if _LIKE_DATA.fullmatch(title)]
    if not like_data:
        return [title.strip() for title in first]
    same = [
        place for place in like_data if _is_mostly_data([row[place] for row in body[:_SCORED_ROWS] if place < len(row)])
    ]
    if not body or (len(same) == len(like_data) and not _has_titles(first, body)):
        titles = [first[place] for place in like_data]
        evidence.append(Evidence("header", "none", f"the first row holds {quoted(titles)}, like the rows below"))
        return None
    return [title.strip() for title in first]


def _is_mostly_data(values: Sequence[str]) -> bool:
    filled = [value for value in values if value]
    return sum(_LIKE_DATA.fullmatch(value) is not None for value in filled) * 2 > len(filled)


def _has_titles(first: Sequence[str], body: Sequence[Sequence[str]]) -> bool:
    """Whether a text stands above numbers, which makes it a title."""
    return any(
        title
        and not _LIKE_DATA.fullmatch(title)
        and _is_mostly_data([row[place] for row in body[:_SCORED_ROWS] if place < len(row)])
        and any(place < len(row) and row[place] for row in body[:_SCORED_ROWS])
        for place, title in enumerate(first)
    )


def _check_twice(header: Sequence[str]) -> None:
    twice = [title for title, count in Counter(header).items() if count > 1 and title]
    if twice:
        raise BadInput(
            f"the header names {quoted(twice)} more than once, so no column of that name can be meant; "
            "give each field a name of its own"
        )


def _pad(body: Sequence[Sequence[str]], width: int, evidence: list[Evidence]) -> bool:
    """Whether rows with fewer fields are how this file is written."""
    counts = Counter(map(len, body))
    odd = {fields: rows for fields, rows in counts.items() if fields != width}
    if not odd:
        return False
    short = sum(rows for fields, rows in odd.items() if fields < width)
    surplus = [row for row in body if len(row) > width]
    is_pad = short >= max(1, _COMMON_SHARE * len(body)) and not any(any(row[width:]) for row in surplus)
    seen = ", ".join(f"{counted(rows, 'row')} of {fields}" for fields, rows in sorted(counts.items()))
    if is_pad:
        evidence.append(Evidence("ragged", "pad", f"the header has {width} fields; {seen}"))
        return True
    fate = "those of another number are refused" if not short else "those with fewer are refused without ragged: pad"
    evidence.append(Evidence("ragged", "reject", f"the header has {width} fields; {seen}; {fate}"))
    return False


def _without_empty(body: Sequence[Sequence[str]], evidence: list[Evidence]) -> list[Sequence[str]]:
    filled = [row for row in body if any(row)]
    if len(filled) < len(body):
        why = f"{counted(len(body) - len(filled), 'row')} of delimiters alone; without a time they are refused"
        evidence.append(Evidence("rows", f"{len(filled):,}", why))
    return filled


def _columns(body: Sequence[Sequence[str]], header: Sequence[str]) -> tuple[dict[str, pl.Series], list[Evidence]]:
    columns: dict[str, pl.Series] = {}
    left_out = []
    for place, title in enumerate(header):
        values = [_clean(row[place]) or None if place < len(row) else None for row in body]
        if title:
            columns[title] = pl.Series(title, values, pl.String)
        else:
            filled = sum(value is not None for value in values)
            what = f"holds {counted(filled, 'value')}; give it a name to keep them" if filled else "is always empty"
            left_out.append(Evidence(f"field {place + 1}", "left out", f"it has no name and {what}"))
    return columns, left_out


def _clean(value: str) -> str:
    """Text that Arrow takes: half a surrogate pair, which some encodings let through, is none."""
    return value.encode(errors="replace").decode() if not value.isascii() else value
