"""`images.json`: the images that an environment runs, by digest, and the ones before them."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import msgspec

from windrow.errors import BadInput

IMAGES, PREVIOUS = "images.json", "images.previous.json"
_REFERENCE = r"^[^@\s]+@sha256:[0-9a-f]{64}$"


class Release(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What was pushed together."""

    version: str
    revision: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{40}$")]
    """The commit that it was built from."""
    platforms: tuple[str, ...]
    images: dict[str, Annotated[str, msgspec.Meta(pattern=_REFERENCE)]]
    """`<repository>@sha256:<digest>` by service."""

    @property
    def is_example(self) -> bool:
        """Whether it is what stands in an environment before anything is pushed: no registry has it."""
        return not self.revision.strip("0")


def read(path: Path, services: Iterable[str]) -> Release:
    """The release in a file; BadInput if it is none, or lacks a service."""
    try:
        release = msgspec.json.decode(path.read_bytes(), type=Release)
    except FileNotFoundError as error:
        raise BadInput(f"{path} is not there; `make push` writes it") from error
    except msgspec.MsgspecError as error:
        raise BadInput(f"{path} is no list of images: {error}") from error
    missing = sorted(set(services) - set(release.images))
    if missing:
        raise BadInput(f"{path} has no image of {', '.join(missing)}; `make push` writes all of them")
    return release


def write(folder: Path, release: Release) -> Path:
    """Write a release into an environment's folder; the one that stood there, if it ran, is kept for a roll-back."""
    path = folder / IMAGES
    if path.exists():
        standing = msgspec.json.decode(path.read_bytes(), type=Release)
        if standing.images != release.images and not standing.is_example:
            path.replace(folder / PREVIOUS)
    path.write_bytes(msgspec.json.format(msgspec.json.encode(release), indent=2) + b"\n")
    return path


def swap(folder: Path, services: Iterable[str]) -> Release:
    """Make the release before the current one again; the current one becomes the one before, so it can be had back."""
    current, previous = folder / IMAGES, folder / PREVIOUS
    if not previous.exists():
        raise BadInput(
            f"{previous} is not there: nothing was pushed before what runs, so there is nothing to go back to"
        )
    back = read(previous, services)
    texts = previous.read_bytes(), current.read_bytes()
    current.write_bytes(texts[0])
    previous.write_bytes(texts[1])
    return back


def tags(version: str, revision: str, marks: Iterable[str]) -> list[str]:
    """Tags of an image: version and commit always, the version alone where the commit is marked as that release."""
    named = f"{version}-{revision[:12]}"
    return [named, version] if f"v{version}" in set(marks) else [named]


def version_of(pyproject: str) -> str:
    """The version in the text of a pyproject.toml."""
    found = re.search(r'(?m)^version = "([^"]+)"', pyproject)
    if found is None:
        raise BadInput("pyproject.toml has no version")
    return found[1]
