from typing import get_args

import pytest

from windrow import metrics
from windrow.metrics import CounterName, GaugeName, HistogramName, PrometheusMetrics
from windrow.testing import RecordingMetrics

NAMES = [*get_args(CounterName), *get_args(GaugeName), *get_args(HistogramName)]


@pytest.mark.parametrize("name", NAMES)
def test_every_metric_says_what_it_means(name: str) -> None:
    assert metrics._HELP[name].endswith(".")


def test_nothing_is_explained_that_does_not_exist() -> None:
    assert set(metrics._HELP) | set(metrics._LABELS) == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_every_metric_can_be_used_with_its_labels(name: str) -> None:
    measured = PrometheusMetrics()
    labels = dict.fromkeys(metrics._labels(name), "x")
    if name in get_args(CounterName):
        measured.count(name, 2, **labels)  # type: ignore[arg-type]
    elif name in get_args(GaugeName):
        measured.gauge(name, 2, **labels)  # type: ignore[arg-type]
    else:
        measured.observe(name, 2, **labels)  # type: ignore[arg-type]

    assert f"windrow_{name}" in measured.render().decode()


def test_counts_add_up_and_levels_do_not() -> None:
    measured = PrometheusMetrics()
    for amount in (1, 2):
        measured.count("records_decoded", amount, stream="s")
        measured.gauge("pending_bytes", amount)
    text = measured.render().decode()

    assert 'windrow_records_decoded_total{stream="s"} 3.0' in text
    assert "windrow_pending_bytes 2.0" in text


def test_two_services_in_one_process_do_not_share_metrics() -> None:
    left, right = PrometheusMetrics(), PrometheusMetrics()
    left.count("records_decoded", stream="s")

    assert right.render() == b""


def test_the_recording_metrics_sum_over_labels() -> None:
    measured = RecordingMetrics()
    measured.count("records_decoded", 2, stream="a")
    measured.count("records_decoded", 3, stream="b")

    assert measured.total("records_decoded") == 5
    assert measured.total("records_quarantined") == 0
