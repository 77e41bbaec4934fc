"""`windrow publish`: stream specs into the catalogue."""

from pathlib import Path

from rich.table import Table

from windrow import catalog, spec
from windrow.aws.provision import provision_tables
from windrow.errors import BadInput
from windrow_cli.context import AsJson, Injected, State
from windrow_cli.specs import read_spec_files


def publish(*files: Path, state: State = None, as_json: AsJson = False, context: Injected) -> None:
    """Publish stream specs. Each becomes the next version of its stream, unless it is the current one already.

    All files are checked before any is published, and every fault is listed. Records that landed before keep the
    version of their time.

    ```
    windrow publish examples/sensors/sensors.yaml
    windrow publish config/streams/*.yaml
    ```

    Parameters
    ----------
    files:
        YAML files with one stream spec each.
    state:
        State folder of the `windrow dev` to publish to.
    as_json:
        Print stream, version and whether it is new as JSON.
    """
    if not files:
        raise BadInput("give at least one spec file, such as config/streams/sensors.yaml")
    texts = read_spec_files(list(files))
    session = context.connect(state).session()
    if session.endpoint_url:  # an emulator; on AWS, Terraform makes what stands
        provision_tables(session, [spec.parse(text, origin) for origin, text in texts.items()])
    published = [catalog.publish(session.store(), text, origin) for origin, text in texts.items()]
    if as_json:
        context.print_json(
            [{"stream": stream, "version": version, "is_new": is_new} for stream, version, is_new in published]
        )
        return
    table = Table("stream", header_style="bold")
    table.add_column("version", justify="right")
    table.add_column("")
    for stream, version, is_new in published:
        table.add_row(stream, str(version), "published" if is_new else "unchanged")
    context.out.print(table)
