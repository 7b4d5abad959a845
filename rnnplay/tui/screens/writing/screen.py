"""The scratchpad on the whole screen: the text, the words to choose from, and samples side by side."""

from __future__ import annotations

from time import monotonic
from typing import ClassVar

from rich.cells import cell_len
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.widgets import Static, TextArea

from rnnplay.config import SamplingConfig
from rnnplay.engine import messages
from rnnplay.inspection.questions import PredictionsQuestion
from rnnplay.inspection.results import Predictions
from rnnplay.runs.folder import RunFolder
from rnnplay.runs.samples.written import Written
from rnnplay.tui.keyboard import HELP_KEYS
from rnnplay.tui.keymap import KEYS
from rnnplay.tui.prompt.suggestions import reading_text
from rnnplay.tui.prompt.word_row import WordRow
from rnnplay.tui.run_controller import RunController
from rnnplay.tui.run_controllers import RunControllers
from rnnplay.tui.run_state import Phase
from rnnplay.tui.screens.writing.draft_actions import DraftActions
from rnnplay.tui.widgets.key_row import KeyRow
from rnnplay.tui.widgets.visible import shortened, visible_line
from rnnplay.tui.writing.draft import DraftPlace
from rnnplay.tui.writing.ghost_area import GhostArea
from rnnplay.tui.writing.keeping import keep_sample
from rnnplay.tui.writing.sample_choice import SampleChoice
from rnnplay.tui.writing.surprise import Look, Readings, token_text

LOOK_SECONDS = 0.3
"""Time between two looks at which tokens are to be shaded."""
KEEP_SECONDS = 1.0
"""Time between two copies of the text to the workspace, while it changes."""
ASK_AGAIN_SECONDS = 1.0
"""Time between two completions of the same text while training changes the weights."""
PURPOSE, LOOK = "writing", "writing-look"


