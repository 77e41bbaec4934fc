"""Images by Docker's buildx."""

import re
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

import msgspec

from windrow.errors import BadInput, Unavailable, WindrowError

ROOT = Path(__file__).parents[2]
_METADATA = msgspec.json.Decoder(dict[str, object])
_NOT_LET_IN = ("401 Unauthorized", "403 Forbidden", "no basic auth credentials")
_NO_REPOSITORY = ("name unknown", "NAME_UNKNOWN", "RepositoryNotFoundException")


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
            options = ("--push", f"--platform={','.join(platforms)}", f"--metadata-file={metadata}", *named)
            try:
                _buildx(service, *options)
            except Unavailable as error:
                raise why_not_pushed(error, repository) from error
            standing = str(_METADATA.decode(metadata.read_bytes()).get("containerimage.digest", ""))
    if not standing:
        raise BadInput(f"{repository}: the builder did not say which digest it pushed")
    return f"{repository}@{standing}"


def why_not_pushed(error: Unavailable, repository: str) -> WindrowError:
    """What to do about a failure of a registry, where its words tell; else the failure itself."""
    words = str(error)
    if any(one in words for one in _NOT_LET_IN):
        return Unavailable(f"{repository.partition('/')[0]} lets nobody in without a login: see docker login\n{words}")
    if any(one in words for one in _NO_REPOSITORY):
        return BadInput(
            f"there is no repository {repository}: REPOSITORIES is the `prefix` of infra/bootstrap\n{words}"
        )
    return error


def _digest(reference: str) -> str | None:
    """None for a tag that does not stand. A registry that asks for a login is told of now, not after the build."""
    try:
        return run("docker", "buildx", "imagetools", "inspect", "--format={{.Manifest.Digest}}", reference).strip()
    except Unavailable as error:
        if any(words in str(error) for words in _NOT_LET_IN):
            raise why_not_pushed(error, reference) from error
        return None


def _buildx(service: str, *arguments: str) -> None:
    run(
        *("docker", "buildx", "build", "--file=Dockerfile.base", "--target=service", f"--build-arg=SERVICE={service}"),
        *("--provenance=false", *arguments, "."),
    )
