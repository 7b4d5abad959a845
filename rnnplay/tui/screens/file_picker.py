"""A dialog that chooses a text file by its typed path or in a tree of folders."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import ClassVar

from rich.style import Style
from rich.text import Text, TextType
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widgets import Button, DirectoryTree, Input, Label, Static
from textual.widgets.directory_tree import DirEntry
from textual.widgets.tree import TreeNode

from rnnplay.common.confinement import check_reachable, reachable
from rnnplay.errors import EncodingError, InputError, RnnplayError
from rnnplay.knob_texts import corpus_parts
from rnnplay.tui.keyboard import HELP_KEYS
from rnnplay.tui.screens.dialogs import Dialog
from rnnplay.tui.widgets.text import BoundedText
from rnnplay.tui.widgets.visible import visible_line
from rnnplay.workspace import Workspace

HEAD_PIECES, PIECE_BYTES = 16, 1 << 16
"""The beginning of a file that is checked for being text: a megabyte."""


class TextTree(DirectoryTree):
    """Folders and files, without hidden ones."""

    @dataclass
    class Marked(Message):
        """Something was marked, or no longer."""

    @dataclass
    class Taken(Message):
        """What is marked is to be taken."""

    ICON_NODE = "▸ "
    ICON_NODE_EXPANDED = "▾ "
    ICON_FILE = "  "

    def __init__(self, path: Path, several: bool, *, id: str | None = None) -> None:  # noqa: A002
        """With `several`, space marks files and folders."""
        super().__init__(path, id=id)
        self._several = several
        self.marked: list[Path] = []
        """What the user marked, in that order."""

    def filter_paths(self, paths: Iterable[Path]) -> Iterable[Path]:
        return [path for path in paths if not path.name.startswith(".") and reachable(path)]

    def process_label(self, label: TextType) -> Text:
        # A file name may contain markup, newlines or control characters.
        return Text(visible_line(str(label)))

    def render_label(self, node: TreeNode[DirEntry], base_style: Style, style: Style) -> Text:
        label = super().render_label(node, base_style, style)
        marked = node.data is not None and node.data.path in self.marked
        return Text.assemble(("✓ ", base_style), label) if marked else label

    def action_toggle_node(self) -> None:
        """Marks the file or folder under the cursor, or no longer."""
        node = self.cursor_node
        if not self._several or node is None or node.data is None:
            super().action_toggle_node()
            return
        path = node.data.path
        if path in self.marked:
            self.marked.remove(path)
        else:
            self.marked.append(path)
        node.refresh()
        self.post_message(self.Marked())

    def action_select_cursor(self) -> None:
        """Takes what is marked if the cursor is on something marked; else takes the file or opens the folder."""
        node = self.cursor_node
        if node is not None and node.data is not None and node.data.path in self.marked:
            self.post_message(self.Taken())
        else:
            super().action_select_cursor()


class FilePicker(Dialog[str | None]):
    """Chooses a text file; the result is its absolute path, or None.

    Where several texts may be one, the result may also be a folder, a pattern, or several with commas between them.
    """

    DEFAULT_CSS = """
    FilePicker > Vertical { width: 76; max-width: 94%; height: 26; max-height: 90%; }
    FilePicker #file-path { width: 1fr; height: 1; border: none; padding: 0; background: $foreground 8%; }
    FilePicker #file-path:focus { border: none; }
    FilePicker #file-label { width: 6; color: $text-muted; }
    FilePicker #file-line { height: 1; margin-bottom: 1; }
    FilePicker TextTree { height: 1fr; background: transparent; padding: 0; scrollbar-size-vertical: 1; }
    FilePicker #file-say { height: auto; min-height: 1; color: $text-muted; }
    FilePicker #file-say.-error { color: $error; }
    FilePicker #file-buttons { height: 1; align-horizontal: right; }
    FilePicker #file-buttons Static { width: 1fr; }
    FilePicker.-tiny > Vertical { max-height: 100%; }
    FilePicker.-tiny #file-line { margin-bottom: 0; }
    FilePicker Button { margin-left: 2; }
    FilePicker #up { margin-left: 0; }
    """
    HELP = """
    ## Choose a text file

    Type a path and press `enter`, or browse the folders with the arrows or the mouse; `backspace` goes to the folder
    above. `tab` switches between the two, `escape` cancels. Where several texts may be one, `space` marks files and
    folders and `enter` on one of them takes all; a path may also be a pattern such as `notes/*.md`, or several paths
    with commas between them.

    UTF-8 and UTF-16 texts are read directly. For a text that appears to be in another encoding, `enter` again takes it
    in that one: a corpus is copied into the workspace as UTF-8, and the scratchpad opens it as a new text.
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "Cancel", id="everywhere.back"),
        *HELP_KEYS,
        Binding("backspace,alt+up", "up", "Folder above", id="files.folder-above"),
    ]

    def __init__(
        self, workspace: Workspace, start: Path | None = None, several: bool = False, copies: bool = True
    ) -> None:
        """`several` texts may be taken as one; with `copies`, those in other encodings are copied into `workspace`.

        The tree begins at `start`, a folder or a file in it, or else the current folder.
        """
        super().__init__()
        self._workspace, self._several, self._copies = workspace, several, copies
        mark = " Space marks files and folders to take together." if several else ""
        self._hint = f"Enter on a folder opens it here.{mark}"
        self._offered: tuple[Path, str] | None = None
        """The file offered for conversion, and the encoding it appears to be in."""
        place = start.absolute() if start else _here()
        folders = (folder for folder in (place, *place.parents) if reachable(folder) and _is_folder(folder))
        self._folder = next(folders, Path.home())

    def compose(self) -> ComposeResult:
        with Vertical() as box:
            box.border_title = "Choose a text file"
            with Horizontal(id="file-line"):
                yield Label("path", id="file-label")
                path = Input(_folder_text(self._folder), id="file-path")
                path.cursor_blink = False
                yield path
            yield TextTree(self._folder, self._several, id="file-tree")
            yield BoundedText(self._hint, id="file-say", rows=5)
            with Horizontal(id="file-buttons"):
                yield Button("↑ Folder above", id="up", compact=True)
                yield Static("")
                yield Button("Open", id="open", variant="primary", compact=True)
                yield Button("Cancel", id="cancel", compact=True)

    def on_mount(self) -> None:
        self.query_one("#file-path", Input).focus()

    def _take(self, path: Path) -> None:
        try:
            if self._offered is not None and self._offered[0] == path:
                path = self._copied(*self._offered) if self._copies else path
            else:
                check_text_file(path)
        except EncodingError as error:
            self._offered = path, error.encoding
            onward = "copies it as UTF-8 and takes the copy" if self._copies else "opens it as a new text"
            self._say(f"{path.name} looks like {error.seems}. Enter again {onward}.")
        except RnnplayError as error:
            self._say(str(error), error=True)
        else:
            self.dismiss(str(path))

    def _take_several(self, corpus: str) -> None:
        from rnnplay.text.corpora.catalogue import find_corpus

        try:
            for path in find_corpus(corpus, self._workspace).parts:
                check_text_file(path)
        except RnnplayError as error:
            self._say(str(error), error=True)
        else:
            self.dismiss(corpus)

    def _copied(self, path: Path, encoding: str) -> Path:
        from rnnplay.text.corpora.adding import add_corpus, free_name

        self._offered = None
        copy = add_corpus(path, self._workspace, free_name(path, self._workspace) or None, encoding).path
        assert copy is not None
        return copy

    def _say(self, text: str, *, error: bool = False) -> None:
        say = self.query_one("#file-say", Static)
        say.update(visible_line(text))
        say.set_class(error, "-error")

    @on(Input.Changed, "#file-path")
    def _path_changed(self) -> None:
        self._offered = None
        self._say(self._hint)

    @on(TextTree.Marked)
    def _marked(self) -> None:
        count = len(self.query_one(TextTree).marked)
        what = "it" if count == 1 else "them as one text"
        self._say(f"{count} marked; Enter on a marked one takes {what}." if count else "")

    @on(TextTree.Taken)
    @on(Input.Submitted, "#file-path")
    def _path_given(self) -> None:
        self._open_typed()

    def _open_typed(self) -> None:
        if marked := self.query_one(TextTree).marked:
            if len(marked) > 1 and (comma := [path.name for path in marked if "," in str(path)]):
                self._say(f"The path of {comma[0]} has a comma in it; rename it, or take it alone.", error=True)
                return
            self._take_several(",".join(map(str, marked)))
            return
        typed = self.query_one("#file-path", Input).value.strip()
        if not typed:
            self._say("Type the path of a text file, or choose one below.", error=True)
            return
        path = Path(os.path.normpath(self._folder / Path(os.path.expanduser(typed))))  # noqa: PTH111 (never raises)
        if reachable(path) and _is_folder(path):
            self._go_to(path)
        elif self._several and any(sign in typed for sign in ",*?[") and not (reachable(path) and _is_there(path)):
            parts = [os.path.expanduser(part) for part in corpus_parts(typed)]  # noqa: PTH111 (never raises)
            self._take_several(",".join(os.path.normpath(self._folder / part) for part in parts))
        else:
            self._take(path)

    def _go_to(self, folder: Path) -> None:
        if not reachable(folder):
            self._say(f"{folder} is outside of your workspace, and nothing there can be reached.", error=True)
            return
        self._folder = folder
        tree = self.query_one(TextTree)
        tree.path = folder
        tree.focus()

    @on(DirectoryTree.NodeHighlighted)
    def _highlighted(self, event: DirectoryTree.NodeHighlighted[object]) -> None:
        path = getattr(event.node.data, "path", None)
        if isinstance(path, Path) and self.focused is self.query_one(TextTree):
            field = self.query_one("#file-path", Input)
            with field.prevent(Input.Changed):
                field.value = _folder_text(path) if _is_folder(path) else str(path)
                field.cursor_position = len(field.value)
            self._say(_size_text(path))

    @on(DirectoryTree.FileSelected)
    def _file_selected(self, event: DirectoryTree.FileSelected) -> None:
        event.stop()
        self._take(event.path)

    @on(Button.Pressed, "#open")
    def _open_pressed(self) -> None:
        self._open_typed()

    @on(Button.Pressed, "#up")
    def action_up(self) -> None:
        """Shows the parent folder."""
        self._go_to(self._folder.parent)

    @on(Button.Pressed, "#cancel")
    def action_cancel(self) -> None:
        """Closes the dialog without a file."""
        self.dismiss(None)


