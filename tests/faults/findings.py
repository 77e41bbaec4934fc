"""What an oracle finds."""

from dataclasses import dataclass, field

_EXAMPLES = 5


@dataclass
class Findings:
    """What is wrong. Each list holds one entry per record, window or figure."""

    lost: list[str] = field(default_factory=list)
    duplicated: list[str] = field(default_factory=list)
    unexplained: list[str] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)
    """What is not wrong, but not at rest yet."""

    @property
    def is_clean(self) -> bool:
        return not (self.lost or self.duplicated or self.unexplained or self.waiting)

    def __str__(self) -> str:
        named = {"lost": self.lost, "duplicated": self.duplicated, "unexplained": self.unexplained}
        named["not at rest"] = self.waiting
        return "; ".join(
            f"{len(found)} {name} ({', '.join(found[:_EXAMPLES])})" for name, found in named.items() if found
        )


class NotRight(AssertionError):
    """A deployment did not come to what its clients were promised."""

    def __init__(self, findings: Findings, where: str) -> None:
        self.findings = findings
        super().__init__(f"{where}: {findings}")
