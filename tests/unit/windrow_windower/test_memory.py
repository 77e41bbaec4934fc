"""What the windower remembers: the frames used last, within a bound."""

import polars as pl

from windrow_windower.memory import Memory, Remembered

BIG = 1 << 20
KIB = 1 << 10


def frame(kib: int) -> pl.DataFrame:
    return pl.DataFrame({"x": pl.zeros(kib * KIB // 8, pl.Int64, eager=True)})


def remembered(kib: int, *batches: str) -> Remembered:
    return Remembered(frozenset(batches), frame(kib))


def test_what_was_kept_is_given_back_and_what_was_not_is_not() -> None:
    memory = Memory(BIG)
    kept = remembered(1, "a")
    memory.keep("here", kept)

    assert memory.get("here") is kept
    assert memory.get("there") is None


def test_what_was_used_longest_ago_goes_first() -> None:
    memory = Memory(32 * KIB)
    for name in "abc":
        memory.keep(name, remembered(9))
    assert memory.get("a") is not None  # used, and so younger than b
    memory.keep("d", remembered(9))

    assert [name for name in "abcd" if memory.get(name) is not None] == ["a", "c", "d"]


def test_one_that_is_larger_than_all_the_room_is_not_kept_and_costs_no_other_its_place() -> None:
    memory = Memory(32 * KIB)
    memory.keep("small", remembered(9))
    memory.keep("large", remembered(33))

    assert memory.get("large") is None
    assert memory.get("small") is not None


def test_a_newer_frame_takes_the_place_of_the_one_before_even_when_there_is_no_room_for_it() -> None:
    memory = Memory(32 * KIB)
    memory.keep("here", remembered(9, "a"))
    newer = remembered(12, "a", "b")
    memory.keep("here", newer)
    assert memory.get("here") is newer

    memory.keep("here", remembered(40, "a", "b", "c"))
    assert memory.get("here") is None  # what was there is out of date


def test_replacing_frees_the_room_of_what_was_replaced() -> None:
    memory = Memory(32 * KIB)
    memory.keep("other", remembered(9))
    for _ in range(100):
        memory.keep("here", remembered(9))

    assert memory.get("other") is not None
    memory.keep("third", remembered(9))
    assert all(memory.get(name) is not None for name in ("other", "here", "third"))


def test_many_frames_of_no_rows_are_bounded_too() -> None:
    memory = Memory(100 * KIB)
    for number in range(1_000):
        memory.keep(number, remembered(0, *"abcdef"))

    kept = [number for number in range(1_000) if memory.get(number) is not None]
    assert 0 < len(kept) < 100
    assert kept[-1] == 999
