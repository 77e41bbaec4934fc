"""What a request must be before it lands: every format, every fault, and what its sender is told."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.pipeline import SENSORS, lines, parsed
from windrow.admission import (
    Acknowledgement,
    Admitted,
    Refused,
    RequestLimits,
    UnsupportedType,
    acknowledged,
    admit,
    check_media,
    refused,
)
from windrow.decoding.formats import CONTENT_TYPES
from windrow.errors import BadInput, Conflict, NotFound, OutcomeUnknown, TooLarge, Unavailable, WindrowError
from windrow.framing import Malformed
from windrow.quarantine import REPLAY_TYPE, Reject

LIMITS = RequestLimits(max_body_bytes=10_000, max_plain_bytes=20_000, max_record_bytes=1_000)
NOW_US = 1_767_225_600_000_000 + 3_600_000_000
GOOD = {"ts": "2026-01-01T00:00:01Z", "sensor": "a", "temperature": 21.0}
BAD = {**GOOD, "temperature": "warm"}
STRICT = parsed(SENSORS + "on_error: reject\n")
JSON, NDJSON, CSV = "application/json", "application/x-ndjson", "text/csv"


def _admit(body: bytes, content_type: str, codec: str = "identity") -> Admitted:
    return admit(body, content_type, codec, parsed(), NOW_US, LIMITS)


def test_json_records_are_landed_together_with_those_of_others() -> None:
    one = _admit(lines([GOOD]).strip(), JSON)
    two = _admit(lines([GOOD, BAD]), NDJSON)

    assert (one.lines, one.record_count, one.rejects) == (lines([GOOD]), 1, ())
    assert (two.lines, two.record_count, two.rejects) == (lines([GOOD, BAD]), 2, ())  # what it means is found out later


@pytest.mark.parametrize(
    ("content_type", "codec", "suffix"),
    [
        (CSV, "identity", ".csv"),
        (CSV, "gzip", ".csv.gz"),
        ("text/tab-separated-values", "zstd", ".tsv.zst"),
        (CSV, "bzip2", ".csv.bz2"),
    ],
)
def test_a_table_lands_as_it_is_under_a_name_that_says_what_it_is(content_type: str, codec: str, suffix: str) -> None:
    import bz2
    import gzip

    import zstandard

    separator = b"\t" if "tab" in content_type else b","
    table = b"ts,sensor,temperature\n2026-01-01T00:00:01Z,a,1\n2026-01-01T00:00:01Z,a,warm\n".replace(b",", separator)
    compress = {"gzip": gzip.compress, "zstd": zstandard.compress, "bzip2": bz2.compress}.get(codec, bytes)
    found = _admit(compress(table), content_type, codec)

    assert (found.lines, found.record_count, found.suffix) == (None, 2, suffix)
    assert [(reject.index, reject.line, reject.reason) for reject in found.rejects] == [(1, 3, "wrong_type")]


def test_a_table_in_which_every_row_is_bad_is_refused_with_all_of_them() -> None:
    with pytest.raises(Malformed) as caught:
        _admit(b"ts,sensor,temperature\n?,a,1\n2026-01-01T00:00:01Z,a,\n", CSV)

    assert [reject.reason for reject in caught.value.rejects] == ["bad_time", "missing_column"]


def test_a_document_of_records_is_decoded_before_it_lands() -> None:
    nested = parsed(SENSORS + "format: {json: {records: items}}\n")
    body = b'{"items": ' + b"[" + lines([GOOD]).strip() + b"," + lines([BAD]).strip() + b"]}"
    found = admit(body, JSON, "identity", nested, NOW_US, LIMITS)

    assert (found.lines, found.record_count, found.suffix) == (None, 2, ".json")
    assert [reject.index for reject in found.rejects] == [1]


@given(places=st.lists(st.booleans(), min_size=1, max_size=12), content_type=st.sampled_from([JSON, NDJSON, CSV]))
@settings(max_examples=60, deadline=None)
def test_a_stream_that_takes_no_bad_records_takes_a_request_without_any_and_no_other(
    places: list[bool], content_type: str
) -> None:
    records = [GOOD if is_good else BAD for is_good in places]
    body = {
        JSON: b"[" + lines(records).strip().replace(b"\n", b",") + b"]",
        NDJSON: lines(records),
        CSV: b"ts,sensor,temperature\n"
        + b"".join(f"{','.join(map(str, each.values()))}\n".encode() for each in records),
    }[content_type]
    if all(places):
        assert admit(body, content_type, "identity", STRICT, NOW_US, LIMITS).record_count == len(places)
        return
    with pytest.raises(Refused) as caught:
        admit(body, content_type, "identity", STRICT, NOW_US, LIMITS)
    bad = [index for index, is_good in enumerate(places) if not is_good]
    assert [reject.index for reject in caught.value.rejects] == bad
    assert str(caught.value).startswith(f"{len(bad)} of {len(places)} records {'is' if len(bad) == 1 else 'are'} bad")


def test_one_record_may_be_as_long_as_its_limit_in_every_text() -> None:
    long = {**GOOD, "sensor": "x" * 2_000}
    for body, content_type in ((lines([GOOD, long]), NDJSON), (b"[" + lines([long]).strip() + b"]", JSON)):
        with pytest.raises(TooLarge, match="limit is 1000"):
            _admit(body, content_type)
    found = _admit(
        b"ts,sensor,temperature\n2026-01-01T00:00:01Z,a,1\n2026-01-01T00:00:01Z," + b"x" * 2_000 + b",1\n", CSV
    )
    assert [reject.reason for reject in found.rejects] == ["too_large"]


# ------------------------------------------------------------------------------------------------ media


@pytest.mark.parametrize("content_type", [*CONTENT_TYPES.values(), "application/geo+json", "Text/CSV; charset=utf-8"])
@pytest.mark.parametrize("codec", ["identity", " GZIP ", "zstd", "bzip2"])
def test_every_format_is_offered_in_every_encoding(content_type: str, codec: str) -> None:
    assert check_media(content_type, codec) == codec.strip().lower()


@pytest.mark.parametrize(
    ("content_type", "codec"), [("", ""), ("text/html", "gzip"), (REPLAY_TYPE, "gzip"), (CSV, "zip")]
)
def test_another_is_told_what_is_offered(content_type: str, codec: str) -> None:
    with pytest.raises(UnsupportedType, match="is not understood; send"):
        check_media(content_type, codec)


# ------------------------------------------------------------------------------------------------ answers

_REJECT = Reject(reason="bad_time", message="no time", index=3, line=5, column=2)


@pytest.mark.parametrize(
    ("error", "status", "reason"),
    [
        (Malformed([_REJECT]), 400, "bad_time"),
        (Refused((_REJECT,), 9), 422, "records_refused"),
        (UnsupportedType("no"), 415, "unsupported_media_type"),
        (BadInput("no"), 400, "bad_request"),
        (TooLarge("no"), 413, "too_large"),
        (NotFound("no"), 404, "unknown_stream"),
        (Conflict("no"), 409, "idempotency_conflict"),
        (Unavailable("no"), 503, "unavailable"),
        (OutcomeUnknown("no"), 503, "unavailable"),
    ],
)
def test_every_error_has_its_answer(error: WindrowError, status: int, reason: str) -> None:
    answer = refused(error)

    assert (answer.status, answer.body.reason) == (status, reason)  # type: ignore[union-attr]
    assert answer.body.message  # type: ignore[union-attr]
    assert ("Retry-After" in answer.headers) == (status == 503)


def test_a_refusal_has_the_place_of_the_first_fault_and_lists_a_hundred() -> None:
    many = tuple(Reject(reason="bad_time", message="no time", index=index, line=index + 1) for index in range(150))
    for error in (Refused(many, 150), Malformed(list(many))):
        body = refused(error).body
        assert (body.index, body.line, len(body.rejects)) == (0, 1, 100)  # type: ignore[union-attr]


def test_an_acknowledgement_counts_all_rejects_and_lists_a_hundred() -> None:
    answer = acknowledged(Admitted(None, 500, (_REJECT,) * 150), "landing/s/a")

    assert isinstance(answer.body, Acknowledgement)
    assert (answer.status, answer.body.accepted, answer.body.quarantined_count) == (202, 350, 150)
    assert len(answer.body.quarantined) == 100
