"""When a stretch of event time is done for now. Pure; it re-opens when a record for it comes."""

from dataclasses import dataclass

from windrow.spec import StreamSpec


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a stream has come: its largest event time and its latest commit, both µs since 1970."""

    max_time_us: int
    last_batch_us: int


def is_due(end_us: int, spec: StreamSpec, progress: Progress, now_us: int) -> bool:
    """Whether what ends at `end_us` (event time) should be sealed.

    Either the watermark (largest event time less `lateness`) has passed its end; or the stream has been quiet for
    `idle` and the wall clock has passed its end by `lateness`, so that the last bucket closes when data stops.
    """
    if progress.max_time_us - spec.lateness >= end_us:
        return True
    return now_us - progress.last_batch_us >= spec.idle and now_us >= end_us + spec.lateness
