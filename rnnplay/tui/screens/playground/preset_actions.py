"""Saves the form as a preset of the user's, and reports presets that are invalid."""

from __future__ import annotations

import os

from textual.screen import Screen

from rnnplay.errors import RnnplayError
from rnnplay.presets import all_presets, check_name, find_preset, is_kept, save_preset
from rnnplay.tui.setup.knob_field import KnobField
from rnnplay.tui.setup.setup_form import SetupForm
from rnnplay.tui.widgets.visible import visible_line
from rnnplay.workspace import Workspace


class PresetActions:
    """Performs the preset commands of one playground. Imports the dialogs on first use."""

    def __init__(self, screen: Screen[None], workspace: Workspace) -> None:
        self._screen, self._workspace = screen, workspace
        self._folder = workspace.presets
        self.presets, self._problems = all_presets(self._folder)

    @property
    def _form(self) -> SetupForm:
        return self._screen.query_one(SetupForm)

    def tell_problems(self) -> None:
        """Reports invalid preset files in one message."""
        if problems := self._problems:
            presets = self._workspace.command("presets")
            more = f" ({len(problems) - 1} more; `{presets}` lists them.)" if problems[1:] else ""
            self._screen.notify(problems[0] + more, severity="warning", markup=False)

    def save(self) -> None:
        """Asks for a name and saves the form's settings under it, unless a field of the form is invalid."""
        from rnnplay.tui.screens.dialogs import Ask

        if reason := self._form.first_error:
            self._screen.notify(reason, severity="error", markup=False)
            return
        if isinstance(field := self._screen.focused, KnobField):
            field.finish()  # the dialog leaves it the focus, and while training typed text is not in the config
        question = "A name for these settings, which are saved in the workspace's presets/."
        self._screen.app.push_screen(Ask("Save as a preset", question, "Save", self._named))

    async def _named(self, name: str) -> str | None:
        """Saves the form under `name`; returns the reason if that fails."""
        form = self._form
        if reason := form.first_error:  # typed just before the name was asked for
            return reason
        try:
            check_name(name)
            if is_kept(name, self._folder) and not await self._may_replace(name):
                return f"The preset {name} is unchanged; give another name."
            save_preset(name, form.config, self._folder)
            form.add_preset(find_preset(name, self._folder))
        except RnnplayError as error:
            return str(error)
        self._screen.notify(f"Saved as the preset {name}.", markup=False)
        return None

    async def _may_replace(self, name: str) -> bool:
        from rnnplay.tui.screens.dialogs import Confirm

        place = self._folder / f"{name}.toml"
        link = f", a link to {visible_line(os.path.realpath(place))}" if place.is_symlink() else ""
        question = f"You have a preset {name}{link} already; replace it with these settings?"
        return await self._screen.app.push_screen_wait(Confirm("Replace the preset", question, "Replace", lost=True))
