"""Expressions of specs: a small language over columns, with types known before any record is read."""

from windrow.spec.expressions.documentation import documentation
from windrow.spec.expressions.kinds import Type, type_of
from windrow.spec.expressions.nodes import BadExpression, Call, Constant, Expression, Node, Reference
from windrow.spec.expressions.plan import Plan, faults, plan
from windrow.spec.expressions.reading import parse

__all__ = [
    "BadExpression",
    "Call",
    "Constant",
    "Expression",
    "Node",
    "Plan",
    "Reference",
    "Type",
    "documentation",
    "faults",
    "parse",
    "plan",
    "type_of",
]
