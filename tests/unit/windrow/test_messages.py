import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.texts import batches, buckets_us, shards, stream_names, text
from windrow import messages
from windrow.errors import BadInput
from windrow.messages import BatchDecoded, Landed, Refresh, Refreshed

everything = st.one_of(
    st.builds(Landed, key=text),
    st.builds(Refresh, stream=stream_names, bucket_us=buckets_us, shard=shards),
    st.builds(BatchDecoded, stream=stream_names, batch=batches, row_count=st.integers(0, 2**40)),
    st.builds(
        Refreshed,
        stream=stream_names,
        table=st.sampled_from(["records", "windows_w"]),
        bucket_us=buckets_us,
        shard=shards,
        input_count=st.integers(0, 2**31),
        input_digest=batches,
        spec_version=st.integers(1, 2**31),
        is_final=st.booleans(),
    ),
)


@given(everything)
def test_a_message_sent_is_the_message_received(message: messages.AnyMessage) -> None:
    assert messages.decode(messages.encode(message)) == message


@given(everything, everything)
def test_equal_messages_are_equal_text_and_others_are_not(
    left: messages.AnyMessage, right: messages.AnyMessage
) -> None:
    assert (messages.encode(left) == messages.encode(right)) == (left == right)


def test_a_message_says_its_kind_and_version() -> None:
    body = json.loads(messages.encode(Refresh(stream="s", bucket_us=3, shard=1)))

    assert body == {"kind": "refresh", "v": 1, "stream": "s", "bucket_us": 3, "shard": 1}


OLD_REFRESHED = (
    '{"kind":"refreshed","v":1,"stream":"s","bucket_us":0,"shard":0,"input_count":1,"input_digest":"d",'
    '"spec_version":1,"is_final":false}'
)
GARBAGE = [
    OLD_REFRESHED,
    "",
    " ",
    "null",
    "7",
    "[]",
    "{}",
    "not json",
    '{"kind":"landed"}',
    '{"kind":"landed","key":7}',
    '{"kind":"landed","key":"a","extra":1}',
    '{"kind":"landed","key":"a","v":2}',
    '{"kind":"unheard_of","key":"a"}',
    '{"kind":null}',
    '{"kind":"refresh","stream":"s","bucket_us":1.5,"shard":0}',
    '{"kind":"landed","key":"a"} trailing',
]


@pytest.mark.parametrize("body", GARBAGE)
def test_what_is_not_a_message_is_bad_input(body: str) -> None:
    with pytest.raises(BadInput):
        messages.decode(body)
    with pytest.raises(BadInput):
        messages.decode_landed(body)


@pytest.mark.parametrize("decode", [messages.decode, messages.decode_landed])
def test_nesting_without_end_is_bad_input(decode: object) -> None:
    with pytest.raises(BadInput):
        decode('{"kind":"landed","key":"a","x":' + "[" * 100_000)  # type: ignore[operator]


@given(text)
def test_no_text_does_more_harm_than_bad_input(body: str) -> None:
    for decode in (messages.decode, messages.decode_landed):
        try:
            decode(body)
        except BadInput as error:
            assert str(error)  # noqa: PT017  which of the two it is depends on the text


# ------------------------------------------------------------------------------------------------ the landed queue


def s3_event(*keys: str, name: str = "ObjectCreated:Put") -> str:
    """An S3 notification as it arrives, with the fields nobody reads."""
    records = [
        {
            "eventVersion": "2.1",
            "eventSource": "aws:s3",
            "eventName": name,
            "s3": {"bucket": {"name": "b"}, "object": {"key": key, "size": 3, "eTag": "e", "sequencer": "0"}},
        }
        for key in keys
    ]
    return json.dumps({"Records": records})


@pytest.mark.parametrize(
    ("encoded", "key"),
    [
        ("landing/s/a.json", "landing/s/a.json"),
        ("landing/s/a+b.json", "landing/s/a b.json"),
        ("landing/s/a%20b.json", "landing/s/a b.json"),
        ("landing/s/a%2Bb.json", "landing/s/a+b.json"),
        ("landing/s/a%2520b.json", "landing/s/a%20b.json"),
        ("landing/s/gr%C3%B6%C3%9Fe.csv", "landing/s/größe.csv"),
    ],
)
def test_an_s3_events_key_is_decoded_once(encoded: str, key: str) -> None:
    assert messages.decode_landed(s3_event(encoded)) == [Landed(key=key)]


def test_an_s3_event_may_speak_of_several_objects() -> None:
    assert messages.decode_landed(s3_event("landing/s/a", "landing/s/b")) == [
        Landed(key="landing/s/a"),
        Landed(key="landing/s/b"),
    ]


@pytest.mark.parametrize(
    "name", ["ObjectCreated:Put", "ObjectCreated:CompleteMultipartUpload", "s3:ObjectCreated:Copy"]
)
def test_every_way_to_create_an_object_counts(name: str) -> None:
    assert messages.decode_landed(s3_event("landing/s/a", name=name)) == [Landed(key="landing/s/a")]


@pytest.mark.parametrize("name", ["ObjectRemoved:Delete", "ObjectTagging:Put", "LifecycleExpiration:Delete"])
def test_an_event_about_anything_else_announces_nothing(name: str) -> None:
    assert messages.decode_landed(s3_event("landing/s/a", name=name)) == []


def test_the_test_event_announces_nothing() -> None:
    event = {"Service": "Amazon S3", "Event": "s3:TestEvent", "Time": "2026-01-01T00:00:00Z", "Bucket": "b"}

    assert messages.decode_landed(json.dumps(event)) == []


def test_our_own_pointer_means_the_same_and_its_key_is_taken_as_it_is() -> None:
    assert messages.decode_landed(messages.encode(Landed(key="landing/s/a+b%20c"))) == [Landed(key="landing/s/a+b%20c")]


def test_a_message_of_another_queue_is_refused_by_name() -> None:
    with pytest.raises(BadInput, match="a Refresh message does not belong on the landed queue"):
        messages.decode_landed(messages.encode(Refresh(stream="s", bucket_us=0, shard=0)))


@pytest.mark.parametrize(
    "body", ['{"Records":[{}]}', '{"Records":[{"eventName":"ObjectCreated:Put"}]}', '{"Records":7}']
)
def test_half_an_s3_event_is_bad_input(body: str) -> None:
    with pytest.raises(BadInput, match="not an S3 event"):
        messages.decode_landed(body)
