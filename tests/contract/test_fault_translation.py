"""What the network and AWS do wrong, in Windrow's words. The wire is real; only what comes over it is made up."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from types import SimpleNamespace

import boto3
import botocore.endpoint
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ParamValidationError
from botocore.stub import Stubber

from tests.support.emulators import REGION, Deploy
from tests.support.wire import (
    Answer,
    HangUp,
    Reaction,
    Request,
    SayNothing,
    Wire,
    error_xml,
    forward,
    refusing_url,
    wire,
)
from windrow.aws.errors import translated
from windrow.aws.s3 import S3ObjectStore
from windrow.aws.session import AwsSession
from windrow.aws.sqs import SqsQueue
from windrow.errors import (
    AlreadyExists,
    Conflict,
    NotFound,
    OutcomeUnknown,
    Permanent,
    TooLarge,
    Transient,
    Unavailable,
    WindrowError,
)
from windrow.immutable import put_once
from windrow.latest import LatestRecord
from windrow.ports import LatestStore, ObjectHeaders, Outgoing
from windrow.topology import Topology

KEY = "segments/s/a"
PLAIN = ObjectHeaders()
ATTEMPTS = 3


@pytest.fixture(autouse=True)
def no_back_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """The SDK's retries stay; its pauses between them do not."""
    monkeypatch.setattr(botocore.endpoint, "time", SimpleNamespace(sleep=lambda _: None))


def session_at(topology: Topology, url: str) -> AwsSession:
    return AwsSession(topology, "t", REGION, url)


@pytest.fixture
def session(topology: Topology) -> Iterator[AwsSession]:
    """A session with an address that nobody is at; tests that stub a client need no more."""
    made = session_at(topology, refusing_url())
    yield made
    made.s3.close()
    made.sqs.close()


def put(topology: Topology, server: Wire) -> None:
    session = session_at(topology, server.url)
    with closing(session.s3), closing(session.sqs):
        session.store().put_if_absent(KEY, b"x", PLAIN)


# ------------------------------------------------------------------------------------------------ S3, over the wire


@pytest.mark.parametrize(
    ("reaction", "kind", "requests"),
    [
        (error_xml(503, "SlowDown"), Unavailable, ATTEMPTS),
        (error_xml(409, "ConditionalRequestConflict"), Unavailable, 1),
        (error_xml(412, "PreconditionFailed"), AlreadyExists, 1),
        (error_xml(403, "AccessDenied"), Permanent, 1),
        (error_xml(404, "NoSuchBucket"), NotFound, 1),
        (error_xml(400, "EntityTooLarge"), TooLarge, 1),
        (error_xml(500, "InternalError"), OutcomeUnknown, ATTEMPTS),
        (Answer(502, b"<html>a proxy speaks</html>"), OutcomeUnknown, ATTEMPTS),
        (HangUp(), OutcomeUnknown, ATTEMPTS),
    ],
    ids=[
        "slow down",
        "conditional conflict",
        "precondition",
        "denied",
        "no bucket",
        "too large",
        "500",
        "proxy",
        "hang-up",
    ],
)
def test_what_a_put_meets_is_told_in_our_words_after_a_bounded_number_of_attempts(
    topology: Topology, reaction: Reaction, kind: type[WindrowError], requests: int
) -> None:
    with wire(lambda _: reaction) as server, pytest.raises(WindrowError, match=f"PUT {KEY}: ") as raised:
        put(topology, server)

    assert type(raised.value) is kind
    assert len(server.requests) == requests


def test_where_nobody_listens_nothing_was_sent(session: AwsSession) -> None:
    with pytest.raises(Unavailable):
        session.store().put_if_absent(KEY, b"x", PLAIN)
    with pytest.raises(Unavailable):
        session.queue("landed")


def test_an_answer_that_does_not_come_in_time_is_unknown() -> None:
    impatient = Config(read_timeout=0.1, retries={"total_max_attempts": 1}, s3={"addressing_style": "path"})
    with wire(lambda _: SayNothing()) as server:
        client = boto3.client("s3", region_name=REGION, config=impatient, endpoint_url=server.url)
        with closing(client), pytest.raises(OutcomeUnknown):
            S3ObjectStore(client, {"segments": "b"}).put_if_absent(KEY, b"x", PLAIN)


