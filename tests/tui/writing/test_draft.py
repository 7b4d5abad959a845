"""The scratchpad's text is never lost: kept in the workspace, written atomically, and no file is damaged."""

from __future__ import annotations

from pathlib import Path

import pytest

from rnnplay.errors import InputError
from rnnplay.tui.writing import draft as drafts
from rnnplay.tui.writing.draft import Draft, DraftPlace, keep_draft, load_draft, open_draft, save_draft, typed_path
from rnnplay.workspace import Workspace


def test_a_kept_draft_comes_back(tmp_path: Path) -> None:
    draft = Draft(text="a\nb\x1b", cursor=(1, 1), file=str(tmp_path / "t.txt"), unsaved=True)
    keep_draft(draft, tmp_path / "draft.json")
    assert load_draft(tmp_path / "draft.json") == draft


@pytest.mark.parametrize("content", [b"", b"[]", b"\xff", b'{"text": 1}', b'{"cursor": [1]}'])
def test_a_broken_draft_counts_as_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "draft.json").write_bytes(content)
    assert load_draft(tmp_path / "draft.json") == Draft()


@pytest.mark.parametrize(
    "content",
    [
        *(b"one\ntwo\n", b"one\r\ntwo\r\n", b"one\rtwo\r", b"one\ntwo", "日本\n".encode()),
        *(b"\xef\xbb\xbfone\ntwo\n", b"\xef\xbb\xbfone\r\ntwo", b"one\x0ctwo\x0b\xc2\x85three\xe2\x80\xa8four\n"),
    ],
)
def test_a_file_that_is_opened_and_saved_is_the_same(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "t.txt"
    path.write_bytes(content)
    draft, note = open_draft(path)
    assert "\r" not in draft.text and not note
    assert not save_draft(draft, path).unsaved
    assert path.read_bytes() == content


@pytest.mark.parametrize(
    ("content", "text", "why"),
    [
        (
            "Das heißt: «größer» – naïve Café. ".encode("cp1252") * 20,
            "Das heißt: «größer» – naïve Café. " * 20,
            "UTF-8",
        ),
        ("one\ntwö\n".encode("utf-16"), "one\ntwö\n", "UTF-8"),
        ("one\ntwö\n".encode("utf-32"), "one\ntwö\n", "UTF-8"),
        (b"one\r\ntwo\nthree\r\n", "one\ntwo\nthree\n", "lines that end in different ways"),
        (b"one\ntwo\rthree\n", "one\ntwo\nthree\n", "lines that end in different ways"),
    ],
)
def test_a_file_that_saving_would_rewrite_in_another_way_is_opened_as_a_new_text(
    tmp_path: Path, content: bytes, text: str, why: str
) -> None:
    path = tmp_path / "t.txt"
    path.write_bytes(content)
    draft, note = open_draft(path)
    assert (draft.text, draft.file, draft.unsaved) == (text, "", True)
    assert note.startswith("t.txt ") and why in note


@pytest.mark.parametrize("content", [bytes(range(256)) * 9, b"\x89PNG\r\n\x1a\n" + b"\0" * 99, b"a\0b"])
def test_what_is_no_text_is_not_opened(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "t.txt"
    path.write_bytes(content)
    with pytest.raises(InputError):
        open_draft(path)


def test_a_file_for_reading_only_is_not_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder alone would let it be."""
    path = tmp_path / "t.txt"
    path.write_text("old")
    monkeypatch.setattr("os.access", lambda one, mode: Path(one) != path)  # root may write to any
    with pytest.raises(InputError, match="for reading only"):
        save_draft(Draft(text="new"), path)
    assert path.read_text() == "old"
    assert [one.name for one in tmp_path.iterdir()] == ["t.txt"]


def test_saving_keeps_links_and_permissions(tmp_path: Path) -> None:
    path, link = tmp_path / "t.txt", tmp_path / "link.txt"
    path.write_text("old")
    path.chmod(0o640)
    link.symlink_to(path)
    save_draft(Draft(text="new"), link)
    assert link.is_symlink()
    assert path.read_text() == "new"
    assert path.stat().st_mode & 0o777 == 0o640
    assert sorted(one.name for one in tmp_path.iterdir()) == ["link.txt", "t.txt"]


def test_what_cannot_be_written_is_said_and_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "t.txt"
    path.write_text("old")
    with pytest.raises(InputError, match="half of a character"):
        save_draft(Draft(text="\ud800"), path)
    with pytest.raises(InputError, match="was not written"):
        save_draft(Draft(text="x"), tmp_path / "missing" / "t.txt")
    assert path.read_text() == "old"
    assert [one.name for one in tmp_path.iterdir()] == ["t.txt"]


def test_too_large_a_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drafts, "MOST_BYTES", 10)
    path = tmp_path / "t.txt"
    path.write_text("x" * 11)
    with pytest.raises(InputError, match="more than 10 characters"):
        open_draft(path)


@pytest.mark.parametrize("typed", ["", "  ", ".", "missing/x.txt", "/", "a\0b", "x" * 5000])
def test_a_path_that_is_none_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, typed: str) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError):
        typed_path(typed)


def test_a_path_is_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert typed_path(" a.txt ") == tmp_path / "a.txt"


def test_two_processes_have_a_text_each_and_the_second_is_found_again(workspace: Workspace) -> None:
    first = DraftPlace(workspace)
    second = DraftPlace(workspace)  # locks are of open files, so another process fares the same
    assert (first.path.name, second.path.name) == ("draft.json", "draft-2.json")
    keep_draft(Draft(text="mine", unsaved=True), first.path)
    keep_draft(Draft(text="other", unsaved=True), second.path)
    assert not first.move_on(), "the other one is open"
    second.release()
    assert first.other() == 2
    assert first.move_on()
    assert load_draft(first.path).text == "other"
    assert DraftPlace(workspace).number == 1, "what was left is free"


def test_a_text_that_is_in_a_file_is_no_other_text(workspace: Workspace) -> None:
    place = DraftPlace(workspace)
    keep_draft(Draft(text="saved"), workspace.root / "draft-2.json")
    keep_draft(Draft(text=" \n", unsaved=True), workspace.root / "draft-3.json")
    assert (place.other(), place.move_on(), place.number) == (0, False, 1)


def test_too_many_at_once_is_said(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drafts, "MOST_DRAFTS", 1)
    held = DraftPlace(workspace)
    with pytest.raises(InputError, match="1 scratchpads are open"):
        DraftPlace(workspace)
    held.release()
    assert DraftPlace(workspace).number == 1


def test_a_file_that_another_program_wrote_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "t.txt"
    path.write_text("one")
    draft, _ = open_draft(path)
    assert not draft.changed_elsewhere
    draft = save_draft(draft, path)
    assert not draft.changed_elsewhere
    path.write_text("another text")
    assert draft.changed_elsewhere
    path.unlink()
    assert not draft.changed_elsewhere, "nothing is overwritten"
