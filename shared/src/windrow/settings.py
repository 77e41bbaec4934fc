"""Settings: one frozen class per service, read from the environment by `main.py` alone."""

import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from windrow import topology
from windrow.errors import BadSettings

_PREFIX = "WINDROW_"
Port = Annotated[int, Field(ge=0, le=65535)]
Seconds = Annotated[float, Field(gt=0)]
Bytes = Annotated[int, Field(gt=0)]
Count = Annotated[int, Field(gt=0)]


class Settings(BaseSettings):
    """What every service needs. Each field is the environment variable WINDROW_<NAME>."""

    model_config = SettingsConfigDict(
        env_prefix=_PREFIX, env_ignore_empty=True, frozen=True, use_attribute_docstrings=True
    )

    prefix: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{1,30}$")] = "windrow"
    """Start of every bucket and queue name, so that deployments can share an account."""
    topology: Path = Field(default_factory=topology.find)
    """The topology file; images carry it at /etc/windrow/topology.json."""
    region: Annotated[str, Field(validation_alias="AWS_REGION", min_length=1)]
    """AWS region."""
    endpoint_url: Annotated[str | None, Field(validation_alias="AWS_ENDPOINT_URL")] = None
    """An emulator to speak to instead of AWS."""
    log_level: Annotated[str, Field(pattern="^(debug|info|warning|error)$")] = "info"
    """Least severe level that is logged: debug, info, warning or error."""
    host: str = "127.0.0.1"
    """Address to listen on; containers listen on 0.0.0.0."""
    port: Port
    """Port for HTTP: probes, metrics and, where a service has one, its API."""

    @field_validator("topology")
    @classmethod
    def _topology_exists(cls, path: Path) -> Path:
        if not path.is_file():
            raise ValueError(f"no file at {path}")
        return path


class WorkerSettings(Settings):
    """What every queue consumer needs besides."""

    wait_s: Annotated[float, Field(ge=0, le=20)] = 5.0
    """Long-poll time of one receive; also how long a stop may have to wait for the loop to turn."""
    max_attempts: Count = 6
    """Receives after which a message that still fails is dead-lettered with its reason."""
    retry_base_s: Seconds = 1.0
    """Ceiling of the first retry delay; doubles with each attempt."""
    retry_cap_s: Seconds = 60.0
    """Ceiling of every retry delay."""
    failure_window: Count = 20
    """How many of the latest messages the failure ratio looks at."""
    max_failure_ratio: Annotated[float, Field(gt=0, le=1)] = 0.5
    """Share of failed messages from which the service stops consuming instead of filling the dead-letter queue."""
    stopped_probe_s: Seconds = 15.0
    """How often a stopped consumer tries one message to see whether the trouble is over."""
    stop_timeout_s: Seconds = 25.0
    """Longest drain after SIGTERM. Keep it below the container's stop timeout."""
    stuck_after_s: Seconds = 1800.0
    """How long the loop may take for one group before the process calls itself stuck, and is replaced: longer than the
    largest object takes to decode, and the largest bucket to seal, or they would be begun again for ever."""


S = TypeVar("S", bound=Settings)
_FROM_ENVIRONMENT: dict[str, Any] = {}


def load(kind: type[S], environment: Mapping[str, str]) -> S:
    """Settings from the environment; BadSettings lists every missing or wrong variable at once.

    `environment` is what the process was given. A variable that looks like a misspelt setting is a fault: silence
    would run the service on a default nobody chose.
    """
    names = {_variable(kind, field): field for field in kind.model_fields}
    faults = []
    for given in sorted(environment):
        if given.startswith(_PREFIX) and given not in names:
            close = difflib.get_close_matches(given, names, n=1, cutoff=0.85)
            if close:
                faults.append(f"{given} is not a setting; did you mean {close[0]}?")
    try:
        loaded = kind(**_FROM_ENVIRONMENT)
    except ValidationError as error:
        for item in error.errors():
            place = str(item["loc"][0]) if item["loc"] else "settings"
            variable = place if place in names else _variable(kind, place)
            if item["type"] == "missing":
                faults.append(f"{variable} is missing ({_meaning(kind, names.get(variable, place))})")
            else:
                message = item["msg"][0].lower() + item["msg"][1:]
                faults.append(f"{variable}={item['input']!r} is wrong: {message}")
        raise BadSettings("settings", faults) from error
    if faults:
        raise BadSettings("settings", faults)
    return loaded


def _variable(kind: type[Settings], field: str) -> str:
    info = kind.model_fields.get(field)
    alias = info.validation_alias if info else None
    return alias if isinstance(alias, str) else f"{_PREFIX}{field.upper()}"


def _meaning(kind: type[Settings], field: str) -> str:
    info = kind.model_fields.get(field)
    return (info.description or field) if info else field
