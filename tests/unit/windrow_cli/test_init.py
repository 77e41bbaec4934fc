"""`windrow init`: where the spec goes, what is said, and how it ends."""

import io
import json
import sys
from pathlib import Path

import pytest

from windrow import spec
from windrow_cli.main import WRONG_USAGE

_GOOD = "ts,sensor,value\n2020-01-01T00:00:00Z,a,1.5\n2020-01-01T00:01:00Z,b,2.5\n"
_TWOFOLD = "day,value\n01/02/2020,1\n03/04/2020,2\n"


@pytest.fixture
def sample(tmp_path: Path) -> str:
    (tmp_path / "readings.csv").write_text(_GOOD)
    (tmp_path / "twofold.csv").write_text(_TWOFOLD)
    return "readings.csv"


def test_a_spec_is_written_and_the_next_commands_are_told(windrow, sample: str) -> None:
    ran = windrow("init", "--from", sample)

    assert ran.code == 0, ran.err
    target = Path("config/streams/readings.yaml")
    assert spec.parse(target.read_text(), "test").stream == "readings"
    assert "Written to config/streams/readings.yaml" in ran.out
    for command in (
        "lint config/streams/readings.yaml",
        "explain config/streams/readings.yaml readings.csv",
        "dev --detach",
        "send readings readings.csv",
        'query "from readings.records limit 10"',
    ):
        assert command in ran.out
    assert "the only column that reads as a time" in ran.out
    assert "1.5 to 2.5" in ran.out


def test_a_file_that_is_there_is_only_overwritten_by_force(windrow, sample: str) -> None:
    target = Path("config/streams/readings.yaml")
    target.parent.mkdir(parents=True)
    target.write_text("mine")

    refused = windrow("init", "--from", sample)
    assert refused.code == WRONG_USAGE
    assert "config/streams/readings.yaml is there already; --force overwrites it" in refused.err
    assert target.read_text() == "mine"
    assert windrow("init", "--from", sample, "--force").code == 0
    assert target.read_text() != "mine"


def test_another_file_another_name_and_standard_output(windrow, sample: str) -> None:
    assert windrow("init", "--from", sample, "--stream", "probes", "--output", "there/x.yaml").code == 0
    assert spec.parse(Path("there/x.yaml").read_text(), "test").stream == "probes"
    shown = windrow("init", "--from", sample, "--output", "-")
    assert shown.code == 0
    assert spec.parse(shown.out, "test").stream == "readings"
    assert not Path("config").exists()


def test_two_readings_are_shown_and_nothing_is_written(windrow, sample: str) -> None:
    ran = windrow("init", "--from", "twofold.csv")

    assert ran.code == 1
    assert "--time-format '%d/%m/%Y'" in ran.err
    assert "--time-format '%m/%d/%Y'" in ran.err
    assert "01/02/2020 is 2020-02-01" in ran.err
    assert "Nothing was written" in ran.err
    assert not Path("config").exists()
    assert windrow("init", "--from", "twofold.csv", "--time-format", "%d/%m/%Y").code == 0


def test_programs_get_the_spec_the_evidence_and_the_questions(windrow, sample: str) -> None:
    good, twofold = windrow("init", "--from", sample, "--json"), windrow("init", "--from", "twofold.csv", "--json")

    answer = json.loads(good.out)
    assert good.code == 0
    assert spec.parse(answer["spec"], "test").stream == "readings"
    assert {"about", "guess", "why"} == set(answer["evidence"][0])
    assert answer["questions"] == []
    assert not Path("config").exists()
    asked = json.loads(twofold.out)
    assert twofold.code == 1
    assert asked["spec"] is None
    assert [option["flag"] for option in asked["questions"][0]["options"]] == [
        "--time-format '%d/%m/%Y'",
        "--time-format '%m/%d/%Y'",
    ]
    assert json.loads(windrow("init", "--from", sample, "--json", "--output", "y.yaml").out)["file"] == "y.yaml"
    assert Path("y.yaml").exists()


def test_every_choice_arrives(windrow, tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_bytes(
        "Tag|Zeit|Wert\n01/02/2020|10:00|1,250\n01/02/2020|11:00|2,250\n".encode("latin-1")
    )
    ran = windrow(
        "init", "--from", "x.csv", "--time", "Tag,Zeit", "--time-format", "%d/%m/%Y %H:%M", "--zone", "Europe/Berlin",
        "--delimiter", "|", "--decimal", ",", "--encoding", "windows-1252", "--header", "yes", "--output", "-",
    )  # fmt: skip

    assert ran.code == 0, ran.err
    found = spec.parse(ran.out, "test")
    assert found.time.parts == ("Tag", "Zeit")
    assert found.time.formats == ("%d/%m/%Y %H:%M",)
    assert found.time.zone == "Europe/Berlin"
    assert (found.format.csv.delimiter, found.format.csv.decimal, found.format.csv.encoding) == (
        "|",
        ",",
        "windows-1252",
    )
    (tmp_path / "x.json").write_text(
        '{"a": {"ts": ["2020-01-01", "2020-01-02"], "v": [1, 2]}, "b": [{"ts": "2020-01-01"}]}'
    )
    assert "arrays: a" in windrow("init", "--from", "x.json", "--arrays", "a", "--output", "-").out
    assert "records: b" in windrow("init", "--from", "x.json", "--records", "b", "--output", "-").out
    (tmp_path / "y.csv").write_text("name,price\na,1\n")
    assert "of: receipt" in windrow("init", "--from", "y.csv", "--receipt", "--output", "-").out


def test_what_cannot_be_read_is_wrong_usage_in_a_sentence(windrow, tmp_path: Path) -> None:
    (tmp_path / "empty.csv").write_text("")
    for arguments, message in (
        (("--from", "none.csv"), "none.csv: cannot be read: No such file or directory"),
        (("--from", "."), ".: is a folder; give one file of it"),
        (("--from", "empty.csv"), "empty.csv: the sample is empty"),
        ((), "--from"),
    ):
        ran = windrow("init", *arguments)
        assert ran.code == WRONG_USAGE
        assert message in ran.err
        assert "Traceback" not in ran.err


def test_standard_input_is_a_sample(windrow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fifo = tmp_path / "piped"
    fifo.write_text(_GOOD)
    with fifo.open("rb") as piped:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(piped))
        ran = windrow("init", "--from", "-", "--stream", "piped", "--output", "-")

    assert ran.code == 0, ran.err
    assert spec.parse(ran.out, "test").stream == "piped"


def test_names_from_outside_obey_nothing_in_a_terminal(windrow, tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("ts,\x1b[31m[bold]x[/],text\n2020-01-01,1, a\n2020-01-02,2,b\n")
    ran = windrow("init", "--from", "x.csv")

    assert ran.code == 0, ran.err
    assert "\x1b" not in ran.out
    assert "[bold]x[/]" in ran.out
    assert "such as ' a'; 1 value with blanks around" in ran.out