def test_a_body_cut_short_is_an_error_and_never_half_an_object(topology: Topology) -> None:
    headers = {"ETag": '"e"', "Last-Modified": "Wed, 01 Oct 2025 00:00:00 GMT"}
    with wire(lambda _: Answer(200, b"0123456789", headers, cut_short=True)) as server:
        session = session_at(topology, server.url)
        with closing(session.s3), closing(session.sqs), pytest.raises(Transient):
            session.store().get(KEY)


def test_a_head_of_nothing_is_not_found_though_s3_sends_no_code_with_it(topology: Topology) -> None:
    with wire(lambda _: Answer(404)) as server:
        session = session_at(topology, server.url)
        with closing(session.s3), closing(session.sqs), pytest.raises(NotFound):
            session.store().head(KEY)


def test_a_put_the_client_itself_refuses_to_send_is_wrong_for_good() -> None:
    with pytest.raises(Permanent), translated("PUT a"):
        raise ParamValidationError(report="Non ascii characters found in S3 metadata")


def test_a_zone_that_is_not_in_the_topology_is_wrong_for_good(session: AwsSession) -> None:
    with pytest.raises(Permanent, match="no zone 'nowhere'"):
        session.store().get("nowhere/a")


# ------------------------------------------------------------------------------------------------ put_once


def lossy(session: AwsSession, lost: int, reaction: Reaction | None = None) -> Wire:
    """A road to the session's emulator on which the first `lost` PUTs have their effect and lose their reply.

    With a `reaction`, they have no effect and meet that instead.
    """
    puts: list[int] = []

    def react(request: Request) -> Reaction:
        if request.method == "PUT":
            puts.append(request.number)
            if len(puts) <= lost:
                if reaction is not None:
                    return reaction
                forward(request, str(session.endpoint_url))
                return HangUp()
        return forward(request, str(session.endpoint_url))

    return Wire(react)


@pytest.mark.parametrize("lost", [1, ATTEMPTS], ids=["the SDK sends it again", "no reply comes at all"])
def test_a_put_whose_reply_was_lost_is_found_to_be_ours(moto: str, deploy: Deploy, lost: int) -> None:
    session = deploy(moto)
    with closing(lossy(session, lost)) as road:
        far = AwsSession(session.topology, session.prefix, REGION, road.url)
        with closing(far.s3), closing(far.sqs):
            assert put_once(far.store(), KEY, b"x", "w1", PLAIN)[0] == "already_ours"
            with pytest.raises(Conflict):
                put_once(far.store(), KEY, b"y", "w2", PLAIN)
    assert session.store().get(KEY).body == b"x"


def test_a_put_that_was_lost_on_its_way_is_sent_again(moto: str, deploy: Deploy) -> None:
    session = deploy(moto)
    with closing(lossy(session, ATTEMPTS, HangUp())) as road:
        far = AwsSession(session.topology, session.prefix, REGION, road.url)
        with closing(far.s3), closing(far.sqs):
            assert put_once(far.store(), KEY, b"x", "w1", PLAIN)[0] == "created"
    assert session.store().get(KEY).body == b"x"


def test_a_put_that_met_another_conditional_write_is_sent_again(moto: str, deploy: Deploy) -> None:
    session = deploy(moto)
    with closing(lossy(session, 1, error_xml(409, "ConditionalRequestConflict"))) as road:
        far = AwsSession(session.topology, session.prefix, REGION, road.url)
        with closing(far.s3), closing(far.sqs):
            assert put_once(far.store(), KEY, b"x", "w1", PLAIN)[0] == "created"
    assert session.store().get(KEY).body == b"x"


# ------------------------------------------------------------------------------------------------ DynamoDB


LATEST = LatestRecord("k", 1, 1, "b", 0, {})


@contextmanager
def table_at(topology: Topology, url: str) -> Iterator[LatestStore]:
    session = session_at(topology, url)
    with closing(session.s3), closing(session.sqs), closing(session.dynamodb):
        yield session.latest()


def error_json(status: int, code: str) -> Answer:
    """DynamoDB's way to say no."""
    body = f'{{"__type": "com.amazonaws.dynamodb.v20120810#{code}", "message": "said the test"}}'.encode()
    return Answer(status, body, {"Content-Type": "application/x-amz-json-1.0"})


