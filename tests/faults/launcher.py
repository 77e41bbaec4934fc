"""A service from its own `main` on, with its ports tapped (`taps`) and trapped (`trap`), and broken if asked.

`python -m tests.faults.launcher SERVICE ARMS [MUTANT]` does so in a process that has nothing imported yet.
"""

import importlib
import os
import sys
from pathlib import Path

from tests.faults import mutants, taps
from tests.faults.trap import Trap


def serve(service: str, arms: Path, mutant: str | None) -> None:
    """Run a service until this process ends, which is never by returning."""
    code = 1
    try:
        main = importlib.import_module(f"windrow_{service}.main").main
        if service == "writer":  # days are merged as soon as they have two files, or it would hardly ever happen here
            importlib.import_module("windrow_writer.maintenance")._FEW_FILES = 1  # type: ignore[attr-defined]
        if mutant is not None:
            mutants.apply(mutant)
        taps.install(service, Trap(arms).reach)
        main()
        code = 0
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    serve(sys.argv[1], Path(sys.argv[2]), sys.argv[3] if len(sys.argv) > 3 else None)
