"""Images by Docker's buildx."""

import re
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

import msgspec

from windrow.errors import BadInput, Unavailable

ROOT = Path(__file__).parents[2]
_METADATA = msgspec.json.Decoder(dict[str, object])


def run(*command: str) -> str:
    """What a command printed; Unavailable with its last lines when it fails."""
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise Unavailable(f"there is no {command[0]} here") from error
    if done.returncode != 0:
        last = "\n".join((done.stderr or done.stdout).strip().splitlines()[-15:])
        raise Unavailable(f"{' '.join(command[:4])} … failed:\n{last}")
    return done.stdout


def builder_platforms(inspected: str) -> set[str]:
    """The platforms that `docker buildx inspect` says its builder can build for."""
    found = re.findall(r"(?m)^Platforms:\s*(.+)$", inspected)
    return {name.strip().rstrip("*") for line in found for name in line.split(",")}


def split(wanted: Sequence[str], able: set[str]) -> tuple[list[str], list[str]]:
    """Those of the wanted platforms that the builder can build for, and those it cannot."""
    return [one for one in wanted if one in able], [one for one in wanted if one not in able]


def build(service: str, tag: str) -> None:
    """Build a service's image for this machine, and keep it under a name."""
    _buildx(service, "--load", f"--tag={tag}")


def push(service: str, repository: str, tags: Sequence[str], platforms: Sequence[str]) -> str:
    """Build a service's image for all platforms, push it under all tags, and return it by its digest.

    A tag that stands already is what was pushed for the same commit: it is not built again.
    """
    standing = _digest(f"{repository}:{tags[0]}")
    if standing is None:
        with tempfile.TemporaryDirectory(prefix="windrow-push-") as folder:
            metadata = Path(folder) / "metadata.json"
            named = [f"--tag={repository}:{tag}" for tag in tags]
            _buildx(service, "--push", f"--platform={','.join(platforms)}", f"--metadata-file={metadata}", *named)
            standing = str(_METADATA.decode(metadata.read_bytes()).get("containerimage.digest", ""))
    if not standing:
        raise BadInput(f"{repository}: the builder did not say which digest it pushed")
    return f"{repository}@{standing}"


def _digest(reference: str) -> str | None:
    try:
        return run("docker", "buildx", "imagetools", "inspect", "--format={{.Manifest.Digest}}", reference).strip()
    except Unavailable:
        return None


def _buildx(service: str, *arguments: str) -> None:
    run(
        *("docker", "buildx", "build", "--file=Dockerfile.base", "--target=service", f"--build-arg=SERVICE={service}"),
        *("--provenance=false", *arguments, "."),
    )
