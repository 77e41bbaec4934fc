from windrow import errors
from windrow.errors import BadSettings, Permanent, Transient, WindrowError


def test_every_error_is_either_worth_another_try_or_not() -> None:
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, WindrowError)]
    undecided = [
        kind
        for kind in kinds
        if issubclass(kind, Transient) == issubclass(kind, Permanent) and kind not in (WindrowError, BadSettings)
    ]

    assert len(kinds) > 8
    assert undecided == []


def test_faulty_settings_are_listed_whole_below_what_they_are_about() -> None:
    error = BadSettings("sensors.yaml", ["line 1: a", "line 2: b"])

    assert str(error) == "sensors.yaml: 2 faults\n  - line 1: a\n  - line 2: b"
    assert str(BadSettings("x", ["a"])) == "x: 1 fault\n  - a"
    assert error.faults == ("line 1: a", "line 2: b")
