"""Where the deployment is that a command speaks to: a `windrow dev`, an emulator, or AWS."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from windrow import topology as topologies
from windrow.errors import Unavailable
from windrow_cli import devfile
from windrow_cli.ports import LOOPBACK

if TYPE_CHECKING:
    from windrow.aws.session import AwsSession
    from windrow.lake.delta import DeltaLake

DEFAULT_STATE = Path(".windrow")
DEFAULT_PREFIX = "windrow"
DEFAULT_REGION = "us-east-1"


@dataclass(frozen=True, slots=True)
class Deployment:
    """A deployment and how to reach it."""

    region: str
    prefix: str
    endpoint_url: str | None
    topology_path: Path
    ports: Mapping[str, int]
    files: Path | None = None
    """The folder with the emulator's objects, if it is our own."""

    def session(self) -> "AwsSession":
        """Clients for its stores and queues."""
        from windrow.aws.session import AwsSession  # noqa: PLC0415  the SDK takes a while, and `--help` needs none

        return AwsSession(topologies.load(self.topology_path), self.prefix, self.region, self.endpoint_url)

    def lake(self) -> "DeltaLake":
        """Its tables."""
        session = self.session()
        return session.lake()

    def url(self, service: str) -> str:
        """Where one of its services answers HTTP, when it runs on this machine."""
        return f"http://{LOOPBACK}:{self.ports[service]}"


def resolve(environment: Mapping[str, str], state: Path | None) -> Deployment:
    """The deployment that arguments and environment speak of; Unavailable when there is none.

    A state folder that was named wins; then AWS_ENDPOINT_URL; then a `windrow dev` in ./.windrow; then AWS itself,
    when both AWS_REGION and WINDROW_PREFIX say so.
    """
    endpoint_url = environment.get("AWS_ENDPOINT_URL")
    folder = state or DEFAULT_STATE
    content = devfile.read(folder)
    # A `windrow dev` on that very endpoint knows the ports of its services.
    is_elsewhere = state is None and endpoint_url and (content is None or content.endpoint_url != endpoint_url)
    if content is not None and not is_elsewhere and devfile.is_running(folder):
        return Deployment(
            region=content.region,
            prefix=content.prefix,
            endpoint_url=content.endpoint_url,
            topology_path=Path(content.topology),
            ports=content.ports,
            files=folder / "s3" if content.is_embedded else None,
        )
    if state is None and endpoint_url:
        return _from_environment(environment, endpoint_url)
    if state is None and environment.get("AWS_REGION") and environment.get("WINDROW_PREFIX"):
        return _from_environment(environment, None)
    option = "" if folder == DEFAULT_STATE else f" --state {folder}"
    if content is not None:
        raise Unavailable(f"`windrow dev` is not running any more in {folder}: start it with `windrow dev{option}`")
    raise Unavailable(
        f"nothing is running here: start `windrow dev{option}`, or set AWS_ENDPOINT_URL "
        "(for AWS itself: AWS_REGION and WINDROW_PREFIX)"
    )


def region_of(environment: Mapping[str, str]) -> str:
    """The region a person chose, or us-east-1."""
    return environment.get("AWS_REGION") or environment.get("AWS_DEFAULT_REGION") or DEFAULT_REGION


def topology_of(environment: Mapping[str, str]) -> Path:
    """The topology file."""
    named = environment.get("WINDROW_TOPOLOGY")
    return Path(named) if named else topologies.find()


def embedded_variables(environment: Mapping[str, str]) -> dict[str, str | None]:
    """What the AWS SDKs need set (or, for None, unset) to speak to our own emulator.

    Keys that mean nothing anywhere else, no profile, and no proxy on the way to this very machine.
    """
    variables: dict[str, str | None] = {
        "AWS_ACCESS_KEY_ID": "windrow",
        "AWS_SECRET_ACCESS_KEY": "windrow",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    variables |= dict.fromkeys(("AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_DEFAULT_PROFILE"))
    for name in ("NO_PROXY", "no_proxy"):
        variables[name] = ",".join(filter(None, (environment.get(name), LOOPBACK, "localhost")))
    return variables


def _from_environment(environment: Mapping[str, str], endpoint_url: str | None) -> Deployment:
    path = topology_of(environment)
    return Deployment(
        region=region_of(environment),
        prefix=environment.get("WINDROW_PREFIX", DEFAULT_PREFIX),
        endpoint_url=endpoint_url,
        topology_path=path,
        ports={name: shape.port for name, shape in topologies.load(path).services.items()},
    )
