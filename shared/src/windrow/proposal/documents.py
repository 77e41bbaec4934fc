"""The JSON documents in a text: one, an array of them, or one a line; and what can be had of one that is cut."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from windrow.errors import BadInput
from windrow.proposal.evidence import Evidence
from windrow.proposal.sample import MAX_RECORDS
from windrow.proposal.sniffing import Text

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{},]')
_BYTE = re.compile(r"\(byte (\d+)\)")


@dataclass(frozen=True, slots=True)
class Documents:
    """What the text holds, one entry per document."""

    documents: list[Any]
    is_lines: bool
    is_whole: bool
    bad_lines: int
    is_array: bool = False
    """Whether they are members of one array, and so records themselves."""
    evidence: tuple[Evidence, ...] = ()


def read_documents(text: Text) -> Documents:
    """What the text holds. Raises BadInput where it is not JSON."""
    body = text.text.strip("\ufeff \t\r\n")
    lines = [line for line in body.split("\n") if line.strip()]
    first = _parsed(lines[0])
    if (
        len(lines) > 1
        and isinstance(first, Mapping)
        and isinstance(_parsed(lines[1]) if len(lines) > 2 else first, Mapping)
    ):
        return _lines(lines, is_whole=text.is_whole)
    try:
        whole = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeEncodeError) as error:
        if not text.is_whole:
            return _cut(body)
        good = sum(_parsed(line) is not None for line in lines[:1_000])
        if len(lines) > 1 and good * 2 > min(len(lines), 1_000):
            return _lines(lines, is_whole=text.is_whole)
        raise BadInput(f"not JSON: {_place(error, body)}") from error
    if isinstance(whole, list):
        return Documents(
            whole[:MAX_RECORDS],
            is_lines=False,
            is_whole=text.is_whole and len(whole) <= MAX_RECORDS,
            bad_lines=0,
            is_array=True,
        )
    return Documents([whole], is_lines=len(lines) == 1, is_whole=text.is_whole, bad_lines=0)


def _lines(lines: list[str], *, is_whole: bool) -> Documents:
    if not is_whole and len(lines) > 1:
        lines = lines[:-1]  # the end of the head cuts it
    looked_at = lines[:MAX_RECORDS]
    parsed = [_parsed(line) for line in looked_at]
    documents = [each for each in parsed if each is not None]
    return Documents(
        documents,
        is_lines=True,
        is_whole=is_whole and len(lines) == len(looked_at),
        bad_lines=len(parsed) - len(documents),
        evidence=(Evidence("format", "NDJSON", "every line is an object of its own"),),
    )


def _parsed(line: str) -> Any:
    """The value; None if it is not JSON (or null, which is no record either)."""
    try:
        return msgspec.json.decode(line)
    except (msgspec.DecodeError, RecursionError, UnicodeEncodeError):
        return None


def _cut(body: str) -> Documents:
    """A document whose end was not read, closed after the last whole record."""
    stack: list[str] = []
    cuts: dict[int, tuple[int, str]] = {}
    for token in _TOKEN.finditer(body):
        mark = token[0]
        if mark in "[{":
            stack.append("]" if mark == "[" else "}")
        elif mark in "]}":
            if not stack or stack.pop() != mark:
                break
        elif mark == "," and stack and stack[-1] == "]":
            # The outermost array with more than one member is the one that holds records.
            cuts[len(stack)] = (token.start(), "".join(reversed(stack)))
    for _, (end, closing) in sorted(cuts.items()):
        try:
            whole = msgspec.json.decode(body[:end] + closing)
        except (msgspec.DecodeError, RecursionError, UnicodeEncodeError):
            continue
        is_array = isinstance(whole, list)
        documents = whole[:MAX_RECORDS] if is_array else [whole]
        why = f"only its first {len(body) >> 20 or 1} MiB were looked at"
        return Documents(
            documents,
            is_lines=False,
            is_whole=False,
            bad_lines=0,
            is_array=is_array,
            evidence=(Evidence("sample", "cut", why),),
        )
    raise BadInput("the document is larger than what is looked at, and no record ends in that; cut a smaller sample")


def _place(error: Exception, body: str) -> str:
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    found = _BYTE.search(str(error))
    what = _BYTE.sub("", str(error)).removeprefix("JSON is malformed: ").strip()
    if found is None:
        return what
    before = body.encode(errors="replace")[: int(found[1])]
    line_break = b"\n"
    return f"line {before.count(line_break) + 1}, column {len(before) - before.rfind(line_break)}: {what}"
