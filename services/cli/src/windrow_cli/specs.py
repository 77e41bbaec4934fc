"""Spec files on this machine."""

from pathlib import Path

from windrow import spec
from windrow.errors import BadSettings


def default_config(folder: Path) -> Path | None:
    """The specs that lie about: ./config, else ./examples/config."""
    return next((path for path in (folder / "config", folder / "examples" / "config") if _has_specs(path)), None)


def read_specs(config: Path | None) -> dict[str, str]:
    """The text of every spec below a config folder, by file name; BadSettings lists all faults of all files."""
    if config is None:
        return {}
    if not _has_specs(config):
        raise BadSettings(str(config), ["there is no streams/*.yaml in it"])
    return read_spec_files(sorted((config / "streams").glob("*.yaml")))


def read_spec_files(paths: list[Path]) -> dict[str, str]:
    """The text of each file, once all of them are known to be good; BadSettings lists all faults of all files."""
    texts: dict[str, str] = {}
    faults: list[str] = []
    for path in paths:
        try:
            texts[str(path)] = path.read_text(encoding="utf-8")
            spec.parse(texts[str(path)], str(path))
        except OSError as error:
            faults.append(f"{path}: cannot be read: {error.strerror}")
        except UnicodeDecodeError:
            faults.append(f"{path}: is not UTF-8 text")
        except BadSettings as error:
            faults.extend(f"{path}: {fault}" for fault in error.faults)
    if faults:
        raise BadSettings("stream specs", faults)
    return texts


def _has_specs(config: Path) -> bool:
    return any((config / "streams").glob("*.yaml"))
