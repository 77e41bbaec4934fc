"""`windrow spec`: differences, and the schema."""

import json
from pathlib import Path

import pytest

from tests.unit.windrow_cli.conftest import Windrow
from windrow import catalog
from windrow.clock import SystemClock
from windrow.spec.json_schema import json_schema
from windrow.testing.store import MemoryObjectStore
from windrow_cli import spec_command

OLD = """\
stream: sensors
time: {column: ts}
columns: {ts: timestamp, v: float}
"""


@pytest.fixture(autouse=True)
def files(windrow: Windrow) -> None:
    """Specs in the folder that the command runs in."""
    Path("old.yaml").write_text(OLD)
    Path("same.yaml").write_text(OLD + "description: the same\n")
    Path("wider.yaml").write_text(OLD.replace("v: float", "v: {type: float, range: [0, 9]}, w: int"))
    Path("breaks.yaml").write_text(OLD.replace("v: float", "v: int") + "lateness: 1h\n")


class _Deployment:
    def __init__(self, store: MemoryObjectStore) -> None:
        self._store = store

    def session(self) -> "_Deployment":
        return self

    def store(self) -> MemoryObjectStore:
        return self._store


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch) -> MemoryObjectStore:
    """A deployment in which nothing is published yet."""
    store = MemoryObjectStore(SystemClock())
    monkeypatch.setattr(spec_command.Context, "connect", lambda _context, _state: _Deployment(store))
    return store


def test_nothing_changes_between_equals(windrow: Windrow) -> None:
    ran = windrow("spec", "diff", "old.yaml", "same.yaml")

    assert (ran.code, ran.out) == (0, "Nothing changes.\n")


def test_changes_are_listed_with_their_level(windrow: Windrow) -> None:
    ran = windrow("spec", "diff", "old.yaml", "wider.yaml")

    assert ran.code == 0
    assert ran.out.splitlines() == [
        "widening    columns.v.range: numbers are accepted in another range",
        "compatible  columns.w: is new, and null in stored rows",
    ]


def test_what_breaks_ends_with_exit_code_1(windrow: Windrow) -> None:
    ran = windrow("spec", "diff", "old.yaml", "breaks.yaml", "--json")
    found = json.loads(ran.out)

    assert ran.code == 1
    assert (found["stream"], found["level"]) == ("sensors", "breaking")
    assert [(each["level"], each["path"]) for each in found["changes"]] == [
        ("compatible", "lateness"),
        ("breaking", "columns.v"),
    ]


def test_one_file_is_compared_with_what_is_published(windrow: Windrow, published: MemoryObjectStore) -> None:
    catalog.publish(published, OLD, "old.yaml")

    assert windrow("spec", "diff", "same.yaml").out == "Nothing changes.\n"
    ran = windrow("spec", "diff", "breaks.yaml")
    assert (ran.code, "breaking    columns.v: was float and cannot become int" in ran.out) == (1, True)
    assert "With --new-tables it begins new tables for all records to come" in ran.out


def test_a_spec_is_compared_with_the_newest_version_whichever_tables_it_is_for(
    windrow: Windrow, published: MemoryObjectStore
) -> None:
    catalog.publish(published, OLD, "old.yaml")
    catalog.publish(published, Path("breaks.yaml").read_text(), "breaks.yaml", new_tables=True)
    ran = windrow("spec", "diff", "breaks.yaml")
    assert (ran.code, ran.out) == (0, "Nothing changes.\n")
    ran = windrow("spec", "diff", "old.yaml", "--json")

    assert (ran.code, json.loads(ran.out)["level"]) == (0, "widening")
    assert [each["path"] for each in json.loads(ran.out)["changes"]] == ["lateness", "columns.v"]


def test_what_is_not_published_yet_breaks_nothing(windrow: Windrow, published: MemoryObjectStore) -> None:
    ran = windrow("spec", "diff", "old.yaml")

    assert (ran.code, ran.out) == (0, "sensors is not published yet: nothing can break\n")
    assert json.loads(windrow("spec", "diff", "old.yaml", "--json").out) == {
        "stream": "sensors",
        "level": "compatible",
        "changes": [],
    }


@pytest.mark.parametrize("arguments", [(), ("old.yaml", "same.yaml", "wider.yaml")])
def test_a_diff_takes_one_file_or_two(windrow: Windrow, arguments: tuple[str, ...]) -> None:
    ran = windrow("spec", "diff", *arguments)

    assert (ran.code, ran.out) == (2, "")
    assert "give the old and the new spec" in ran.err


def test_a_faulty_file_is_not_compared(windrow: Windrow) -> None:
    Path("bad.yaml").write_text(OLD + "shards: 0\n")
    ran = windrow("spec", "diff", "old.yaml", "bad.yaml")

    assert ran.code == 2
    assert "bad.yaml: line 4, column 9: shards: 0 is too small; use 1 or more" in ran.err


def test_the_schema_is_printed_whole(windrow: Windrow) -> None:
    ran = windrow("spec", "schema")

    assert (ran.code, json.loads(ran.out)) == (0, json_schema())


@pytest.mark.parametrize("name", ["diff", "schema"])
def test_the_help_shows_how_it_is_used(windrow: Windrow, name: str) -> None:
    ran = windrow("spec", name, "--help")

    assert ran.code == 0
    assert ran.out.count(f"windrow spec {name}") >= 3
    assert name in windrow("spec").out
