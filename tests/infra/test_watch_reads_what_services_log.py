"""Metrics are made of log lines: each event and field that `infra/modules/watch` names is one that the services log."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
METRICS = (ROOT / "infra/modules/watch/metrics.tf").read_text(encoding="utf-8")
EVENT = re.compile(
    r"(?P<metric>\w+)\s*= \{ services = \[(?P<services>[^\]]+)\], event = \"(?P<event>\w+)\","
    r" field = (?P<field>null|\"\w+\"), by = \"(?P<by>\w+)\""
)
NAMED = [match.groupdict() for match in EVENT.finditer(METRICS)]
WORKERS = "consumer", "windower", "writer"


def lines_of(service: str) -> Iterator[tuple[str, set[str]]]:
    """Event and fields of every line that the source of a service may log, the shared worker's among them."""
    folders = [ROOT / "services" / service / "src", ROOT / "shared/src/windrow"]
    for path in (path for folder in folders for path in folder.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case ast.Call(
                    func=ast.Attribute(value=ast.Attribute(attr="log") | ast.Name(id="log")),
                    args=[ast.Constant(value=str(event)), *_],
                    keywords=keywords,
                ):
                    yield event, {keyword.arg for keyword in keywords if keyword.arg}


def test_every_metric_of_the_module_was_read_here() -> None:
    assert len(NAMED) == len(re.findall(r"event = \"", METRICS)) >= 7


@pytest.mark.parametrize("named", NAMED, ids=lambda named: named["metric"])
def test_an_event_that_becomes_a_metric_is_logged_with_its_fields(named: dict[str, str]) -> None:
    wanted = {named["by"]} | ({named["field"].strip('"')} - {"null"})
    for service in re.findall(r"\w+", named["services"]):
        logged = [fields for event, fields in lines_of(service) if event == named["event"]]
        assert logged, f"{service} logs no {named['event']}"
        assert all(wanted <= fields for fields in logged), f"{service}: {named['event']} has not always {wanted}"


def test_a_worker_is_watched_wherever_it_can_bury_or_stop() -> None:
    for event in ("message_dead_lettered", "consumer_stopped"):
        [named] = [each for each in NAMED if each["event"] == event]
        assert tuple(re.findall(r"\w+", named["services"])) == WORKERS
