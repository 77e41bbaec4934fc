"""`windrow publish`: stream specs into the catalogue."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.table import Table

from windrow import catalog, keys, spec
from windrow.aws.provision import provision_tables
from windrow.catalog import SpecCatalog
from windrow.clock import SystemClock
from windrow.errors import BadInput
from windrow.ports import ObjectStore
from windrow.timeline import Timeline
from windrow_cli.context import AsJson, Injected, State
from windrow_cli.specs import read_spec_files


def publish(
    *files: Path,
    new_tables: Annotated[bool, Parameter(negative="")] = False,
    state: State = None,
    as_json: AsJson = False,
    context: Injected,
) -> None:
    """Publish stream specs. Each becomes the next version of its stream, unless it is the current one already.

    All files are checked before any is published, and every fault is listed. Records that landed before keep the
    version of their time.

    ```
    windrow publish examples/sensors/sensors.yaml
    windrow publish config/streams/*.yaml
    windrow publish sensors.yaml --new-tables      # though its tables cannot follow
    ```

    Parameters
    ----------
    files:
        YAML files with one stream spec each.
    new_tables:
        Where a change is one that tables cannot follow, begin new tables with it instead of refusing it. Records that
        come from then on go to those; the older tables stay as they are, and are called by their version:
        `sensors__v1.records`.
    state:
        State folder of the `windrow dev` to publish to.
    as_json:
        Print stream, version and whether it is new as JSON.
    """
    if not files:
        raise BadInput("give at least one spec file, such as config/streams/sensors.yaml")
    texts = read_spec_files(list(files))
    session = context.connect(state).session()
    store = session.store()
    if session.endpoint_url:  # an emulator; on AWS, Terraform makes what stands
        provision_tables(session, [spec.parse(text, origin) for origin, text in texts.items()])
    clock = SystemClock()
    published = [catalog.publish(store, text, origin, clock, new_tables=new_tables) for origin, text in texts.items()]
    begun = {stream: _begun(store, stream, version) for stream, version, is_new in published if is_new}
    new = [found for found in begun.values() if found is not None]
    if new and session.endpoint_url:
        provision_tables(session, new)
    if as_json:
        context.print_json(
            [
                {"stream": stream, "version": version, "is_new": is_new, "new_tables": _tables(begun.get(stream))}
                for stream, version, is_new in published
            ]
        )
        return
    table = Table("stream", header_style="bold")
    table.add_column("version", justify="right")
    table.add_column("")
    for stream, version, is_new in published:
        table.add_row(stream, str(version), "published" if is_new else "unchanged")
    context.out.print(table)
    for found in new:
        context.out.print(_told(found), highlight=False, soft_wrap=True)


def _begun(store: ObjectStore, stream: str, version: int) -> spec.StreamSpec | None:
    """The spec of the new tables that a version begins, under their name; None where it begins none."""
    timeline = Timeline.of(store, stream)
    return SpecCatalog(store, SystemClock()).current(timeline.flows[-1]).spec if timeline.begins(version) else None


def _tables(found: spec.StreamSpec | None) -> list[str]:
    """Tables by the names they keep."""
    if found is None:
        return []
    return [f"{found.stream}.{table}" for table in (keys.RECORDS_TABLE, *map(keys.windows_table, found.windows))]


def _told(found: spec.StreamSpec) -> str:
    stream, tables = keys.stream_of_flow(found.stream), keys.tables_of_flow(found.stream)
    return (
        f"New tables begin: {', '.join(_tables(found))}. Records that come from now on go there, and {stream}.records "
        f"means these; the older ones stay as {stream}__v{tables - 1}.records and so on, and receive nothing more."
    )
