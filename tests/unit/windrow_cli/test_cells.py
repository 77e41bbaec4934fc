"""Text from outside cannot command a terminal."""

from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from windrow_cli.cells import cell, shown


@given(text=st.text())
def test_nothing_that_a_terminal_would_obey_is_left(text: str) -> None:
    assert shown(text).isprintable()


def test_what_was_there_can_still_be_read() -> None:
    assert shown("é \x1b]0;owned\x07\n\u202e") == r"é \x1b]0;owned\x07\n\u202e"


def test_markup_is_text() -> None:
    console = Console(width=80)
    with console.capture() as captured:
        console.print(cell("[bold red]x[/] [link=http://a]b[/]"))
    assert captured.get() == "[bold red]x[/] [link=http://a]b[/]\n"
