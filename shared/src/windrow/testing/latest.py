"""Key-value tables in dictionaries."""

import threading
from collections.abc import Callable, Iterable

from windrow.errors import NotFound
from windrow.latest import Keep, LatestRecord, is_later

Fault = Callable[[str, str], None]
"""Called with (operation, key of the record) before an effect and with (`operation.after`, key) once it has landed."""


class MemoryLatestStore:
    """The latest record of every key, in memory. `fault`, if set, is asked before and after each effect; may raise."""

    def __init__(self, tables: Iterable[str] = ()) -> None:
        self.tables: dict[str, dict[str, LatestRecord]] = {table: {} for table in tables}
        self.fault: Fault | None = None
        self._lock = threading.Lock()

    def put_if_later(self, table: str, record: LatestRecord, keep: Keep) -> bool:
        self._ask("put_if_later", record.key)
        with self._lock:
            if table not in self.tables:
                raise NotFound(f"there is no table {table}")
            standing = self.tables[table].get(record.key)
            if standing is not None and not is_later(record, standing, keep):
                return False
            self.tables[table][record.key] = record
        self._ask("put_if_later.after", record.key)
        return True

    def _ask(self, operation: str, key: str) -> None:
        if self.fault is not None:
            self.fault(operation, key)
