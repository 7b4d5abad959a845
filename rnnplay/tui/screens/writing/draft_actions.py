"""What the scratchpad does with its text as a file: keeps it in the workspace, saves it, opens another."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from textual.screen import Screen
from textual.widgets import TextArea

from rnnplay.errors import InputError
from rnnplay.tui.screens.dialogs import Ask, Confirm
from rnnplay.tui.screens.file_picker import FilePicker
from rnnplay.tui.writing.draft import Draft, DraftPlace, keep_draft, load_draft, open_draft, save_draft, typed_path
from rnnplay.tui.writing.ghost_area import GhostArea
from rnnplay.workspace import Workspace


class DraftActions:
    """The text of the scratchpad, which `area` shows, with its file."""

    def __init__(
        self, screen: Screen[None], place: DraftPlace, workspace: Workspace, renamed: Callable[[], None]
    ) -> None:
        """The text is kept in `place`; `renamed` is called when its name, or whether it is saved, has changed."""
        self._screen, self._place, self._workspace, self._renamed = screen, place, workspace, renamed
        self.draft = load_draft(place.path)
        self.area = GhostArea(self.draft.text, id="writing-text")
        self._changed = self._trouble = False
        self._offered = ""
        """The path offered for a text that belongs to no file."""

    def begin(self) -> None:
        """Goes to where the cursor was, and tells of other texts."""
        self.area.move_cursor(self.draft.cursor)
        if self._place.number > 1:
            text = f"Another rnnplay has the scratchpad open; the text of this one is kept in {self._place.path.name}."
            self._screen.notify(text, timeout=10, markup=False)
        elif self._place.other():
            text = "There is another text, of an rnnplay that was open beside this one:"
            self._screen.notify(f"{text} {{scratchpad.other-text}} shows it.", markup=False)

    def note_change(self) -> None:
        """Records that the text has changed."""
        self._changed = True
        if not self.draft.unsaved:
            self.draft.unsaved = True
            self._renamed()

    def _current(self) -> Draft:
        draft = self.draft
        draft.text, draft.cursor = self.area.content, self.area.cursor_location
        return draft

    def keep(self, anyway: bool = False) -> None:
        """Copies a changed text, or any, to the workspace."""
        if not self._changed and not anyway:
            return
        self._changed = False
        try:
            keep_draft(self._current(), self._place.path)
        except (OSError, ValueError) as error:
            if not self._trouble:  # said once
                self._trouble = True
                why = getattr(error, "strerror", None) or "half of a character in it"
                text = f"The text is not kept in {self._place.path} ({why}); save it with {{scratchpad.save}}."
                self._screen.notify(text, severity="warning", timeout=10, markup=False)

    def save(self) -> None:
        """Saves to the text's file; asks for a name if it has none."""
        if self.draft.file and Path(self.draft.file).parent.is_dir():
            if self.draft.changed_elsewhere:
                self.draft.seen = ""  # asked once
                text = f"{self.draft.name} was changed by another program; {{scratchpad.save}} again overwrites it."
                self._screen.notify(text, severity="warning", timeout=10, markup=False)
                return
            try:
                self._saved(Path(self.draft.file))
            except InputError as error:
                self._screen.notify(str(error), severity="error", timeout=10, markup=False)
        else:
            self.save_as()

    def save_as(self) -> None:
        """Asks for a file, and saves to it."""
        offered: list[Path] = []

        async def answer(typed: str) -> str | None:
            try:
                path = typed_path(typed)
                if path.exists() and path not in offered:
                    offered[:] = [path]
                    return f"{path} exists. Enter again overwrites it."
                self._saved(path)
            except InputError as error:
                return str(error)
            return None

        self._screen.app.push_screen(
            Ask("Save the text", "To which file?", "Save", answer, text=self.draft.file or self._offered)
        )

    def _saved(self, path: Path) -> None:
        self.draft = save_draft(self._current(), path)
        self.keep(anyway=True)  # the copy in the workspace says that it is saved
        self._renamed()
        self._screen.notify(f"Saved as {path}.", markup=False)

    def open(self) -> None:
        """Opens a file in place of the text; asks first if that is not saved."""
        if self.draft.unsaved and self.area.content.strip():
            question = f"{self.draft.name} has changes that are in no file. Opening another text discards them."
            ask = Confirm("Open another text", question, "Discard", lost=True)
            self._screen.app.push_screen(ask, lambda sure: self._choose_file() if sure else None)
        else:
            self._choose_file()

    def _choose_file(self) -> None:
        start = Path(self.draft.file).parent if self.draft.file else None
        self._screen.app.push_screen(FilePicker(self._workspace, start, copies=False), self._open)

    def _open(self, path: str | None) -> None:
        if path is None:
            return
        try:
            self.draft, note = open_draft(Path(path))
        except InputError as error:
            self._screen.notify(str(error), severity="error", timeout=10, markup=False)
            return
        self._offered = ""
        if note:
            self._offered = str(Path(path).with_stem(f"{Path(path).stem}-copy"))
            self._screen.notify(note, severity="warning", timeout=12, markup=False)
        self._show_draft()
        self.area.move_cursor(self.area.document.end)
        self.keep(anyway=True)

    def _show_draft(self) -> None:
        with self.area.prevent(TextArea.Changed):
            self.area.load_text(self.draft.text)
        self._renamed()

    def other_text(self) -> None:
        """Goes to the text of an rnnplay that was open beside this one; this text is kept, too."""
        self.keep()
        if not self._place.move_on():
            self._screen.notify(
                "There is no other text. Several are kept where several rnnplays are open.", markup=False
            )
            return
        self.draft = load_draft(self._place.path)
        self._show_draft()
        self.area.move_cursor(self.draft.cursor)
