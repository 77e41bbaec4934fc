"""`windrow resume`: go on with a stream that stopped itself."""

from windrow import flows, halts
from windrow.catalog import SpecCatalog
from windrow.clock import SystemClock
from windrow.errors import NotFound
from windrow_cli.context import AsJson, Injected, State


def resume(stream: str, /, *, state: State = None, as_json: AsJson = False, context: Injected) -> int:
    """Go on with a stream that stopped itself because too much of it went to quarantine (`halt` in its spec).

    What landed meanwhile is decoded now, as it is, and this version of the spec is not stopped again. If the spec is
    what was wrong, publish a better one instead: that ends the halt too, and decodes what waited.

    ```
    windrow status                 # says which streams are halted, and why
    windrow resume sensors
    ```

    Parameters
    ----------
    stream:
        The stream that is halted. What landed for older tables of it waits under their name, such as sensors__v1.
    state:
        State folder of the `windrow dev` to speak to.
    as_json:
        Print stream, version and whether it was halted as JSON.
    """
    store = context.connect(state).session().store()
    catalog = SpecCatalog(store, SystemClock())
    published = catalog.current(flows.meant(stream, catalog.flows()))
    was_halted = halts.resume(store, published.spec.stream, published.version)
    if as_json:
        context.print_json({"stream": stream, "version": published.version, "was_halted": was_halted})
        return 0
    if not was_halted:
        raise NotFound(f"{stream} is not halted (version {published.version} of its spec is in force)")
    context.out.print(f"{stream} goes on under version {published.version}; what waited is decoded within a minute")
    return 0
