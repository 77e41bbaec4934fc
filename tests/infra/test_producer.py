"""The Lambda function of `infra/modules/producer`: all of a request is on the stream, or its sender is told."""

import base64
import importlib.util
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

SOURCE = Path(__file__).parents[2] / "infra/modules/producer/handler/producer.py"
NDJSON = {"Content-Type": "application/x-ndjson; charset=utf-8"}


def load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("producer", SOURCE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


producer = load()


class Kinesis:
    """Refuses events as told, call by call."""

    def __init__(self, *refused: set[int] | Exception) -> None:
        self.refused = list(refused)
        self.taken: list[bytes] = []
        self.calls = 0

    def put_records(self, *, StreamName: str, Records: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803
        assert StreamName == "farm-records"
        self.calls += 1
        refused = self.refused.pop(0) if self.refused else set()
        if isinstance(refused, Exception):
            raise refused
        results: list[dict[str, str]] = []
        for number, record in enumerate(Records):
            if number in refused:
                results.append({"ErrorCode": "ProvisionedThroughputExceededException"})
            else:
                self.taken.append(record["Data"])
                results.append({"SequenceNumber": "1"})
        return {"Records": results}


def ask(kinesis: Kinesis, monkeypatch: pytest.MonkeyPatch, body: str, **event: Any) -> dict[str, Any]:
    monkeypatch.setenv("STREAM_NAME", "farm-records")
    monkeypatch.setattr(producer, "_kinesis", lambda: kinesis)
    monkeypatch.setattr(producer.time, "sleep", lambda _: None)
    return producer.handle({"body": body} | event, None)


@pytest.mark.parametrize(
    ("body", "headers", "expected"),
    [
        ('{"a": 1.10}', {}, [b'{"a": 1.10}']),
        ('{\r\n"a": 1}', {}, [b'{  "a": 1}']),
        ('[{"a": 1.10}, {"b": "x,]"}]', {}, [b'{"a": 1.10}', b'{"b": "x,]"}']),
        ('  [ {"a":[1]} ,\n{"b":{}} ]\n', {}, [b'{"a":[1]}', b'{"b":{}}']),
        ('{"a": 12345678901234567890.10}\n\n{"b": 2}\r\n', NDJSON, [b'{"a": 12345678901234567890.10}', b'{"b": 2}']),
    ],
)
def test_events_keep_the_text_they_were_sent_in(body: str, headers: dict[str, str], expected: list[bytes]) -> None:
    assert producer.events_of({"body": body, "headers": headers}) == expected
    encoded = base64.b64encode(body.encode()).decode()
    assert producer.events_of({"body": encoded, "isBase64Encoded": True, "headers": headers}) == expected


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        ("", {}, 400),
        ("[]", {}, 400),
        ("{", {}, 400),
        ("[1]", {}, 400),
        ('"text"', {}, 400),
        ('[{"a": 1},]', {}, 400),
        ('{"a": NaN}', {}, 400),
        ('{"a": 1} {"b": 2}', {}, 400),
        ('{"a": 1}\n7', NDJSON, 400),
        ("[" * 100_000, {}, 400),
        ("[" + ",".join(['{"a":1}'] * 501) + "]", {}, 413),
        ('{"a": "' + "x" * (1 << 20) + '"}', {}, 413),
    ],
)
def test_a_request_with_anything_wrong_is_refused_whole(
    monkeypatch: pytest.MonkeyPatch, body: str, headers: dict[str, str], status: int
) -> None:
    kinesis = Kinesis()
    answer = ask(kinesis, monkeypatch, body, headers=headers)

    assert (answer["statusCode"], kinesis.calls) == (status, 0)
    assert json.loads(answer["body"])["error"]


def test_200_says_that_kinesis_has_every_event(monkeypatch: pytest.MonkeyPatch) -> None:
    kinesis = Kinesis({1}, EndpointConnectionError(endpoint_url="https://example.com"), {0})
    answer = ask(kinesis, monkeypatch, '[{"n": 1}, {"n": 2}, {"n": 3}]')

    assert (answer["statusCode"], json.loads(answer["body"])) == (200, {"accepted": 3})
    assert sorted(kinesis.taken) == [b'{"n": 1}', b'{"n": 2}', b'{"n": 3}']


def test_what_kinesis_goes_on_refusing_is_answered_503_and_never_200(monkeypatch: pytest.MonkeyPatch) -> None:
    kinesis = Kinesis({1}, {0}, {0}, {0}, {0}, {0}, {0})
    answer = ask(kinesis, monkeypatch, '[{"n": 1}, {"n": 2}]')

    assert (answer["statusCode"], answer["headers"]["retry-after"]) == (503, "1")
    assert kinesis.calls == 4


def test_bytes_that_are_no_text_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    body = base64.b64encode(b'{"a": "\xff"}').decode()
    assert ask(Kinesis(), monkeypatch, body, isBase64Encoded=True)["statusCode"] == 400
    assert ask(Kinesis(), monkeypatch, "?", isBase64Encoded=True)["statusCode"] == 400
