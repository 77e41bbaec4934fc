import json
from collections.abc import Iterator

import pytest

from tests.support.http import free_port, get
from windrow import health
from windrow.health import Health
from windrow.metrics import PrometheusMetrics
from windrow.testing import ManualClock


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def state(clock: ManualClock) -> Health:
    return Health(clock, stuck_after_s=60)


def test_a_service_that_starts_is_alive_and_not_yet_ready(state: Health) -> None:
    assert state.is_alive() == (True, "ok")
    assert state.is_ready() == (False, "starting")


def test_a_service_is_ready_unless_it_says_why_not(state: Health) -> None:
    state.ready()
    assert state.is_ready() == (True, "ok")
    state.unready("stopping")
    assert state.is_ready() == (False, "stopping")


def test_a_service_without_progress_is_dead_and_progress_revives_it(state: Health, clock: ManualClock) -> None:
    clock.advance(60)
    assert state.is_alive() == (True, "ok")
    clock.advance(1)
    assert state.is_alive() == (False, "no progress for 61 s (limit 60 s)")
    state.progressed()
    assert state.is_alive() == (True, "ok")


def test_a_wall_clock_set_back_or_forth_kills_nobody(state: Health, clock: ManualClock) -> None:
    clock.step_wall_clock(86_400)
    assert state.is_alive() == (True, "ok")
    clock.step_wall_clock(-2 * 86_400)
    assert state.is_alive() == (True, "ok")


# ------------------------------------------------------------------------------------------------ over HTTP


@pytest.fixture
def metrics() -> PrometheusMetrics:
    return PrometheusMetrics()


@pytest.fixture
def url(state: Health, metrics: PrometheusMetrics) -> Iterator[str]:
    port = free_port()
    stop = health.serve("127.0.0.1", port, state, metrics)
    yield f"http://127.0.0.1:{port}"
    stop()


def test_probes_answer_200_or_503_with_the_reason(url: str, state: Health, clock: ManualClock) -> None:
    status, headers, body = get(f"{url}/readyz")
    assert (status, json.loads(body)) == (503, {"ok": False, "why": "starting"})
    assert headers["content-type"] == "application/json"

    state.ready()
    status, _, body = get(f"{url}/readyz")
    assert (status, json.loads(body)) == (200, {"ok": True, "why": "ok"})

    clock.advance(61)
    status, _, body = get(f"{url}/healthz")
    assert (status, json.loads(body)) == (503, {"ok": False, "why": "no progress for 61 s (limit 60 s)"})


def test_metrics_are_in_prometheus_text(url: str, metrics: PrometheusMetrics) -> None:
    metrics.count("messages_settled", 3, queue="landed", outcome="done")
    status, headers, body = get(f"{url}/metrics")

    assert status == 200
    assert headers["content-type"].startswith("text/plain; version=0.0.4")
    assert 'windrow_messages_settled_total{outcome="done",queue="landed"} 3.0' in body.decode()


def test_any_other_path_says_what_there_is(url: str) -> None:
    status, _, body = get(f"{url}/v1/records")

    assert status == 404
    assert "/healthz" in json.loads(body)["message"]


def test_probes_say_nothing_on_the_console(url: str, capfd: pytest.CaptureFixture[str]) -> None:
    get(f"{url}/healthz")

    assert capfd.readouterr() == ("", "")


def test_a_server_that_was_stopped_gives_its_port_back(state: Health, metrics: PrometheusMetrics) -> None:
    port = free_port()
    for _ in range(2):
        stop = health.serve("127.0.0.1", port, state, metrics)
        assert get(f"http://127.0.0.1:{port}/healthz")[0] == 200
        stop()
    with pytest.raises(ConnectionRefusedError):
        get(f"http://127.0.0.1:{port}/healthz")
