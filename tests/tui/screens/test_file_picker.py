"""The file picker: a path typed or chosen in the tree; a wrong one is explained."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from textual.app import App
from textual.pilot import Pilot
from textual.widgets import Input, Static

from rnnplay.common import confinement
from rnnplay.errors import InputError
from rnnplay.tui.screens.file_picker import FilePicker, TextTree, check_text_file
from rnnplay.workspace import Workspace


class PickerApp(App[None]):
    def __init__(self, start: Path, several: bool = False) -> None:
        super().__init__()
        self.start_folder, self._several = start, several
        self.answers: list[str | None] = []

    def on_mount(self) -> None:
        workspace = Workspace(self.start_folder / "workspace")
        self.push_screen(FilePicker(workspace, self.start_folder, self._several), self.answers.append)

    @property
    def said(self) -> str:
        return str(self.screen.query_one("#file-say", Static).content)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "story.txt").write_text("Once upon a time", encoding="utf-8")
    (tmp_path / "words.txt").write_text("ein Märchen", encoding="utf-8")
    (tmp_path / ".hidden").write_text("secret", encoding="utf-8")
    return tmp_path


async def until(pilot: Pilot[None], condition: Callable[[], bool]) -> None:
    """The tree is read by a worker: let the app go on until `condition`."""
    for _ in range(2000):
        if condition():
            return
        await pilot.pause()
    raise AssertionError("the condition was never met")


def names(app: PickerApp) -> list[str]:
    return [str(node.label) for node in app.screen.query_one(TextTree).root.children]


async def test_a_typed_path_is_chosen(folder: Path) -> None:
    app = PickerApp(folder)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press(*"words.txt", "enter")
        await until(pilot, lambda: bool(app.answers))
        assert app.answers == [str(folder / "words.txt")]


async def test_a_wrong_path_is_explained_and_can_be_mended(folder: Path) -> None:
    app = PickerApp(folder)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press(*"wards.txt", "enter")
        await pilot.pause()
        assert app.said == f"There is no file {folder / 'wards.txt'}."
        app.screen.query_one(Input).value = str(folder / "no" / "such" / "words.txt")
        await pilot.press("enter")
        await pilot.pause()
        assert f"the path exists up to {folder}" in app.said
        app.screen.query_one(Input).value = str(folder / "words.txt")
        await pilot.press("enter")
        await until(pilot, lambda: bool(app.answers))
        assert app.answers == [str(folder / "words.txt")]


async def test_a_folder_is_opened_and_a_file_in_it_chosen_by_keys(folder: Path) -> None:
    app = PickerApp(folder)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "words.txt" in names(app))
        assert names(app) == ["texts", "words.txt"]  # hidden ones are not shown
        app.screen.query_one(Input).value = "texts"
        await pilot.press("enter")
        await until(pilot, lambda: names(app) == ["story.txt"])
        await pilot.press("down")
        await until(pilot, lambda: app.screen.query_one(Input).value == str(folder / "texts" / "story.txt"))
        assert app.said == "story.txt, 16 bytes"
        await pilot.press("enter")
        await until(pilot, lambda: bool(app.answers))
        assert app.answers == [str(folder / "texts" / "story.txt")]


async def test_by_mouse_alone(folder: Path) -> None:
    """Up to the folder above, down again, and a file clicked."""
    app = PickerApp(folder / "texts")
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: names(app) == ["story.txt"])
        await pilot.click("#up")
        await until(pilot, lambda: names(app) == ["texts", "words.txt"])
        await pilot.click(TextTree, offset=(9, 2))
        await until(pilot, lambda: bool(app.answers))
        assert app.answers == [str(folder / "words.txt")]


async def test_escape_and_cancel_choose_nothing(folder: Path) -> None:
    app = PickerApp(folder)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("escape")
        await until(pilot, lambda: bool(app.answers))
        app.on_mount()
        await pilot.pause()
        await pilot.click("#cancel")
        await until(pilot, lambda: len(app.answers) == 2)
        assert app.answers == [None, None]


async def test_it_fits_80_by_24(folder: Path) -> None:
    app = PickerApp(folder)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        for selector in ("#file-path", "#file-tree", "#file-say", "#up", "#open", "#cancel"):
            region = app.screen.query_one(selector).region
            assert region.height > 0
            assert app.screen.region.contains_region(region), selector


@pytest.mark.parametrize(
    ("content", "why"),
    [(b"", "is empty"), (b"\x89PNG\0\0", "is an image, not a text")],
)
def test_what_is_no_text_is_refused(tmp_path: Path, content: bytes, why: str) -> None:
    path = tmp_path / "file.txt"
    path.write_bytes(content)
    with pytest.raises(InputError, match=why):
        check_text_file(path)


def test_utf_16_with_a_mark_is_text(tmp_path: Path) -> None:
    path = tmp_path / "file.txt"
    path.write_bytes("hello".encode("utf-16"))
    check_text_file(path)


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="permissions do not bind this user")
def test_an_unreadable_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "file.txt"
    path.write_text("text", encoding="utf-8")
    path.chmod(0)
    with pytest.raises(InputError, match="cannot be read"):
        check_text_file(path)


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is not a file"):
        check_text_file(tmp_path)
    with pytest.raises(InputError):
        check_text_file(Path("a\0b"))


async def test_a_text_in_another_encoding_is_offered_as_a_copy(folder: Path) -> None:
    """What it seems to be is said first; only Enter again copies it, and the copy is what is chosen."""
    text = "“Don’t,” she said.\n"
    (folder / "words.txt").write_bytes(text.encode("cp1252") * 20)
    app = PickerApp(folder)
    async with app.run_test(size=(80, 24)) as pilot:
        app.screen.query_one(Input).value = "words.txt"
        await pilot.press("enter")
        await until(pilot, lambda: "looks like Windows-1252" in app.said)
        assert "“Don’t,” she said." in app.said
        assert not app.answers
        await pilot.press("enter")
        await until(pilot, lambda: bool(app.answers))
        assert app.answers == [str(folder / "workspace" / "corpora" / "words.txt")]
        assert (folder / "workspace" / "corpora" / "words.txt").read_text(encoding="utf-8") == text * 20
        app.on_mount()  # and again, where its name is taken by now
        await until(pilot, lambda: bool(app.screen.query("#file-path")))
        app.screen.query_one(Input).value = "words.txt"
        await pilot.press("enter")
        await until(pilot, lambda: "looks like Windows-1252" in app.said)
        await pilot.press("enter")
        await until(pilot, lambda: len(app.answers) == 2)
        assert app.answers[1] == str(folder / "workspace" / "corpora" / "words-utf-8.txt")


async def test_several_are_marked_and_taken_as_one_text(folder: Path) -> None:
    """A file and a folder, in the order in which they are marked; marking again takes the mark away."""
    app = PickerApp(folder, several=True)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "words.txt" in names(app))
        await pilot.press("tab", "down", "down", "space")
        assert app.said == "1 marked; Enter on a marked one takes it."
        await pilot.press("up", "space", "up", "space", "space")
        assert app.said == "2 marked; Enter on a marked one takes them as one text."
        assert app.screen.query_one(TextTree).render_line(1).text.count("✓") == 1
        await pilot.press("down", "enter")
        await until(pilot, lambda: bool(app.answers))
    assert app.answers == [f"{folder / 'words.txt'},{folder / 'texts'}"]


@pytest.mark.parametrize(
    ("typed", "taken"),
    [
        ("*.txt", "{0}/*.txt"),
        ("words.txt, texts/story.txt", "{0}/words.txt,{0}/texts/story.txt"),
        ("a,b.txt", "{0}/a,b.txt"),
    ],
)
async def test_a_pattern_and_several_paths_can_be_typed(folder: Path, typed: str, taken: str) -> None:
    (folder / "a,b.txt").write_text("with a comma")
    app = PickerApp(folder, several=True)
    async with app.run_test(size=(80, 24)) as pilot:
        app.screen.query_one(Input).value = typed
        await pilot.press("enter")
        await until(pilot, lambda: bool(app.answers))
    assert app.answers == [taken.format(folder)]


@pytest.mark.parametrize("typed", ["*.none", "words.txt,missing.txt", "words.txt,*.none"])
async def test_several_of_which_one_is_wrong_are_explained(folder: Path, typed: str) -> None:
    app = PickerApp(folder, several=True)
    async with app.run_test(size=(80, 24)) as pilot:
        app.screen.query_one(Input).value = typed
        await pilot.press("enter")
        await pilot.pause()
        assert "none" in app.said or "missing.txt" in app.said
        assert not app.answers


async def test_for_one_text_nothing_is_marked(folder: Path) -> None:
    app = PickerApp(folder)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "words.txt" in names(app))
        await pilot.press("tab", "down", "down", "space")
        assert app.screen.query_one(TextTree).marked == []


async def test_a_visitor_of_a_served_playground_leaves_the_workspace_by_no_key(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither upwards, nor by a typed folder, nor by a link; what is there is not told from what is not."""
    home = folder / "texts"
    monkeypatch.setattr(confinement, "_home", str(home))
    (home / "link").symlink_to(folder)
    app = PickerApp(home, several=True)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: names(app) == ["story.txt"])
        picker = app.screen
        assert isinstance(picker, FilePicker)
        picker.action_up()
        assert "outside of your workspace" in app.said
        typed_ones = (
            "/etc",
            "..",
            "../words.txt",
            "../no.txt",
            "link",
            "link/words.txt",
            "../*.txt",
            "story.txt,../words.txt",
        )
        for typed in typed_ones:
            app.screen.query_one(Input).value = typed
            await pilot.press("enter")
            await until(pilot, lambda: "outside of your workspace" in app.said)
        assert app.screen.query_one(TextTree).path == home
        assert app.answers == []


async def test_a_picker_that_would_begin_outside_of_the_workspace_begins_in_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(confinement, "_home", str(folder / "texts"))
    monkeypatch.setenv("HOME", str(folder / "texts"))
    app = PickerApp(folder)
    async with app.run_test(size=(80, 24)):
        assert app.screen.query_one(TextTree).path == folder / "texts"
