"""Text from outside on its way to a terminal."""

from rich.text import Text


def shown(text: str) -> str:
    """The text with everything that a terminal would obey made visible, as Python would write it."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def cell(text: object) -> Text:
    """The same as a cell of a table, in which nothing is taken for markup."""
    return Text(shown(str(text)))
