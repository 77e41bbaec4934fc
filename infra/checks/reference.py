"""The tables in the READMEs of modules, taken from their variables and outputs.

Usage: python -m infra.checks.reference   (writes them)
"""

import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from infra.checks.finding import Finding
from infra.checks.hcl import Block, Literal, Node
from infra.checks.modules import INFRA, ROOT, Module, read_all
from infra.checks.writing import written

BEGIN, END = "<!-- BEGIN_TF_DOCS -->", "<!-- END_TF_DOCS -->"
_SECTION = re.compile(f"{re.escape(BEGIN)}.*?{re.escape(END)}", re.DOTALL)


def tables(module: Module) -> str:
    """What a module takes and gives, in the order of its files."""
    lines: list[str] = []
    variables = [block for _, block in module.blocks("variable")]
    if variables:
        lines += ["## Inputs", "", "| name | type | default | meaning |", "| --- | --- | --- | --- |"]
        lines += [_input(block) for block in variables]
    outputs = [block for _, block in module.blocks("output")]
    if outputs:
        lines += ["", "## Outputs", "", "| name | meaning |", "| --- | --- |"]
        lines += [f"| `{block.labels[0]}` | {_text(block.value('description'))} |" for block in outputs]
    return "\n".join(lines).strip()


def _input(block: Block) -> str:
    shape, default = block.value("type"), block.value("default")
    given = _code(written(default)) if default is not None else "required"
    kind = _code(written(shape)) if shape is not None else ""
    return f"| `{block.labels[0]}` | {kind} | {given} | {_text(block.value('description'))} |"


def _code(text: str) -> str:
    return f"`{text}`".replace("|", "\\|")


def _text(node: Node | None) -> str:
    text = str(node.value) if isinstance(node, Literal) else ""
    return " ".join(text.split()).replace("|", "\\|")


def page(module: Module) -> tuple[Path, str | None]:
    """A module's README and what it should say; None where there is no README with the two marks."""
    path = module.folder / "README.md"
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    if not _SECTION.search(text):
        return path, None
    content = f"{BEGIN}\n{tables(module)}\n{END}"
    return path, _SECTION.sub(lambda _: content, text)


def check(modules: Iterable[Module]) -> Iterator[Finding]:
    """READMEs that are missing, say nothing of their own, or do not say what the module declares."""
    for module in modules:
        if module.folder.parent.name != "modules":
            continue
        path, wanted = page(module)
        if wanted is None:
            yield Finding(path, 0, "there is no README with marks for the tables", f"write {BEGIN} and {END}")
            continue
        text = path.read_text(encoding="utf-8")
        if text != wanted:
            yield Finding(path, 0, "the tables are not those of variables.tf and outputs.tf", "run `make reference`")
        first = text.partition(BEGIN)[0].partition("\n")[2].strip()
        if not text.startswith("# ") or not first:
            yield Finding(path, 1, "does not say what the module is for", "begin with a title and a paragraph")


def main() -> int:
    """Write the tables; the exit code."""
    modules, _ = read_all(INFRA)
    for module in modules:
        path, text = page(module)
        if text is not None:
            path.write_text(text, encoding="utf-8")
            sys.stdout.write(f"{path.relative_to(ROOT)}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
