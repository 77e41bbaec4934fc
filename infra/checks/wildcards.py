"""No wildcards in what a policy allows, except with a reason beside it."""

import re
from collections.abc import Iterator

from infra.checks.finding import Finding
from infra.checks.hcl import Block, Node
from infra.checks.plan import Instance, Resource, body
from infra.checks.policy_documents import Statement, read, render
from infra.checks.values import CannotEvaluate

# Keys below a first part of the key, streams of a log group, tables of a database: nobody can list them beforehand.
_BELOW = re.compile(
    r"arn:[^*]+:s3:::[^*/]+/[^*]+/\*"
    r"|arn:[^*]+:logs:[^*]+:log-group:[^*]+:\*"
    r"|arn:[^*]+:logs:[^*]+:log-stream:[^*]+\*"
    r"|arn:[^*]+:dynamodb:[^*]+/index/\*"
    r"|arn:[^*]+:glue:[^*]+:table/[^*/]+/\*"
)
_REASON = re.compile(r"#\s*wildcard:\s*\S+")
_REMEDY = "name what is meant, or write `# wildcard: REASON` in the statement"


def check(root: Instance) -> Iterator[Finding]:
    """Every wildcard in an Allow of a rendered policy document, once per place in the files."""
    seen: set[Finding] = set()
    for source in root.data_sources():
        if source.kind == "aws_iam_policy_document":
            for finding in _document(source):
                if finding not in seen:
                    seen.add(finding)
                    yield finding
    for resource in root.resources():
        for finding in _inline(resource):
            if finding not in seen:
                seen.add(finding)
                yield finding


def _document(source: Resource) -> Iterator[Finding]:
    for block in source.block.blocks:
        is_dynamic = block.kind == "dynamic"
        if is_dynamic and block.labels != ("statement",):
            continue
        wrapper = Block("", (), {}, (block,), block.line)
        try:
            statements = list(read(render(body(wrapper, source.scope))))
        except CannotEvaluate as error:
            yield Finding(source.path, block.line, f"a statement cannot be computed: {error}", "write it more plainly")
            continue
        if has_reason(block, source.block):
            continue
        for statement in statements:
            for what in faults(statement):
                yield Finding(source.path, block.line, what, _REMEDY)


def _inline(resource: Resource) -> Iterator[Finding]:
    """Policies written with jsonencode have no statement blocks to put a reason in: they may hold no wildcard."""
    attribute = resource.block.attributes.get("policy")
    if attribute is None or not resource.kind.startswith("aws_iam_") or not _is_jsonencode(attribute.value):
        return
    for statement in read(str(resource.get_attr("policy"))):
        for what in faults(statement):
            yield Finding(resource.path, attribute.line, what, "write it as an aws_iam_policy_document")


def _is_jsonencode(node: Node) -> bool:
    return getattr(node, "function", "") == "jsonencode"


def faults(statement: Statement) -> Iterator[str]:
    """What in a statement is wider than it says."""
    if not statement.is_allowed:
        return
    for action in statement.actions:
        if "*" in action:
            yield f"allows the actions {action!r}"
    if statement.not_actions:
        yield "allows all actions but some"
    if statement.not_resources:
        yield "allows all resources but some"
    if statement.principals:
        # The policy of a thing: its resource "*" is the thing itself. Who may use it is the question.
        if any(one.endswith(":*") for one in statement.principals) and not statement.conditions:
            yield "allows everybody"
        return
    for resource in statement.resources:
        if "*" in resource and not _BELOW.fullmatch(resource):
            yield f"allows the resources {resource!r}"


def has_reason(block: Block, around: Block) -> bool:
    """Whether a comment above or in the block says why it needs a wildcard."""
    first, last = block.line - 1, last_line(block)
    return any(first <= line <= last and _REASON.search(text) for line, text in around.comments.items())


def last_line(block: Block) -> int:
    """The line of the last thing in a block."""
    lines = [block.line]
    lines.extend(node.line for expression in block.expressions() for node in expression.walk())
    return max(lines)
