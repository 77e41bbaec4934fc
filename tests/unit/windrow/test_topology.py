import json
import re
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from tests.support.emulators import LOCALSTACK_IMAGE, ROOT
from windrow import keys, topology
from windrow.errors import BadSettings
from windrow.settings import WorkerSettings
from windrow.topology import Topology

PATH = ROOT / "infra" / "topology.json"


@pytest.fixture
def raw() -> dict[str, Any]:
    return deepcopy(json.loads(PATH.read_text()))


def faults_of(raw: object, folder: Path) -> list[str]:
    path = folder / "topology.json"
    path.write_text(raw if isinstance(raw, str) else json.dumps(raw))
    with pytest.raises(BadSettings) as raised:
        topology.load(path)
    assert raised.value.subject == str(path)
    return list(raised.value.faults)


# ------------------------------------------------------------------------------------------------ ours


def test_names_carry_the_deployments_prefix(topology: Topology) -> None:
    assert topology.bucket_name("t1", "raw") == "t1-raw"
    assert topology.queue_name("t1", "landed") == "t1-landed"
    assert topology.queue_name("t1", topology.dead_letter_queue("landed")) == "t1-landed-dead"
    assert topology.zone_buckets("t1")["landing"] == "t1-raw"


def test_the_worker_gives_up_with_a_reason_before_sqs_does_without_one(topology: Topology) -> None:
    most = WorkerSettings.model_fields["max_attempts"].default

    assert [name for name, queue in topology.queues.items() if queue.max_receives <= most] == []


def test_no_two_deployments_or_streams_share_a_table(topology: Topology) -> None:
    names = {
        topology.table_name(prefix, keys.latest_table(stream, "t"))
        for prefix in ("a", "a-b")
        for stream in ("b-c", "c")
    }

    assert len(names) == 4
    assert topology.table_name("t1", keys.latest_table("sensors", "latest")) == "t1.sensors.latest"


def test_only_tables_and_exports_are_deleted_from_and_only_by_who_writes_them(topology: Topology) -> None:
    deleting = {name: shape.deletes for name, shape in topology.services.items() if shape.deletes}

    assert deleting == {"writer": ("exports", "lake")}
    assert set(topology.services["writer"].writes) >= {"exports", "lake"}
    assert [name for name, shape in topology.services.items() if shape.puts_latest] == ["writer"]


def test_every_queue_has_one_consumer_and_every_zone_but_the_senders_a_writer(topology: Topology) -> None:
    consumed = [queue for service in topology.services.values() for queue in service.consumes]
    written = {zone for service in topology.services.values() for zone in service.writes}

    assert sorted(consumed) == sorted([*topology.queues, *map(topology.dead_letter_queue, topology.queues)])
    assert set(topology.zones) - written == {"config"}  # people publish specs


def test_no_two_services_want_the_same_port(topology: Topology) -> None:
    ports = [service.port for service in topology.services.values()]

    assert len(set(ports)) == len(ports)


def test_the_source_tree_knows_its_topology() -> None:
    assert topology.find() == PATH


def test_compose_and_the_tests_run_the_same_localstack() -> None:
    images = re.findall(r"image:\s*['\"]?(localstack/[^\s'\"]+)", (ROOT / "docker-compose.yml").read_text())

    assert images == [LOCALSTACK_IMAGE]


# ------------------------------------------------------------------------------------------------ faults


def test_every_name_that_leads_nowhere_is_reported_at_once(raw: dict[str, Any], tmp_path: Path) -> None:
    raw["zones"]["landing"]["bucket"] = "attic"
    raw["notifications"].append({"zone": "cellar", "events": [], "queue": "nobody"})
    raw["services"]["ingest"]["writes"] = ["landing", "roof"]
    raw["services"]["writer"]["deletes"] = ["shed"]
    raw["services"]["consumer"]["consumes"] = ["landed-gone"]

    assert faults_of(raw, tmp_path) == [
        "zones.landing.bucket: no bucket named 'attic'",
        "notifications[1].zone: no zone named 'cellar'",
        "notifications[1].queue: no queue named 'nobody'",
        "services.ingest: no zone named 'roof'",
        "services.consumer: no queue named 'landed-gone'",
        "services.writer: no zone named 'shed'",
    ]


def test_a_dead_letter_queue_may_be_consumed_and_produced_to(raw: dict[str, Any], tmp_path: Path) -> None:
    raw["services"]["ingest"]["produces"] = ["landed-dead"]
    path = tmp_path / "t.json"
    path.write_text(json.dumps(raw))

    assert topology.load(path).services["ingest"].produces == ("landed-dead",)


def test_an_unknown_field_is_a_fault_with_its_place(raw: dict[str, Any], tmp_path: Path) -> None:
    raw["queues"]["landed"]["visibilty_s"] = 3
    [fault] = faults_of(raw, tmp_path)

    assert "visibilty_s" in fault
    assert "queues" in fault


def test_a_wrong_type_is_a_fault_with_its_place(raw: dict[str, Any], tmp_path: Path) -> None:
    raw["queues"]["landed"]["max_receives"] = "ten"
    [fault] = faults_of(raw, tmp_path)

    assert "max_receives" in fault


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"version": 1}', "ÿ"])
def test_what_is_no_topology_is_a_fault(text: str, tmp_path: Path) -> None:
    assert faults_of(text, tmp_path)


def test_a_file_that_is_not_there_is_a_fault(tmp_path: Path) -> None:
    with pytest.raises(BadSettings, match="cannot be read: No such file"):
        topology.load(tmp_path / "nothing.json")


def test_a_zone_that_is_only_confirmed_is_one_that_is_read(raw: dict[str, Any], tmp_path: Path) -> None:
    raw["services"]["ingest"]["confirms"] = ["lake"]
    assert faults_of(raw, tmp_path) == ["services.ingest: it confirms 'lake', which is not in its reads"]
