"""Queues on SQS."""

import math
from collections.abc import Iterator, Sequence
from typing import Any, Self, TypeVar

from windrow.aws.errors import translated
from windrow.errors import Unavailable
from windrow.ports import Delivery, Outgoing, QueueDepth

_BATCH_MAX = 10
_STALE = frozenset(
    {"ReceiptHandleIsInvalid", "InvalidParameterValue", "InvalidParameterValueException", "MessageNotInflight"}
)
T = TypeVar("T")


class SqsQueue:
    """One SQS queue."""

    def __init__(self, client: Any, name: str, url: str) -> None:
        self._client = client
        self._name = name
        self._url = url

    @classmethod
    def find(cls, client: Any, name: str, physical_name: str) -> Self:
        """The queue with this name; NotFound when there is none."""
        with translated(f"find queue {physical_name}"):
            return cls(client, name, client.get_queue_url(QueueName=physical_name)["QueueUrl"])

    @property
    def name(self) -> str:
        return self._name

    def send(self, messages: Sequence[Outgoing]) -> None:
        for group in _groups(messages):
            entries = [
                {
                    "Id": str(number),
                    "MessageBody": message.body,
                    "DelaySeconds": math.ceil(message.delay_s),
                    "MessageAttributes": {
                        name: {"DataType": "String", "StringValue": value}
                        for name, value in message.attributes.items()
                        if value
                    },
                }
                for number, message in enumerate(group)
            ]
            with translated(f"send to {self._name}"):
                answer = self._client.send_message_batch(QueueUrl=self._url, Entries=entries)
            refused = answer.get("Failed", ())
            if refused:
                raise Unavailable(
                    f"send to {self._name}: {len(refused)} of {len(group)} refused ({refused[0]['Code']})"
                )

    def receive(self, max_messages: int, wait_s: float, visibility_s: float) -> Sequence[Delivery]:
        with translated(f"receive from {self._name}"):
            answer = self._client.receive_message(
                QueueUrl=self._url,
                MaxNumberOfMessages=max(1, min(_BATCH_MAX, max_messages)),
                WaitTimeSeconds=int(wait_s),
                VisibilityTimeout=math.ceil(visibility_s),
                MessageSystemAttributeNames=["ApproximateReceiveCount"],
                MessageAttributeNames=["All"],
            )
        return [
            Delivery(
                body=message["Body"],
                receipt=message["ReceiptHandle"],
                receive_count=int(message["Attributes"]["ApproximateReceiveCount"]),
                attributes={
                    name: value.get("StringValue", "") for name, value in message.get("MessageAttributes", {}).items()
                },
            )
            for message in answer.get("Messages", ())
        ]

    def delete(self, receipts: Sequence[str]) -> None:
        for group in _groups(receipts):
            entries = [{"Id": str(number), "ReceiptHandle": receipt} for number, receipt in enumerate(group)]
            with translated(f"delete in {self._name}"):
                answer = self._client.delete_message_batch(QueueUrl=self._url, Entries=entries)
            self._check_stale(answer, "delete in")

    def change_visibility(self, receipts: Sequence[str], visibility_s: float) -> None:
        for group in _groups(receipts):
            entries = [
                {"Id": str(number), "ReceiptHandle": receipt, "VisibilityTimeout": math.ceil(visibility_s)}
                for number, receipt in enumerate(group)
            ]
            with translated(f"change visibility in {self._name}"):
                answer = self._client.change_message_visibility_batch(QueueUrl=self._url, Entries=entries)
            self._check_stale(answer, "change visibility in")

    def depth(self) -> QueueDepth:
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        with translated(f"depth of {self._name}"):
            found = self._client.get_queue_attributes(QueueUrl=self._url, AttributeNames=names)["Attributes"]
        return QueueDepth(waiting=int(found[names[0]]), in_flight=int(found[names[1]]))

    def _check_stale(self, answer: dict[str, Any], what: str) -> None:
        refused = [entry for entry in answer.get("Failed", ()) if entry.get("Code") not in _STALE]
        if refused and not all(entry.get("SenderFault") for entry in refused):
            raise Unavailable(f"{what} {self._name}: {len(refused)} refused ({refused[0].get('Code')})")


def _groups(items: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), _BATCH_MAX):
        yield items[start : start + _BATCH_MAX]
