"""What people call the versions of a stream's tables: `sensors` is the newest, `sensors__v1` the first."""

from collections.abc import Iterable

from windrow import keys


def named(flows: Iterable[str]) -> dict[str, str]:
    """Name → flow: each flow once, the newest of every stream under the stream's own name; in order of name."""
    by_stream: dict[str, list[int]] = {}
    for flow in flows:
        by_stream.setdefault(keys.stream_of_flow(flow), []).append(keys.tables_of_flow(flow))
    found: dict[str, str] = {}
    for stream, versions in by_stream.items():
        for tables in versions:
            name = stream if tables == max(versions) else f"{stream}__v{tables}"
            found[name] = keys.flow_name(stream, tables)
    return dict(sorted(found.items()))


def meant(name: str, flows: Iterable[str]) -> str:
    """The flow that a person means by a name, whether there is one or not. BadInput when it is no name."""
    return named(flows).get(name) or keys.check_flow(name)


def shown(flow: str, flows: Iterable[str]) -> str:
    """What to call a flow where all of these are spoken of."""
    return next((name for name, each in named(flows).items() if each == flow), flow)


def of_stream(name: str, flows: Iterable[str]) -> list[str]:
    """All flows of the stream that is named, or the one flow that a name like `sensors__v1` means."""
    stream, tables = keys.named_tables(name)
    return [
        flow for flow in flows if keys.stream_of_flow(flow) == stream and tables in (None, keys.tables_of_flow(flow))
    ]
