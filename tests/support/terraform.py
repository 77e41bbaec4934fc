"""Terraform on the spot: a module from a text, and what a check says of it."""

from collections.abc import Iterable
from pathlib import Path

from infra.checks.finding import Finding
from infra.checks.modules import Module
from infra.checks.parsing import parse


def module(text: str, folder: str = "infra/modules/sample") -> Module:
    """A module with one file `main.tf`."""
    path = Path(folder)
    return Module(path, ((path / "main.tf", parse(text)),))


def said(findings: Iterable[Finding]) -> list[str]:
    """What was found, with its line, in the order of the file."""
    return [f"{finding.line}: {finding.what}" for finding in sorted(findings)]
