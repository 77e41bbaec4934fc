"""Clients with Windrow's timeouts and retries, made once per process."""

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

from windrow.aws.dynamodb import DynamodbLatestStore
from windrow.aws.s3 import S3ObjectStore
from windrow.aws.sqs import SqsQueue
from windrow.topology import Topology

if TYPE_CHECKING:
    from windrow.lake.delta import DeltaLake

_MAX_CONNECTIONS = 32


class AwsSession:
    """Stores, queues and key-value tables of one deployment (`prefix`) in one region or emulator."""

    def __init__(self, topology: Topology, prefix: str, region: str, endpoint_url: str | None) -> None:
        self.topology = topology
        self.prefix = prefix
        self.region = region
        self.endpoint_url = endpoint_url
        self._config = config = Config(
            region_name=region,
            connect_timeout=5,
            read_timeout=30,
            retries={"mode": "standard", "total_max_attempts": 3},
            max_pool_connections=_MAX_CONNECTIONS,
            s3={"addressing_style": "path"} if endpoint_url else {},
        )
        self._session = session = boto3.session.Session()
        self._credentials = session.get_credentials()
        self.s3: Any = session.client("s3", config=config, endpoint_url=endpoint_url)
        self.sqs: Any = session.client("sqs", config=config, endpoint_url=endpoint_url)

    @cached_property
    def dynamodb(self) -> Any:
        """Made when it is first needed: most streams have no such sink. A table that does not answer is soon left."""
        config = self._config.merge(Config(connect_timeout=2, read_timeout=5))
        return self._session.client("dynamodb", config=config, endpoint_url=self.endpoint_url)

    def latest(self) -> DynamodbLatestStore:
        """The tables that hold the latest record of every key."""
        return DynamodbLatestStore(lambda: self.dynamodb, lambda table: self.topology.table_name(self.prefix, table))

    def store(self) -> S3ObjectStore:
        """The object store over all zones."""
        return S3ObjectStore(self.s3, self.topology.zone_buckets(self.prefix))

    def queue(self, name: str) -> SqsQueue:
        """A queue by its topology name; NotFound (at once) if it has not been provisioned."""
        return SqsQueue.find(self.sqs, name, self.topology.queue_name(self.prefix, name))

    def dead_letters_of(self, name: str) -> SqsQueue:
        return self.queue(self.topology.dead_letter_queue(name))

    def lake(self, scratch: Path | None = None) -> "DeltaLake":
        """All tables. Files that are made batch by batch lie in `scratch` meanwhile."""
        from windrow.lake.delta import DeltaLake  # noqa: PLC0415  images that touch no table do not have it

        return DeltaLake(self.lake_uri(), self.lake_options(), self.store(), scratch)

    def lake_options(self) -> Mapping[str, str]:
        """How deltalake's own S3 client reaches the same place."""
        options = {"AWS_REGION": self.region}
        if self.endpoint_url:
            options |= {"AWS_ENDPOINT_URL": self.endpoint_url, "AWS_ALLOW_HTTP": "true"}
            if self._credentials is not None:
                frozen = self._credentials.get_frozen_credentials()
                options |= {"AWS_ACCESS_KEY_ID": frozen.access_key, "AWS_SECRET_ACCESS_KEY": frozen.secret_key}
        return options

    def lake_uri(self) -> str:
        """Where the lake zone's keys hang: `<uri>/lake/<stream>/<table>`."""
        return f"s3://{self.topology.zone_buckets(self.prefix)['lake']}"
