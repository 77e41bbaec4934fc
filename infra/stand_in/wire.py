"""The messages that Terraform and a provider exchange: what is used here of plugin protocol 5.

Field numbers are the protocol's. A map is on the wire what a list of its entries is, and that is how it stands here.
"""

from collections.abc import Mapping
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

SERVICE = "tfplugin5.Provider"
_PACKAGE = "tfplugin5"
_FIELD = descriptor_pb2.FieldDescriptorProto
_TYPES = {"bytes": _FIELD.TYPE_BYTES, "string": _FIELD.TYPE_STRING, "bool": _FIELD.TYPE_BOOL, "int": _FIELD.TYPE_INT64}

_MESSAGES: Mapping[str, Mapping[str, tuple[int, str]]] = {
    "Empty": {},
    "Value": {"msgpack": (1, "bytes"), "json": (2, "bytes")},
    "Attribute": {
        "name": (1, "string"),
        "type": (2, "bytes"),
        "required": (4, "bool"),
        "optional": (5, "bool"),
        "computed": (6, "bool"),
        "sensitive": (7, "bool"),
    },
    "Block": {"attributes": (2, "Attribute*"), "block_types": (3, "NestedBlock*")},
    "NestedBlock": {"type_name": (1, "string"), "block": (2, "Block"), "nesting": (3, "int")},
    "Schema": {"version": (1, "int"), "block": (2, "Block")},
    "SchemaEntry": {"key": (1, "string"), "value": (2, "Schema")},
    "GetSchema": {
        "provider": (1, "Schema"),
        "resource_schemas": (2, "SchemaEntry*"),
        "data_source_schemas": (3, "SchemaEntry*"),
    },
    "PrepareConfig": {"config": (1, "Value")},
    "PrepareConfigReply": {"prepared_config": (1, "Value")},
    "RawState": {"json": (1, "bytes")},
    "Upgrade": {"type_name": (1, "string"), "raw_state": (3, "RawState")},
    "Read": {"type_name": (1, "string"), "current_state": (2, "Value")},
    "Plan": {"type_name": (1, "string"), "prior_state": (2, "Value"), "proposed_new_state": (3, "Value")},
    "PlanReply": {"planned_state": (1, "Value"), "legacy_type_system": (5, "bool")},
    "Apply": {"type_name": (1, "string"), "prior_state": (2, "Value"), "planned_state": (3, "Value")},
    "ApplyReply": {"new_state": (1, "Value"), "legacy_type_system": (4, "bool")},
    "ReadData": {"type_name": (1, "string"), "config": (2, "Value")},
    "State": {"state": (1, "Value")},
}


def _made() -> dict[str, Any]:
    file = descriptor_pb2.FileDescriptorProto(name="stand_in.proto", package=_PACKAGE, syntax="proto3")
    for name, fields in _MESSAGES.items():
        message = file.message_type.add(name=name)
        for field, (number, kind) in fields.items():
            of = kind.rstrip("*")
            added = message.field.add(name=field, number=number)
            added.label = _FIELD.LABEL_REPEATED if kind.endswith("*") else _FIELD.LABEL_OPTIONAL
            if of in _TYPES:
                added.type = _TYPES[of]
            else:
                added.type, added.type_name = _FIELD.TYPE_MESSAGE, f".{_PACKAGE}.{of}"
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {
        name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{_PACKAGE}.{name}")) for name in _MESSAGES
    }


MESSAGES: Mapping[str, Any] = _made()
"""The classes of these messages, by name."""
