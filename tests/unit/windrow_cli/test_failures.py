"""`windrow dead-letters` and `windrow replay`, against a reprocessor that answers as told."""

import json
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.support.http import free_port
from tests.unit.windrow_cli.conftest import Loopback, Windrow

_LISTING = {
    "total": 7,
    "groups": [
        {"kind": "record", "stream": "sensors", "queue": None, "reason": "bad_time", "count": 6},
        {"kind": "message", "stream": None, "queue": "writes", "reason": "gave up", "count": 1},
    ],
    "entries": [
        {
            "id": "abc",
            "kind": "record",
            "stream": "sensors",
            "reason": "bad_time",
            "message": "column 'ts' is no time",
            "index": 4,
            "line": 5,
            "data": "[red]x" + "y" * 200,
        }
    ],
}
_DONE = {"records": 6, "objects": 0, "messages": 1, "landing_keys": ["landing/a"], "dry_run": False}


def _says(loopback: Loopback, content: object, status: int = 200) -> None:
    loopback.answer = lambda _asked: (status, {"Content-Type": "application/json"}, json.dumps(content).encode())


def test_failures_are_shown_in_groups_and_one_by_one(windrow: Windrow, loopback: Loopback) -> None:
    _says(loopback, _LISTING)
    ran = windrow("dead-letters", "--stream", "sensors", "--reason", "bad_time", "--limit", "1", "--url", loopback.url)

    assert ran.code == 0
    for part in ("bad_time", "gave up", "abc", "column 'ts' is no time", "[red]x", "and 6 more"):
        assert part in ran.out
    asked = parse_qs(urlsplit(loopback.asked[0].path).query)
    assert asked == {"stream": ["sensors"], "reason": ["bad_time"], "limit": ["1"]}


def test_no_failures_are_good_news(windrow: Windrow, loopback: Loopback) -> None:
    _says(loopback, {"total": 0, "groups": [], "entries": []})
    assert windrow("dead-letters", "--url", loopback.url).out == "Nothing failed.\n"


def test_programs_get_what_the_reprocessor_said(windrow: Windrow, loopback: Loopback) -> None:
    _says(loopback, _LISTING)
    assert json.loads(windrow("dead-letters", "--url", loopback.url, "--json").out) == _LISTING


def test_a_replay_asks_for_just_what_was_chosen(windrow: Windrow, loopback: Loopback) -> None:
    _says(loopback, _DONE, 202)
    ran = windrow("replay", "--stream", "sensors", "--id", "a", "--id", "b", "--limit", "3", "--url", loopback.url)

    assert ran.out == "replayed 6 records, 1 message\n"
    assert (loopback.asked[0].method, loopback.asked[0].path) == ("POST", "/v1/replays")
    assert json.loads(loopback.asked[0].body) == {
        "stream": "sensors",
        "kind": None,
        "reason": None,
        "ids": ["a", "b"],
        "limit": 3,
        "dry_run": False,
    }


def test_a_dry_run_says_what_would_be(windrow: Windrow, loopback: Loopback) -> None:
    _says(loopback, {**_DONE, "records": 0, "messages": 0, "dry_run": True}, 202)
    ran = windrow("replay", "--kind", "record", "--dry-run", "--url", loopback.url)

    assert ran.out == "would replay nothing\n"
    assert json.loads(loopback.asked[0].body)["dry_run"] is True


def test_a_replay_of_nothing_in_particular_is_wrong_usage(windrow: Windrow, loopback: Loopback) -> None:
    ran = windrow("replay", "--url", loopback.url)

    assert (ran.code, "say what to replay" in ran.err) == (2, True)
    assert not loopback.asked


@pytest.mark.parametrize(("status", "code"), [(400, 2), (404, 1), (409, 1), (503, 1)])
def test_what_the_reprocessor_refuses_is_said_in_its_words(
    windrow: Windrow, loopback: Loopback, status: int, code: int
) -> None:
    _says(loopback, {"reason": "r", "message": "limit is 0; it must be at least 1"}, status)
    ran = windrow("replay", "--stream", "s", "--url", loopback.url)

    assert (ran.code, ran.err) == (code, "windrow: limit is 0; it must be at least 1\n")


def test_no_reprocessor_is_said_clearly(windrow: Windrow) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    ran = windrow("dead-letters", "--url", url)

    assert (ran.code, ran.err.count("\n")) == (1, 1)
    assert f"the reprocessor at {url} does not answer" in ran.err
