"""What a guess rests on, and what is asked when two guesses fit."""

from dataclasses import dataclass

from windrow.errors import WindrowError


@dataclass(frozen=True, slots=True)
class Evidence:
    """One guess and why."""

    about: str
    """The setting or column."""
    guess: str
    why: str


@dataclass(frozen=True, slots=True)
class Option:
    """One answer to a question: what to add to the command line, and what it would mean for this sample."""

    flag: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Question:
    """Something the sample does not decide."""

    about: str
    text: str
    options: tuple[Option, ...] = ()


class Undecided(WindrowError):
    """The sample cannot be read any further before a question is answered."""

    def __init__(self, question: Question) -> None:
        self.question = question
        super().__init__(question.text)


@dataclass(frozen=True, slots=True)
class Choices:
    """What a person has decided already. None, or nothing, leaves it to the sample."""

    stream: str | None = None
    time: tuple[str, ...] = ()
    """The column, or the columns, of the event time: as the sender names them."""
    time_formats: tuple[str, ...] = ()
    zone: str | None = None
    receipt: bool = False
    """Whether the records are snapshots without a time, and that of their receipt counts as theirs."""
    delimiter: str | None = None
    decimal: str | None = None
    header: bool | None = None
    encoding: str | None = None
    records: str | None = None
    """Path of the array of records; `.` is the document itself."""
    arrays: str | None = None


def counted(count: int, one: str, many: str | None = None) -> str:
    """`1 row`, `1,204 rows`."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def quoted(texts: list[str], most: int = 3) -> str:
    """A few values as they stand in a sentence."""
    shown = ", ".join(repr(text[:40]) for text in texts[:most])
    return shown + (", …" if len(texts) > most else "")
