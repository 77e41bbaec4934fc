"""What botocore raises, in Windrow's words."""

from collections.abc import Iterator
from contextlib import contextmanager

from botocore import exceptions

from windrow.errors import AlreadyExists, NotFound, OutcomeUnknown, Permanent, TooLarge, Unavailable, WindrowError

_BY_CODE: dict[str, type[WindrowError]] = {
    "404": NotFound,
    "NoSuchKey": NotFound,
    "NoSuchBucket": NotFound,
    "NonExistentQueue": NotFound,
    "QueueDoesNotExist": NotFound,
    "ResourceNotFoundException": NotFound,
    "PreconditionFailed": AlreadyExists,
    "412": AlreadyExists,
    "ConditionalCheckFailedException": AlreadyExists,
    "ConditionalRequestConflict": Unavailable,  # 409: another conditional write is under way; try again
    "OperationAborted": Unavailable,
    "SlowDown": Unavailable,
    "ThrottlingException": Unavailable,
    "RequestThrottled": Unavailable,
    "ProvisionedThroughputExceededException": Unavailable,
    "RequestLimitExceeded": Unavailable,
    "RequestTimeout": Unavailable,
    "InternalError": OutcomeUnknown,
    "ServiceUnavailable": Unavailable,
    "EntityTooLarge": TooLarge,
    "BatchRequestTooLong": TooLarge,
}
_NOT_SENT = (exceptions.EndpointConnectionError, exceptions.ConnectTimeoutError, exceptions.NoCredentialsError)


@contextmanager
def translated(what: str) -> Iterator[None]:
    """Run an SDK call; `what` names it in the message, such as `PUT landing/a/b`."""
    try:
        yield
    except exceptions.ClientError as error:
        code = str(error.response.get("Error", {}).get("Code", ""))
        status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
        kind = _BY_CODE.get(code.removeprefix("AWS.SimpleQueueService.")) or (
            OutcomeUnknown if status >= 500 else Permanent
        )
        detail = error.response.get("Error", {}).get("Message", "")
        raise kind(f"{what}: {code} {detail}".strip()) from error
    except exceptions.ParamValidationError as error:
        # The SDK refuses to send this, now and every other time: metadata that is not ASCII, for one.
        raise Permanent(f"{what}: {error}") from error
    except _NOT_SENT as error:
        raise Unavailable(f"{what}: {error}") from error
    except (exceptions.HTTPClientError, exceptions.BotoCoreError) as error:
        # A dropped connection or read timeout: the request may have had its effect.
        raise OutcomeUnknown(f"{what}: {error}") from error
