import json

from hypothesis import given
from hypothesis import strategies as st

from windrow import quarantine
from windrow.quarantine import QuarantinedRecord, Reject


def kept(raw: bytes, **fields: object) -> QuarantinedRecord:
    data, is_base64 = quarantine.keep_bytes(raw)
    return QuarantinedRecord(
        reject=Reject(reason="malformed_json", message="not JSON"),
        batch="b",
        ordinal=0,
        received_us=1,
        format="json",
        data=data,
        is_base64=is_base64,
        **fields,  # type: ignore[arg-type]
    )


@given(st.binary())
def test_the_original_bytes_survive_whatever_they_are(raw: bytes) -> None:
    [found] = quarantine.decode_lines(quarantine.encode_lines([kept(raw)]))

    assert found.raw() == raw


def test_bytes_that_are_text_stay_readable() -> None:
    assert quarantine.keep_bytes('{"t": "21,5 °C"}'.encode()) == ('{"t": "21,5 °C"}', False)


def test_bytes_that_are_not_utf_8_are_kept_as_base64() -> None:
    data, is_base64 = quarantine.keep_bytes(b"\xff\xfe{}")

    assert (data, is_base64) == ("//57fQ==", True)


@given(st.lists(st.binary(max_size=40), max_size=5))
def test_records_are_one_line_each_in_order(bodies: list[bytes]) -> None:
    lines = quarantine.encode_lines([kept(raw) for raw in bodies])

    assert lines.count(b"\n") == len(bodies)
    assert [record.raw() for record in quarantine.decode_lines(lines)] == bodies


def test_everything_known_of_a_reject_is_kept() -> None:
    reject = Reject(
        reason="wrong_type", message="m", index=4, line=5, column=6, field="temperature", value="'x' OR '1'='1'"
    )
    record = QuarantinedRecord(
        reject=reject,
        batch="b",
        ordinal=4,
        received_us=1_774_915_200_123_456,
        format="csv",
        data="a,b",
        header=("ts", "größe"),
        record_count=3,
    )

    assert quarantine.decode_lines(quarantine.encode_lines([record])) == [record]


def test_what_is_unknown_is_absent() -> None:
    [line] = quarantine.encode_lines([kept(b"{}")]).splitlines()

    assert set(json.loads(line)) == {"reject", "batch", "ordinal", "received_us", "format", "data"}
    assert set(json.loads(line)["reject"]) == {"reason", "message"}


def test_equal_records_are_equal_bytes() -> None:
    assert quarantine.encode_lines([kept(b"x")]) == quarantine.encode_lines([kept(b"x")])
