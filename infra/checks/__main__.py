"""Checks the Terraform in a folder and prints each fault with its place and what to do.

Usage: python -m infra.checks [FOLDER]   (default: `infra/`)

Exit 0: no fault. 1: there are faults.
"""

import sys
from pathlib import Path

from infra.checks import provider_schema, schema
from infra.checks.modules import INFRA, ROOT, read_all


def main(arguments: list[str]) -> int:
    """Run every check; the exit code."""
    infra = Path(arguments[0]).resolve() if arguments else INFRA
    modules, findings = read_all(infra)
    findings.extend(schema.check(modules, provider_schema.aws()))
    for finding in sorted(findings):
        print(finding.text(ROOT))
    print(f"infra: {len(modules)} modules, {len(findings)} faults")
    return 1 if findings else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
