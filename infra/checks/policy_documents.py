"""The JSON that the data source `aws_iam_policy_document` makes, and reading such JSON back."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from infra.checks.values import Unknown, Value


class Statement(NamedTuple):
    """One statement of a policy."""

    sid: str
    effect: str
    actions: tuple[str, ...]
    not_actions: tuple[str, ...]
    resources: tuple[str, ...]
    not_resources: tuple[str, ...]
    principals: tuple[str, ...]
    """As `type:identifier`; empty in the policy of a role."""
    conditions: Mapping[tuple[str, str], tuple[str, ...]]
    """Values by (operator, key)."""

    @property
    def is_allowed(self) -> bool:
        return self.effect == "Allow"


def render(body: Mapping[str, Value]) -> str:
    """The document of one data source; merged like the provider merges its source documents."""
    statements: list[dict[str, Any]] = []
    for source in body.get("source_policy_documents") or []:
        statements.extend(_of(source))
    statements.extend(_statement(one) for one in body.get("statement", []))
    for source in body.get("override_policy_documents") or []:
        for one in _of(source):
            statements = [kept for kept in statements if not one.get("Sid") or kept.get("Sid") != one["Sid"]]
            statements.append(one)
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def _of(document: Value) -> list[dict[str, Any]]:
    if isinstance(document, Unknown) or not document:
        return []
    found = json.loads(document)["Statement"]
    return found if isinstance(found, list) else [found]


def _statement(body: Mapping[str, Value]) -> dict[str, Any]:
    found: dict[str, Any] = {"Sid": body.get("sid") or "", "Effect": body.get("effect") or "Allow"}
    for name, key in (
        ("actions", "Action"),
        ("not_actions", "NotAction"),
        ("resources", "Resource"),
        ("not_resources", "NotResource"),
    ):
        if body.get(name):
            found[key] = [str(item) for item in body[name]]
    for name, key in (("principals", "Principal"), ("not_principals", "NotPrincipal")):
        if body.get(name):
            found[key] = {}
            for one in body[name]:
                found[key].setdefault(one["type"], []).extend(str(item) for item in one["identifiers"])
    for one in body.get("condition", []):
        values = found.setdefault("Condition", {}).setdefault(one["test"], {}).setdefault(one["variable"], [])
        values.extend(str(item) for item in one["values"])
    return found


def read(document: str) -> Iterator[Statement]:
    """The statements of a document."""
    for one in _of(document):
        principals = one.get("Principal", one.get("NotPrincipal", {}))
        if isinstance(principals, str):
            principals = {"AWS": principals}
        yield Statement(
            one.get("Sid", ""),
            one["Effect"],
            _several(one.get("Action")),
            _several(one.get("NotAction")),
            _several(one.get("Resource")),
            _several(one.get("NotResource")),
            tuple(f"{kind}:{each}" for kind, given in principals.items() for each in _several(given)),
            {
                (operator, key): _several(values)
                for operator, given in one.get("Condition", {}).items()
                for key, values in given.items()
            },
        )


def _several(value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    return tuple(map(str, value)) if isinstance(value, list) else (str(value),)
