"""Key-value tables on DynamoDB.

An item has `_key` (the partition key), `_event_time_us`, `_received_us`, `_batch` and `_ordinal`, and the record's
columns beside them; no column's name begins with '_'.
"""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from boto3.dynamodb.types import TypeSerializer

from windrow.aws.errors import translated
from windrow.errors import AlreadyExists, NotFound
from windrow.latest import Keep, LatestRecord

KEY = "_key"
_NAMES = {"#k": KEY, "#t": "_event_time_us", "#r": "_received_us", "#b": "_batch", "#o": "_ordinal"}
_TAKES_PLACE = (
    "attribute_not_exists(#k) OR #t < :t OR (#t = :t AND"
    " (#r {0} :r OR (#r = :r AND (#b {0} :b OR (#b = :b AND #o {0} :o)))))"
)
"""`windrow.latest.is_later`, where the table itself decides it: of two writers at once, one is refused."""
_CONDITIONS: dict[Keep, str] = {"last": _TAKES_PLACE.format("<"), "first": _TAKES_PLACE.format(">")}


class DynamodbLatestStore:
    """Latest records in DynamoDB. `client` is called when the first is put; `physical` gives a table's full name."""

    def __init__(self, client: Callable[[], Any], physical: Callable[[str], str]) -> None:
        self._client = client
        self._physical = physical
        self._serialize = TypeSerializer().serialize

    def put_if_later(self, table: str, record: LatestRecord, keep: Keep) -> bool:
        name = self._physical(table)
        order = {
            "#t": self._serialize(Decimal(record.event_time_us)),
            "#r": self._serialize(Decimal(record.received_us)),
            "#b": self._serialize(record.batch),
            "#o": self._serialize(Decimal(record.ordinal)),
        }
        item = {column: self._serialize(value) for column, value in record.columns.items()}
        item |= {KEY: self._serialize(record.key)} | {_NAMES[short]: value for short, value in order.items()}
        try:
            with translated(f"put into DynamoDB table {name}"):
                self._client().put_item(
                    TableName=name,
                    Item=item,
                    ConditionExpression=_CONDITIONS[keep],
                    ExpressionAttributeNames=_NAMES,
                    ExpressionAttributeValues={short.replace("#", ":"): value for short, value in order.items()},
                )
        except AlreadyExists:  # the condition does not hold: a later record stands, or this one, put before
            return False
        except NotFound as error:
            raise NotFound(
                f"there is no DynamoDB table {name}; create it with the partition key {KEY} (a string) and no sort key"
            ) from error
        return True
