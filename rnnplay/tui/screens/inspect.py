"""The inspection screen: eight views of what the model computes, while training continues."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic
from typing import ClassVar

from textual import events, on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import Screen
from textual.widgets import Input, Static

from rnnplay.config import RunConfig
from rnnplay.engine import messages
from rnnplay.errors import RnnplayError
from rnnplay.lessons.languages import Language
from rnnplay.tui.inspection.clipping import ClippingView
from rnnplay.tui.inspection.connectivity import ConnectivityView
from rnnplay.tui.inspection.distances import DistancesView
from rnnplay.tui.inspection.gates import GatesView
from rnnplay.tui.inspection.gradients import GradientsView
from rnnplay.tui.inspection.predictions import PredictionsView
from rnnplay.tui.inspection.timestep import TimestepView
from rnnplay.tui.inspection.view import Curves, InspectView, ViewTabs
from rnnplay.tui.inspection.what_if import WhatIfView
from rnnplay.tui.keyboard import HELP_KEYS
from rnnplay.tui.keymap import fill_keys
from rnnplay.tui.lessons import lesson_words as words
from rnnplay.tui.lessons.lesson_line import LessonLine
from rnnplay.tui.lessons.lesson_progress import LessonProgress
from rnnplay.tui.prompt.ghost_input import GhostInput
from rnnplay.tui.prompt.next_bars import NextBars
from rnnplay.tui.run_controller import RunController
from rnnplay.tui.run_state import Phase, RunState
from rnnplay.tui.widgets.key_row import KeyRow
from rnnplay.tui.widgets.status_line import StatusLine
from rnnplay.tui.widgets.text import BoundedText
from rnnplay.tui.widgets.visible import visible_line
from rnnplay.workspace import Workspace

TICK_SECONDS = 0.25
"""Time between two checks for changes."""
VIEWS: tuple[type[InspectView], ...] = (
    GradientsView,
    PredictionsView,
    GatesView,
    WhatIfView,
    ConnectivityView,
    ClippingView,
    DistancesView,
    TimestepView,
)
NO_MODEL = (
    "There is no model to inspect yet: press {everywhere.back}, "
    "then {playground.train} to train one or {playground.runs} to open a run."
)
MODEL_COMING = "The model is on its way: its views follow as soon as it is loaded."
NOT_FINITE = "The weights are not finite: the run has diverged, so there is nothing to show."
FLAT_ROWS = 16
"""In lower windows the views have the room of their descriptions."""
NO_TEXT = "There is no text to look at: type one in the line above ({inspection.edit})."


class InspectedText(GhostInput):
    """The field for the text that the views examine."""

    HELP = """
    ## Text

    The text that the views examine, updated at every key. `enter` or `escape` returns the focus to the view.
    """


class InspectScreen(Screen[int]):
    """Asks the questions of the view shown; the result is the index of that view."""

    DEFAULT_CSS = """
    InspectScreen { background: $background; layers: base; }
    InspectScreen #text-row { height: 1; padding: 0 1; }
    InspectScreen #text-row Static { width: auto; color: $primary; text-style: bold; }
    InspectScreen #views { height: 1fr; margin-top: 1; }
    InspectScreen #notice { display: none; height: auto; padding: 0 1; color: $warning; }
    InspectScreen #notice.shown { display: block; }
    InspectScreen #description { height: auto; max-height: 4; padding: 0 1; color: $foreground 65%; }
    InspectScreen.-flat #views { margin-top: 0; }
    InspectScreen.-flat #description { display: none; }
    """
    AUTO_FOCUS = ""
    HELP = """
    ## Inspection

    Eight views of the current model, while training continues. The lines at the bottom, in a window that is high enough
    for them, explain each view.
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        *(
            Binding(str(number), f"view({number - 1})", "", show=False, id=f"inspection.view-{number}")
            for number in range(1, len(VIEWS) + 1)
        ),
        Binding("r", "again", "Again", id="inspection.again"),
        Binding("e", "edit", "Text", id="inspection.edit"),
        *HELP_KEYS,
        Binding("escape", "back", "Back", id="everywhere.back"),
    ]

    def __init__(
        self,
        controller: RunController,
        config: RunConfig,
        text: str,
        start: int = 0,
        move_threshold: Callable[[int], None] = lambda _: None,
        progress: LessonProgress | None = None,
        curves: Curves | None = None,
    ) -> None:
        """`config` is the form's, for before there is a run; `move_threshold` changes its clip threshold."""
        super().__init__()
        self.controller = controller
        self._config = config
        self._text = text
        self._start = start
        self._move_threshold = move_threshold
        self._progress = progress
        self._curves = curves or Curves()
        self._views: dict[int, InspectView] = {}
        self._index = start
        self._notice = ""
        self._description = ""

    def on_resize(self, event: events.Resize) -> None:
        self.set_class(event.size.height < FLAT_ROWS, "-flat")

    def compose(self) -> ComposeResult:
        yield StatusLine(id="status")
        yield ViewTabs([words.in_language(view.NAME, self._language) for view in VIEWS], id="view-tabs")
        with Horizontal(id="text-row"):
            yield Static("› ")
            yield InspectedText("the text to look at", id="inspect-text")
        yield Vertical(id="views")
        yield BoundedText(id="notice", rows=4)
        yield Static("", id="description", markup=False)
        if self._progress is not None:
            yield LessonLine(self._progress, id="lesson-line")
        yield KeyRow(compact=True)

    async def on_mount(self) -> None:
        with self.prevent(Input.Changed):
            self._set_text(self._text)
        if not self._text:
            self._read_sample()
        await self._show_view(self._start)
        self.set_interval(TICK_SECONDS, self.tick)

    @property
    def _language(self) -> Language:
        return self._progress.language if self._progress is not None and self._progress.lesson is not None else "en"

    @property
    def state(self) -> RunState:
        return self.controller.state

    @property
    def view(self) -> InspectView:
        """The view that is shown."""
        return self._views[self._index]

    # --- the text -------------------------------------------------------------------------------------------

    @work(thread=True)
    def _read_sample(self) -> None:
        corpus = self.state.config.corpus if self.state.run is not None else ""
        text = sample_text(corpus, self.controller.workspace)
        self.app.call_from_thread(self._fill, text)

    def _fill(self, text: str) -> None:
        if self.is_attached and not self._text:
            self._text = text  # at once: a view that opens before Input.Changed arrives already takes it
            self._set_text(text)

    def _set_text(self, text: str) -> None:
        """Sets the text and scrolls to its beginning."""
        field = self.query_one("#inspect-text", GhostInput)
        field.value = text
        field.cursor_position = 0
        self.call_after_refresh(field.scroll_to, 0, animate=False)

    @on(Input.Changed, "#inspect-text")
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        self._text = event.value
        for view in self._views.values():
            view.text = event.value
            if view.READS_TEXT:
                view.pace.want()
        self.tick()

    @on(Input.Submitted, "#inspect-text")
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.view.focus_body()

    @on(NextBars.Taken)
    def _token_taken(self, event: NextBars.Taken) -> None:
        event.stop()
        field = self.query_one("#inspect-text", GhostInput)
        field.value += event.text
        field.cursor_position = len(field.value)  # scrolls to the end; the focus stays in the view

    def action_edit(self) -> None:
        """Focuses the text field."""
        field = self.query_one("#inspect-text", GhostInput)
        field.cursor_position = len(field.value)
        self.set_focus(field)

    # --- views ----------------------------------------------------------------------------------------------

    @on(ViewTabs.Chosen)
    async def _tab_chosen(self, event: ViewTabs.Chosen) -> None:
        await self._show_view(event.index, keep_focus=True)

    async def action_view(self, index: int) -> None:
        await self._show_view(index)

    async def _show_view(self, index: int, keep_focus: bool = False) -> None:
        if index in self._views and index == self._index:
            return
        if self._index in self._views:
            self.view.display = False
        self._index = index
        self._report_view()
        self.controller.requests.drop("view")  # a pending answer belongs to another view
        self.query_one(ViewTabs).index = index
        if index not in self._views:
            view = self._views[index] = VIEWS[index](self.controller, self._curves)
            view.text = self._text
            if self._progress is not None and (quantity := self._progress.quantity_for(view.NAME)):
                view.begin_with(quantity)
            await self.query_one("#views").mount(view)
        self.view.display = True
        self._take_lesson_text()
        self.view.pace.want()
        self._say("")
        self.query_one("#text-row").display = self.view.READS_TEXT
        if not keep_focus:
            self.view.focus_body()
        self.refresh_bindings()
        self.call_after_refresh(self.tick)  # after the layout, because the size of the question depends on the width

    def _take_lesson_text(self) -> None:
        """Sets the lesson's text for the view, in place of its text for another; a text typed by the user is kept."""
        progress = self._progress
        if progress is None or progress.lesson is None or progress.lesson.probe is None:
            return
        if self._text in map(progress.text_for, ("", "what if")):
            self._set_text(progress.text_for(self.view.NAME))

    # --- asking and answering -------------------------------------------------------------------------------

    def tick(self) -> None:
        """Updates what depends on the run, and asks the view's question when it is due."""
        view = self._views.get(self._index)
        if view is None or not view.is_mounted or not view.is_attached:
            return  # not mounted yet, or being removed with the screen
        state = self.state
        self.query_one(StatusLine).show(self.controller, self._config, words.translation(self._language))
        for line in self.query(LessonLine):
            line.refresh_step()
        if (description := words.in_language(fill_keys(view.description), self._language)) != self._description:
            self._description = description
            self.query_one("#description", Static).update(description)
        if not state.has_model:
            self.controller.requests.drop("view")
            view.pace.want()
            self._say(MODEL_COMING if state.model_coming else fill_keys(NO_MODEL))
            return
        if self._notice in (fill_keys(NO_MODEL), MODEL_COMING):
            self._say("")
        view.refresh_state()
        if view.pace.due(monotonic(), view.shown_step != state.model_step, state.phase is Phase.TRAINING):
            self._ask()

    def _ask(self) -> None:
        if self.view.ask() is not None:
            self.view.pace.asked(monotonic())
        elif not self._text:
            self.controller.requests.drop("view")  # a pending answer is about the former text
            self.view.add_class("nothing")
            self._say(fill_keys(NO_TEXT))

    @on(RunController.EventReceived)
    def _event_received(self, received: RunController.EventReceived) -> None:
        """Passes the answer to the last question on to the view."""
        view = self._views.get(self._index)
        if received.controller is not self.controller or view is None or not view.is_attached:
            return
        purpose_of = self.controller.requests.purpose_of
        match event := received.event:
            case messages.Inspected() | messages.Completion() if purpose_of(event.request) == "view":
                self._say("" if isinstance(event, messages.Completion) or event.finite else NOT_FINITE)
                self.view.remove_class("nothing")
                self.view.answer(event)
                self._report_view(self.view.NAME, self.view.shown_quantity)
                self.view.pace.answered(event.seconds if isinstance(event, messages.Inspected) else 0.0)
                self.call_later(self.tick)
            case messages.Failed() if purpose_of(event.request) == "view":
                self.view.pace.answered()
                self.view.shown_step = self.state.model_step
                self.view.refused()
                self._say(event.message)
            case _:
                pass

    def _report_view(self, view: str = "", quantity: str = "") -> None:
        """Informs the lesson of the view whose answer is shown; "" if none is."""
        if self._progress is not None:
            self._progress.set_view(view, quantity)

    def on_unmount(self) -> None:
        self._report_view()

    @on(InspectView.Changed)
    def _changed(self, event: InspectView.Changed) -> None:
        event.stop()
        if isinstance(event, ClippingView.ThresholdMoved):
            self._move_threshold(event.direction)
        self.view.pace.want()
        self.tick()

    def action_again(self) -> None:
        """Asks at once."""
        self.view.pace.want()
        self.tick()

    def _say(self, text: str) -> None:
        if text != self._notice:
            self._notice = text
            notice = self.query_one("#notice", Static)
            notice.update(visible_line(words.translation(self._language)(text)))
            notice.set_class(bool(text), "shown")

    # --- the rest -------------------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        typing = isinstance(self.focused, Input)
        if action in ("again", "view"):
            return not typing and (action != "again" or self.state.has_model)
        if action == "edit":
            return not typing and self._index in self._views and self.view.READS_TEXT
        return True

    def action_back(self) -> None:
        """Leaves the text field for the view, or else the screen."""
        if isinstance(self.focused, Input):
            self.view.focus_body()
        else:
            self.dismiss(self._index)


FALLBACK_TEXT = 'Once there was a little fox. "Where is the red kite?" asked the fox.'
MIN_LENGTH, MAX_LENGTH = 20, 160
LINES_READ = 200
"""Number of lines of a corpus that are considered."""


def sample_text(corpus: str, workspace: Workspace) -> str:
    """Returns the first line of the corpus of moderate length; a fixed text if the corpus cannot be read.

    Lines with quotation marks come first, because units are often compared with those.
    """
    from rnnplay.text.corpora.catalogue import find_corpus

    try:
        path = find_corpus(corpus, workspace).path if corpus else None
        if path is None:
            return FALLBACK_TEXT
        with path.open(encoding="utf-8", errors="replace") as file:
            lines = [line.strip() for line in (file.readline(4096) for _ in range(LINES_READ))]
    except (RnnplayError, OSError):
        return FALLBACK_TEXT
    fitting = [line for line in lines if MIN_LENGTH <= len(line) <= MAX_LENGTH]
    quoted = [line for line in fitting if '"' in line]
    return (quoted or fitting or [FALLBACK_TEXT])[0]
