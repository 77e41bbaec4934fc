"""`windrow`, whose `dev` waits for its services as long as it takes: a machine that is measured may be busy."""

from windrow_cli import dev
from windrow_cli.main import main

if __name__ == "__main__":
    dev.START_TIMEOUT_S = 300.0
    main()
