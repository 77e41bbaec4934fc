"""`windrow status`: figures that an alarm can watch."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.console import Console

from tests.support.emulators import Deploy
from tests.unit.windrow_cli.conftest import Windrow
from windrow import catalog, keys
from windrow.aws.session import AwsSession
from windrow.conservation import Balance
from windrow.ports import ObjectHeaders, Outgoing, QueueDepth
from windrow.topology import Topology
from windrow_cli import status
from windrow_cli.status import Figures, as_plain, render

_SPEC = "stream: sensors\ntime: {column: ts}\ncolumns: {ts: timestamp}\n"
_BALANCE = Balance(
    "sensors",
    received=10,
    written=6,
    duplicate=1,
    quarantined=2,
    in_flight=1,
    last_commit_us=1_000_000,
    max_time_us=1_767_268_800_000_000,
)
_NONE = {"landed": QueueDepth(0, 0), "landed-dead": QueueDepth(0, 0)}


def _text(figures: Figures) -> str:
    console = Console(width=300)
    with console.capture() as captured:
        console.print(render(figures))
    return captured.get()


def test_what_adds_up_is_explained() -> None:
    figures = Figures((_BALANCE,), _NONE, now_us=61_000_000)
    balances, freshness = (
        re.split(r" *│ *| {2,}", line.strip(" │")) for line in _text(figures).splitlines() if "sensors" in line
    )

    assert figures.is_explained
    assert balances == ["sensors", "10", "6", "1", "2", "1", "0"]
    assert freshness == ["sensors", "1 min ago", "2026-01-01 12:00:00"]


def test_what_does_not_add_up_is_said_loudly() -> None:
    figures = Figures((Balance("sensors", received=10, written=9),), _NONE, now_us=0)

    assert not figures.is_explained
    assert "unexplained. That must never be" in _text(figures)
    assert as_plain(figures)["streams"][0]["unexplained"] == 1


@pytest.mark.parametrize(
    ("balance", "depths", "is_quiet"),
    [
        (Balance("s", received=1, written=1), _NONE, True),
        (Balance("s", received=1, in_flight=1), _NONE, False),
        (Balance("s", uncounted_objects=1), _NONE, False),
        (Balance("s"), {"landed": QueueDepth(1, 0)}, False),
        (Balance("s"), {"landed": QueueDepth(0, 1)}, False),
        (Balance("s"), {"landed": QueueDepth(0, 0), "landed-dead": QueueDepth(5, 0)}, True),
    ],
)
def test_quiet_means_that_nothing_is_on_its_way(
    balance: Balance, depths: dict[str, QueueDepth], is_quiet: bool
) -> None:
    assert Figures((balance,), depths, 0).is_quiet is is_quiet


# ---------------------------------------------------------------------------------------------------- a deployment


@pytest.fixture
def session(moto: str, deploy: Deploy, topology: Topology) -> Iterator[AwsSession]:
    made = deploy(moto, topology)
    catalog.publish(made.store(), _SPEC, "sensors.yaml")
    return made


def _environment(session: AwsSession) -> dict[str, str]:
    assert session.endpoint_url is not None
    return {
        "AWS_ENDPOINT_URL": session.endpoint_url,
        "AWS_REGION": session.region,
        "WINDROW_PREFIX": session.prefix,
    }


def test_records_on_their_way_and_letters_that_failed_are_counted(windrow: Windrow, session: AwsSession) -> None:
    key = keys.landing_key("sensors", 0, "w1", ".ndjson")
    session.store().put_if_absent(key, b"{}\n{}\n", ObjectHeaders({"records": "2"}, "application/x-ndjson"))
    session.dead_letters_of("writes").send([Outgoing("x")])
    ran = windrow("status", "--json", environment=_environment(session))

    found = json.loads(ran.out)
    assert ran.code == 0
    (stream,) = found["streams"]
    assert (stream["stream"], stream["received"], stream["in_flight"], stream["unexplained"]) == ("sensors", 2, 2, 0)
    assert found["queues"]["writes-dead"] == {"waiting": 1, "in_flight": 0}


def test_unexplained_records_end_with_exit_code_1(
    windrow: Windrow, session: AwsSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(status, "balance", lambda _store, _lake, stream: Balance(stream, received=1))
    assert windrow("status", environment=_environment(session)).code == 1


def test_a_stream_that_is_not_there_lists_those_that_are(windrow: Windrow, session: AwsSession) -> None:
    ran = windrow("status", "--stream", "nope", environment=_environment(session))
    assert (ran.code, "there is no stream 'nope' (streams: sensors)" in ran.err) == (1, True)


# ---------------------------------------------------------------------------------------------------- publish


def test_publishing_says_which_version_it_became(windrow: Windrow, session: AwsSession) -> None:
    Path("sensors.yaml").write_text(_SPEC.replace("ts: timestamp", "ts: timestamp, value: float"))
    environment = _environment(session)
    first = json.loads(windrow("publish", "sensors.yaml", "--json", environment=environment).out)
    again = json.loads(windrow("publish", "sensors.yaml", "--json", environment=environment).out)

    assert first == [{"stream": "sensors", "version": 2, "is_new": True, "new_tables": []}]
    assert again == [{"stream": "sensors", "version": 2, "is_new": False, "new_tables": []}]
    assert "unchanged" in windrow("publish", "sensors.yaml", environment=environment).out


def test_publishing_to_an_emulator_makes_the_tables_of_sinks(windrow: Windrow, session: AwsSession) -> None:
    text = _SPEC.replace("ts: timestamp", "ts: timestamp, k: string")
    more = "keys: [k]\nsinks: [{kind: dynamodb, table: latest}]\n"
    Path("sensors.yaml").write_text(text.replace("stream: sensors", "stream: others") + more)
    for _ in range(2):  # what stands already is left as it is
        assert windrow("publish", "sensors.yaml", environment=_environment(session)).code == 0

    tables = session.dynamodb.list_tables()["TableNames"]
    session.dynamodb.close()
    assert f"{session.prefix}.others.latest" in tables


_OTHER = _SPEC.replace("ts: timestamp", "ts: timestamp, value: float")
_BREAKING = _SPEC.replace("ts: timestamp", "ts: timestamp, value: string")


def test_a_change_that_tables_cannot_follow_is_refused_and_begins_new_ones_if_that_is_asked_for(
    windrow: Windrow, session: AwsSession
) -> None:
    Path("sensors.yaml").write_text(_OTHER)
    environment = _environment(session)
    windrow("publish", "sensors.yaml", environment=environment)
    Path("sensors.yaml").write_text(_BREAKING)
    refused = windrow("publish", "sensors.yaml", environment=environment)
    assert (refused.code, "--new-tables" in refused.err) == (2, True)
    published = windrow("publish", "sensors.yaml", "--new-tables", environment=environment)

    assert published.code == 0
    told = "New tables begin: sensors__v2.records. Records that come from now on go there"
    assert told in published.out
    assert "the older ones stay as sensors__v1.records and so on, and receive nothing more" in published.out
    assert "New tables" not in windrow("publish", "sensors.yaml", "--new-tables", environment=environment).out


def test_every_version_of_a_streams_tables_has_figures_of_its_own(windrow: Windrow, session: AwsSession) -> None:
    environment = _environment(session)
    store = session.store()
    catalog.publish(store, _OTHER, "x")
    store.put_if_absent("landing/sensors/a", b"", ObjectHeaders({"records": "2"}, "application/x-ndjson"))
    Path("sensors.yaml").write_text(_BREAKING)
    windrow("publish", "sensors.yaml", "--new-tables", environment=environment)
    store.put_if_absent("landing/sensors/b", b"", ObjectHeaders({"records": "3"}, "application/x-ndjson"))

    def received(*arguments: str) -> dict[str, int]:
        found = json.loads(windrow("status", *arguments, "--json", environment=environment).out)
        return {each["stream"]: each["received"] for each in found["streams"]}

    assert received() == received("--stream", "sensors") == {"sensors__v1": 2, "sensors": 3}
    assert received("--stream", "sensors__v1") == {"sensors__v1": 2}
    assert windrow("status", "--stream", "sensors__v3", environment=environment).code == 1


def test_all_faults_of_all_files_are_listed_and_none_is_published(windrow: Windrow, session: AwsSession) -> None:
    Path("good.yaml").write_text(_SPEC.replace("sensors", "fresh"))
    Path("bad.yaml").write_text("stream: UPPER\ntime: {column: nope}\ncolumns: {}\n")
    Path("worse.yaml").write_text("stream: [")
    ran = windrow("publish", "good.yaml", "bad.yaml", "worse.yaml", "gone.yaml", environment=_environment(session))

    assert ran.code == 2
    for part in ("bad.yaml: line 1, column 9: stream:", "worse.yaml: line", "gone.yaml: cannot be read"):
        assert part in ran.err
    assert not list(session.store().list(keys.spec_prefix("fresh")))
