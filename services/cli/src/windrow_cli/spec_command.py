"""`windrow spec`: what a spec says compared with another, and to editors."""

from dataclasses import asdict
from pathlib import Path

from cyclopts import App
from rich.text import Text

from windrow import spec
from windrow.catalog import SpecCatalog
from windrow.clock import SystemClock
from windrow.errors import BadInput, NotFound
from windrow.spec.changes import Change, Level, compare, worst
from windrow.spec.json_schema import json_schema
from windrow_cli.cells import shown
from windrow_cli.context import AsJson, Context, Injected, State
from windrow_cli.specs import read_spec_files

_STYLES: dict[Level, str] = {"compatible": "green", "widening": "yellow", "breaking": "bold red"}
_CONSEQUENCE = (
    "`windrow publish` refuses this. With --new-tables it begins new tables for all records to come, and the tables "
    "there are stay as they are."
)

app = App(name="spec", help="Compare stream specs, and describe them to editors.")


@app.command
def diff(*files: Path, state: State = None, as_json: AsJson = False, context: Injected) -> int:
    """Show what a new version of a spec changes.

    compatible: the same records are accepted, and tables follow. widening: tables follow, but other records are
    accepted than before, or a column becomes wider in stored rows too. breaking: the tables cannot follow; `windrow
    publish` refuses it, and begins new tables if it is told to (`--new-tables`). Ends with exit code 1 if anything
    breaks.

    ```
    windrow spec diff sensors.yaml                  # against what is published
    windrow spec diff old.yaml new.yaml --json
    ```

    Parameters
    ----------
    files:
        The old and the new spec; or the new one alone, to compare it with the published version.
    state:
        State folder of the `windrow dev` to ask for the published version.
    as_json:
        Print stream, level and changes as JSON.
    """
    if not 1 <= len(files) <= 2:
        raise BadInput("give the old and the new spec, or the new one alone to compare it with what is published")
    parsed = {path: spec.parse(text, path) for path, text in read_spec_files(list(files)).items()}
    after = parsed[str(files[-1])]
    before = parsed[str(files[0])] if len(files) == 2 else _published(after.stream, state, context)
    changes = compare(before, after) if before else []
    level = worst(changes)
    if as_json:
        context.print_json({"stream": after.stream, "level": level, "changes": [asdict(each) for each in changes]})
    elif before is None:
        context.out.print(f"{after.stream} is not published yet: nothing can break", highlight=False)
    else:
        _show(changes, context)
        if level == "breaking":
            context.out.print(_CONSEQUENCE, highlight=False, soft_wrap=True)
    return 1 if level == "breaking" else 0


@app.command
def schema(*, context: Injected) -> None:
    """Print the JSON Schema of spec files, by which editors complete and check them.

    ```
    windrow spec schema > stream.schema.json
    windrow spec schema | jq '."$defs".TumblingWindow'
    ```

    Then begin a spec with the line `# yaml-language-server: $schema=stream.schema.json`.
    """
    context.print_json(json_schema())


def _published(stream: str, state: Path | None, context: Context) -> spec.StreamSpec | None:
    try:
        return SpecCatalog(context.connect(state).session().store(), SystemClock()).newest(stream).spec
    except NotFound:
        return None


def _show(changes: list[Change], context: Context) -> None:
    if not changes:
        context.out.print("Nothing changes.", style="green")
    for change in changes:
        line = Text.assemble((f"{change.level:<10}", _STYLES[change.level]), "  ", shown(str(change)))
        context.out.print(line, highlight=False, soft_wrap=True)
