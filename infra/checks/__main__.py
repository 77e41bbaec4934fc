"""Checks the Terraform in a folder and prints each fault with its place and what to do.

Usage: python -m infra.checks [FOLDER]   (default: `infra/`)

Exit 0: no fault. 1: there are faults.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

from infra.checks import (
    code_parity,
    cost,
    interfaces,
    local_parity,
    module_tests,
    provider_schema,
    reference,
    references,
    safety,
    schema,
    service_policies,
    skips,
    terraform_parity,
    wildcards,
)
from infra.checks.finding import Finding
from infra.checks.modules import INFRA, ROOT, read_all
from infra.checks.plan import Instance, plan
from infra.checks.provider_schema import ProviderSchema
from infra.checks.values import CannotEvaluate
from windrow import topology
from windrow.topology import Topology


def main(arguments: list[str]) -> int:
    """Run every check; the exit code."""
    infra = Path(arguments[0]).resolve() if arguments else INFRA
    modules, findings = read_all(infra)
    schema_of_aws = provider_schema.aws()
    shape = topology.load(infra / "topology.json")
    findings.extend(schema.check(modules, schema_of_aws))
    findings.extend(references.check(modules, schema_of_aws))
    findings.extend(interfaces.check(modules))
    tally = module_tests.Tally()
    findings.extend(module_tests.check(modules, schema_of_aws, tally))
    findings.extend(reference.check(modules))
    findings.extend(skips.check(modules))
    findings.extend(cost.check())
    findings.extend(code_parity.check(shape))
    findings.extend(local_parity.check(local_parity.record(shape), shape))
    roots = [plan(folder, modules) for folder in _roots(infra)]
    # A test of the pipeline is a deployment too, and those of its switches are nowhere else.
    for root in (*roots, *(one for one in tally.instances if one.module.folder.name == "pipeline")):
        findings.extend(_environment(root, shape))
    for root in (*roots, *tally.instances):
        findings.extend(_computed(root, schema_of_aws))
    findings = sorted(set(findings))
    for finding in findings:
        print(finding.text(ROOT))
    tests = f"{tally.computed} of {tally.asserted} assertions of their tests computed"
    print(f"infra: {len(modules)} modules, {tests}, {len(findings)} faults")
    return 1 if findings else 0


def _roots(infra: Path) -> list[Path]:
    return sorted(path.parent for path in infra.glob("environments/*/main.tf"))


def _environment(root: Instance, shape: Topology) -> list[Finding]:
    """What only a whole deployment can tell."""
    try:
        return list(_deployment(root, shape))
    except CannotEvaluate as error:
        return [Finding(root.module.folder, 0, f"cannot be computed: {error}", "see infra/checks/README.md")]


def _deployment(root: Instance, shape: Topology) -> Iterator[Finding]:
    prefix = str(root.once("local", "prefix") if "prefix" in root.locals else root.once("var", "prefix"))
    yield from terraform_parity.check(root, shape, prefix)
    yield from service_policies.check(service_policies.deployment(root, shape, prefix))
    for one in shape.notifications:
        yield from safety.check_put_once(root, shape.zone_buckets(prefix)[one.zone], one.zone)


def _computed(root: Instance, schema_of_aws: ProviderSchema) -> list[Finding]:
    """What can be told of anything that has been computed."""
    try:
        return [*wildcards.check(root), *safety.check(root, schema_of_aws)]
    except CannotEvaluate as error:
        return [Finding(root.module.folder, 0, f"cannot be computed: {error}", "see infra/checks/README.md")]


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
