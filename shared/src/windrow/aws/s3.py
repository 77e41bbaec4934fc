"""The object store on S3."""

import os
from collections.abc import Iterator, Mapping
from typing import Any

from windrow.aws.errors import translated
from windrow.errors import AlreadyExists, Permanent, TooLarge, Unavailable
from windrow.ports import Body, ObjectHeaders, ObjectInfo, StoredObject
from windrow.units import to_us

_BLOCK_BYTES = 1 << 20


class S3ObjectStore:
    """Objects in S3; a key's first part (its zone) decides the bucket."""

    def __init__(self, client: Any, bucket_by_zone: Mapping[str, str]) -> None:
        self._client = client
        self._bucket_by_zone = dict(bucket_by_zone)

    def get(self, key: str, max_bytes: int | None = None) -> StoredObject:
        with translated(f"GET {key}"):
            answer = self._client.get_object(Bucket=self._bucket(key), Key=key)
            size_bytes = int(answer["ContentLength"])
            if max_bytes is not None and size_bytes > max_bytes:
                answer["Body"].close()
                raise TooLarge(f"{key} has {size_bytes} bytes; the limit is {max_bytes}")
            return StoredObject(_info(key, answer), answer["Body"].read())

    def read(self, info: ObjectInfo) -> Iterator[bytes]:
        try:
            with translated(f"GET {info.key}"):
                answer = self._client.get_object(Bucket=self._bucket(info.key), Key=info.key, IfMatch=info.etag)
        except AlreadyExists as error:  # how a condition that does not hold is told
            raise Unavailable(f"{info.key} was replaced while it was being read") from error
        blocks = answer["Body"].iter_chunks(_BLOCK_BYTES)
        while True:
            with translated(f"GET {info.key}"):
                block = next(blocks, None)
            if block is None:
                return
            yield block

    def head(self, key: str) -> ObjectInfo:
        with translated(f"HEAD {key}"):
            return _info(key, self._client.head_object(Bucket=self._bucket(key), Key=key))

    def put_if_absent(self, key: str, body: Body, headers: ObjectHeaders) -> ObjectInfo:
        return self._put(key, body, headers, {"IfNoneMatch": "*"})

    def put(self, key: str, body: bytes, headers: ObjectHeaders, if_match: str | None = None) -> ObjectInfo:
        return self._put(key, body, headers, {} if if_match is None else {"IfMatch": if_match})

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        token: dict[str, str] = {}
        while True:
            with translated(f"LIST {prefix}"):
                page = self._client.list_objects_v2(Bucket=self._bucket(prefix), Prefix=prefix, **token)
            for entry in page.get("Contents", ()):
                yield ObjectInfo(
                    key=entry["Key"],
                    etag=entry["ETag"].strip('"'),
                    size_bytes=int(entry["Size"]),
                    modified_us=to_us(entry["LastModified"]),
                )
            if not page.get("IsTruncated"):
                return
            token = {"ContinuationToken": page["NextContinuationToken"]}

    def delete(self, key: str) -> None:
        with translated(f"DELETE {key}"):
            self._client.delete_object(Bucket=self._bucket(key), Key=key)

    def _put(self, key: str, body: Body, headers: ObjectHeaders, condition: Mapping[str, str]) -> ObjectInfo:
        encoding = {"ContentEncoding": headers.content_encoding} if headers.content_encoding else {}
        size_bytes = len(body) if isinstance(body, bytes) else body.seek(0, os.SEEK_END)
        if not isinstance(body, bytes):
            body.seek(0)
        with translated(f"PUT {key}"):
            answer = self._client.put_object(
                Bucket=self._bucket(key),
                Key=key,
                Body=body,
                Metadata=dict(headers.metadata),
                ContentType=headers.content_type,
                **encoding,
                **condition,
            )
        return ObjectInfo(
            key=key,
            etag=answer["ETag"].strip('"'),
            size_bytes=size_bytes,
            modified_us=0,
            metadata=dict(headers.metadata),
            content_type=headers.content_type,
            content_encoding=headers.content_encoding,
        )

    def _bucket(self, key: str) -> str:
        zone = key.split("/", 1)[0]
        try:
            return self._bucket_by_zone[zone]
        except KeyError:
            raise Permanent(f"{key}: there is no zone {zone!r} in the topology") from None


def _info(key: str, answer: Mapping[str, Any]) -> ObjectInfo:
    return ObjectInfo(
        key=key,
        etag=answer["ETag"].strip('"'),
        size_bytes=int(answer["ContentLength"]),
        modified_us=to_us(answer["LastModified"]),
        metadata=dict(answer.get("Metadata", {})),
        content_type=answer.get("ContentType", ""),
        content_encoding=answer.get("ContentEncoding", ""),
    )
