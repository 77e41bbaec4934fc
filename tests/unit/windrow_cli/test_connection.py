"""Where commands find a deployment, and what they say when there is none."""

from pathlib import Path

import pytest

from windrow import topology
from windrow.errors import Unavailable
from windrow_cli import devfile
from windrow_cli.connection import embedded_variables, resolve
from windrow_cli.devfile import DevFile

_ENDPOINT = {"AWS_ENDPOINT_URL": "http://localhost:4566"}


def _write(state: Path, endpoint_url: str = "http://127.0.0.1:7777") -> None:
    state.mkdir(parents=True, exist_ok=True)
    content = DevFile(
        endpoint_url=endpoint_url,
        is_embedded=True,
        region="eu-west-1",
        prefix="mine",
        topology=str(topology.find()),
        ports={"ingest": 18000},
    )
    devfile.write(state, content)


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_a_running_dev_is_found(tmp_path: Path) -> None:
    _write(tmp_path / ".windrow")
    with devfile.held(tmp_path / ".windrow"):
        found = resolve({}, None)

    assert (found.endpoint_url, found.region, found.prefix) == ("http://127.0.0.1:7777", "eu-west-1", "mine")
    assert found.url("ingest") == "http://127.0.0.1:18000"
    assert found.files == Path(".windrow/s3")


def test_an_endpoint_in_the_environment_comes_before_a_dev_that_nobody_named(tmp_path: Path) -> None:
    _write(tmp_path / ".windrow")
    with devfile.held(tmp_path / ".windrow"):
        found = resolve({**_ENDPOINT, "AWS_REGION": "eu-north-1", "WINDROW_PREFIX": "other"}, None)

    assert (found.endpoint_url, found.region, found.prefix) == ("http://localhost:4566", "eu-north-1", "other")
    assert found.url("reprocessor") == "http://127.0.0.1:8084"
    assert found.files is None


def test_a_dev_on_the_endpoint_in_the_environment_knows_the_ports_of_its_services(tmp_path: Path) -> None:
    _write(tmp_path / ".windrow", "http://localhost:4566")
    with devfile.held(tmp_path / ".windrow"):
        assert resolve(_ENDPOINT, None).url("ingest") == "http://127.0.0.1:18000"
    assert resolve(_ENDPOINT, None).url("ingest") == "http://127.0.0.1:8080"


def test_a_state_folder_that_was_named_comes_before_the_environment(tmp_path: Path) -> None:
    _write(tmp_path / "named", "http://127.0.0.1:8888")
    with devfile.held(tmp_path / "named"):
        assert resolve(_ENDPOINT, tmp_path / "named").endpoint_url == "http://127.0.0.1:8888"


def test_aws_itself_is_meant_only_when_region_and_prefix_say_so() -> None:
    found = resolve({"AWS_REGION": "eu-north-1", "WINDROW_PREFIX": "prod"}, None)
    assert (found.endpoint_url, found.prefix) == (None, "prod")
    with pytest.raises(Unavailable):
        resolve({"AWS_REGION": "eu-north-1"}, None)


def test_nothing_there_says_how_to_start_something() -> None:
    with pytest.raises(Unavailable, match="nothing is running here: start `windrow dev`, or set AWS_ENDPOINT_URL"):
        resolve({}, None)


def test_a_dev_that_was_stopped_says_how_to_start_it_again(tmp_path: Path) -> None:
    _write(tmp_path / "mine")
    with pytest.raises(Unavailable, match=r"not running any more .*: start it with `windrow dev --state .*mine`"):
        resolve({}, tmp_path / "mine")


def test_an_emulator_never_sees_real_keys_or_a_proxy() -> None:
    variables = embedded_variables(
        {"AWS_ACCESS_KEY_ID": "real", "AWS_SESSION_TOKEN": "real", "NO_PROXY": "example.com"}
    )

    assert variables["AWS_ACCESS_KEY_ID"] == "windrow"
    assert variables["AWS_SESSION_TOKEN"] is None
    assert variables["AWS_PROFILE"] is None
    assert variables["NO_PROXY"] == "example.com,127.0.0.1,localhost"
