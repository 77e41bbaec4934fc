"""Services broken on purpose, to see that the oracle says so."""

from collections.abc import Callable


def apply(name: str) -> None:
    """Break this process in a way that has a name."""
    _MUTANTS[name]()


def _acknowledges_before_it_is_durable() -> None:
    """Ingest answers, and only then puts: what it dies with is lost (law 1)."""
    import asyncio
    from typing import Any

    from windrow_ingest.grouping import Grouper, LandedAt

    put = Grouper._put

    async def hasty(self: Any, stream: str, key: str, write_id: str, body: bytes, headers: Any) -> LandedAt:
        later = asyncio.get_running_loop().create_task(put(self, stream, key, write_id, body, headers))
        self.under_way = [*getattr(self, "under_way", ()), later]
        return LandedAt(key, was_repeated=False)

    Grouper._put = hasty  # type: ignore[method-assign]


def _forgets_what_is_committed() -> None:
    """The writer asks for a batch's mark, and takes the first answer of its life for no (law 5)."""
    from windrow.lake.handle import DeltaHandle

    mark, asked = DeltaHandle.mark, set[str]()

    def forgetful(self: DeltaHandle, name: str) -> int | None:
        if name.startswith("batch:") and name not in asked:
            asked.add(name)
            return None
        return mark(self, name)

    DeltaHandle.mark = forgetful  # type: ignore[method-assign]


_MUTANTS: dict[str, Callable[[], None]] = {
    "acknowledges_before_it_is_durable": _acknowledges_before_it_is_durable,
    "forgets_what_is_committed": _forgets_what_is_committed,
}
