"""What people call the versions of a stream's tables."""

import pytest

from windrow import flows
from windrow.errors import BadInput

ALL = ("machine", "sensors", "sensors__v2", "sensors__v10")


def test_the_newest_tables_bear_the_streams_name_and_older_ones_say_which_they_are() -> None:
    assert flows.named(ALL) == {
        "machine": "machine",
        "sensors": "sensors__v10",
        "sensors__v1": "sensors",
        "sensors__v2": "sensors__v2",
    }


@pytest.mark.parametrize(
    ("name", "flow"),
    [
        ("sensors", "sensors__v10"),
        ("sensors__v10", "sensors__v10"),
        ("sensors__v1", "sensors"),
        ("machine", "machine"),
        ("machine__v1", "machine"),
        ("unknown", "unknown"),
    ],
)
def test_a_name_means_one_flow(name: str, flow: str) -> None:
    assert flows.meant(name, ALL) == flow


def test_what_is_no_name_means_nothing() -> None:
    with pytest.raises(BadInput):
        flows.meant("../x", ALL)


def test_every_flow_is_shown_under_the_name_that_means_it() -> None:
    assert [flows.meant(flows.shown(flow, ALL), ALL) for flow in ALL] == list(ALL)
    assert flows.shown("sensors", ["sensors"]) == "sensors"


def test_a_streams_name_stands_for_all_its_tables_where_all_can_be_meant() -> None:
    assert flows.of_stream("sensors", ALL) == ["sensors", "sensors__v2", "sensors__v10"]
    assert flows.of_stream("sensors__v1", ALL) == ["sensors"]
    assert flows.of_stream("sensors__v3", ALL) == []