@pytest.mark.parametrize(
    ("reaction", "kind", "requests"),
    [
        (error_json(400, "ProvisionedThroughputExceededException"), Unavailable, ATTEMPTS),
        (error_json(400, "ThrottlingException"), Unavailable, ATTEMPTS),
        (error_json(400, "ResourceNotFoundException"), NotFound, 1),
        (error_json(400, "ValidationException"), Permanent, 1),
        (error_json(400, "AccessDeniedException"), Permanent, 1),
        (error_json(500, "InternalServerError"), OutcomeUnknown, ATTEMPTS),
        (HangUp(), OutcomeUnknown, ATTEMPTS),
    ],
    ids=["over capacity", "throttled", "no table", "invalid", "denied", "500", "hang-up"],
)
def test_what_a_record_meets_is_told_in_our_words_after_a_bounded_number_of_attempts(
    topology: Topology, reaction: Reaction, kind: type[WindrowError], requests: int
) -> None:
    with (
        wire(lambda _: reaction) as server,
        table_at(topology, server.url) as table,
        pytest.raises(WindrowError, match=r"DynamoDB table t\.s\.t") as raised,
    ):
        table.put_if_later("s.t", LATEST, "last")

    assert type(raised.value) is kind
    assert len(server.requests) == requests


def test_a_later_record_that_stands_already_is_no_error(topology: Topology) -> None:
    with (
        wire(lambda _: error_json(400, "ConditionalCheckFailedException")) as server,
        table_at(topology, server.url) as table,
    ):
        assert not table.put_if_later("s.t", LATEST, "last")


def test_where_no_table_listens_nothing_was_sent(topology: Topology) -> None:
    with table_at(topology, refusing_url()) as table, pytest.raises(Unavailable):
        table.put_if_later("s.t", LATEST, "last")


# ------------------------------------------------------------------------------------------------ SQS and codes


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        ("AWS.SimpleQueueService.NonExistentQueue", 400, NotFound),
        ("QueueDoesNotExist", 400, NotFound),
        ("AWS.SimpleQueueService.BatchRequestTooLong", 400, TooLarge),
        ("BatchRequestTooLong", 400, TooLarge),
        ("ThrottlingException", 400, Unavailable),
        ("RequestThrottled", 403, Unavailable),
        ("ServiceUnavailable", 503, Unavailable),
        ("InternalError", 500, OutcomeUnknown),
        ("SomethingNew", 599, OutcomeUnknown),
        ("SomethingNew", 400, Permanent),
        ("InvalidClientTokenId", 403, Permanent),
        ("ResourceNotFoundException", 400, NotFound),
        ("ConditionalCheckFailedException", 400, AlreadyExists),
        ("ProvisionedThroughputExceededException", 400, Unavailable),
        ("RequestLimitExceeded", 400, Unavailable),
        ("InternalServerError", 500, OutcomeUnknown),
        ("ValidationException", 400, Permanent),
    ],
)
def test_every_code_has_a_word(code: str, status: int, kind: type[WindrowError]) -> None:
    answer = {"Error": {"Code": code, "Message": "m"}, "ResponseMetadata": {"HTTPStatusCode": status}}
    with pytest.raises(WindrowError) as raised, translated("do something"):
        raise ClientError(answer, "Operation")

    assert type(raised.value) is kind
    assert str(raised.value) == f"do something: {code} m"


def test_a_send_that_was_refused_in_part_is_not_taken_for_sent(session: AwsSession) -> None:
    answer = {
        "Successful": [{"Id": "0", "MessageId": "m", "MD5OfMessageBody": "x"}],
        "Failed": [{"Id": "1", "SenderFault": False, "Code": "InternalError"}],
    }
    with Stubber(session.sqs) as stub:
        stub.add_response("send_message_batch", answer)
        with pytest.raises(Unavailable, match=r"send to writes: 1 of 2 refused \(InternalError\)"):
            SqsQueue(session.sqs, "writes", "http://q").send([Outgoing("a"), Outgoing("b")])


def test_a_delete_that_failed_at_their_side_is_told_and_a_stale_receipt_is_not(session: AwsSession) -> None:
    queue = SqsQueue(session.sqs, "writes", "http://q")
    with Stubber(session.sqs) as stub:
        stub.add_response("delete_message_batch", _failed("InternalError", is_ours=False))
        with pytest.raises(Unavailable, match="InternalError"):
            queue.delete(["r"])
        stub.add_response("delete_message_batch", _failed("ReceiptHandleIsInvalid", is_ours=True))
        queue.delete(["r"])


def _failed(code: str, *, is_ours: bool) -> dict[str, object]:
    return {"Successful": [], "Failed": [{"Id": "0", "SenderFault": is_ours, "Code": code}]}
