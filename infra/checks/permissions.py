"""Who may do what: statements matched as IAM matches them, conditions of an Allow taken as fulfilled."""

import re
from collections.abc import Iterable
from functools import cache

from infra.checks.policy_documents import Statement


def allows(statements: Iterable[Statement], action: str, resource: str) -> bool:
    """Whether a role with these statements may, at its most, take the action on the resource.

    A condition can only take away from an Allow, so it is ignored there; a Deny counts where it has none.
    """
    every = list(statements)
    if any(not one.is_allowed and not one.conditions and matches(one, action, resource) for one in every):
        return False
    return any(one.is_allowed and matches(one, action, resource) for one in every)


def matches(statement: Statement, action: str, resource: str) -> bool:
    """Whether a statement speaks of the action and the resource."""
    action_fits = (
        not any(_like(pattern, action.lower()) for pattern in map(str.lower, statement.not_actions))
        if statement.not_actions
        else any(_like(pattern, action.lower()) for pattern in map(str.lower, statement.actions))
    )
    resource_fits = (
        not any(_like(pattern, resource) for pattern in statement.not_resources)
        if statement.not_resources
        else any(_like(pattern, resource) for pattern in statement.resources)
    )
    return action_fits and resource_fits


def _like(pattern: str, name: str) -> bool:
    return _regex(pattern).fullmatch(name) is not None


@cache
def _regex(pattern: str) -> re.Pattern[str]:
    return re.compile("".join(".*" if char == "*" else "." if char == "?" else re.escape(char) for char in pattern))
