"""When a stream stops itself."""

from hypothesis import given
from hypothesis import strategies as st

from windrow.spec import Halt
from windrow_consumer.brake import Brake, Brakes


def test_few_records_say_nothing() -> None:
    brake = Brake(Halt(ratio=0.5, min_records=100))

    assert not brake.feels(99, 99)


def test_a_share_past_the_limit_is_felt() -> None:
    brake = Brake(Halt(ratio=0.5, min_records=100))

    assert not brake.feels(100, 49)
    assert brake.feels(100, 51)


def test_old_good_times_do_not_hide_a_burst() -> None:
    brake = Brake(Halt(ratio=0.5, min_records=100))
    for _ in range(1_000):
        assert not brake.feels(100, 0)

    assert brake.feels(100, 60)


def test_a_burst_that_is_over_is_forgotten() -> None:
    brake = Brake(Halt(ratio=0.5, min_records=100))
    brake.feels(100, 100)

    assert not brake.feels(100, 0)


@given(st.lists(st.integers(1, 50).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n))), max_size=30))
def test_it_looks_back_over_the_fewest_batches_that_hold_enough(batches: list[tuple[int, int]]) -> None:
    brake = Brake(Halt(ratio=0.5, min_records=60))
    for count in range(1, len(batches) + 1):
        felt = brake.feels(*batches[count - 1])
        latest: list[tuple[int, int]] = []
        for batch in reversed(batches[:count]):
            if sum(records for records, _ in latest) >= 60:
                break
            latest.append(batch)
        records = sum(each for each, _ in latest)
        assert felt == (records >= 60 and sum(bad for _, bad in latest) >= 0.5 * records)


def test_every_stream_and_version_has_a_brake_of_its_own() -> None:
    brakes = Brakes()
    limit = Halt(ratio=0.5, min_records=10)

    assert brakes.of("a", 1, limit) is brakes.of("a", 1, limit)
    assert len({id(brakes.of(stream, version, limit)) for stream in "ab" for version in (1, 2)}) == 4
