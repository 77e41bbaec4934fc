"""Ten real series through the whole stack, while its containers are killed, and every row of the outcome compared."""

import os
import random
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from tests.e2e import cloudwatch
from tests.e2e.cloudwatch import Batch
from tests.e2e.sending import send
from tests.e2e.stack import Stack
from tests.support.waiting import eventually
from windrow.conservation import Balance, balance
from windrow.errors import Transient

STREAM = "cloudwatch"
SEED = 20140424
BATCHES = 12
SENDERS = 4
KILLED = ("ingest", "consumer", "windower", "writer")
KILLS_WHILE_SENDING = 4
DRAINED_AT_KILL = (0.2, 0.5, 0.8)
QUIET_WITHIN_S = 900.0

_WITHOUT_DATA = "needs the recorded series at ../shared/data/aws_cloudwatch, which are not part of the repository"
pytestmark = [pytest.mark.timeout(1500)]
if os.environ.get("WINDROW_E2E_WITHOUT_DATA"):
    # Said by a CI that cannot have the data. Without this word, a CI that lacks it fails.
    pytestmark.append(pytest.mark.may_skip(_WITHOUT_DATA))


def test_every_record_is_counted_exactly_once_while_containers_are_killed(
    stack: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = cloudwatch.read_rows()
    if not rows:
        pytest.skip(_WITHOUT_DATA)
    assert len(rows) == cloudwatch.ROWS
    assert _figures(stack) == Balance(STREAM), (
        f"the stream {STREAM} is not empty; take the stack down first: make e2e does"
    )
    rng = random.Random(SEED)
    plan = cloudwatch.plan(rows, BATCHES, rng)
    story = Story(stack, rng)

    story.send_all(plan.batches)
    # Everything else is acknowledged by now, so these are received last and stay.
    story.send_one(plan.corrections)
    story.drain(plan.sent)
    story.tell(capsys, plan)

    records, windows = cloudwatch.expected()
    figures = _figures(stack)
    assert figures.received == plan.sent
    assert figures.written == records.height
    assert figures.duplicate == plan.sent - records.height
    assert figures.quarantined == 0
    _compare_records(stack, records)
    _compare_windows(stack, windows)


class Story:
    """One run: what was sent, who was killed, how long it took."""

    def __init__(self, stack: Stack, rng: random.Random) -> None:
        self._stack = stack
        self._rng = rng
        self._killed: list[str] = []
        self._failures = 0
        self._sent_s = 0.0
        self._drained_s = 0.0
        # Every kind of worker dies at least once while records are being sent, in an order the seed decides.
        self._next = list(rng.sample(KILLED, KILLS_WHILE_SENDING))

    def send_all(self, batches: Sequence[Batch]) -> None:
        """Send the batches from several threads and kill containers in between."""
        started_s = time.monotonic()
        kill_after = set(range(2, len(batches), len(batches) // KILLS_WHILE_SENDING))
        with ThreadPoolExecutor(SENDERS) as pool:
            under_way = [pool.submit(self._send, batch) for batch in batches]
            for number, done in enumerate(as_completed(under_way), start=1):
                self._failures += done.result()
                if number in kill_after and self._next:
                    self._kill(self._next.pop())
        assert not self._next, "fewer kills than planned"
        self._sent_s = time.monotonic() - started_s

    def send_one(self, batch: Batch) -> None:
        self._failures += self._send(batch)

    def drain(self, sent: int) -> None:
        """Wait until nothing moves any more, killing another container each time a share of the records is through."""
        started_s = time.monotonic()
        shares = list(DRAINED_AT_KILL)
        last: list[str] = ["nothing yet"]

        def is_quiet() -> bool:
            try:
                figures = _figures(self._stack)
                through = figures.received - figures.in_flight
                if shares and through >= shares[0] * sent:
                    shares.pop(0)
                    self._kill(self._rng.choice(KILLED))
                moving = [*(f"kill at {share:.0%}" for share in shares), *_what_moves(self._stack, figures)]
            except Transient as error:
                moving = [str(error)]  # the emulator is busy: figures that do not come are not wrong
            last[0] = "; ".join(moving)
            return not moving

        try:
            eventually(is_quiet, QUIET_WITHIN_S, "the stack to become quiet", every_s=1.0)
        except AssertionError as error:
            raise AssertionError(f"still waiting after {QUIET_WITHIN_S:g} s for: {last[0]}") from error
        self._drained_s = time.monotonic() - started_s

    def tell(self, capsys: pytest.CaptureFixture[str], plan: cloudwatch.Plan) -> None:
        """What happened, for people who watch."""
        with capsys.disabled():
            print(
                f"\n{cloudwatch.ROWS} rows sent as {plan.sent} records in {len(plan.batches) + 1} batches "
                f"in {self._sent_s:.0f} s ({self._failures} attempts repeated); killed {', '.join(self._killed)}; "
                f"quiet after another {self._drained_s:.0f} s"
            )

    def _send(self, batch: Batch) -> int:
        return send(batch, STREAM, self._stack.url("ingest"), self._stack.store())

    def _kill(self, service: str) -> None:
        self._stack.kill(service)
        self._stack.start(service)
        self._killed.append(service)


def _figures(stack: Stack) -> Balance:
    return balance(stack.store(), stack.lake(), STREAM)


def _what_moves(stack: Stack, figures: Balance) -> list[str]:
    """What is not finished yet: records in flight, messages in queues, windows that are not final.

    The queues are asked in the order of the flow: what has left one has reached the next before it is asked.
    """
    assert figures.unexplained == 0, figures
    moving = [f"{figures.in_flight} records in flight"] if figures.in_flight else []
    if figures.uncounted_objects:
        moving.append(f"{figures.uncounted_objects} objects not decoded")
    for name in ("landed", "windows", "writes"):
        depth = stack.session.queue(name).depth()
        if depth.waiting or depth.in_flight:
            moving.append(f"{depth.waiting} + {depth.in_flight} messages on {name}")
    if not moving:
        for table in cloudwatch.TABLES:
            windows = _table(stack, table)
            open_windows = windows.height - int(windows["is_final"].sum())
            moving.extend([f"{open_windows} of {windows.height} {table} not final"] if open_windows else [])
    return moving


def _table(stack: Stack, table: str) -> pl.DataFrame:
    found = stack.lake().delta(STREAM, table)
    assert found is not None, f"there is no table {STREAM}/{table}"
    return pl.scan_delta(found).collect()


def _compare(found: pl.DataFrame, expected: pl.DataFrame, keys: list[str], table: str) -> None:
    """Every row of one table is in the other, once and with the same values; means up to the order of addition."""
    assert found.select(keys).is_duplicated().sum() == 0, found.filter(found.select(keys).is_duplicated()).head()
    missing, extra = expected.join(found, on=keys, how="anti"), found.join(expected, on=keys, how="anti")
    assert missing.is_empty(), f"{table}: {missing.height} rows are missing, such as {missing.head()}"
    assert extra.is_empty(), f"{table}: {extra.height} rows should not be there, such as {extra.head()}"
    assert_frame_equal(found.select(expected.columns).sort(keys), expected.sort(keys), rel_tol=1e-12, abs_tol=0)


def _compare_records(stack: Stack, expected: pl.DataFrame) -> None:
    _compare(_table(stack, "records"), expected, ["series", "timestamp"], "records")


def _compare_windows(stack: Stack, expected: Mapping[str, pl.DataFrame]) -> None:
    for table, rows in expected.items():
        found = _table(stack, table)
        assert found["is_final"].all(), table
        _compare(found, rows, ["series", "window_start", "window_end"], table)