class WritingScreen(Screen[None]):
    """Shows the draft of the workspace."""

    DEFAULT_CSS = """
    WritingScreen { background: $background; layers: base; }
    WritingScreen #writing-title { height: 1; padding: 0 1; color: $foreground; }
    WritingScreen GhostArea { height: 1fr; }
    WritingScreen #writing-token { display: none; height: 1; padding: 0 1; color: $text-muted; }
    WritingScreen WordRow { padding: 0 1; margin-top: 1; }
    """
    AUTO_FOCUS = "GhostArea"
    HELP = GhostArea.HELP
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+g", "samples", "Samples", id="scratchpad.samples"),
        Binding("f2", "look", "Surprisal", id="scratchpad.surprisal"),
        Binding("f9", "completion", "Completion", show=False, id="everywhere.completion"),
        Binding("f3", "written", "Samples before", show=False, id="scratchpad.written"),
        Binding("f4", "other_text", "Other text", show=False, id="scratchpad.other-text"),
        Binding("ctrl+s", "save", "Save", id="scratchpad.save"),
        Binding("ctrl+o", "open", "Open", id="scratchpad.open"),
        Binding("escape", "back", "Back", key_display="esc", id="everywhere.back"),
        *HELP_KEYS,
    ]

    def __init__(self, controllers: RunControllers, sampling: SamplingConfig, place: DraftPlace) -> None:
        """The model in front suggests; samples are drawn with `sampling`; the text is kept in `place`."""
        super().__init__()
        self._controllers, self.controller, self.workspace = controllers, controllers.front, controllers.workspace
        self._text = DraftActions(self, place, self.workspace, self._show_title)
        self._area = self._text.area
        self._words = WordRow(id="writing-words")
        self._choice = SampleChoice(self.controller, sampling, id="writing-samples")
        self._asked_at = 0.0
        self._looking = False
        """Whether tokens are shaded by their surprisal."""
        self._looked_at = Look()
        self._title = ""

    def compose(self) -> ComposeResult:
        yield Static("", id="writing-title", markup=False)
        yield self._area
        yield Static("", id="writing-token", markup=False)
        yield self._words
        yield self._choice
        yield KeyRow(compact=True)

    def on_mount(self) -> None:
        self._text.begin()
        self.set_interval(KEEP_SECONDS, self._every_second)
        self.set_interval(LOOK_SECONDS, self._look)
        self._area.update_suggestion()
        self._ask()
        self._show_title()

    # --- suggestions ----------------------------------------------------------------------------------------

    def _ask(self) -> None:
        self._asked_at = monotonic()
        if self.controller.state.has_model:
            self.controller.complete(self._area.before, purpose=PURPOSE)
        else:
            self.controller.requests.drop(PURPOSE)
            self._area.suggestions.forget()
            self._area.show_suggestions()

    @on(GhostArea.Moved)
    def _moved(self) -> None:
        self._ask()

    @on(GhostArea.Suggested)
    def _suggested(self) -> None:
        suggestions, reading = self._area.suggestions, self._area.reading
        if self._looking:
            self.query_one("#writing-token", Static).update(token_text(reading))
        if reading is not None:
            self._words.show(self._area.alternatives, self._area.alternative)
            return
        self._words.show(suggestions.words, suggestions.shown if self._area.suggestion else None)

    @on(WordRow.Taken)
    def _word_taken(self, event: WordRow.Taken) -> None:
        self._area.action_accept_number(event.number + 1)
        self._area.focus()

    @on(RunController.EventReceived)
    def _event_received(self, received: RunController.EventReceived) -> None:
        if received.controller is not self.controller:
            return
        match event := received.event:
            case messages.Completion():
                asked = self.controller.requests.newest(PURPOSE)
                if isinstance(asked, messages.Complete) and asked.request == event.request:
                    self._area.suggestions.answer(asked.text, event)
                    self._area.show_suggestions()
                    self._show_title()
            case messages.Inspected() if self.controller.requests.purpose_of(event.request) == LOOK:
                self._take_predictions(event)
            case messages.SampleText():
                self._choice.take(event)
            case messages.Opened() | messages.Ready():
                self._ask()
            case messages.Failed() if self.controller.requests.purpose_of(event.request) == LOOK:
                self.query_one("#writing-token", Static).update(visible_line(event.message))
            case messages.Failed(command="complete"):
                self._ask()
            case _:
                pass

    # --- surprisal ------------------------------------------------------------------------------------------

    def action_look(self) -> None:
        """Shades the tokens by their surprisal, or no longer."""
        self._looking = not self._looking
        self.query_one("#writing-token").display = self._looking
        self._looked_at = Look()
        self._area.show_readings(Readings())
        self._look()

    def _look(self) -> None:
        """Asks for the surprisal of what is on the screen and was not read yet."""
        if not self._looking or not self.controller.state.has_model:
            return
        part = self._looked_at.ask(self._area.content, *self._area.visible_part())
        if part:
            self.controller.inspect(PredictionsQuestion(text=part), LOOK)

    def _take_predictions(self, event: messages.Inspected) -> None:
        state = self.controller.state
        if not self._looking or not isinstance(event.result, Predictions):
            return
        found = self._looked_at.take(self._area.content, event.result.tokens, state.config, state.vocabulary)
        if found is not None:
            self._area.show_readings(found)
        self._look()

    @on(GhostArea.Replaced)
    def _token_replaced(self) -> None:
        self.action_samples()

    # --- the text -------------------------------------------------------------------------------------------

    @on(TextArea.Changed)
    def _text_changed(self, event: TextArea.Changed) -> None:
        event.stop()
        self._text.note_change()
        if self._looking:
            self._area.show_readings(Readings())

    def _every_second(self) -> None:
        self._text.keep()
        self._show_title()
        waited = monotonic() - self._asked_at >= ASK_AGAIN_SECONDS
        unasked = self.controller.requests.newest(PURPOSE) is None
        if waited and (unasked or self.controller.state.phase is Phase.TRAINING):
            self._ask()

    def _show_title(self) -> None:
        state = self.controller.state
        model = f"no model: {KEYS.runs} in the playground opens a run"
        if state.model_coming:
            model = "the model is on its way"
        if state.has_model:
            model = f"{state.model_run or 'shipped model'} at step {state.model_step:,}"
        read = reading_text(self.controller.adapted, self.controller.read)
        name, width = visible_line(self._text.draft.name), self.size.width - 2
        title = title_text(name, self._text.draft.unsaved, visible_line(model), read, width)
        if title != self._title:
            self._title = title
            self.query_one("#writing-title", Static).update(title)

    def action_save(self) -> None:
        """Saves to the text's file; asks for a name if it has none."""
        self._text.save()

    def action_open(self) -> None:
        """Opens a file in place of the text; asks first if that is not saved."""
        self._text.open()

    def action_other_text(self) -> None:
        """Goes to the text of an rnnplay that was open beside this one; this text is kept, too."""
        self._text.other_text()

    # --- samples, and leaving -------------------------------------------------------------------------------

    def action_samples(self) -> None:
        """Draws samples that continue the text at the cursor."""
        if not self.controller.state.has_model:
            none = f"There is no model yet. In the playground, {KEYS.train} trains one and {KEYS.runs} opens a run."
            self.notify(none, severity="warning", markup=False)
            return
        self._choice.draw(self._area.before)

    @on(SampleChoice.Drawn)
    def _sample_drawn(self, event: SampleChoice.Drawn) -> None:
        state = self.controller.state
        if state.model_run:
            folder = self.workspace.checkpoints / state.model_run
            keep_sample(folder, event.prompt, event.text, event.sampling, state.model_step)

    def action_completion(self) -> None:
        """Shows the settings of completion, and how the model adapts to the text."""
        from rnnplay.tui.screens.completion import CompletionDialog  # imported on first use

        self.app.push_screen(CompletionDialog(self._controllers, self.controller), self._completion_chosen)

    def _completion_chosen(self, _: object) -> None:
        self._area.suggestions.forget()  # it is of other settings
        self._area.show_suggestions()
        self._ask()

    def action_written(self) -> None:
        """Shows the samples that were drawn from the run; one that is chosen is inserted."""
        from rnnplay.tui.screens.writing.written import WrittenScreen

        if not (run := self.controller.state.model_run):
            none = f"There is no run yet. In the playground, {KEYS.train} trains one and {KEYS.runs} opens one."
            self.notify(none, severity="warning")
            return
        self.app.push_screen(WrittenScreen(RunFolder(self.workspace.checkpoints / run)), self._written_chosen)

    def _written_chosen(self, one: Written | None) -> None:
        if one is not None:
            self._area.insert(one.text)

    @on(SampleChoice.Chosen)
    def _sample_chosen(self, event: SampleChoice.Chosen) -> None:
        self._area.focus()
        self._area.insert(event.text)

    @on(SampleChoice.Closed)
    def _samples_closed(self) -> None:
        self._area.focus()

    def action_back(self) -> None:
        """Closes the samples, or else returns to the playground; the text is kept."""
        if self._choice.display:
            self._choice.close()
        else:
            self.dismiss()

    def on_unmount(self) -> None:
        self._text.keep(anyway=True)  # the cursor may have moved
        self.controller.requests.drop(PURPOSE)


def title_text(name: str, unsaved: bool, model: str, read: str, width: int) -> str:
    """The line above the text in `width` cells: its name, whether a file lacks something of it, and the model.

    In a narrow window fewer words say the same, then what is read of the text comes before which model it is.
    """
    mark, brief = ("not saved to a file", "unsaved") if unsaved else ("", "")
    with_model = (name, mark, model, read), (name, brief, model, read), (name, brief, read or model)
    titles = [" · ".join(filter(None, parts)) for parts in (*with_model, (name, mark, read), (name, brief, read))]
    return next((title for title in titles if cell_len(title) <= width), shortened(titles[-1], width))
