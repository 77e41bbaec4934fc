"""`windrow dead-letters` and `windrow replay`: what failed, and send it round again."""

from typing import Annotated, Any, Literal

import httpx2
from cyclopts import Parameter
from rich.console import Console
from rich.table import Table
from rich.text import Text

from windrow.errors import BadInput, Permanent, Unavailable
from windrow_cli.cells import cell, shown
from windrow_cli.context import AsJson, Context, Injected, State
from windrow_cli.ports import is_loopback

Kind = Literal["record", "object", "message"]
_TIMEOUT_S = 60.0
_DATA_CHARS = 160


def dead_letters(
    *,
    stream: str | None = None,
    kind: Kind | None = None,
    reason: str | None = None,
    limit: Annotated[int, Parameter(alias="-n")] = 10,
    url: str | None = None,
    state: State = None,
    as_json: AsJson = False,
    context: Injected,
) -> None:
    """List what could not be processed, and why.

    That is: records in quarantine, objects that cannot be read, and messages in dead-letter queues.

    ```
    windrow dead-letters
    windrow dead-letters --stream sensors --reason bad_time --limit 50
    windrow dead-letters --kind message --json
    ```

    Parameters
    ----------
    stream:
        One stream only.
    kind:
        record, object or message.
    reason:
        One reason only, such as missing_column.
    limit:
        Most entries that are shown one by one; the groups count all.
    url:
        Where the reprocessor is. Default: the running `windrow dev`.
    state:
        State folder of the `windrow dev` to ask.
    as_json:
        Print what the reprocessor answers as JSON.
    """
    chosen = {"stream": stream, "kind": kind, "reason": reason, "limit": limit}
    found = Reprocessor.reach(context, url, state).dead_letters(chosen)
    if as_json:
        context.print_json(found)
        return
    if not found["total"]:
        context.out.print("Nothing failed.", style="green")
        return
    context.out.print(groups_table(found))
    for entry in found["entries"]:
        _print_entry(entry, context.out)
    left = found["total"] - len(found["entries"])
    if left > 0:
        context.out.print(f"and {left:,} more; see them with --limit", style="dim")


def replay(
    *,
    stream: str | None = None,
    kind: Kind | None = None,
    reason: str | None = None,
    id: Annotated[list[str] | None, Parameter(negative="")] = None,  # noqa: A002  the option's name
    limit: Annotated[int | None, Parameter(alias="-n")] = None,
    dry_run: Annotated[bool, Parameter(negative="")] = False,
    url: str | None = None,
    state: State = None,
    as_json: AsJson = False,
    context: Injected,
) -> None:
    """Process failures again, after a new spec or a fix. What is replayed twice counts once.

    ```
    windrow replay --stream sensors --reason bad_time --dry-run    # how much would it be?
    windrow replay --stream sensors --reason bad_time
    windrow replay --kind message --limit 10
    windrow replay --id 0f3a… --id 77c1…                           # as listed by dead-letters
    ```

    Parameters
    ----------
    stream:
        One stream only.
    kind:
        record, object or message.
    reason:
        One reason only, such as missing_column.
    id:
        One failure, by its id; may be given several times.
    limit:
        Most failures that are replayed.
    dry_run:
        Only count.
    url:
        Where the reprocessor is. Default: the running `windrow dev`.
    state:
        State folder of the `windrow dev` to speak to.
    as_json:
        Print what the reprocessor answers as JSON.
    """
    if stream is None and kind is None and reason is None and not id:
        raise BadInput("say what to replay: give at least one of --stream, --kind, --reason and --id")
    chosen = {"stream": stream, "kind": kind, "reason": reason, "ids": id or None, "limit": limit, "dry_run": dry_run}
    done = Reprocessor.reach(context, url, state).replay(chosen)
    if as_json:
        context.print_json(done)
        return
    parts = [
        f"{done[name]:,} {name if done[name] != 1 else name.removesuffix('s')}"
        for name in ("records", "objects", "messages")
        if done[name]
    ]
    what = ", ".join(parts) or "nothing"
    context.out.print(f"would replay {what}" if dry_run else f"replayed {what}", highlight=False)


class Reprocessor:
    """The reprocessor's HTTP interface."""

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")

    @classmethod
    def reach(cls, context: Context, url: str | None, state: State) -> "Reprocessor":
        return cls(url or context.connect(state).url("reprocessor"))

    def dead_letters(self, chosen: dict[str, Any]) -> dict[str, Any]:
        """`total`, `groups` and the first `entries`."""
        params = {name: value for name, value in chosen.items() if value is not None}
        return self._ask("GET", "/v1/dead-letters", params=params)

    def replay(self, chosen: dict[str, Any]) -> dict[str, Any]:
        """How many `records`, `objects` and `messages`, and their `landing_keys`."""
        return self._ask("POST", "/v1/replays", json=chosen)

    def _ask(self, method: str, path: str, **more: Any) -> dict[str, Any]:
        try:
            with httpx2.Client(timeout=_TIMEOUT_S, trust_env=not is_loopback(self._url)) as http:
                answer = http.request(method, self._url + path, **more)
        except httpx2.TransportError as error:
            raise Unavailable(f"the reprocessor at {self._url} does not answer: {error}") from error
        try:
            content = answer.json()
        except ValueError:
            content = {}
        if answer.is_success and isinstance(content, dict):
            return content
        message = content.get("message") if isinstance(content, dict) else None
        text = str(message or f"the reprocessor at {self._url} answers {answer.status_code}")
        kind = BadInput if answer.status_code == httpx2.codes.BAD_REQUEST else Permanent
        raise Unavailable(text) if answer.status_code >= httpx2.codes.INTERNAL_SERVER_ERROR else kind(text)


def groups_table(found: dict[str, Any]) -> Table:
    """Failures by stream, queue and reason."""
    table = Table("kind", "stream", "queue", "reason", header_style="bold")
    table.add_column("count", justify="right")
    for group in found["groups"]:
        names = [group.get(name) or "" for name in ("kind", "stream", "queue", "reason")]
        table.add_row(*map(cell, names), f"{group['count']:,}")
    return table


def _print_entry(entry: dict[str, Any], out: Console) -> None:
    """One failure: its id and place, what is wrong, and the beginning of what it was."""
    place = [f"{name} {entry[name]}" for name in ("line", "index") if entry.get(name) is not None]
    where = place[0] if place else str(entry.get("queue") or "")
    head = Text.assemble((shown(str(entry["id"])), "bold"), "  ", (shown(str(entry.get("reason") or "")), "yellow"))
    out.print(head, shown(where), highlight=False, markup=False, soft_wrap=True)
    data = str(entry.get("data") or "")
    data = data if len(data) <= _DATA_CHARS else f"{data[:_DATA_CHARS]}…"
    for text, style in ((str(entry.get("message") or ""), ""), (data, "dim")):
        if text:
            out.print(Text(f"  {shown(text)}", style), soft_wrap=True)
