"""Each image by itself, as a platform runs it: read-only, without capabilities or root, with its own service alone."""

import json
import subprocess
from collections.abc import Iterator

import pytest

from infra.release import building
from tests.e2e.stack import SERVICES
from windrow.errors import Unavailable

# The first test of a service may have to wait for its image to be built.
pytestmark = pytest.mark.timeout(900)

_AS_A_PLATFORM_RUNS_IT = ("--rm", "--read-only", "--cap-drop=ALL", "--user", "10001", "--network=none")


@pytest.fixture(scope="module", params=SERVICES)
def built(request: pytest.FixtureRequest) -> Iterator[tuple[str, str]]:
    """A service, and its image built from the tree."""
    try:
        building.run("docker", "version")
    except Unavailable as error:
        pytest.skip(f"there is no Docker engine to build images with: {error}")
    image = f"windrow-{request.param}:under-test"
    building.build(request.param, image)
    yield request.param, image
    building.run("docker", "image", "rm", image)


def _run(image: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = ["docker", "run", *_AS_A_PLATFORM_RUNS_IT, image, *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_it_holds_its_own_service_and_no_other(built: tuple[str, str]) -> None:
    service, image = built
    others = [name for name in (*SERVICES, "cli") if name != service]
    probe = (
        f"import json, importlib.util as u, windrow_{service}.main\n"
        f"print(json.dumps([name for name in {others!r} if u.find_spec('windrow_' + name)]))"
    )
    done = _run(image, "python", "-c", probe)

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == []


def test_nothing_can_be_written_but_tmp(built: tuple[str, str]) -> None:
    _, image = built
    probe = (
        "for path in /tmp/x /opt/x /opt/venv/x /etc/windrow/x; do touch $path 2>/dev/null && echo $path; done; id -u"
    )
    assert _run(image, "sh", "-c", probe).stdout.split() == ["/tmp/x", "10001"]


def test_it_starts_as_far_as_its_settings(built: tuple[str, str]) -> None:
    _, image = built
    done = _run(image)

    assert done.returncode == 2, done.stderr
    said = done.stdout + done.stderr
    assert "AWS_REGION is missing" in said
    assert "Traceback" not in said
