"""What an operator sees and may ask for: filters, limits, and refusals in JSON."""

from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from tests.support.pipeline import SENSORS, Pipeline
from tests.support.sensors import reading
from windrow.errors import Unavailable
from windrow.metrics import PrometheusMetrics
from windrow.ports import ObjectHeaders, Outgoing
from windrow_reprocessor.api import create_app

LIST, REPLAY = "/v1/dead-letters", "/v1/replays"
NEVER = {"ts": "never", "sensor": "a", "temperature": 1}
COLD = {"ts": "2026-01-01T00:00:00Z", "sensor": "b", "temperature": "cold"}


class Desk:
    """An operator's view of a pipeline in which one thing of every kind has failed."""

    def __init__(self, folder: Path) -> None:
        self.pipeline = Pipeline(folder)
        self.pipeline.publish(SENSORS.replace("stream: sensors", "stream: zephyr"))
        self.pipeline.post([reading(1), NEVER, COLD, NEVER])
        self.pipeline.post([NEVER, reading(2)], stream="zephyr")
        self.pipeline.upload("x.csv.gz", b"not gzip")
        self.pipeline.queues["writes"].send([Outgoing("gibberish")])
        self.pipeline.store.put("landing/unknown/x.csv", b"a", ObjectHeaders())
        self.pipeline.run_until_quiet()
        self.pipeline.keep_dead_letters()
        self.is_ready = (True, "ok")
        app = create_app(self.pipeline.triage, self.pipeline.replayer, lambda: self.is_ready, PrometheusMetrics())
        self.web = TestClient(app, raise_server_exceptions=False)

    def landing(self) -> set[str]:
        return {info.key for info in self.pipeline.store.list("landing/")}

    def waiting(self) -> int:
        return int(self.web.get(LIST).json()["total"])


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


@pytest.fixture(scope="module")
def calm_desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """For tests that move nothing."""
    return Desk(tmp_path_factory.mktemp("calm"))


# ------------------------------------------------------------------------------------------------ listing


def test_everything_that_waits_is_counted_grouped_and_shown(calm_desk: Desk) -> None:
    told = calm_desk.web.get(LIST).json()

    groups = {(each["kind"], each.get("stream"), each.get("queue"), each["count"]) for each in told["groups"]}
    assert groups == {
        ("record", "sensors", None, 2),
        ("record", "sensors", None, 1),
        ("record", "zephyr", None, 1),
        ("object", "sensors", None, 1),
        ("message", None, "writes", 1),
        ("message", "unknown", "landed", 1),
    }
    assert told["total"] == 7 == len(told["entries"])
    assert len({each["id"] for each in told["entries"]}) == 7


def test_a_record_is_shown_with_its_bytes_its_place_and_its_reason(calm_desk: Desk) -> None:
    [entry] = calm_desk.web.get(LIST, params={"reason": "wrong_type"}).json()["entries"]

    assert (entry["kind"], entry["stream"], entry["index"], entry["line"], entry["field"]) == (
        "record",
        "sensors",
        2,
        3,
        "temperature",
    )
    assert (entry["value"], msgspec.json.decode(entry["data"])) == ("cold", COLD)
    assert entry["message"] == "column 'temperature' is text, expected a number: 'cold'"
    assert entry["received_at"].startswith("2026-01-01T00:30:")


@pytest.mark.parametrize(
    ("wanted", "total"),
    [
        ({}, 7),
        ({"stream": "sensors"}, 4),
        ({"stream": "zephyr"}, 1),
        ({"stream": "unknown"}, 1),
        ({"stream": "nothing"}, 0),
        ({"kind": "record"}, 4),
        ({"kind": "object"}, 1),
        ({"kind": "message"}, 2),
        ({"reason": "bad_time"}, 3),
        ({"reason": "unreadable_object"}, 1),
        ({"reason": "no such reason"}, 0),
        ({"stream": "sensors", "kind": "record", "reason": "bad_time"}, 2),
        ({"stream": "zephyr", "kind": "object"}, 0),
        ({"nonsense": "is left aside"}, 7),
    ],
)
def test_filters_narrow_each_other(calm_desk: Desk, wanted: dict[str, str], total: int) -> None:
    told = calm_desk.web.get(LIST, params=wanted).json()

    assert told["total"] == total == len(told["entries"]) == sum(group["count"] for group in told["groups"])


