import time

from windrow.clock import Clock, SystemClock
from windrow.testing import ManualClock


def test_the_system_clock_tells_the_machines_time_in_microseconds() -> None:
    before_us = time.time_ns() // 1_000
    now_us = SystemClock().now_us()

    assert before_us <= now_us <= time.time_ns() // 1_000


def test_the_system_clock_goes_on_and_sleeps() -> None:
    clock: Clock = SystemClock()
    before_s = clock.monotonic_s()
    clock.sleep(0.001)

    assert clock.monotonic_s() >= before_s + 0.001


def test_the_manual_clock_moves_only_when_told() -> None:
    clock = ManualClock(now_us=5)

    assert (clock.now_us(), clock.monotonic_s()) == (5, 0.0)
    clock.sleep(1.5)
    assert (clock.now_us(), clock.monotonic_s()) == (1_500_005, 1.5)


def test_setting_the_wall_clock_back_leaves_monotonic_time_alone() -> None:
    clock = ManualClock(now_us=10_000_000)
    clock.step_wall_clock(-3)

    assert (clock.now_us(), clock.monotonic_s()) == (7_000_000, 0.0)
