"""What lands is announced: S3's events arrive on the landed queue, and the key in them is the key that was put."""

import pytest

from tests.support.emulators import Deploy
from tests.support.waiting import eventually
from windrow.aws.provision import provision
from windrow.messages import Landed, decode_landed
from windrow.ports import ObjectHeaders, Outgoing, Queue

HOSTILE_KEYS = [
    "landing/sensors/a b.json",
    "landing/sensors/a+b.json",
    "landing/sensors/a%20b%.json",
    "landing/sensors/größe – ✓ 測.csv",
    "landing/sensors/deep/er/&=?#'\"(x)!*~.json",
]


@pytest.fixture(params=["moto", pytest.param("localstack", marks=pytest.mark.localstack)])
def endpoint_url(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue(request.param))


def test_the_key_that_was_put_is_the_key_that_arrives(endpoint_url: str, deploy: Deploy) -> None:
    session = deploy(endpoint_url)
    for key in HOSTILE_KEYS:
        session.store().put_if_absent(key, b"{}\n", ObjectHeaders())
    bodies = receive_bodies(session.queue("landed"), len(HOSTILE_KEYS) + 1)
    landed = sorted(message.key for body in bodies for message in decode_landed(body))

    assert landed == sorted(HOSTILE_KEYS)
    for key in landed:
        assert session.store().get(key).body == b"{}\n"


def test_the_test_event_of_a_new_notification_names_no_key(endpoint_url: str, deploy: Deploy) -> None:
    [body] = receive_bodies(deploy(endpoint_url).queue("landed"), 1)

    assert "s3:TestEvent" in body
    assert decode_landed(body) == []


def test_only_the_landing_zone_is_announced(endpoint_url: str, deploy: Deploy) -> None:
    session = deploy(endpoint_url)
    for key in ("segments/s/a", "quarantine/s/a", "config/streams/s/a"):
        session.store().put_if_absent(key, b"x", ObjectHeaders())
    beside = session.topology.zone_buckets(session.prefix)["landing"]
    session.s3.put_object(Bucket=beside, Key="landing-not/s/a", Body=b"x")
    session.store().put_if_absent("landing/s/a", b"x", ObjectHeaders())
    bodies = receive_bodies(session.queue("landed"), 2)

    assert [message for body in bodies for message in decode_landed(body)] == [Landed(key="landing/s/a")]
    assert session.queue("landed").depth().waiting == 0


def test_provisioning_what_stands_changes_nothing(endpoint_url: str, deploy: Deploy) -> None:
    session = deploy(endpoint_url)
    session.store().put_if_absent("landing/s/a", b"kept", ObjectHeaders())
    receive_bodies(session.queue("landed"), 2)
    session.queue("writes").send([Outgoing("kept")])

    assert provision(session) == provision(session)
    assert session.store().get("landing/s/a").body == b"kept"
    assert session.queue("writes").depth().waiting == 1
    session.store().put_if_absent("landing/s/b", b"x", ObjectHeaders())
    assert Landed(key="landing/s/b") in [
        message for body in receive_bodies(session.queue("landed"), 3) for message in decode_landed(body)
    ]


def receive_bodies(queue: Queue, count: int) -> list[str]:
    bodies: list[str] = []

    def all_there() -> bool:
        deliveries = queue.receive(10, 0, 30)
        queue.delete([delivery.receipt for delivery in deliveries])
        bodies.extend(delivery.body for delivery in deliveries)
        return len(bodies) >= count

    eventually(all_there, 10, f"{count} messages on {queue.name}")
    return bodies
