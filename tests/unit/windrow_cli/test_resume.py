"""`windrow resume`, as an operator runs it."""

import json

import pytest

from tests.support.emulators import Deploy
from tests.support.pipeline import SENSORS
from tests.unit.windrow_cli.conftest import Windrow
from windrow import catalog, halts
from windrow.ports import ObjectStore

Deployed = tuple[ObjectStore, dict[str, str]]


@pytest.fixture
def deployed(moto: str, deploy: Deploy) -> Deployed:
    session = deploy(moto)
    store = session.store()
    catalog.publish(store, SENSORS + "halt: {ratio: 0.5}\n", "sensors.yaml")
    return store, {"AWS_ENDPOINT_URL": moto, "WINDROW_PREFIX": session.prefix, "AWS_REGION": session.region}


def _stop(store: ObjectStore, version: int = 1) -> None:
    halt = halts.Halt(
        stream="sensors",
        spec_version=version,
        at_us=1,
        records=1_000,
        quarantined=600,
        landing_key="landing/sensors/a",
        reason="column 'x' is not a float: 'abc'",
    )
    halts.stop(store, halt)


def test_a_halted_stream_goes_on_and_stays_so(windrow: Windrow, deployed: Deployed) -> None:
    store, environment = deployed
    _stop(store)
    ran = windrow("resume", "sensors", environment=environment)

    assert (ran.code, ran.err) == (0, "")
    assert ran.out == "sensors goes on under version 1; what waited is decoded within a minute\n"
    assert halts.find(store, "sensors", 1) is None
    assert halts.was_resumed(store, "sensors", 1)


def test_a_stream_that_is_not_halted_is_said_to_be_so(windrow: Windrow, deployed: Deployed) -> None:
    _, environment = deployed
    ran = windrow("resume", "sensors", environment=environment)
    assert (ran.code, ran.out) == (1, "")
    assert "sensors is not halted (version 1 of its spec is in force)" in ran.err

    ran = windrow("resume", "sensors", "--json", environment=environment)
    assert (ran.code, json.loads(ran.out)) == (0, {"stream": "sensors", "version": 1, "was_halted": False})


def test_a_new_version_is_not_what_was_halted(windrow: Windrow, deployed: Deployed) -> None:
    store, environment = deployed
    _stop(store)
    catalog.publish(store, SENSORS + "halt: {ratio: 0.9}\n", "sensors.yaml")

    assert "not halted (version 2" in windrow("resume", "sensors", environment=environment).err


def test_an_unknown_stream_is_told_which_there_are(windrow: Windrow, deployed: Deployed) -> None:
    _, environment = deployed
    ran = windrow("resume", "sensor", environment=environment)

    assert (ran.code, "there is no stream 'sensor' (streams: sensors)" in ran.err) == (1, True)
