"""What the stand-in answers: plans are what is proposed, and what AWS would compute is made up once it is applied."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import msgpack

from infra.checks.identities import DATA, arn_of
from infra.checks.policy_documents import render
from infra.stand_in.wire import MESSAGES

Call = tuple[Callable[[Any, Any], Any], Any]
"""What answers a call, and the message that it takes."""

_UNKNOWN = msgpack.ExtType(0, b"\0")


class Provider:
    """One provider, given the schemas of its resources and data sources. It keeps nothing: the state is Terraform's."""

    def __init__(self, schema: Any) -> None:
        self._schema = schema
        self._resources = {entry.key: entry.value.block for entry in schema.resource_schemas}
        self._data = {entry.key: entry.value.block for entry in schema.data_source_schemas}

    def calls(self) -> Mapping[str, Call]:
        """By the name of the call."""
        empty = MESSAGES["Empty"]
        return {
            "GetSchema": (lambda _request, _context: self._schema, empty),
            "PrepareProviderConfig": (_prepared, MESSAGES["PrepareConfig"]),
            "ValidateResourceTypeConfig": (_nothing, empty),
            "ValidateDataSourceConfig": (_nothing, empty),
            "Configure": (_nothing, empty),
            "Stop": (_nothing, empty),
            "UpgradeResourceState": (_as_it_is, MESSAGES["Upgrade"]),
            "ReadResource": (_unchanged, MESSAGES["Read"]),
            "ReadDataSource": (self._read_data, MESSAGES["ReadData"]),
            "PlanResourceChange": (self._plan, MESSAGES["Plan"]),
            "ApplyResourceChange": (self._apply, MESSAGES["Apply"]),
        }

    def _plan(self, request: Any, _context: Any) -> Any:
        """As proposed; what is to be computed is not known yet."""
        proposed = _unpacked(request.proposed_new_state)
        if proposed is not None:
            for attribute in self._resources[request.type_name].attributes:
                if attribute.computed and proposed.get(attribute.name) is None:
                    proposed[attribute.name] = _UNKNOWN
        return MESSAGES["PlanReply"](planned_state=_packed(proposed), legacy_type_system=True)

    def _apply(self, request: Any, _context: Any) -> Any:
        planned = _unpacked(request.planned_state)
        if planned is not None:
            _fill(request.type_name, self._resources[request.type_name], planned)
        return MESSAGES["ApplyReply"](new_state=_packed(planned), legacy_type_system=True)

    def _read_data(self, request: Any, _context: Any) -> Any:
        state = _unpacked(request.config)
        _fill(request.type_name, self._data[request.type_name], state)
        return MESSAGES["State"](state=_packed(state))


def _fill(type_name: str, block: Any, state: dict[str, Any]) -> None:
    """Make up what a provider computes."""
    for attribute in block.attributes:
        name = attribute.name
        if attribute.computed and (state.get(name) is None or isinstance(state[name], msgpack.ExtType)):
            state[name] = _made_up(type_name, name, json.loads(attribute.type), state)


def _made_up(type_name: str, name: str, kind: Any, state: Mapping[str, Any]) -> Any:
    if (type_name, name) in DATA:
        return DATA[type_name, name]
    if type_name == "aws_iam_policy_document" and name in {"json", "minified_json"}:
        return render(state)
    if name == "arn":
        return arn_of(type_name, state)
    return {"string": f"{type_name}.{name}", "number": 1, "bool": False}.get(kind, {}) if isinstance(kind, str) else {}


def _unpacked(value: Any) -> Any:
    return msgpack.unpackb(value.msgpack, strict_map_key=False) if value.msgpack else None


def _packed(value: Any) -> Any:
    return MESSAGES["Value"](msgpack=msgpack.packb(value))


def _prepared(request: Any, _context: Any) -> Any:
    return MESSAGES["PrepareConfigReply"](prepared_config=request.config)


def _as_it_is(request: Any, _context: Any) -> Any:
    return MESSAGES["State"](state=MESSAGES["Value"](json=request.raw_state.json))


def _unchanged(request: Any, _context: Any) -> Any:
    return MESSAGES["State"](state=request.current_state)


def _nothing(_request: Any, _context: Any) -> Any:
    return MESSAGES["Empty"]()
