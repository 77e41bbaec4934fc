"""Makes an emulator ready: what the topology describes, and a stream for every spec in a folder.

Usage: provision.py SPEC_FOLDER

Safe to repeat. Exit 0: everything stands. 2: something is missing or wrong; all of it is listed.
"""

import os
import sys
from pathlib import Path
from typing import Annotated

from pydantic import Field

from windrow import catalog, settings, topology
from windrow.aws.provision import provision, provision_tables
from windrow.aws.session import AwsSession
from windrow.clock import Clock, SystemClock
from windrow.errors import BadSettings, Transient, Unavailable, WindrowError
from windrow.ports import ObjectStore

_PAUSE_S = 0.5


class ProvisionSettings(settings.Settings):
    """The services' settings without a port, and only ever an emulator: on AWS, Terraform makes what stands."""

    endpoint_url: Annotated[str, Field(validation_alias="AWS_ENDPOINT_URL", min_length=1)]
    """The emulator to make ready."""
    port: settings.Port = 0
    """Not used: nothing listens here."""
    provision_wait_s: settings.Seconds = 60.0
    """How long the emulator may take to answer."""


def provision_when_up(session: AwsSession, clock: Clock, wait_s: float) -> list[str]:
    """Provision, again and again until the endpoint answers; Unavailable once `wait_s` has passed."""
    deadline_s = clock.monotonic_s() + wait_s
    while True:
        try:
            return provision(session)
        except Transient as error:
            if clock.monotonic_s() >= deadline_s:
                raise Unavailable(f"{session.endpoint_url} was not ready within {wait_s:g} s ({error})") from error
            clock.sleep(_PAUSE_S)


def publish_all(store: ObjectStore, folder: Path) -> list[str]:
    """Publish every spec in a folder and say what stands; BadSettings lists the faults of all files together."""
    texts = sorted(
        path
        for path in folder.rglob("*")
        if path.suffix in (".yaml", ".yml") and not path.name.endswith(".cases.yaml") and path.is_file()
    )
    if not texts:
        raise BadSettings("specs", [f"{folder}: there is no .yaml file here"])
    made: list[str] = []
    faults: list[str] = []
    for path in texts:
        try:
            stream, version, is_new = catalog.publish(store, path.read_text(encoding="utf-8"), path.name)
        except BadSettings as error:
            faults.extend(f"{path.name}: {fault}" for fault in error.faults)
        except (WindrowError, OSError, UnicodeDecodeError) as error:
            faults.append(f"{path.name}: {error}")
        else:
            made.append(f"stream {stream}, version {version}{' (new)' if is_new else ''}")
    if faults:
        raise BadSettings("specs", faults)
    return made


def main(arguments: list[str]) -> int:
    """Read the settings, make everything, print it; the exit code."""
    if len(arguments) != 1:
        sys.stderr.write("usage: provision.py SPEC_FOLDER\n")
        return 2
    try:
        loaded = settings.load(ProvisionSettings, os.environ)
        shape = topology.load(loaded.topology)
        session = AwsSession(shape, loaded.prefix, loaded.region, loaded.endpoint_url)
        for line in provision_when_up(session, SystemClock(), loaded.provision_wait_s):
            print(line)
        store = session.store()
        for line in publish_all(store, Path(arguments[0])):
            print(line)
        streams = catalog.SpecCatalog(store, SystemClock())
        for line in provision_tables(session, (streams.current(name).spec for name in streams.streams())):
            print(line)
    except WindrowError as error:
        sys.stderr.write(f"provisioning failed: {error}\n")
        return 2
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
