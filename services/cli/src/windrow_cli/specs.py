"""Spec files on this machine."""

from collections.abc import Sequence
from pathlib import Path

from windrow import spec
from windrow.errors import BadInput, BadSettings

CASES_SUFFIX = ".cases.yaml"
_MAX_BYTES = 256 << 10


def default_config(folder: Path) -> Path | None:
    """The specs that lie about: ./config, else ./examples."""
    return next((path for path in (folder / "config", folder / "examples") if _in_folder(path)), None)


def spec_files(places: Sequence[Path]) -> list[Path]:
    """The spec files that are named, or lie below the folders that are; without any, below ./config or ./examples."""
    if not places:
        found = default_config(Path())
        if found is None:
            raise BadInput("name a spec file or a folder of them; there is no ./config and no ./examples here")
        places = [found]
    files: list[Path] = []
    for place in places:
        inside = _in_folder(place) if place.is_dir() else [place]
        if not inside:
            raise BadInput(f"{place}: there is no spec in this folder (*.yaml)")
        files.extend(each for each in inside if each not in files)
    return files


def read_specs(config: Path | None) -> dict[str, str]:
    """The text of every spec below a config folder, by file name; BadSettings lists all faults of all files."""
    if config is None:
        return {}
    found = _in_folder(config)
    if not found:
        raise BadSettings(str(config), ["there is no stream spec (*.yaml) in it"])
    return read_spec_files(found)


def read_spec_files(paths: list[Path]) -> dict[str, str]:
    """The text of each file, once all of them are known to be good; BadSettings lists all faults of all files."""
    texts: dict[str, str] = {}
    faults: list[str] = []
    for path in paths:
        try:
            texts[str(path)] = read_text(path)
            spec.parse(texts[str(path)], str(path))
        except BadSettings as error:
            faults.extend(f"{path}: {fault}" for fault in error.faults)
    if faults:
        raise BadSettings("stream specs", faults)
    return texts


def read_spec(path: Path) -> spec.StreamSpec:
    """A spec from a file; BadSettings lists its faults."""
    return spec.parse(read_text(path), str(path))


def read_text(path: Path) -> str:
    """The text of a spec file; BadSettings when there is none."""
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise BadSettings(str(path), [f"is larger than any spec ({_MAX_BYTES >> 10} KiB)"])
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise BadSettings(str(path), [f"cannot be read: {error.strerror}"]) from error
    except UnicodeDecodeError as error:
        raise BadSettings(str(path), ["is not UTF-8 text"]) from error


def _in_folder(folder: Path) -> list[Path]:
    """Every spec below a folder, in order of path."""
    return sorted(
        path
        for path in folder.rglob("*.yaml")
        if path.is_file()
        and not path.name.endswith(CASES_SUFFIX)
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    )
