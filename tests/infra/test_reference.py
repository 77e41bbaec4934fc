import pytest

from infra.checks import reference
from infra.checks.hcl import Node
from infra.checks.modules import read
from infra.checks.parsing import parse
from infra.checks.writing import written

VARIABLES = """
variable "name" {
  description = "Name | of it."
  type        = string
}
variable "shape" {
  description = <<-EOT
    What it
    looks like.
  EOT
  type = object({
    a = optional(number, 1)
    b = list(string)
  })
  default = { b = ["x"] }
}
output "arn" {
  description = "Where it is."
  value       = 1
}
"""
README = f"# it\n\nWhat it is.\n\n{reference.BEGIN}\n{reference.END}\n"


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "modules" / "it"
    folder.mkdir(parents=True)
    (folder / "main.tf").write_text(VARIABLES)
    (folder / "README.md").write_text(README)
    return folder


def said(folder) -> list[str]:
    return [finding.what for finding in reference.check([read(folder)[0]])]


def test_tables_say_what_is_declared(folder):
    path, text = reference.page(read(folder)[0])

    assert path == folder / "README.md"
    assert text is not None
    assert "| `name` | `string` | required | Name \\| of it. |" in text
    shape = "`object({ a = optional(number, 1), b = list(string) })`"
    assert f'| `shape` | {shape} | `{{ b = ["x"] }}` | What it looks like. |' in text
    assert "| `arn` | Where it is. |" in text
    assert text.startswith("# it\n\nWhat it is.\n")


def test_a_readme_that_does_not_say_so_is_found_until_it_is_written(folder):
    assert said(folder) == ["the tables are not those of variables.tf and outputs.tf"]

    path, text = reference.page(read(folder)[0])
    path.write_text(text)

    assert said(folder) == []


def test_a_readme_without_marks_or_words_is_found(folder):
    (folder / "README.md").write_text(f"# it\n{reference.BEGIN}\n{reference.END}\n")
    assert "does not say what the module is for" in said(folder)

    (folder / "README.md").unlink()
    assert said(folder) == ["there is no README with marks for the tables"]


@pytest.mark.parametrize(
    "text",
    [
        'object({ a = optional(string, "x"), b = map(list(number)) })',
        '"${var.prefix}-\\"x\\""',
        "null",
        "[1, true, !var.x]",
        "var.a == 1 ? local.b[0] : merge(var.c...)",
        "{}",
    ],
)
def test_expressions_are_written_as_they_were(text):
    value: Node | None = parse(f"x = {text}\n").value("x")

    assert value is not None
    assert written(value) == text
