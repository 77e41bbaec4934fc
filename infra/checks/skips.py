"""Every check that checkov is told to skip has its reason beside it."""

import re
from collections.abc import Iterable, Iterator

from infra.checks.finding import Finding
from infra.checks.modules import Module

_SKIP = re.compile(r"checkov:skip=(?P<id>\w+)(?P<reason>:.*)?")


def check(modules: Iterable[Module]) -> Iterator[Finding]:
    """Skips without a reason of two words or more."""
    for module in modules:
        for path, content in module.files:
            for line, text in content.comments.items():
                for found in _SKIP.finditer(text):
                    if len((found["reason"] or "").lstrip(": ").split()) < 2:
                        what = f"skips {found['id']} and does not say why"
                        yield Finding(path, line, what, f"write #checkov:skip={found['id']}:REASON")
