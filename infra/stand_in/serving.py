"""The stand-in for providers, served to Terraform for as long as it is asked for."""

import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc

from infra.checks import provider_schema
from infra.checks.modules import Module
from infra.checks.provider_schema import TypeSchema
from infra.stand_in import schemas
from infra.stand_in.provider import Provider
from infra.stand_in.wire import MESSAGES, SERVICE

_REGISTRY = "registry.terraform.io/hashicorp"


@contextmanager
def serving(folder: Path, modules: Sequence[Module]) -> Iterator[Mapping[str, str]]:
    """The environment in which Terraform finds the stand-ins and downloads nothing. Sockets lie in `folder`."""
    written = schemas.Written(modules)
    found = provider_schema.aws()
    aws = MESSAGES["GetSchema"](
        provider=schemas.schema_of(found.provider, written),
        # Every command reads the whole schema: it has what is used, and is a tenth of the provider's.
        resource_schemas=schemas.entries(_used(found.resources, modules, "resource"), written),
        data_source_schemas=schemas.entries(_used(found.data_sources, modules, "data"), written),
    )
    archive = MESSAGES["GetSchema"](
        provider=schemas.schema_of({}, written),
        data_source_schemas=schemas.entries({"archive_file": schemas.ARCHIVE}, written),
    )
    with ThreadPoolExecutor(8, thread_name_prefix="provider") as pool:
        servers: list[grpc.Server] = []
        attached: dict[str, Any] = {}
        try:
            for name, schema in (("aws", aws), ("archive", archive)):
                socket = folder / f"{name}.sock"
                servers.append(_server(pool, schema, socket))
                attached[f"{_REGISTRY}/{name}"] = {
                    "Protocol": "grpc",
                    "ProtocolVersion": 5,
                    "Pid": os.getpid(),
                    "Test": True,  # it is not Terraform's to end
                    "Addr": {"Network": "unix", "String": str(socket)},
                }
            yield {
                "TF_REATTACH_PROVIDERS": json.dumps(attached),
                "TF_CLI_CONFIG_FILE": os.devnull,
                "TF_IN_AUTOMATION": "1",
                "CHECKPOINT_DISABLE": "1",
            }
        finally:
            for server in servers:
                server.stop(None).wait()


def _used(types: Mapping[str, TypeSchema], modules: Iterable[Module], kind: str) -> Mapping[str, TypeSchema]:
    names = {type_name for module in modules for type_name, _ in module.resources(kind)}
    return {name: types[name] for name in sorted(names & types.keys())}


def _server(pool: ThreadPoolExecutor, schema: Any, socket: Path) -> grpc.Server:
    handlers: dict[str, grpc.RpcMethodHandler[Any, Any]] = {
        name: grpc.unary_unary_rpc_method_handler(
            answer, request_deserializer=takes.FromString, response_serializer=lambda reply: reply.SerializeToString()
        )
        for name, (answer, takes) in Provider(schema).calls().items()
    }
    any_size = [("grpc.max_send_message_length", -1), ("grpc.max_receive_message_length", -1)]
    server = grpc.server(pool, options=any_size)
    server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler(SERVICE, handlers)])
    server.add_insecure_port(f"unix:{socket}")
    server.start()
    return server
