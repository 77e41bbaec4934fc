"""What the documents say is so."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.conformance import conformance_page
from tests.support.reference import SERVICES, page
from tests.support.spec_reference import PAGE, schema_file, spec_page
from windrow import metrics, spec, topology
from windrow.spec.carried_out import not_carried_out

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("service", SERVICES)
def test_the_settings_table_of_a_service_is_current(service: str) -> None:
    path, expected = page(service)

    assert path.read_text() == expected, "run `make reference`"


@pytest.mark.parametrize("made", [spec_page, schema_file, conformance_page])
def test_the_reference_of_the_spec_is_current(made: Callable[[], tuple[Path, str]]) -> None:
    path, expected = made()

    assert path.read_text() == expected, "run `make reference`"


def test_the_specs_in_the_page_about_specs_are_good() -> None:
    examples = re.findall(r"^```yaml\n(.*?)^```", PAGE.read_text(), re.DOTALL | re.MULTILINE)

    assert examples
    for example in examples:
        assert spec.parse(example, PAGE.name).windows


@pytest.mark.parametrize("service", SERVICES)
def test_every_room_answers_the_same_five_questions(service: str) -> None:
    headings = re.findall(r"^## (.+)$", (ROOT / "services" / service / "README.md").read_text(), re.MULTILINE)

    assert headings == ["Purpose", "Reads", "Writes", "Settings", "When it fails"]


@pytest.mark.parametrize("service", SERVICES)
def test_every_room_has_the_same_doors(service: str) -> None:
    files = {path.name for path in (ROOT / "services" / service / "src" / f"windrow_{service}").iterdir()}

    assert {"main.py", "settings.py", "handler.py", "py.typed"} <= files


@pytest.mark.parametrize("service", SERVICES)
def test_the_queues_a_room_names_are_those_of_the_topology(service: str) -> None:
    shape = topology.load(ROOT / "infra" / "topology.json")
    text = (ROOT / "services" / service / "README.md").read_text()
    touched = {*shape.services[service].consumes, *shape.services[service].produces} - {
        shape.dead_letter_queue(queue) for queue in shape.queues
    }
    missing = {queue for queue in touched if f"`{queue}`" not in text}

    assert missing == set()


def test_every_link_inside_the_repository_leads_somewhere() -> None:
    pages = [
        *ROOT.glob("*.md"),
        *ROOT.glob("docs/*.md"),
        *ROOT.glob("services/*/README.md"),
        *ROOT.glob("shared/**/*.md"),
    ]
    broken = [
        f"{page_path.relative_to(ROOT)}: {target}"
        for page_path in pages
        for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page_path.read_text())
        if "://" not in target and not (page_path.parent / target).exists()
    ]

    assert broken == []


def test_every_metric_has_a_meaning() -> None:
    names = {
        name for alias in (metrics.CounterName, metrics.GaugeName, metrics.HistogramName) for name in alias.__args__
    }

    assert set(metrics._HELP) == names


def test_the_topology_is_plain_json_that_other_tools_can_read() -> None:
    assert json.loads((ROOT / "infra" / "topology.json").read_text())["version"] == 1


def test_the_windows_that_the_page_shows_are_a_stream_that_can_be_published() -> None:
    page_text = (ROOT / "docs/windows.md").read_text()
    [shown] = re.findall(r"```yaml\n(.*?)```", page_text, re.DOTALL)
    parsed = spec.parse(shown, "docs/windows.md")

    assert not_carried_out(parsed) == []
    assert {window.kind for window in parsed.windows.values()} == {
        *("tumbling", "sliding", "session", "cumulative", "sequence")
    }
