import os
from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

import pytest
from pydantic import ValidationError

from windrow import settings
from windrow.errors import BadSettings
from windrow.settings import Settings, WorkerSettings

S = TypeVar("S", bound=Settings)
NEEDED = {"AWS_REGION": "eu-central-1", "WINDROW_PORT": "8081"}


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch) -> object:
    """Loads settings in a process that was given exactly these variables."""

    def loading(kind: type[S], environment: Mapping[str, str]) -> S:
        for name in ("AWS_REGION", "AWS_ENDPOINT_URL"):
            monkeypatch.delenv(name, raising=False)
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        return settings.load(kind, os.environ)

    return loading


def faults_of(load: object, environment: Mapping[str, str], kind: type[Settings] = WorkerSettings) -> list[str]:
    with pytest.raises(BadSettings) as raised:
        load(kind, environment)  # type: ignore[operator]
    return list(raised.value.faults)


def test_what_is_not_given_has_a_default(load: object) -> None:
    loaded = load(WorkerSettings, NEEDED)  # type: ignore[operator]

    assert (loaded.prefix, loaded.host, loaded.port, loaded.region) == ("windrow", "127.0.0.1", 8081, "eu-central-1")
    assert loaded.endpoint_url is None
    assert loaded.topology.name == "topology.json"


def test_what_is_given_is_taken(load: object) -> None:
    given = {
        "AWS_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": "http://localstack:4566",
        "WINDROW_PORT": "9000",
        "WINDROW_PREFIX": "team-a",
        "WINDROW_HOST": "0.0.0.0",
        "WINDROW_WAIT_S": "0.5",
        "WINDROW_MAX_ATTEMPTS": "3",
        "WINDROW_LOG_LEVEL": "debug",
    }
    loaded = load(WorkerSettings, given)  # type: ignore[operator]

    assert (loaded.region, loaded.endpoint_url, loaded.port) == ("us-east-1", "http://localstack:4566", 9000)
    assert (loaded.prefix, loaded.host, loaded.wait_s, loaded.max_attempts) == ("team-a", "0.0.0.0", 0.5, 3)
    assert loaded.log_level == "debug"


def test_every_missing_and_wrong_variable_is_reported_at_once(load: object) -> None:
    faults = faults_of(
        load,
        {
            "WINDROW_PORT": "70000",
            "WINDROW_PREFIX": "Team_A",
            "WINDROW_LOG_LEVEL": "loud",
            "WINDROW_WAIT_S": "-1",
            "WINDROW_MAX_ATTEMPTS": "many",
            "WINDROW_MAX_FAILURE_RATIO": "1.5",
            "WINDROW_TOPOLOGY": "/nowhere/topology.json",
        },
    )

    assert sorted(fault.split("=")[0].split(" ")[0] for fault in faults) == [
        "AWS_REGION",
        "WINDROW_LOG_LEVEL",
        "WINDROW_MAX_ATTEMPTS",
        "WINDROW_MAX_FAILURE_RATIO",
        "WINDROW_PORT",
        "WINDROW_PREFIX",
        "WINDROW_TOPOLOGY",
        "WINDROW_WAIT_S",
    ]


def test_a_missing_variable_says_what_it_is_for(load: object) -> None:
    assert faults_of(load, {"WINDROW_PORT": "1"}) == ["AWS_REGION is missing (AWS region.)"]


def test_a_wrong_variable_shows_its_value_and_what_was_expected(load: object) -> None:
    [fault] = faults_of(load, {**NEEDED, "WINDROW_PORT": "http"})

    assert fault.startswith("WINDROW_PORT='http' is wrong: ")
    assert "integer" in fault


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("WINDROW_MAX_ATEMPTS", "WINDROW_MAX_ATTEMPTS"),
        ("WINDROW_LOGLEVEL", "WINDROW_LOG_LEVEL"),
        ("WINDROW_PREFX", "WINDROW_PREFIX"),
    ],
)
def test_a_misspelt_variable_is_told_the_right_one(load: object, given: str, meant: str) -> None:
    assert faults_of(load, {**NEEDED, given: "3"}) == [f"{given} is not a setting; did you mean {meant}?"]


def test_misspellings_and_other_faults_are_reported_together(load: object) -> None:
    faults = faults_of(load, {"WINDROW_PORT": "1", "WINDROW_MAX_ATEMPTS": "3"})

    assert len(faults) == 2


def test_another_services_setting_is_none_of_our_business(load: object) -> None:
    others = {"WINDROW_SWEEP_AFTER_S": "60", "WINDROW_LINGER_S": "1", "WINDROW_SWEEP_S": "5", "HOME": "/", "AWS_X": "y"}

    assert load(Settings, {**NEEDED, **others}).port == 8081  # type: ignore[operator]


def test_settings_do_not_change_under_anybodys_hands(load: object) -> None:
    loaded = load(WorkerSettings, NEEDED)  # type: ignore[operator]

    with pytest.raises(ValidationError, match="frozen"):
        loaded.port = 1


def test_every_setting_says_what_it_means() -> None:
    assert [name for name, field in WorkerSettings.model_fields.items() if not field.description] == []


def test_the_default_topology_is_the_one_in_this_repository(load: object) -> None:
    assert load(Settings, NEEDED).topology == Path(__file__).parents[3] / "infra" / "topology.json"  # type: ignore[operator]
