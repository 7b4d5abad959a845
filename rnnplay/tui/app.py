"""The Textual application: owns the run controllers and remembers the settings. Never imports torch."""

from __future__ import annotations

import contextlib
import gc
import os
import sys
from collections.abc import Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.driver import Driver
from textual.events import Event, Key, MouseDown, Paste
from textual.filter import LineFilter
from textual.message import Message
from textual.notifications import SeverityLevel
from textual.screen import Screen

from rnnplay.common.terminal_text import sanitize_line
from rnnplay.config import RunConfig, with_values
from rnnplay.errors import RnnplayError
from rnnplay.lessons.languages import can_show, choose_language
from rnnplay.presets import DEFAULT_PRESET, find_preset
from rnnplay.tui.keyboard import HELP_KEYS, Keyboard, takes_text
from rnnplay.tui.keymap import fill_keys, key_name
from rnnplay.tui.lessons.lesson_progress import LessonProgress
from rnnplay.tui.run_controllers import RunControllers
from rnnplay.tui.screens.leaving import Departure
from rnnplay.tui.screens.playground.screen import PlaygroundScreen
from rnnplay.tui.screenshot import keep_screenshot
from rnnplay.tui.settings import load_settings, progress_path, save_settings
from rnnplay.tui.setup.knob_field import KnobField
from rnnplay.tui.textual_patches.fixes import fix_textual, is_on_removed
from rnnplay.tui.textual_patches.key_chain import install_keymap
from rnnplay.tui.textual_patches.output import SanitizedLines, terminal_encoding
from rnnplay.tui.textual_patches.partial_updates import patch_partial_updates
from rnnplay.tui.theme import BROAD, NARROW, THEMES, TINY
from rnnplay.tui.widgets.jump import Jump
from rnnplay.tui.widgets.text import draw_code_in_toasts
from rnnplay.tui.widgets.visible import visible_text
from rnnplay.workspace import Workspace

if TYPE_CHECKING:
    from rnnplay.tui.screens.completion import CompletionDialog
    from rnnplay.tui.screens.lessons import LessonsScreen

    if sys.platform != "win32":
        from rnnplay.tui.textual_patches.driver import TerminalDriver

PALETTE_GONE_SECONDS = 0.1
"""Time for the command palette, from which a screenshot is requested, to disappear from the screen."""
DRAWN_SECONDS = 0.2
"""Time from mounting the app until its first screen, including the footer's keys, has been drawn."""


def terminal_driver() -> type[Driver] | None:
    """Returns rnnplay's own driver for POSIX terminals, or None for Textual's default or the one asked for."""
    if sys.platform != "win32" and not os.environ.get("TEXTUAL_DRIVER"):
        from rnnplay.tui.textual_patches.driver import TerminalDriver

        return TerminalDriver
    return None


