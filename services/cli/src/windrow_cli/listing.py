"""ListObjectsV2 from a sorted index. moto takes 0.15 ms per object for it, and Windrow lists a lot."""

import base64
from bisect import bisect_left, bisect_right, insort
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote
from xml.sax.saxutils import escape

from windrow.units import from_us
from windrow_cli.mirror import Headers

_MAX_KEYS = 1_000
_LAST = chr(0x10FFFF)
_FROM_KEY, _FROM_PREFIX = "k", "p"


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a listing, in key order."""

    keys: tuple[str, ...]
    prefixes: tuple[str, ...]
    token: str | None
    """Where the next page begins; it says so itself, so it outlives a restart."""


def page(keys: Sequence[str], *, prefix: str, delimiter: str, after: str, token: str, limit: int) -> Page:
    """The keys below a prefix after a key or token; with a delimiter, those below a further part rolled into one."""
    start = max(bisect_left(keys, prefix), bisect_right(keys, after) if after else 0)
    if token:
        kind, name = _decoded(token)
        start = bisect_right(keys, name) if kind == _FROM_KEY else bisect_left(keys, name + _LAST)
    found: list[str] = []
    prefixes: list[str] = []
    last = ""
    while start < len(keys) and keys[start].startswith(prefix):
        if len(found) + len(prefixes) == limit:
            return Page(tuple(found), tuple(prefixes), last or None)
        key = keys[start]
        cut = key.find(delimiter, len(prefix)) if delimiter else -1
        if cut < 0:
            found.append(key)
            last = _encoded(_FROM_KEY, key)
            start += 1
        else:
            prefixes.append(key[: cut + len(delimiter)])
            last = _encoded(_FROM_PREFIX, prefixes[-1])
            start = bisect_left(keys, prefixes[-1] + _LAST, start)
    return Page(tuple(found), tuple(prefixes), None)


def _encoded(kind: str, name: str) -> str:
    return base64.urlsafe_b64encode(f"{kind}{name}".encode()).decode()


def _decoded(token: str) -> tuple[str, str]:
    """ValueError when a token is none of ours."""
    text = base64.urlsafe_b64decode(token.encode()).decode()
    if text[:1] not in (_FROM_KEY, _FROM_PREFIX):
        raise ValueError(f"{token!r} is not a continuation token")
    return text[0], text[1:]


class Index:
    """All objects of an emulator, in key order by bucket."""

    def __init__(self) -> None:
        self._objects: dict[str, dict[str, Headers]] = {}
        self._keys: dict[str, list[str]] = {}

    def put(self, headers: Headers) -> None:
        objects = self._objects.setdefault(headers.bucket, {})
        if headers.key not in objects:
            insort(self._keys.setdefault(headers.bucket, []), headers.key)
        objects[headers.key] = headers

    def remove(self, bucket: str, key: str) -> None:
        """Forget an object; one that is not there is no error."""
        if self._objects.get(bucket, {}).pop(key, None) is not None:
            keys = self._keys[bucket]
            del keys[bisect_left(keys, key)]

    def answer(self, bucket: str, asked: Mapping[str, str]) -> bytes:
        """The XML that answers a ListObjectsV2 with these query parameters. ValueError when one is wrong."""
        prefix, delimiter = asked.get("prefix", ""), asked.get("delimiter", "")
        after, token = asked.get("start-after", ""), asked.get("continuation-token", "")
        limit = min(int(asked.get("max-keys", _MAX_KEYS)), _MAX_KEYS)
        found = page(
            self._keys.get(bucket, ()), prefix=prefix, delimiter=delimiter, after=after, token=token, limit=limit
        )

        def name(text: str) -> str:
            return quote(text, safe="/") if asked.get("encoding-type") == "url" else escape(text)

        objects = self._objects.get(bucket, {})
        parts = [
            '<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">',
            f"<Name>{escape(bucket)}</Name><Prefix>{name(prefix)}</Prefix><MaxKeys>{limit}</MaxKeys>",
            f"<KeyCount>{len(found.keys) + len(found.prefixes)}</KeyCount>",
            f"<IsTruncated>{'true' if found.token else 'false'}</IsTruncated>",
        ]
        parts += [f"<Delimiter>{name(delimiter)}</Delimiter>"] if delimiter else []
        parts += [f"<StartAfter>{name(after)}</StartAfter>"] if after else []
        parts += ["<EncodingType>url</EncodingType>"] if asked.get("encoding-type") == "url" else []
        parts += [f"<ContinuationToken>{escape(token)}</ContinuationToken>"] if token else []
        parts += [f"<NextContinuationToken>{found.token}</NextContinuationToken>"] if found.token else []
        for key in found.keys:
            headers = objects[key]
            modified = from_us(headers.modified_us).strftime("%Y-%m-%dT%H:%M:%S.000Z")
            parts.append(
                f"<Contents><Key>{name(key)}</Key><LastModified>{modified}</LastModified>"
                f"<ETag>&quot;{escape(headers.etag)}&quot;</ETag><Size>{headers.size_bytes}</Size>"
                f"<StorageClass>{headers.storage_class}</StorageClass></Contents>"
            )
        parts += [f"<CommonPrefixes><Prefix>{name(prefix)}</Prefix></CommonPrefixes>" for prefix in found.prefixes]
        parts.append("</ListBucketResult>")
        return "".join(parts).encode()
