"""Everything that can go wrong, in one tree.

WindrowError
├── Transient          trying again later may help
│   ├── Unavailable    the other side did not answer, or asked us to slow down
│   └── OutcomeUnknown the effect may or may not have happened; read back before repeating
└── Permanent          trying again cannot help
    ├── NotFound       an object or queue that should exist does not
    ├── AlreadyExists  a conditional write met something at its key
    ├── Conflict       the key holds somebody else's content
    ├── TooLarge       a limit in bytes or rows was passed
    ├── SchemaConflict rows do not fit a table: a column changed its type
    ├── BadInput       a person's input cannot be understood
    └── BadSettings    a process cannot start with these settings
"""

from collections.abc import Sequence


class WindrowError(Exception):
    """The base of every error Windrow raises on purpose; its text is one clear sentence."""


class Transient(WindrowError):
    """Trying again later may help."""


class Unavailable(Transient):
    """The other side did not answer, or asked us to slow down."""


class OutcomeUnknown(Transient):
    """The effect may or may not have happened; read back before repeating."""


class Permanent(WindrowError):
    """Trying again cannot help."""


class NotFound(Permanent):
    """An object or queue that should exist does not."""


class AlreadyExists(Permanent):
    """A conditional write met something at its key."""


class Conflict(Permanent):
    """The key holds somebody else's content."""


class TooLarge(Permanent):
    """A limit in bytes or rows was passed."""


class SchemaConflict(Permanent):
    """Rows do not fit a table: a column changed its type."""


class BadInput(Permanent):
    """A person's input cannot be understood."""


class BadSettings(WindrowError):
    """A process cannot start; all faults are listed at once."""

    def __init__(self, subject: str, faults: Sequence[str]) -> None:
        self.subject = subject
        self.faults = tuple(faults)
        count = "1 fault" if len(self.faults) == 1 else f"{len(self.faults)} faults"
        super().__init__(f"{subject}: {count}\n" + "\n".join(f"  - {fault}" for fault in self.faults))


def first_line(error: BaseException) -> str:
    """What a library says, without the page that may follow."""
    return str(error).split("\n", 1)[0][:500]
