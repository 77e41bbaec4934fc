"""Terraform on a copy of `infra/`, with stand-ins for its providers and no backend."""

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from infra.checks.modules import INFRA, read_all
from infra.stand_in.serving import serving

_NO_IMAGE, _IMAGE = "sha256:" + "00" * 32, "sha256:" + "ab" * 32
"""A deployment wants images that were pushed."""


class Failed(Exception):
    """Terraform said no; its own words."""


@dataclass(frozen=True)
class Terraform:
    """Runs the program. `infra` is a copy: what it leaves there is gone with it."""

    infra: Path
    environment: Mapping[str, str]

    def initialized(self, folder: Path) -> Path:
        """A folder of the copy in which other commands work."""
        self.run(folder, "init", "-backend=false", "-input=false")
        return folder

    def run(self, folder: Path, *arguments: str) -> str:
        """What it prints. Raises Failed."""
        done = subprocess.run(  # noqa: S603  the arguments are our own
            ["terraform", arguments[0], "-no-color", *arguments[1:]],  # noqa: S607  whichever is on the path
            cwd=folder,
            env={**os.environ, **self.environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if done.returncode:
            raise Failed(f"terraform {' '.join(arguments)}, in {folder.relative_to(self.infra)}:\n{done.stdout}")
        return done.stdout


@contextmanager
def terraform() -> Iterator[Terraform]:
    """For as long as it is asked for."""
    with TemporaryDirectory(prefix="windrow-terraform-") as name:
        infra = Path(name) / "infra"
        shutil.copytree(INFRA, infra, ignore=shutil.ignore_patterns(".terraform*", "*.tfstate*", "__pycache__"))
        for path in infra.glob("*/*/backend.tf"):
            path.unlink()
        for path in infra.glob("*/*/images.json"):
            path.write_text(path.read_text(encoding="utf-8").replace(_NO_IMAGE, _IMAGE), encoding="utf-8")
        modules, _ = read_all(infra)
        with serving(Path(name), modules) as environment:
            yield Terraform(infra, environment)
