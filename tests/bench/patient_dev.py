"""`windrow`, whose `dev` waits for its services as long as it takes: a machine that is measured may be busy."""

from unittest import mock

from windrow_cli import dev
from windrow_cli.main import main

if __name__ == "__main__":
    # Unlike an assignment, this fails once `dev` has no such name.
    with mock.patch.object(dev, "START_TIMEOUT_S", 300.0):
        main()
