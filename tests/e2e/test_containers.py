"""What every container promises: no root, nothing writable, nothing published to the network, nobody else's code."""

import contextlib
import json
from collections.abc import Iterator

import httpx2
import pytest

from tests.e2e.stack import PORT_PREFIX, SERVICES, TOPOLOGY, CommandFailed, Stack
from tests.support.waiting import eventually

OURS = (*SERVICES, "provision")

# The first test may have to wait for the images to be built.
pytestmark = pytest.mark.timeout(900)

_CONFINED = ("--read-only", "--tmpfs=/tmp", "--cap-drop=ALL", "--security-opt=no-new-privileges", "--network=none")


@pytest.fixture
def anew(stack: Stack) -> Iterator[list[str]]:
    """Services a test stops: they are started again whatever happens."""
    stopped: list[str] = []
    yield stopped
    for service in stopped:
        stack.start(service)
        stack.wait_until_healthy(service)


@pytest.mark.parametrize("service", SERVICES)
def test_every_service_is_healthy_and_answers_its_probes(stack: Stack, service: str) -> None:
    stack.wait_until_healthy(service)
    for probe in ("healthz", "readyz", "metrics"):
        answer = httpx2.get(f"{stack.url(service)}/{probe}", timeout=10)
        assert answer.status_code == 200, f"{probe}: {answer.text}"


@pytest.mark.parametrize("service", OURS)
def test_a_container_has_no_root_no_capabilities_and_a_read_only_file_system(stack: Stack, service: str) -> None:
    found = stack.inspect(stack.container(service))

    assert found["Config"]["User"] == "10001:10001"
    host = found["HostConfig"]
    assert host["ReadonlyRootfs"] is True
    assert host["CapDrop"] == ["ALL"]
    assert not host["CapAdd"]
    assert not host["Privileged"]
    assert any(option.startswith("no-new-privileges") for option in host["SecurityOpt"])
    assert all(not mount["RW"] for mount in found["Mounts"])


@pytest.mark.parametrize("service", SERVICES)
def test_a_running_service_is_confined_in_fact(stack: Stack, service: str) -> None:
    stack.wait_until_healthy(service)
    probe = (
        "import json, os, pathlib\n"
        "def refused(path):\n"
        "    try:\n"
        "        pathlib.Path(path).write_text('x')\n"
        "    except OSError as error:\n"
        "        return error.strerror\n"
        "status = pathlib.Path('/proc/1/status').read_text()\n"
        "held = [line.split()[1] for line in status.splitlines() if line.startswith(('CapEff', 'CapPrm', 'CapBnd'))]\n"
        "print(json.dumps([os.getuid(), held, [refused(p) for p in ('/x', '/opt/venv/x', '/opt/windrow/x')],\n"
        "  refused('/tmp/x')]))"
    )
    uid, capabilities, refusals, tmp = json.loads(stack.docker("exec", stack.container(service), "python", "-c", probe))
    assert uid == 10001
    assert capabilities == ["0" * 16] * 3
    assert refusals == ["Read-only file system"] * 3
    assert tmp is None


def test_ports_are_published_on_the_loopback_address_only(stack: Stack) -> None:
    published: dict[str, str] = {}
    for container in stack.containers():
        found = stack.inspect(container)
        for port, bindings in (found["HostConfig"]["PortBindings"] or {}).items():
            for binding in bindings:
                assert binding["HostIp"] == "127.0.0.1", f"{found['Name']} publishes {port} on {binding}"
                published[binding["HostPort"]] = found["Config"]["Labels"]["com.docker.compose.service"]

    expected = {f"{PORT_PREFIX}{shape.port}": name for name, shape in TOPOLOGY.services.items()}
    assert published == {**expected, f"{PORT_PREFIX}4566": "localstack"}


@pytest.mark.parametrize("service", SERVICES)
def test_an_image_holds_its_own_service_and_the_shared_language_and_nothing_else(stack: Stack, service: str) -> None:
    probe = (
        "import json, importlib, importlib.metadata as m, importlib.util as u, pathlib\n"
        f"importlib.import_module('windrow_{service}.main')\n"
        f"services = {[*SERVICES, 'cli']!r}\n"
        "print(json.dumps([\n"
        "  sorted(d.name for d in m.distributions() if d.name.startswith('windrow')),\n"
        "  [s for s in services if u.find_spec(f'windrow_{s}')],\n"
        "  sorted(p.name for p in pathlib.Path('/opt/windrow/services').iterdir()),\n"
        "  [name for name in ('pytest', 'mypy', 'moto', 'ruff') if u.find_spec(name)]]))"
    )
    image = f"windrow-{service}"
    printed = stack.docker("run", "--rm", *_CONFINED, image, "python", "-c", probe)

    distributions, importable, sources, tools = json.loads(printed)
    assert distributions == ["windrow", image]
    assert importable == [service]
    assert sources == [service]
    assert tools == []


@pytest.mark.parametrize("service", SERVICES)
def test_a_container_with_missing_and_wrong_settings_exits_2_and_lists_every_fault(stack: Stack, service: str) -> None:
    given = {"WINDROW_PORT": "99999", "WINDROW_LOG_LEVEL": "loud", "WINDROW_PREFX": "mine"}
    variables = [part for name, value in given.items() for part in ("--env", f"{name}={value}")]
    name = f"windrow-e2e-wrong-settings-{service}"
    stack.docker("create", "--name", name, *_CONFINED, *variables, f"windrow-{service}")
    try:
        stack.docker("start", name)
        code = stack.docker("wait", name, within_s=60).strip()
        printed = stack.printed_by(name)
    finally:
        stack.docker("rm", "--force", name)

    assert code == "2"
    for fault in ("AWS_REGION is missing", "WINDROW_PORT='99999' is wrong", "WINDROW_LOG_LEVEL='loud' is wrong"):
        assert fault in printed
    assert "WINDROW_PREFX is not a setting; did you mean WINDROW_PREFIX?" in printed
    assert "4 faults" in printed
    assert "Traceback" not in printed


@pytest.mark.parametrize("service", SERVICES)
def test_a_stopped_container_drains_and_exits_0_inside_its_grace_period(
    stack: Stack, anew: list[str], service: str
) -> None:
    stack.wait_until_healthy(service)
    container = stack.container(service)
    grace_s = stack.inspect(container)["Config"]["StopTimeout"]
    anew.append(service)

    stack.docker("stop", container, within_s=grace_s + 10)

    state = stack.inspect(container)["State"]
    assert state["ExitCode"] == 0, stack.logs(service)
    assert not state["OOMKilled"]


def test_a_service_that_crashes_is_started_again_by_the_engine(stack: Stack) -> None:
    stack.wait_until_healthy("consumer")
    container = stack.container("consumer")
    before = stack.inspect(container)["RestartCount"]
    crash = (
        "import os, pathlib, signal\n"
        "for path in pathlib.Path('/proc').glob('[0-9]*/cmdline'):\n"
        "    if b'\\0windrow_consumer.main' in path.read_bytes():\n"
        "        os.kill(int(path.parent.name), signal.SIGKILL)\n"
    )
    # The process that does the killing dies with the container, so its own exit code says nothing.
    with contextlib.suppress(CommandFailed):
        stack.docker("exec", container, "python", "-c", crash)

    eventually(
        lambda: stack.inspect(container)["RestartCount"] > before, 30, "the engine to restart the consumer", every_s=0.2
    )
    stack.wait_until_healthy("consumer")