def check_text_file(path: Path) -> None:
    """Raises InputError if `path` is not a readable file that looks like text."""
    check_reachable(path)
    if any(0xD800 <= ord(character) <= 0xDFFF for character in str(path)):
        raise InputError(f"The path {str(path)!r} is not valid UTF-8; rename the file, or choose a copy of it.")
    try:
        if not path.exists():
            parent = next((folder for folder in path.parents if folder.exists()), path.parent)
            where = "" if parent == path.parent else f"; the path exists up to {parent}"
            raise InputError(f"There is no file {path}{where}.")
        if not path.is_file():
            raise InputError(f"{path} is not a file; choose a text file.")
    except OSError as error:
        raise InputError(
            f"{path} cannot be read ({error.strerror}); choose another or change its permissions."
        ) from error
    except ValueError as error:  # a null character in the path
        raise InputError(f"{str(path)!r} is not a path.") from error
    from rnnplay.text.corpora.reading import iter_text

    for _ in islice(iter_text(path, PIECE_BYTES), HEAD_PIECES):
        pass


def _here() -> Path:
    try:
        return Path.cwd()
    except OSError:  # the current folder has been deleted
        return Path.home()


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except (OSError, ValueError):  # permission denied, a name too long, or a null character
        return False


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


def _folder_text(folder: Path) -> str:
    return str(folder).rstrip(os.sep) + os.sep


def _size_text(path: Path) -> str:
    try:
        if _is_folder(path):
            return ""
        size = float(path.stat().st_size)
    except OSError as error:
        return f"{path.name} cannot be read ({error.strerror})."
    for unit in ("bytes", "kB", "MB"):
        if size < 1000:
            return f"{path.name}, {size:,.0f} {unit}"
        size /= 1000
    return f"{path.name}, {size:,.1f} GB"
