"""The Terraform folders of the repository, parsed."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from infra.checks.finding import Finding
from infra.checks.hcl import Block, Node
from infra.checks.parsing import NotHcl, parse_file

ROOT = Path(__file__).parents[2]
INFRA = ROOT / "infra"


@dataclass(frozen=True)
class Module:
    """A folder with `.tf` files. Every block comes with the file it stands in."""

    folder: Path
    files: tuple[tuple[Path, Block], ...]

    def blocks(self, kind: str) -> Iterator[tuple[Path, Block]]:
        """The top-level blocks of a kind."""
        for path, content in self.files:
            for block in content.inner(kind):
                yield path, block

    def named(self, kind: str) -> dict[str, tuple[Path, Block]]:
        """Blocks of a kind with one label (`variable`, `output`, `module`), by it."""
        return {block.labels[0]: (path, block) for path, block in self.blocks(kind) if block.labels}

    def locals(self) -> dict[str, tuple[Path, Node]]:
        """Every local value by name."""
        return {
            attribute.name: (path, attribute.value)
            for path, block in self.blocks("locals")
            for attribute in block.attributes.values()
        }

    def resources(self, kind: str = "resource") -> dict[tuple[str, str], tuple[Path, Block]]:
        """Resources or data sources by (type, label)."""
        return {
            (block.labels[0], block.labels[1]): (path, block)
            for path, block in self.blocks(kind)
            if len(block.labels) == 2
        }


def read(folder: Path) -> tuple[Module, list[Finding]]:
    """The module in a folder, and a finding for every file that cannot be parsed."""
    files: list[tuple[Path, Block]] = []
    findings: list[Finding] = []
    for path in sorted(folder.glob("*.tf")):
        try:
            files.append((path, parse_file(path)))
        except NotHcl as error:
            findings.append(Finding(path, error.line, str(error), "correct the syntax"))
    return Module(folder, tuple(files)), findings


def read_all(infra: Path) -> tuple[list[Module], list[Finding]]:
    """Every folder below `infra` that holds `.tf` files, in the order of their paths."""
    modules: list[Module] = []
    findings: list[Finding] = []
    for folder in sorted({path.parent for path in infra.rglob("*.tf") if ".terraform" not in path.parts}):
        module, faults = read(folder)
        modules.append(module)
        findings.extend(faults)
    return modules, findings