@pytest.mark.parametrize("limit", [0, 1, 3, 10_000])
def test_a_limit_shortens_what_is_shown_and_not_what_is_counted(calm_desk: Desk, limit: int) -> None:
    told = calm_desk.web.get(LIST, params={"limit": limit}).json()

    assert (told["total"], len(told["entries"])) == (7, min(limit, 7))


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("limit=-1", "limit"),
        ("limit=10001", "limit"),
        ("limit=ten", "limit"),
        ("limit=1.5", "limit"),
        ("limit=", "limit"),
        ("kind=records", "kind"),
        ("kind=", "kind"),
        ("stream=../x", "is not a stream name"),
        ("stream=", "is not a stream name"),
    ],
)
def test_a_filter_that_means_nothing_is_refused_by_name(calm_desk: Desk, query: str, name: str) -> None:
    answer = calm_desk.web.get(f"{LIST}?{query}")

    assert (answer.status_code, answer.json()["reason"]) == (400, "bad_request")
    assert name in answer.json()["message"]


def test_without_failures_there_is_nothing_to_see(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    app = create_app(pipeline.triage, pipeline.replayer, lambda: (True, "ok"), PrometheusMetrics())

    assert TestClient(app).get(LIST).json() == {"total": 0, "groups": [], "entries": []}


# ------------------------------------------------------------------------------------------------ replays


def test_a_dry_run_counts_and_moves_nothing(calm_desk: Desk) -> None:
    before = calm_desk.landing()
    answer = calm_desk.web.post(REPLAY, json={"kind": None, "stream": "sensors", "dry_run": True})

    assert (answer.status_code, answer.json()) == (
        202,
        {"records": 3, "objects": 1, "messages": 0, "landing_keys": [], "dry_run": True},
    )
    assert calm_desk.landing() == before
    assert calm_desk.waiting() == 7


def test_what_is_replayed_lands_anew_and_waits_no_more(desk: Desk) -> None:
    before = desk.landing()
    told = desk.web.post(REPLAY, json={"stream": "sensors"}).json()

    assert (told["records"], told["objects"], told["messages"], told["dry_run"]) == (3, 1, 0, False)
    assert set(told["landing_keys"]) == desk.landing() - before
    assert desk.waiting() == 3


@pytest.mark.parametrize("body", [b"", b"{}", b'{"stream": null}', b'{"limit": 5}', b'{"dry_run": true}'])
def test_everything_at_once_must_be_said_and_not_left_out(calm_desk: Desk, body: bytes) -> None:
    answer = calm_desk.web.post(REPLAY, content=body)

    assert (answer.status_code, answer.json()["reason"]) == (400, "bad_request")
    assert "choose what to replay" in answer.json()["message"]
    assert calm_desk.waiting() == 7


@pytest.mark.parametrize("limit", [1, 3, 5, 100, 10**30])
def test_a_limit_is_for_records_objects_and_messages_together(desk: Desk, limit: int) -> None:
    ids = [entry["id"] for entry in desk.web.get(LIST).json()["entries"]]
    told = desk.web.post(REPLAY, json={"ids": ids, "limit": limit}).json()

    assert told["records"] + told["objects"] + told["messages"] == min(limit, 7)
    assert desk.waiting() == 7 - min(limit, 7)


def test_single_failures_are_chosen_by_id(desk: Desk) -> None:
    entries = desk.web.get(LIST).json()["entries"]
    chosen = [entry for entry in entries if entry["kind"] == "message"][:1] + entries[:1]
    told = desk.web.post(REPLAY, json={"ids": [entry["id"] for entry in chosen] + ["nobody:knows:0"]}).json()

    assert (told["records"], told["objects"], told["messages"]) == (1, 0, 1)
    left = {entry["id"] for entry in desk.web.get(LIST).json()["entries"]}
    assert left == {entry["id"] for entry in entries} - {entry["id"] for entry in chosen}


@pytest.mark.parametrize(
    "body",
    [
        b"oops",
        b"[]",
        b"null",
        b'"sensors"',
        b"\xff",
        b'{"stream": "\xff"}',
        b"[" * 100_000,
        b'{"stream": 5}',
        b'{"stream": "../x"}',
        b'{"streem": "sensors"}',
        b'{"kind": "everything"}',
        b'{"ids": "one"}',
        b'{"stream": "sensors", "limit": 0}',
        b'{"stream": "sensors", "limit": -1}',
        b'{"stream": "sensors", "limit": 1.5}',
        b'{"stream": "sensors", "limit": 1e999}',
        b'{"stream": "sensors", "dry_run": "yes"}',
    ],
)
def test_a_request_that_means_nothing_is_refused_and_moves_nothing(calm_desk: Desk, body: bytes) -> None:
    before = calm_desk.landing()
    answer = calm_desk.web.post(REPLAY, content=body)

    assert (answer.status_code, answer.json()["reason"]) == (400, "bad_request")
    assert answer.json()["message"]
    assert calm_desk.landing() == before


def test_a_body_over_the_limit_is_refused(calm_desk: Desk) -> None:
    for body in (b" " * (5 << 20), iter([b" " * (1 << 20)] * 5)):
        answer = calm_desk.web.post(REPLAY, content=body)
        assert (answer.status_code, answer.json()["reason"]) == (413, "too_large")


def test_an_object_that_is_gone_is_told_and_keeps_nothing_else_from_being_replayed(desk: Desk) -> None:
    desk.pipeline.upload("y.csv.gz", b"not gzip either")
    desk.pipeline.run_until_quiet()
    desk.pipeline.store.remove("landing/sensors/x.csv.gz")
    answer = desk.web.post(REPLAY, json={"stream": "sensors"})

    assert (answer.status_code, answer.json()["reason"]) == (409, "conflict")
    assert answer.json()["message"].startswith("1 of 2 objects could not be landed again")
    assert "everything else that was chosen has been replayed" in answer.json()["message"]
    assert any(key.endswith("-y.csv.gz") for key in desk.landing())
    assert desk.waiting() == 3 + 1


# ------------------------------------------------------------------------------------------------ routes and probes


@pytest.mark.parametrize(
    ("method", "path", "refusal", "allowed"),
    [
        ("GET", REPLAY, (405, "method_not_allowed"), "POST"),
        ("DELETE", LIST, (405, "method_not_allowed"), "GET"),
        ("GET", "/", (404, "not_found"), None),
        ("GET", "/v1/dead-letters/7", (404, "not_found"), None),
    ],
)
def test_a_wrong_method_or_path_is_answered_in_json(
    calm_desk: Desk, method: str, path: str, refusal: tuple[int, str], allowed: str | None
) -> None:
    answer = calm_desk.web.request(method, path)

    assert (answer.status_code, answer.json()["reason"]) == refusal
    assert answer.headers.get("allow") == allowed
    assert "POST /v1/replays" in answer.json()["message"]


def test_probes_say_ready_and_why_not(desk: Desk) -> None:
    assert desk.web.get("/healthz").json() == {"ok": True, "why": "ok"}
    assert desk.web.get("/readyz").status_code == 200

    desk.is_ready = (False, "stopping")
    answer = desk.web.get("/readyz")
    assert (answer.status_code, answer.json()) == (503, {"ok": False, "why": "stopping"})
    assert desk.web.get("/metrics").headers["content-type"].startswith("text/plain; version=0.0.4")


@pytest.mark.parametrize("error", [Unavailable("connection refused"), ZeroDivisionError("a bug")])
def test_a_store_that_is_down_and_a_fault_of_ours_are_answered_with_try_again(desk: Desk, error: Exception) -> None:
    def down(_operation: str, _key: str) -> None:
        raise error

    desk.pipeline.store.fault = down
    for answer in (desk.web.get(LIST), desk.web.post(REPLAY, json={"stream": "sensors"})):
        assert (answer.status_code, answer.json()["reason"]) == (503, "unavailable")
        assert int(answer.headers["retry-after"]) >= 1
        assert "bug" not in answer.text


# ------------------------------------------------------------------------------------------------ anything at all


@pytest.fixture(scope="module")
def shared_desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    return Desk(tmp_path_factory.mktemp("any"))


words = st.sampled_from(["sensors", "record", "bad_time", "", "../x", "é", None, 5, -1, True, 10**30, ["a"], {}])
asked = st.dictionaries(
    st.sampled_from(["stream", "kind", "reason", "ids", "limit", "dry_run", "x"]), words, max_size=4
)


@settings(max_examples=150)
@given(st.binary(max_size=40) | asked.map(msgspec.json.encode))
def test_no_request_is_answered_with_a_server_error(shared_desk: Desk, body: bytes) -> None:
    answer = shared_desk.web.post(REPLAY, content=body)

    assert answer.status_code in (202, 400, 409)
    assert isinstance(answer.json(), dict)


@given(st.dictionaries(st.sampled_from(["stream", "kind", "reason", "limit"]), st.text(max_size=8), max_size=3))
def test_no_filter_is_answered_with_a_server_error(shared_desk: Desk, query: dict[str, str]) -> None:
    answer = shared_desk.web.get(LIST, params=query)

    assert answer.status_code in (200, 400)
    assert isinstance(answer.json(), dict)
