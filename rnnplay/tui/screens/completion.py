"""The settings of completion: what is suggested, and how the model adapts to what is written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.message import Message

from rnnplay.common.formatting import fixed
from rnnplay.config import AdaptationConfig, CompletionConfig, knobs
from rnnplay.engine import messages
from rnnplay.runs.naming import new_run_name
from rnnplay.tui.keyboard import HELP_KEYS
from rnnplay.tui.keymap import KEYS
from rnnplay.tui.prompt.suggestions import adapted_text
from rnnplay.tui.run_controller import RunController
from rnnplay.tui.run_controllers import RunControllers
from rnnplay.tui.screens.dialogs import Dialog
from rnnplay.tui.setup.knob_field import KnobField
from rnnplay.tui.setup.typed_settings import FieldEvent, TypedSettings
from rnnplay.tui.widgets.text import BoundedText, Lines
from rnnplay.tui.widgets.visible import FAINT, MUTED, visible_line

LABEL_WIDTH = 18
LOOK_SECONDS = 0.5
"""Time between two looks at how far the model has adapted."""


class CompletionDialog(Dialog[None]):
    """Changes the settings of all models at once, from the next key on."""

    DEFAULT_CSS = """
    CompletionDialog > VerticalScroll { width: 72; max-width: 98%; max-height: 100%; scrollbar-size-vertical: 1; }
    CompletionDialog Lines { height: 1; }
    CompletionDialog .adaptation { margin-top: 1; }
    CompletionDialog #completion-help { height: 3; margin-top: 1; color: $foreground 65%; }
    CompletionDialog #completion-help.-error { color: $error; }
    """
    HELP = """
    ## Completion

    `↑` `↓` move, `{setup.less}` `{setup.more}` or typing change a value; it holds from the next key on, in
    the prompt and in the scratchpad, and the next time that rnnplay is started.

    With *dynamic* or *cache* the model adapts to your text, each token of which is predicted before anything is learned
    from it. The row below says what that was worth: mean nats of your text by the weights as trained, and as it adapts.
    Deleted text is unlearned; the run stays as it is. `Ctrl+S` saves the weights that *dynamic* has adapted as a new
    run, a branch of this one.
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "row(-1)", show=False, id="completion.row-above"),
        Binding("down", "row(1)", show=False, id="completion.row-below"),
        Binding("ctrl+s", "keep", "Keep as a new run", id="completion.keep"),
        Binding("escape", "close", "Close", id="everywhere.back"),
        Binding("f9", "close", "Completion", show=False, id="everywhere.completion"),
        *HELP_KEYS,
    ]

    @dataclass
    class Chosen(Message):
        """The user has closed the dialog with other settings than it began with."""

        completion: CompletionConfig
        adaptation: AdaptationConfig

    def __init__(self, controllers: RunControllers, controller: RunController) -> None:
        """`controller`: of the model that adapts to what is written."""
        super().__init__()
        self._controllers, self._controller = controllers, controller
        self._completion = TypedSettings(controller.completion)
        self._adaptation = TypedSettings(controller.adaptation)
        self._before = self._values
        specs = knobs(CompletionConfig) | knobs(AdaptationConfig)
        self._fields = {
            name: KnobField(spec, label_width=LABEL_WIDTH, id=f"completion-{name}") for name, spec in specs.items()
        }
        self._fields["dynamic"].add_class("adaptation")
        self._status = Lines(id="completion-status", classes="adaptation")
        self._help = BoundedText(id="completion-help", rows=3)

    def compose(self) -> ComposeResult:
        with VerticalScroll(can_focus=False) as box:
            box.border_title = "Completion"
            yield from self._fields.values()
            yield self._status
            yield self._help

    def on_mount(self) -> None:
        self._show()
        self.set_interval(LOOK_SECONDS, self._show_status)
        self.set_focus(self._fields["dynamic"])

    # --- values ---------------------------------------------------------------------------------------------

    @property
    def _values(self) -> tuple[CompletionConfig, AdaptationConfig]:
        """The settings, with what is typed as far as it is allowed."""
        return self._completion.config, self._adaptation.config

    def _show(self) -> None:
        adaptation = self._adaptation.config
        off = [way for way in ("dynamic", "cache") if not getattr(adaptation, way)]
        unused = frozenset(name for name in self._fields for way in off if name.startswith(f"{way}_"))
        for settings in (self._completion, self._adaptation):
            settings.show(self._fields, irrelevant=unused)
        self._show_help()
        self._show_status()

    def _show_help(self) -> None:
        focused = self.focused.spec if isinstance(self.focused, KnobField) else None
        error = self._completion.error or self._adaptation.error
        self._help.update(visible_line(error or (f"{focused.label}: {focused.knob.help}" if focused else "")))
        self._help.set_class(bool(error), "-error")

    def _show_status(self) -> None:
        on = self._controller.adaptation.adapts
        text = adapted_text(self._controller.adapted) if on else ""
        shown = text or ("adapts to what you write next" if on else "the model does not adapt")
        self._status.show([Content.styled(shown, MUTED if text else FAINT)])

    @on(KnobField.Stepped)
    @on(KnobField.Typed)
    @on(KnobField.Undone)
    def _changed(self, event: FieldEvent) -> None:
        for settings in (self._completion, self._adaptation):
            if settings.owns(event.field):
                settings.take(event)
        self._controllers.set_completion(*self._values)
        self._show()

    def on_descendant_focus(self) -> None:
        self._show_help()

    # --- keys -----------------------------------------------------------------------------------------------

    def action_row(self, direction: int) -> None:
        """Moves to the next field or the one before."""
        fields = list(self._fields.values())
        at = fields.index(self.focused) if isinstance(self.focused, KnobField) else 0
        self.set_focus(fields[min(max(at + direction, 0), len(fields) - 1)])

    def action_keep(self) -> None:
        """Saves the adapted weights as a new run."""
        state = self._controller.state
        name = new_run_name(state.config, self._controllers.workspace, f"{state.run or 'model'}-adapted")
        if not self._controller.send(messages.KeepAdapted(run=name)):
            self.notify("There is no model yet.", severity="warning")

    @on(RunController.EventReceived)
    def _event_received(self, received: RunController.EventReceived) -> None:
        match received.event:
            case messages.Kept(run=run, loss=loss):
                text = f"The adapted weights are kept as {run}; its validation loss is {fixed(loss, 4)}. "
                text += f"{KEYS.runs} in the playground opens it."
                self.notify(text, timeout=10, markup=False)
            case messages.Completion():
                self._show_status()
            case _:
                pass

    def action_close(self) -> None:
        """Closes the dialog; the settings hold, in later sessions, too."""
        if self._values != self._before:
            self.app.post_message(self.Chosen(*self._values))
        self.dismiss()
