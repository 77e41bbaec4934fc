"""The `windrow` command: wires the commands together. The only file here that reads the environment."""

import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cyclopts import App, CycloptsError
from rich.console import Console

from windrow.errors import BadInput, BadSettings, WindrowError
from windrow_cli import __version__
from windrow_cli.cells import shown
from windrow_cli.context import STDIN, Context

FAILED = 1
WRONG_USAGE = 2
INTERRUPTED = 130

_PIPE_WIDTH = 4_000
_HELP = """Exactly-once event-time windows in Delta tables on S3, from anywhere.

Start here
----------
```
windrow demo                           # see everything in a minute
windrow dev                            # run it on this machine
windrow send sensors readings.ndjson   # in another terminal
windrow query "from sensors.windows_every_minute"
windrow status
```
Every command has `--help` with examples, and every command that prints a table takes `--json`.
"""

# Named, not imported: a command pays only for what it uses itself.
_COMMANDS = (
    ("demo", "demo:demo", "See all of it on this machine's own figures and a simulated fleet of sensors."),
    ("dev", "dev:dev", "Run all of Windrow on this machine until Ctrl-C."),
    ("send", "send:send", "Send files of records to a stream."),
    ("query", "query:query", "Ask the lake in SQL."),
    ("lake", "lake:lake", "List the tables, how they lie, and whether they are whole."),
    ("status", "status:status", "Show what came in and what became of it, per stream."),
    ("init", "init:init", "Propose a stream spec from a sample of its records."),
    ("explain", "explain:explain_command", "Show what would become of a payload, without running anything."),
    ("window", "window:window_command", "Compute windows over files on this machine, without anything running."),
    ("lint", "lint:lint", "Check stream specs, without anything running."),
    ("test", "test:test", "Run the cases that stand beside stream specs."),
    ("spec", "spec_command:app", "Compare stream specs, and describe them to editors."),
    ("publish", "publish:publish", "Publish stream specs."),
    ("resume", "resume:resume", "Go on with a stream that stopped itself."),
    ("backfill", "backfill:backfill", "Compute windows again over what is already in the lake."),
    ("dead-letters", "failures:dead_letters", "List what could not be processed, and why."),
    ("replay", "failures:replay", "Process failures again, after a new spec or a fix."),
)


def build(*, is_overview: bool) -> App:
    """The command line. For the list of commands, each has a line; its own help is the docstring of its function."""
    app = App(name="windrow", help=_HELP, help_format="markdown", version=__version__)
    for name, place, what in _COMMANDS:
        app.command(f"windrow_cli.{place}", name=name, **({"help": what} if is_overview else {}))
    return app


def main() -> None:
    """Run the command line of this process and exit: 0 fine, 1 failed, 2 wrong usage or settings."""
    code = run(sys.argv[1:], os.environ)
    sys.stdout.flush()
    sys.stderr.flush()
    # At once: threads that wait for the network, or Arrow's own, are not worth waiting for.
    os._exit(code)


def run(arguments: list[str], environment: Mapping[str, str]) -> int:
    """One command, and its exit code."""
    context = Context(environment, _console(), Console(stderr=True), _program(), _export)
    try:
        app = build(is_overview=not arguments or arguments[0].startswith("-"))
        # cyclopts takes a lone hyphen for an option.
        tokens = [STDIN if argument == "-" else argument for argument in arguments]
        command, bound, ignored = app.parse_args(tokens, exit_on_error=False, print_error=False)
        injected: dict[str, Any] = {"context": context} if "context" in ignored else {}
        code = command(*bound.args, **bound.kwargs, **injected)
        return code if isinstance(code, int) else 0
    except CycloptsError as error:
        return _say(context, str(error), WRONG_USAGE)
    except (BadSettings, BadInput) as error:
        return _say(context, str(error), WRONG_USAGE)
    except WindrowError as error:
        return _say(context, str(error), FAILED)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has seen enough; keep Python from complaining about it at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        if environment.get("WINDROW_TRACEBACK"):
            raise
        message = f"unexpected {type(error).__name__}: {error} (set WINDROW_TRACEBACK=1 to see where)"
        return _say(context, message, FAILED)


def _program() -> str:
    """`windrow` if the shell finds this very program under that name, else the path it was called by."""
    called = Path(sys.argv[0])
    found = shutil.which("windrow")
    if called.name != "windrow" or (found is not None and Path(found).resolve() == called.resolve()):
        return "windrow"
    here = Path.cwd()
    return str(called.relative_to(here) if called.is_relative_to(here) else called)


def _console() -> Console:
    """Standard output: as wide as the terminal, or wide enough for any table when a program reads it."""
    return Console() if sys.stdout.isatty() else Console(width=_PIPE_WIDTH)


def _say(context: Context, message: str, code: int) -> int:
    context.err.print("[bold red]windrow:[/] ", end="")
    context.err.print("\n".join(map(shown, message.split("\n"))), highlight=False, markup=False, soft_wrap=True)
    return code


def _export(variables: Mapping[str, str | None]) -> None:
    for name, value in variables.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


if __name__ == "__main__":
    main()
