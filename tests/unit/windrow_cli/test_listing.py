"""Listings: every key once, in order, whatever the pages."""

from hypothesis import given
from hypothesis import strategies as st

from windrow_cli.listing import page

_KEYS = st.sets(st.text("ab/é", min_size=1, max_size=6), max_size=25).map(sorted)


def _walk(keys: list[str], prefix: str, delimiter: str, after: str, limit: int) -> tuple[list[str], list[str]]:
    found: list[str] = []
    prefixes: list[str] = []
    token = ""
    while True:
        part = page(keys, prefix=prefix, delimiter=delimiter, after=after, token=token, limit=limit)
        assert len(part.keys) + len(part.prefixes) <= limit
        found += part.keys
        prefixes += part.prefixes
        if part.token is None:
            return found, prefixes
        assert part.keys or part.prefixes, "a page that leads on brings something"
        token = part.token


@given(keys=_KEYS, prefix=st.text("ab/", max_size=3), limit=st.integers(1, 5))
def test_pages_put_together_are_the_keys_below_the_prefix(keys: list[str], prefix: str, limit: int) -> None:
    assert _walk(keys, prefix, "", "", limit) == ([key for key in keys if key.startswith(prefix)], [])


@given(keys=_KEYS, prefix=st.text("ab/", max_size=3), limit=st.integers(1, 5))
def test_a_delimiter_rolls_deeper_keys_into_one_each(keys: list[str], prefix: str, limit: int) -> None:
    below = [key for key in keys if key.startswith(prefix)]
    flat = [key for key in below if "/" not in key[len(prefix) :]]
    rolled = {prefix + key[len(prefix) :].split("/")[0] + "/" for key in below if "/" in key[len(prefix) :]}

    assert _walk(keys, prefix, "/", "", limit) == (flat, sorted(rolled))


@given(keys=_KEYS, after=st.text("ab/é", min_size=1, max_size=4), limit=st.integers(1, 5))
def test_a_listing_starts_after_the_key_it_is_told(keys: list[str], after: str, limit: int) -> None:
    assert _walk(keys, "", "", after, limit) == ([key for key in keys if key > after], [])


@given(keys=_KEYS.filter(lambda keys: len(keys) > 2), new=st.text("ab/é", min_size=1, max_size=6))
def test_a_page_goes_on_where_the_last_one_ended_even_if_keys_came_in_between(keys: list[str], new: str) -> None:
    first = page(keys, prefix="", delimiter="", after="", token="", limit=2)
    assert first.token is not None
    grown = sorted({*keys, new})

    rest = page(grown, prefix="", delimiter="", after="", token=first.token, limit=1_000)
    assert list(rest.keys) == [key for key in grown if key > first.keys[-1]]
