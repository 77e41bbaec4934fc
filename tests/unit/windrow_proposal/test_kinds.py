"""The type of each column, and what is only mentioned."""

import io
import json

import pytest

from windrow.proposal import Proposal, ProposedColumn, propose


def propose_csv(values: list[str], title: str) -> Proposal:
    rows = "".join(f'2020-01-01T00:{place:02}:00Z,"{value}"\n' for place, value in enumerate(values))
    return propose(io.BytesIO(f"ts,{title}\n{rows}".encode()), "sample.csv")


def of(values: list[str], title: str = "x") -> ProposedColumn:
    return propose_csv(values, title).columns[1]


def of_json(values: list[object], title: str = "x") -> ProposedColumn:
    records = [{"ts": f"2020-01-01T00:{place:02}:00Z", title: value} for place, value in enumerate(values)]
    proposal = propose(io.BytesIO(json.dumps(records).encode()), "sample.json")
    return proposal.columns[1]


@pytest.mark.parametrize(
    ("values", "title", "expected"),
    [
        (["1", "-2", " 3 "], "x", "int"),
        (["1", "2.5", ".5", "1e3"], "x", "float"),
        (["1.0", "2.0"], "x", "float"),
        (["17850.0", "", "13047.0"], "CustomerID", "int"),
        (["true", "False"], "x", "bool"),
        (["yes", "no"], "x", "string"),
        (["1", "0"], "x", "int"),
        (["inf", "1"], "x", "string"),
        (["1e999", "1"], "x", "string"),
        (["00123", "04711"], "zip", "string"),
        (["0", "-0.5"], "x", "float"),
        ([str(1 << 63), "1"], "x", "string"),
        ([str((1 << 63) - 1), str(-(1 << 63))], "x", "int"),
        (["2020-01-01", "2020-01-02"], "x", "date"),
        (["2020-01-01 10:00", "2020-01-02 11:00"], "x", "timestamp"),
        (["13/01/2020", "14/01/2020"], "x", "date"),
        (["01/02/2020", "03/04/2020"], "x", "string"),
        (["1500000000", "1500000001"], "updated", "timestamp"),
        (["1500000000", "1500000001"], "bytes", "int"),
        (["a", "b"], "x", "string"),
        (["a", "b"] * 20, "x", "categorical"),
        (["536365", "C536379"], "x", "string"),
        (["", ""], "x", "string"),
    ],
)
def test_a_type_is_told_from_the_values(values: list[str], title: str, expected: str) -> None:
    assert of(values, title).type == expected


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1, 2], "int"),
        ([1, 2.5], "float"),
        ([True, None], "bool"),
        (["1", "2"], "string"),
        ([[1, 2], []], "list(int)"),
        ([[1, 2.5]], "list(float)"),
        ([["a"], None], "list(string)"),
        ([1, "x", 2], "int"),
        (["x", "y", 1], "string"),
        ([1, "N/A"], "int"),
        ([1 << 70, 1], "decimal(38,0)"),
        ([None, None], "string"),
    ],
)
def test_a_type_is_told_from_what_json_says(values: list[object], expected: str) -> None:
    assert of_json(values).type == expected


@pytest.mark.parametrize("marker", ["NA", "n/a", "null", "-", "NaN", "?", "#N/A", "\\N"])
def test_markers_of_missing_values_are_named_as_they_are_written(marker: str) -> None:
    proposal = propose_csv(["1", marker, "2", ""], "x")

    assert proposal.spec is not None
    assert proposal.spec.columns["x"].type == "int"
    assert proposal.spec.columns["x"].missing == (marker,)
    assert f"{marker!r} for none" in proposal.columns[1].why


def test_markers_in_a_text_are_only_mentioned() -> None:
    proposal = propose_csv(["Namibia", "NA", "Norway"], "x")

    assert proposal.spec is not None
    assert proposal.spec.columns["x"].missing == ()
    assert "'NA' may mean none" in proposal.columns[1].hints[0]


@pytest.mark.parametrize(
    ("values", "is_hinted"),
    [
        (["-200"] * 5 + ["700", "800", "2000"], True),
        (["-200"] * 2 + ["700", "800", "2000"], False),
        (["-999"] * 5 + ["-3", "4", "10"], True),
        (["9999"] * 5 + ["1", "4", "10"], True),
        (["0"] * 9 + ["1", "4", "10"], False),
        (["5"] * 9 + ["1", "4", "3"], False),
        (["-200"] * 9, False),
    ],
)
def test_an_outlier_that_stands_often_is_mentioned_and_not_chosen(values: list[str], is_hinted: bool) -> None:
    proposal = propose_csv(values, "x")

    assert proposal.spec is not None
    assert proposal.spec.columns["x"].missing == ()
    assert any("if it means none" in hint for hint in proposal.columns[1].hints) == is_hinted


@pytest.mark.parametrize(
    ("values", "hint"),
    [
        ([*(str(number) for number in range(20)), "oops"], "20 of 21 are numbers; not 'oops'"),
        (["a ", " b", "c"], "2 values with blanks around; trim: true takes them off"),
        (["01/02/2020", "03/04/2020"], "choose one: type: date or timestamp"),
    ],
)
def test_what_a_person_may_want_is_mentioned(values: list[str], hint: str) -> None:
    assert any(hint in each for each in of(values).hints), of(values).hints


def test_leading_zeros_are_the_reason_for_a_text() -> None:
    assert of(["7", "007"]).why == "1 number with leading zeros, such as '007'"


def test_values_of_several_kinds_say_whose_records_are_refused() -> None:
    assert of_json([1, "x", 2]).hints == ("besides 2 numbers there are 1 text, and their records are refused",)
