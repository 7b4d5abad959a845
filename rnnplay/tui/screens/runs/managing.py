"""Carries out what the user does with whole runs in their list: note, tag, rename, remove, bring back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

from textual.screen import Screen

from rnnplay.errors import RnnplayError
from rnnplay.experiments.resumption import known_as
from rnnplay.runs.folder import find_run
from rnnplay.runs.management.notes import RunNotes, changed_tags, read_notes, write_notes
from rnnplay.runs.management.renaming import rename_run
from rnnplay.runs.management.trash import list_trash, move_to_trash, restore_run
from rnnplay.tui.keymap import KEYS, key_name
from rnnplay.tui.screens.dialogs import Ask
from rnnplay.workspace import Workspace

Changed = Callable[[str | None], object]
"""Called after a change, with the run to put the cursor on."""


class RunManagement:
    """The commands of one list of runs."""

    def __init__(self, screen: Screen[Any], workspace: Workspace, busy: Collection[str], changed: Changed) -> None:
        """`busy` names the runs that this interface trains."""
        self._screen, self._workspace, self._busy, self._changed = screen, workspace, busy, changed

    def note(self, run: str) -> None:
        """Asks for the note of a run."""
        notes = self._notes(run)
        if notes is None:
            return

        async def keep(text: str) -> str | None:
            now = self._notes(run) or RunNotes()
            return await self._try(lambda: write_notes(self._folder(run), RunNotes(text, now.tags)), run)

        line = notes.note.replace("\n", " ")
        self._screen.app.push_screen(
            Ask("Note", f"A note about {run}; an empty one removes it.", "Keep", keep, text=line)
        )

    def tag(self, run: str) -> None:
        """Asks for the tags of a run."""
        notes = self._notes(run)
        if notes is None:
            return

        async def keep(text: str) -> str | None:
            now = self._notes(run) or RunNotes()
            return await self._try(
                lambda: write_notes(self._folder(run), RunNotes(now.note, changed_tags((), text))), run
            )

        question = f"Tags of {run}, with spaces between them. The filter finds them: tag:good"
        self._screen.app.push_screen(Ask("Tags", question, "Keep", keep, text=" ".join(notes.tags)))

    def rename(self, run: str, renamed: Callable[[str, str], object]) -> None:
        """Asks for another name of a run; calls `renamed` with the old one and the new one."""
        if self._is_busy(run, "renaming"):
            return

        async def keep(text: str) -> str | None:
            def move() -> None:
                rename_run(find_run(run, self._workspace), text, self._workspace)

            refusal = await self._try(move, text)
            if refusal is None:
                renamed(run, text)
            return refusal

        known = known_as(run, self._workspace)
        question = f"Another name for {run}{f'. {known}' if known else ':'}"
        self._screen.app.push_screen(Ask("Rename", question, "Rename", keep, text=run))

    async def remove(self, run: str, then: str | None) -> None:
        """Moves a run to the trash; the cursor goes to the run `then`."""
        if self._is_busy(run, "removing"):
            return
        refusal = await self._try(lambda: move_to_trash(find_run(run, self._workspace), self._workspace), then)
        if refusal is not None:
            self._screen.notify(refusal, severity="error", markup=False)
        else:
            known = known_as(run, self._workspace)
            text = f"{run} is in the trash; {key_name('runs.bring-back')} brings it back.{f' {known}' if known else ''}"
            self._screen.notify(text, timeout=10 if known else None, markup=False)

    async def bring_back(self) -> None:
        """Brings back the run that was removed last."""
        trashed = await asyncio.to_thread(list_trash, self._workspace)
        if not trashed:
            self._screen.notify("The trash is empty: there is no removed run to bring back.", severity="warning")
            return
        refusal = await self._try(lambda: restore_run(trashed[0], self._workspace), trashed[0].name)
        if refusal is not None:
            self._screen.notify(refusal, severity="error", markup=False)
        else:
            self._screen.app.clear_notifications()  # one says that it is in the trash
            self._screen.notify(f"{trashed[0].name} is back.", markup=False)

    def _folder(self, run: str) -> Path:
        return find_run(run, self._workspace).path

    def _notes(self, run: str) -> RunNotes | None:
        """Reads the notes of a run; notifies the user if that is impossible."""
        try:
            return read_notes(self._folder(run))
        except (RnnplayError, OSError) as error:
            self._screen.notify(str(error), severity="error", markup=False)
            return None

    def _is_busy(self, run: str, doing: str) -> bool:
        if run in self._busy:
            text = f"{run} is being trained; go back and stop it ({KEYS.stop}) before {doing} it."
            self._screen.notify(text, severity="warning", markup=False)
        return run in self._busy

    async def _try(self, act: Callable[[], object], cursor: str | None) -> str | None:
        """Calls `act` in a thread; returns why it was refused, or None."""
        try:
            await asyncio.to_thread(act)
        except (RnnplayError, OSError) as error:
            return str(error)
        self._changed(cursor)
        return None
