"""The settings of all five services, which share one loader: what is needed, and what a person is told."""

import os

import pytest

from windrow import settings
from windrow.errors import BadSettings
from windrow.settings import Settings, WorkerSettings
from windrow_consumer.settings import ConsumerSettings
from windrow_ingest.settings import IngestSettings
from windrow_reprocessor.settings import ReprocessorSettings
from windrow_windower.settings import WindowerSettings
from windrow_writer.settings import WriterSettings

CLASSES = [IngestSettings, ConsumerSettings, WindowerSettings, WriterSettings, ReprocessorSettings]
every_service = pytest.mark.parametrize("kind", CLASSES)


def load(kind: type[Settings], monkeypatch: pytest.MonkeyPatch, **given: str) -> Settings:
    monkeypatch.delenv("AWS_REGION", raising=False)
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    return settings.load(kind, os.environ)


@every_service
def test_a_region_and_a_port_are_all_a_service_needs(kind: type[Settings], monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = load(kind, monkeypatch, AWS_REGION="eu-central-1", WINDROW_PORT="8080")

    assert (loaded.region, loaded.port, loaded.endpoint_url) == ("eu-central-1", 8080, None)


@every_service
def test_every_fault_is_told_at_once(kind: type[Settings], monkeypatch: pytest.MonkeyPatch) -> None:
    own = [name for name in kind.model_fields if name not in Settings.model_fields]
    assert own
    given = {f"WINDROW_{name.upper()}": "-1" for name in own}
    with pytest.raises(BadSettings) as raised:
        load(kind, monkeypatch, **given)

    told = {fault.split("=")[0].split(" ")[0] for fault in raised.value.faults}
    assert told == {"AWS_REGION", "WINDROW_PORT", *given}


@every_service
def test_no_setting_can_be_nothing_at_all_but_the_waits(kind: type[Settings], monkeypatch: pytest.MonkeyPatch) -> None:
    own = [name for name in kind.model_fields if name not in Settings.model_fields and name != "wait_s"]
    with pytest.raises(BadSettings) as raised:
        load(kind, monkeypatch, AWS_REGION="x", WINDROW_PORT="1", **{f"WINDROW_{name.upper()}": "0" for name in own})

    assert len(raised.value.faults) == len(own)


@every_service
def test_every_setting_says_what_it_means(kind: type[Settings]) -> None:
    assert [name for name, field in kind.model_fields.items() if not field.description] == []


@every_service
def test_every_figure_has_its_unit_in_its_name(kind: type[Settings]) -> None:
    """Counts and ratios are named for what they count; the rest ends in its unit."""
    counted = ("attempts", "window", "ratio", "messages", "rows", "places", "records", "port", "puts", "gets", "pieces")
    numbers = [name for name, field in kind.model_fields.items() if field.annotation in (int, float)]
    assert numbers
    assert [name for name in numbers if not name.endswith(("_s", "_bytes", *counted))] == []


def test_every_consumer_of_a_queue_has_the_settings_of_a_worker() -> None:
    assert all(issubclass(kind, WorkerSettings) for kind in CLASSES if kind is not IngestSettings)
