"""What every command gets besides its arguments."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter
from rich.console import Console

from windrow_cli.connection import Deployment, embedded_variables, resolve

STDIN = "/dev/stdin"
"""What `-` as a file name becomes."""


@dataclass(frozen=True, slots=True)
class Context:
    """The environment, read once by `main`, and the two streams a command writes to."""

    environment: Mapping[str, str]
    out: Console
    err: Console
    program: str
    """How this program is called, for commands that a person may copy."""
    export: Callable[[Mapping[str, str | None]], None]
    """Sets (or, for None, unsets) environment variables of this process, for the AWS SDKs in it."""

    def connect(self, state: Path | None) -> Deployment:
        """The deployment to speak to, with this process made ready for it; Unavailable when there is none."""
        deployment = resolve(self.environment, state)
        if deployment.files is not None:
            self.export(embedded_variables(self.environment))
        return deployment

    def print_json(self, value: Any) -> None:
        """One JSON document on standard output, for programs."""
        # Not by way of rich, which looks at every line: an explanation may have a million.
        self.out.file.write(json.dumps(value, indent=2, ensure_ascii=False, default=str) + "\n")


Injected = Annotated[Context, Parameter(parse=False)]
AsJson = Annotated[bool, Parameter(name="--json", negative="")]
State = Annotated[Path | None, Parameter(name="--state")]
