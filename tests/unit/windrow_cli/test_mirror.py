"""Objects as files: whatever is interrupted, an object is whole, either as it was or as it was to be."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from windrow_cli import mirror
from windrow_cli.mirror import Headers, Mirror, quote

_PARTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="/"), max_size=300)


def _headers(key: str = "landing/s/a.json", bucket: str = "b-raw", etag: str = "e1", size_bytes: int = 3) -> Headers:
    metadata = {"content-type": "application/json", "x-amz-meta-write-id": "w1"}
    return Headers(
        bucket=bucket, key=key, etag=etag, size_bytes=size_bytes, modified_us=1_700_000_000_123_456, metadata=metadata
    )


def _reopened(root: Path) -> tuple[Mirror, dict[str, Headers]]:
    opened = Mirror(root)
    return opened, {headers.key: headers for headers in opened.load()}


@given(left=_PARTS, right=_PARTS)
def test_different_parts_have_different_file_names_even_where_case_does_not_count(left: str, right: str) -> None:
    assert (quote(left).casefold() == quote(right).casefold()) == (left == right)


@given(part=_PARTS)
def test_a_file_name_can_be_used_on_any_file_system(part: str) -> None:
    name = quote(part)
    assert 0 < len(name.encode()) <= 255
    assert name not in (".", "..")
    assert "/" not in name
    assert "\0" not in name
    assert name.isascii()


def test_the_names_of_delta_tables_stand_as_they_are() -> None:
    for part in ("_delta_log", "00000000000000000000.json", "event_date=2026-01-01", "part-0-c5f1-c000.zstd.parquet"):
        assert quote(part) == part


def test_what_was_saved_is_loaded_with_every_header(tmp_path: Path) -> None:
    Mirror(tmp_path).save(_headers(), b"abc")

    opened, found = _reopened(tmp_path)
    (headers,) = found.values()
    assert headers.modified_us == 1_700_000_000_123_456
    assert headers.metadata == {"content-type": "application/json", "x-amz-meta-write-id": "w1"}
    assert (headers.etag, headers.size_bytes) == ("e1", 3)
    assert opened.body_path("b-raw", "landing/s/a.json").read_bytes() == b"abc"


@pytest.mark.parametrize("key", ["a b.json", "../../etc/passwd", "a//b", "a/", "/a", "Ünïcode/ß", "x" * 900, "a/../b"])
def test_any_key_stays_inside_its_bucket(tmp_path: Path, key: str) -> None:
    root = tmp_path / "s3"
    Mirror(root).save(_headers(key), b"abc")

    opened, found = _reopened(root)
    assert list(found) == [key]
    assert opened.body_path("b-raw", key).resolve().is_relative_to((root / "b-raw").resolve())


def test_a_key_may_be_the_folder_of_another(tmp_path: Path) -> None:
    first = Mirror(tmp_path)
    for key in ("a", "a/b", "c/d", "c"):
        first.save(_headers(key), key.encode())

    opened, found = _reopened(tmp_path)
    assert {key: opened.body_path("b-raw", key).read_bytes() for key in found} == {
        "a": b"a",
        "a/b": b"a/b",
        "c/d": b"c/d",
        "c": b"c",
    }


def test_a_removed_object_stays_removed(tmp_path: Path) -> None:
    first = Mirror(tmp_path)
    first.save(_headers(), b"abc")
    first.remove("b-raw", "landing/s/a.json")
    first.remove("b-raw", "never/was")

    _, found = _reopened(tmp_path)
    assert not found
    assert not [path for path in (tmp_path / "b-raw").rglob("*") if path.is_file()]


class Killed(BaseException):
    """The process ends here."""


def _killed_before(monkeypatch: pytest.MonkeyPatch, target: str) -> None:
    """Die at the rename that would bring `target` (body or headers) into place."""
    rename = Path.rename

    def dying(self: Path, to: Path) -> Path:
        if ("body" if self.parent.name == ".partial" else "headers") == target:
            raise Killed
        return rename(self, to)

    monkeypatch.setattr(Path, "rename", dying)


@pytest.mark.parametrize(("target", "expected"), [("body", ("e1", b"old")), ("headers", ("e2", b"newer"))])
def test_an_interrupted_replacement_leaves_one_version_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, target: str, expected: tuple[str, bytes]
) -> None:
    first = Mirror(tmp_path)
    first.save(_headers(etag="e1"), b"old")
    with monkeypatch.context() as patch:
        _killed_before(patch, target)
        with pytest.raises(Killed):
            first.save(_headers(etag="e2", size_bytes=5), b"newer")

    opened, found = _reopened(tmp_path)
    (headers,) = found.values()
    assert (headers.etag, opened.body_path("b-raw", headers.key).read_bytes()) == expected
    assert not list((tmp_path / mirror._PARTIAL).iterdir())


def test_an_interrupted_first_write_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = Mirror(tmp_path)
    with monkeypatch.context() as patch:
        _killed_before(patch, "body")
        with pytest.raises(Killed):
            first.save(_headers(), b"abc")

    _, found = _reopened(tmp_path)
    assert not found


def test_headers_that_were_cut_off_are_not_taken_for_the_new_ones(tmp_path: Path) -> None:
    first = Mirror(tmp_path)
    first.save(_headers(), b"abc")
    (standing,) = (tmp_path / ".headers").glob("*/*.json")
    standing.with_suffix(".next").write_bytes(standing.read_bytes()[:20])

    _, found = _reopened(tmp_path)
    assert [headers.etag for headers in found.values()] == ["e1"]
    assert not list((tmp_path / ".headers").glob("*/*.next"))


def test_a_body_whose_removal_was_cut_short_is_cleared_away(tmp_path: Path) -> None:
    Mirror(tmp_path).save(_headers(), b"abc")
    (standing,) = (tmp_path / ".headers").glob("*/*.json")
    standing.unlink()

    _, found = _reopened(tmp_path)
    assert not found
    assert not [path for path in (tmp_path / "b-raw").rglob("*") if path.is_file()]


def test_a_failed_save_leaves_the_earlier_object_standing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = Mirror(tmp_path)
    first.save(_headers(etag="e1"), b"old")

    def full(_self: Path, _to: Path) -> Path:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", full)
        with pytest.raises(OSError, match="No space"):
            first.save(_headers(etag="e2"), b"new")

    kept = first.find("b-raw", "landing/s/a.json")
    assert kept is not None
    assert kept.etag == "e1"
    assert first.body_path("b-raw", "landing/s/a.json").read_bytes() == b"old"
