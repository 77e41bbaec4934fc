"""What is pushed is what the environments read, and what ran before can run again."""

from pathlib import Path

import pytest

from infra.checks.modules import INFRA, read_all
from infra.checks.plan import plan
from infra.release import building, digests
from infra.release.digests import Release
from windrow import topology
from windrow.errors import BadInput, Unavailable

SERVICES = tuple(topology.load(INFRA / "topology.json").services)
ENVIRONMENTS = sorted(path.parent.name for path in INFRA.glob("environments/*/images.json"))


def _release(digit: str) -> Release:
    registry = "111122223333.dkr.ecr.eu-central-1.amazonaws.com"
    images = {service: f"{registry}/farm-{service}@sha256:{digit * 64}" for service in SERVICES}
    return Release("1.2.3", digit * 40, ("linux/amd64", "linux/arm64"), images)


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_terraform_reads_what_push_writes(environment: str) -> None:
    path = INFRA / "environments" / environment / digests.IMAGES
    written = digests.read(path, SERVICES)

    modules, _ = read_all(INFRA)
    root = plan(path.parent, modules)
    pipeline = root.once("module", "windrow")
    assert pipeline.once("var", "images") == written.images
    run = {name: service.once("var", "image") for name, service in pipeline.once("module", "service").items()}
    assert run == written.images


def test_a_release_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    assert digests.read(digests.write(tmp_path, _release("a")), SERVICES) == _release("a")


def test_a_roll_back_runs_what_ran_before_and_can_itself_be_taken_back(tmp_path: Path) -> None:
    digests.write(tmp_path, _release("a"))
    digests.write(tmp_path, _release("b"))

    assert digests.swap(tmp_path, SERVICES) == _release("a")
    assert digests.read(tmp_path / digests.IMAGES, SERVICES) == _release("a")
    assert digests.swap(tmp_path, SERVICES) == _release("b")


def test_pushing_the_same_images_again_does_not_forget_the_ones_before(tmp_path: Path) -> None:
    digests.write(tmp_path, _release("a"))
    digests.write(tmp_path, _release("b"))
    digests.write(tmp_path, _release("b"))

    assert digests.swap(tmp_path, SERVICES) == _release("a")


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_the_first_push_leaves_nothing_to_go_back_to(tmp_path: Path, environment: str) -> None:
    """What stands in an environment before that is an example, and no registry has it."""
    example = INFRA / "environments" / environment / digests.IMAGES
    (tmp_path / digests.IMAGES).write_bytes(example.read_bytes())
    assert digests.read(example, SERVICES).is_example

    digests.write(tmp_path, _release("a"))
    with pytest.raises(BadInput, match="nothing to go back to"):
        digests.swap(tmp_path, SERVICES)


def test_without_a_release_before_there_is_nothing_to_go_back_to(tmp_path: Path) -> None:
    digests.write(tmp_path, _release("a"))
    with pytest.raises(BadInput, match="nothing to go back to"):
        digests.swap(tmp_path, SERVICES)


@pytest.mark.parametrize("image", ["farm-ingest:1.2.3", "farm-ingest@sha256:abc", "farm-ingest"])
def test_a_tag_is_not_taken_for_an_image(tmp_path: Path, image: str) -> None:
    path = digests.write(tmp_path, _release("a"))
    path.write_text(path.read_text().replace(_release("a").images["ingest"], image))
    with pytest.raises(BadInput, match="no list of images"):
        digests.read(path, SERVICES)


def test_a_release_lacks_no_service(tmp_path: Path) -> None:
    path = digests.write(tmp_path, _release("a"))
    with pytest.raises(BadInput, match="no image of puller"):
        digests.read(path, (*SERVICES, "puller"))


def test_only_a_commit_that_is_marked_as_a_release_gets_the_version_for_a_tag() -> None:
    assert digests.tags("1.2.3", "a" * 40, []) == ["1.2.3-aaaaaaaaaaaa"]
    assert digests.tags("1.2.3", "a" * 40, ["v1.2.3"]) == ["1.2.3-aaaaaaaaaaaa", "1.2.3"]


def test_what_a_builder_cannot_build_is_told() -> None:
    able = building.builder_platforms("Name: default\nNodes:\nName: default\nPlatforms: linux/amd64*, linux/386\n")
    assert building.split(["linux/amd64", "linux/arm64"], able) == (["linux/amd64"], ["linux/arm64"])


def test_a_registry_that_asks_for_a_login_is_told_of_before_anything_is_built(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def run(*command: str) -> str:
        asked.append(command[2])
        raise Unavailable("ERROR: unexpected status from HEAD request to https://r/v2/farm-ingest: 401 Unauthorized")

    monkeypatch.setattr(building, "run", run)
    with pytest.raises(Unavailable, match="docker login"):
        building.push("ingest", "r/farm-ingest", ["1.2.3-aaaaaaaaaaaa"], ["linux/arm64"])
    assert asked == ["imagetools"]


def test_a_repository_that_is_not_there_is_told_of_with_the_option_that_names_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def run(*command: str) -> str:
        why = "not found" if command[2] == "imagetools" else "name unknown: The repository with name … does not exist"
        raise Unavailable(why)

    monkeypatch.setattr(building, "run", run)
    with pytest.raises(BadInput, match="REPOSITORIES"):
        building.push("ingest", "r/windrow-ingest", ["1.2.3-aaaaaaaaaaaa"], ["linux/arm64"])


def test_ecs_asks_as_the_image_does_but_whether_it_is_alive() -> None:
    """ECS replaces what fails its question, and a worker that stopped itself (law 9) is alive, not ready."""
    modules, _ = read_all(INFRA)
    pipeline = plan(INFRA / "environments" / "dev", modules).once("module", "windrow")
    command = pipeline.once("module", "service")["ingest"].once("local", "health_command")
    dockerfile = (building.ROOT / "Dockerfile.base").read_text().replace("\\\n", "")
    healthcheck = next(line for line in dockerfile.splitlines() if line.startswith("HEALTHCHECK"))

    assert command[:3] == ["CMD", "python", "-c"]
    assert "/healthz'" in command[3]
    assert f'"{command[3].replace("/healthz", "/readyz")}"' in healthcheck
