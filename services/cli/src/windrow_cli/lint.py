"""`windrow lint`: everything that is wrong with spec files, before anything runs."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from windrow.errors import BadInput
from windrow.spec.advice import advice
from windrow.spec.carried_out import not_carried_out
from windrow.spec.document import check, parse, placed
from windrow.spec.faults import PlacedFault
from windrow_cli.cells import shown
from windrow_cli.context import AsJson, Injected

Level = Literal["fault", "warning"]
_CASES = ".cases.yaml"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong, or better known about, in one file."""

    file: str
    line: int
    column: int
    path: str
    level: Level
    message: str

    def __str__(self) -> str:
        what = f"{self.path}: {self.message}" if self.path else self.message
        return f"{self.file}:{self.line}:{self.column}: {'' if self.level == 'fault' else 'warning: '}{what}"


def lint(
    *specs: Path,
    strict: Annotated[bool, Parameter(negative="")] = False,
    as_json: AsJson = False,
    context: Injected,
) -> int:
    """Check stream specs, without anything running.

    Every fault is listed at once with its file, line and column. Warnings are of settings that are good but that a
    stream does not follow, so that it cannot be published, and of those that are seldom meant or cost much. Ends with
    exit code 1 if there are faults.

    ```
    windrow lint                                    # all of ./config, else ./examples
    windrow lint examples/sensors/sensors.yaml
    windrow lint config --strict --json
    ```

    Parameters
    ----------
    specs:
        YAML files, or folders with YAML files somewhere below; those named *.cases.yaml are left out.
    strict:
        Warnings count as faults.
    as_json:
        Print file, line, column, path, level and message of each as JSON.
    """
    files = spec_files(specs or _default_folders())
    findings = [finding for file in files for finding in findings_in(file)]
    faults = sum(finding.level == "fault" for finding in findings)
    if as_json:
        context.print_json([asdict(finding) for finding in findings])
    else:
        for finding in findings:
            context.out.print(shown(str(finding)), highlight=False, markup=False, soft_wrap=True)
        context.out.print(_summary(len(files), faults, len(findings) - faults), highlight=False)
    return 1 if faults or (strict and findings) else 0


def spec_files(paths: Sequence[Path]) -> list[Path]:
    """The files themselves, and every spec in the folders; BadInput if a path leads to none."""
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            inside = sorted(each for each in path.rglob("*.yaml") if not each.name.endswith(_CASES))
            if not inside:
                raise BadInput(f"{path}: there is no spec in this folder; specs end in .yaml")
            found += inside
        elif path.exists():
            found.append(path)
        else:
            raise BadInput(f"{path}: there is no such file or folder")
    return list(dict.fromkeys(found))


def findings_in(file: Path) -> list[Finding]:
    """What is wrong with one file, in order of its place; what is better known about, when nothing is wrong."""
    try:
        text = file.read_bytes()
    except OSError as error:
        return [Finding(str(file), 1, 1, "", "fault", f"cannot be read: {error.strerror}")]
    faults = check(text)
    if faults:
        return [_finding(file, fault, "fault") for fault in faults]
    spec = parse(text, str(file))
    return [_finding(file, fault, "warning") for fault in placed(text, [*not_carried_out(spec), *advice(spec)])]


def _finding(file: Path, fault: PlacedFault, level: Level) -> Finding:
    return Finding(str(file), fault.line, fault.column, fault.path, level, fault.message)


def _default_folders() -> list[Path]:
    for folder in (Path("config"), Path("examples")):
        if folder.is_dir():
            return [folder]
    raise BadInput("give at least one spec file or folder; without one, ./config or ./examples is checked, if there")


def _summary(files: int, faults: int, warnings: int) -> str:
    parts = [_count(faults, "fault"), *([_count(warnings, "warning")] if warnings else [])]
    return f"{_count(files, 'file')}: {', '.join(parts)}"


def _count(number: int, what: str) -> str:
    return f"{number or 'no'} {what}{'' if number == 1 else 's'}"
