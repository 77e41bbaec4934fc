"""Terraform on the spot: a module from a text, and what a check says of it."""

from collections.abc import Iterable
from pathlib import Path

from infra.checks.finding import Finding
from infra.checks.modules import Module
from infra.checks.parsing import parse
from infra.checks.plan import Instance, plan


def module(text: str, folder: str = "infra/modules/sample") -> Module:
    """A module with one file `main.tf`."""
    path = Path(folder)
    return Module(path, ((path / "main.tf", parse(text)),))


def said(findings: Iterable[Finding]) -> list[str]:
    """What was found, with its line, in the order of the file."""
    return [f"{finding.line}: {finding.what}" for finding in sorted(findings)]


def planned(text: str, **others: str) -> Instance:
    """A root module computed; `others` are modules beside it, as `../NAME`."""
    modules = [module(text, "infra/modules/root")]
    modules += [module(content, f"infra/modules/{name}") for name, content in others.items()]
    return plan(modules[0].folder, modules)
