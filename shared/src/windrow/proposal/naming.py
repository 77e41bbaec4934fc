"""The sender's names to names a table can have."""

import re
import unicodedata
from collections.abc import Sequence

from windrow.keys import TABLE_NAME
from windrow.proposal.sample import Path
from windrow.spec import RESERVED_COLUMNS

_MAX_CHARS = 63
_LETTERS = str.maketrans(
    {
        "ß": "ss", "æ": "ae", "Æ": "Ae", "œ": "oe", "Œ": "Oe", "ø": "o", "Ø": "O", "đ": "d", "Đ": "D", "ł": "l",
        "Ł": "L", "þ": "th", "Þ": "Th", "ð": "d", "Ð": "D", "ı": "i", "µ": "u", "μ": "u",
    }
)  # fmt: skip
"""Letters that Unicode does not take apart into a plain letter and an accent."""
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_NOT_ALLOWED = re.compile(r"[^a-z0-9]+")
_COMPRESSED = re.compile(r"\.(gz|zst|bz2|zip)$", re.IGNORECASE)


def words(name: str) -> list[str]:
    """A name's words in small plain letters: `CôteNord_2` → cote, nord, 2."""
    plain = unicodedata.normalize("NFKD", name.translate(_LETTERS)).encode("ascii", "ignore").decode()
    return [word for word in _NOT_ALLOWED.split(_CAMEL.sub("_", plain).lower()) if word]


def column_name(path: Path) -> str:
    """A name a table can have, made from the sender's; empty when nothing of it is left."""
    name = "_".join(word for part in path for word in words(part))
    if name and not name[0].isalpha():
        name = f"c_{name}"
    name = name[:_MAX_CHARS].rstrip("_")
    return f"{name[: _MAX_CHARS - 5]}_sent" if name in RESERVED_COLUMNS else name


def column_names(paths: Sequence[Path], taken: Sequence[str] = ()) -> list[str]:
    """A name for each, all different. Names that need no change keep it; others that meet are numbered."""
    used = {*taken}
    names: list[str | None] = [None] * len(paths)
    wished = [column_name(path) or f"column_{place}" for place, path in enumerate(paths, start=1)]
    # Those that are written like this already come first: a spec says nothing about them.
    for place in sorted(range(len(paths)), key=lambda place: (paths[place] != (wished[place],), place)):
        name, number = wished[place], 1
        while name in used:
            number += 1
            name = f"{wished[place][: _MAX_CHARS - 1 - len(str(number))]}_{number}"
        used.add(name)
        names[place] = name
    found = [name for name in names if name is not None]
    assert all(TABLE_NAME.fullmatch(name) for name in found)
    return found


def stream_name(file_name: str) -> str:
    """A stream's name from its file's: `Monday Readings.csv.gz` → monday_readings; one without letters → records."""
    stem = _COMPRESSED.sub("", file_name.rsplit("/", 1)[-1]).rsplit(".", 1)[0]
    name = "_".join(words(stem))
    if not any(char.isalpha() for char in name):
        return "records"
    return (name if name[0].isalpha() else f"s_{name}")[:_MAX_CHARS].rstrip("_")
