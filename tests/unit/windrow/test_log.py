import json
import subprocess
import sys

import pytest

from windrow import log

SECRETS = ["secret", "AWS_SECRET_ACCESS_KEY", "session_token", "db_password", "Authorization", "credentials"]


@pytest.mark.parametrize("name", SECRETS)
def test_a_field_whose_name_speaks_of_a_secret_is_hidden(name: str) -> None:
    assert log.redact(None, "info", {"event": "e", name: "hunter2"}) == {"event": "e", name: "***"}


def test_everything_else_is_said() -> None:
    event = {"event": "batch_landed", "stream": "s", "records": 3, "key": "landing/s/a", "reason": "a token is missing"}

    assert log.redact(None, "info", dict(event)) == event


LOGGING = """
from windrow import log
logger = log.configure("ingest", "info")
logger.debug("unheard")
logger.info("batch_landed", stream="größe", records=2, api_token="hunter2")
try:
    raise ValueError("a bug")
except ValueError as error:
    logger.error("handler_failed", exc_info=error)
"""


def test_a_service_logs_one_json_object_a_line() -> None:
    done = subprocess.run([sys.executable, "-c", LOGGING], capture_output=True, check=True, timeout=60)
    landed, failed = [json.loads(line) for line in done.stdout.decode().splitlines()]

    at = landed.pop("at")
    assert at.endswith("Z")
    assert landed == {
        "event": "batch_landed",
        "level": "info",
        "service": "ingest",
        "stream": "größe",
        "records": 2,
        "api_token": "***",
    }
    assert "ValueError: a bug" in failed["exception"]
    assert done.stderr == b""


def test_a_quiet_log_says_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    log.quiet().error("message_dead_lettered", reason="no")

    assert capfd.readouterr() == ("", "")