class RnnplayApp(App[None]):
    """The playground application."""

    TITLE = "rnnplay"
    CSS_PATH = "screens/playground/screen.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        # In the footer only where text is typed, from which it is the shortest way to a chart or a field.
        Binding("ctrl+t,f10", "jump_from_text", "Jump", priority=True, id="everywhere.jump"),
        Binding("ctrl+t,f10", "jump", "Jump", show=False, priority=True, id="everywhere.jump"),
        Binding("ctrl+q", "quit", "Quit", priority=True, id="everywhere.quit"),
        *HELP_KEYS,
        Binding("ctrl+z", "suspend_process", show=False, id="everywhere.suspend"),
        # The playground's keys also work on a screen that covers it. A dialog handles its own keys first.
        Binding("f5", "at_playground('main')", "Train/pause", show=False, id="everywhere.train"),
        Binding("f6", "at_playground('switch_clip')", "Clip", show=False, id="everywhere.clip"),
        Binding("f7", "at_playground('move_threshold', -1)", "Threshold", show=False, id="everywhere.threshold-down"),
        Binding("f8", "at_playground('move_threshold', 1)", "Threshold up", show=False, id="everywhere.threshold-up"),
        # Priority: Escape closes the help before it does anything else.
        Binding("escape", "hide_help", "Close the help", show=False, priority=True, id="everywhere.back"),
        Binding("pageup", "page_help(-1)", "More help", show=False, id="everywhere.help-page-up"),
        Binding("pagedown", "page_help(1)", "More help", show=False, id="everywhere.help-page-down"),
    ]
    HORIZONTAL_BREAKPOINTS = [(0, "-tiny"), (TINY, "-narrow"), (NARROW, "-wide"), (BROAD, "-broad")]  # noqa: RUF012
    VERTICAL_BREAKPOINTS = [(0, "-low"), (32, "-tall")]  # noqa: RUF012

    def __init__(
        self,
        workspace: Workspace,
        config: RunConfig,
        preset: str = DEFAULT_PRESET,
        run: str | None = None,
        lends: bool = False,
    ) -> None:
        """`lends`: whether prompts are answered while no run is open, by the last run's model or the shipped one."""
        super().__init__(driver_class=terminal_driver())
        self._refused_keys = install_keymap()
        self._sanitized = SanitizedLines()
        self.keyboard = Keyboard(self)
        self._jump = Jump(self)
        self.controllers = RunControllers(workspace, self.post_to_screens, config, lends)
        self.settings = load_settings()
        self.controllers.set_completion(self.settings.completion, self.settings.adaptation)
        language = choose_language(self.settings.language)
        if not can_show(terminal_encoding(), language):
            language = "en"
        self.lesson_progress = LessonProgress(
            self.controllers, self.post_to_screens, language, progress_path(), self.settings.language
        )
        self.playground = PlaygroundScreen(self.controllers, self.lesson_progress, preset, run)
        self._departure = Departure(self, self.controllers, self.playground.show_state)
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = self.settings.theme if self.settings.theme in self.available_themes else THEMES[0].name

    def get_default_screen(self) -> Screen[None]:
        return self.playground

    def get_line_filters(self) -> Sequence[LineFilter]:
        return [self._sanitized, *super().get_line_filters()]

    def notify(
        self,
        message: str,
        *,
        title: str = "",
        severity: SeverityLevel = "information",
        timeout: float | None = None,
        markup: bool = True,
    ) -> None:
        if "`" in message:
            draw_code_in_toasts()
        # A notification may quote a file name or the contents of a file.
        super().notify(visible_text(fill_keys(message)), title=title, severity=severity, timeout=timeout, markup=markup)

    def on_mount(self) -> None:
        for sentence in self._refused_keys:
            self.notify(sentence, severity="warning", timeout=20, markup=False)
        self.theme_changed_signal.subscribe(self, lambda theme: self._keep_theme(theme.name))
        # Only after the first screen is drawn: importing torch keeps a core busy for seconds, and numpy this process.
        self.set_timer(DRAWN_SECONDS, self.controllers.start_engine)
        self.set_timer(DRAWN_SECONDS, self._load_numpy)
        # A typist feels the pause of a collection that walks all that is permanent; the cycles of each update are few.
        self.call_after_refresh(gc.freeze)
        gc.set_threshold(5_000, 10, 5)

    @work(thread=True)
    def _load_numpy(self) -> None:
        """Imports numpy in the background, so that it is loaded before the charts need it."""
        import numpy  # noqa: F401

        gc.freeze()

    # --- keys -----------------------------------------------------------------------------------------------

    async def on_event(self, event: Event) -> None:
        if isinstance(event, Key | Paste | MouseDown) and not event.is_forwarded:
            # Not every terminal reports that its window has the focus again, so a key or click restores it.
            self.app_focus = True
        match event:
            case Key() | Paste() if not event.is_forwarded and self.keyboard.holds(event):
                return
            case MouseDown():
                self.keyboard.acted()
                if is_on_removed(event, self.screen):
                    return
        if self._jump.active and await self._jump.took(event):
            self.keyboard.acted()
            return
        await super().on_event(event)

    async def _on_key(self, event: Key) -> None:
        """Runs the command bound to a key that no widget has taken; keys become commands only here."""
        event.prevent_default()
        if self.keyboard.is_command(event) and not await self._check_bindings(event.key):
            self.keyboard.unbound(event)

    async def action_jump(self) -> None:
        """Labels what can have the focus; a label that is then typed moves the focus there."""
        await self._jump.begin()

    action_jump_from_text = action_jump

    def action_at_playground(self, action: str, *parameters: int) -> None:
        """Runs the action of a playground key, whatever screen is shown."""
        getattr(self.playground, f"action_{action}")(*parameters)

    def post_to_screens(self, message: Message) -> None:
        """Posts `message` to every screen, including covered ones."""
        if self.is_running:
            for screen in self.screen_stack:
                screen.post_message(message)

    # --- leaving --------------------------------------------------------------------------------------------

    async def action_quit(self) -> None:
        """Quits; while a run is being trained, asks first and saves a checkpoint."""
        self._departure.ask()

    def leave_by_signal(self, number: int) -> None:
        """Quits without a question, but with a checkpoint, after a signal such as SIGTERM or SIGHUP."""
        self._departure.leave_by_signal(number)

    def action_command_palette(self) -> None:
        from rnnplay.tui.screens.palette import Palette

        if not isinstance(self.screen, Palette):
            self.push_screen(Palette(id="--command-palette"))

    if sys.platform != "win32":

        def on_terminal_driver_continued(self, continued: TerminalDriver.Continued) -> None:
            """Redraws the screen, which the shell has written over."""
            self.screen.refresh(layout=True)
            if not continued.stopped:
                self.notify("There is no shell to return to, so rnnplay was not suspended.")

    def on_paste_stalled(self) -> None:
        """Explains why keys do nothing."""
        self.notify("A paste has begun and not ended; press Escape to accept what has arrived.")

    def _fatal_error(self) -> None:
        # Textual would print a traceback. `run_app` raises the error once the terminal is restored.
        self._close_messages_no_wait()

    def _print_error_renderables(self) -> None:
        self._exit_renderables.clear()

    async def _shutdown(self) -> None:
        await super()._shutdown()
        if self._exception is not None:
            # Otherwise the event loop would kill the engines before they write their checkpoints.
            await self.controllers.close()

    def restore_terminal(self) -> None:
        """Restores the terminal, whatever has happened."""
        restore = getattr(self._driver, "restore_now", None)
        if restore is not None:
            restore()

    def outcome(self) -> int:
        """Returns the exit code once `run` has returned; raises the error that ended the interface, if any."""
        if self._exception is not None:
            raise self._exception
        with contextlib.suppress(OSError, ValueError):
            for line in self._departure.last_words():
                print(sanitize_line(line), file=sys.stderr, flush=True)  # noqa: T201
        return self._departure.exit_code

    # --- help -----------------------------------------------------------------------------------------------

    def action_show_help_panel(self) -> None:
        from rnnplay.tui.widgets.help_pane import HelpPane

        if not self.screen.query(HelpPane):
            if self.screen is self.playground:
                self.playground.help_shown(True)
            self.screen.mount(HelpPane())

    def on_knob_field_listed(self, event: KnobField.Listed) -> None:
        """Lists the choices of a field."""
        from rnnplay.tui.screens.choice_list import ChoiceList  # imported on first use

        self.push_screen(ChoiceList(event.field), event.field.choose)

    def action_hide_help_panel(self) -> None:
        super().action_hide_help_panel()
        if self.screen is self.playground:
            self.playground.help_shown(False)

    def action_help(self) -> None:
        """Shows or hides the help for the focused widget."""
        if self.screen.query("HelpPanel"):
            self.action_hide_help_panel()
        else:
            self.action_show_help_panel()

    action_show_help = action_help  # bound to F1, which works where ? is typed as text
    action_hide_help = action_hide_help_panel

    def action_page_help(self, pages: int) -> None:
        """Scrolls the help by `pages` pages, where it is longer than the screen."""
        for pane in self.screen.query("HelpPane"):
            pane.scroll_relative(y=pages * pane.size.height)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Enables paging only where the help is longer than the screen, and disables ? where text is typed.

        Called for every key of the footer at every change of focus, so it searches only the screen's own children.
        """
        if action == "page_help":
            return any(pane.max_scroll_y for pane in self.screen.query_children("HelpPane"))
        if action == "jump_from_text":
            return takes_text(self.screen.focused)
        if action == "hide_help":
            return bool(self.screen.query_children("HelpPane"))
        if action == "help":
            focused = self.screen.focused
            return not (takes_text(focused) and focused.check_consume_key("question_mark", "?"))
        return super().check_action(action, parameters)

    # --- settings and palette -------------------------------------------------------------------------------

    def _keep_theme(self, name: str) -> None:
        if name != self.settings.theme:
            self.settings.theme = name
            save_settings(self.settings)

    def on_completion_dialog_chosen(self, event: CompletionDialog.Chosen) -> None:
        self.settings.completion, self.settings.adaptation = event.completion, event.adaptation
        save_settings(self.settings)

    def on_lessons_screen_language_chosen(self, event: LessonsScreen.LanguageChosen) -> None:
        self.settings.language = event.language
        save_settings(self.settings)

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        for command in super().get_system_commands(screen):
            match command.title:
                case "Quit":
                    asks = f"Quit; asks first and saves a run under way ({key_name('everywhere.quit')})"
                    yield command._replace(help=asks)
                case "Screenshot":
                    help_text = "Save the screen as an SVG in the workspace's screenshots/"
                    soon = partial(
                        self.set_timer, PALETTE_GONE_SECONDS, partial(keep_screenshot, self, self.controllers.workspace)
                    )
                    yield command._replace(help=help_text, callback=soon)
                case _:
                    yield command
        soon = partial(self.set_timer, PALETTE_GONE_SECONDS, self.action_jump)
        yield SystemCommand(
            "Jump", "Label all fields, charts and lists; a label that is typed takes the focus there", soon
        )
        if screen is self.playground:
            yield from self.playground.commands()


def run_app(workspace: Workspace, corpus: str | None = None, preset: str | None = None, run: str | None = None) -> int:
    """Runs the playground, opening `run` if given; returns the exit code: 0, or 128 plus the ending signal's number.

    Raises InputError for an unknown preset, and any error that ended the interface. If no preset is requested and the
    user's own preset of the default name is invalid, the built-in default is used.
    """
    try:
        config = find_preset(preset or DEFAULT_PRESET, workspace.presets).config
    except RnnplayError:
        if preset is not None:
            raise
        config = find_preset(DEFAULT_PRESET).config
    if corpus is not None:
        config = with_values(config, {"corpus": corpus})
    patch_partial_updates()
    fix_textual()
    app = RnnplayApp(workspace, config, preset or DEFAULT_PRESET, run, lends=True)
    try:
        app.run()
    finally:
        app.restore_terminal()
    return app.outcome()
