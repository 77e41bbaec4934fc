"""Builds, pushes and rolls back images.

Usage: python -m infra.release images [--platforms P,P]
       python -m infra.release push REGISTRY ENVIRONMENT --repositories PREFIX [--platforms P,P]
       python -m infra.release rollback ENVIRONMENT

Exit 0: done. 1: it could not be done. 2: it was asked for in a wrong way.
"""

import argparse
import sys

from infra.release import building, digests
from windrow import topology
from windrow.errors import BadInput, WindrowError

PLATFORMS = "linux/amd64,linux/arm64"


def main(arguments: list[str]) -> int:
    """One command; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m infra.release", description="Images of the services.")
    commands = parser.add_subparsers(dest="command", required=True)
    images = commands.add_parser("images")
    images.add_argument("--platforms", default=PLATFORMS)
    push = commands.add_parser("push")
    push.add_argument("registry")
    push.add_argument("environment")
    push.add_argument("--repositories", required=True, help="prefix of infra/bootstrap, which made them")
    push.add_argument("--platforms", default=PLATFORMS)
    commands.add_parser("rollback").add_argument("environment")
    given = parser.parse_args(arguments)
    try:
        match given.command:
            case "images":
                _images(given.platforms.split(","))
            case "push":
                _push(given.registry, given.environment, given.repositories, given.platforms.split(","))
            case _:
                _rollback(given.environment)
    except BadInput as error:
        sys.stderr.write(f"release: {error}\n")
        return 2
    except WindrowError as error:
        sys.stderr.write(f"release: {error}\n")
        return 1
    return 0


def _services() -> list[str]:
    return list(topology.load(building.ROOT / "infra" / "topology.json").services)


def _images(wanted: list[str]) -> None:
    able, unable = building.split(wanted, _able())
    for service in _services():
        building.build(service, f"windrow-{service}")
        print(f"windrow-{service}: built for this machine")
    for platform in unable:
        print(f"not built for {platform}: this builder cannot; `make push` needs one that can (docker buildx create)")
    for platform in able:
        print(f"this builder can push for {platform}")


def _push(registry: str, environment: str, repositories: str, wanted: list[str]) -> None:
    folder = building.ROOT / "infra" / "environments" / environment
    if not folder.is_dir():
        raise BadInput(f"there is no environment {environment!r} in infra/environments")
    if building.run("git", "status", "--porcelain", "--untracked-files=no", "--", ".", ":!infra/environments").strip():
        raise BadInput("there are changes that are not committed: an image is named after its commit")
    _, unable = building.split(wanted, _able())
    if unable:
        raise BadInput(
            f"this builder cannot build for {', '.join(unable)}; make one that can, or name PLATFORMS it can"
        )
    revision = building.run("git", "rev-parse", "HEAD").strip()
    version = digests.version_of((building.ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    tags = digests.tags(version, revision, building.run("git", "tag", "--points-at", "HEAD").split())
    pushed = {}
    for service in _services():
        pushed[service] = building.push(service, f"{registry}/{repositories}-{service}", tags, wanted)
        print(f"{service}: {pushed[service]}")
    path = digests.write(folder, digests.Release(version, revision, tuple(wanted), pushed))
    print(f"written to {path.relative_to(building.ROOT)}; roll it out with: make deploy ENV={environment}")


def _rollback(environment: str) -> None:
    back = digests.swap(building.ROOT / "infra" / "environments" / environment, _services())
    print(f"{environment} is to run {back.version} ({back.revision[:12]}) again")


def _able() -> set[str]:
    return building.builder_platforms(building.run("docker", "buildx", "inspect", "--bootstrap"))


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
