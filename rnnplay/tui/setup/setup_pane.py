"""The left side of the playground: the form, the events of the run, the two buttons, the number of parameters."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from textwrap import wrap
from typing import TYPE_CHECKING

from textual import events, on, work
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Button, Static

from rnnplay.config import RunConfig
from rnnplay.errors import RnnplayError
from rnnplay.presets import Preset
from rnnplay.tui.run_state import LogLine, RunState
from rnnplay.tui.setup.setup_form import SetupForm
from rnnplay.tui.widgets.visible import MUTED
from rnnplay.workspace import Workspace

if TYPE_CHECKING:
    from rnnplay.tui.setup.parameter_count import ParameterCount

COUNTED_SECONDS = 0.4
"""The delay from mounting the screen to counting the parameters of the model in the form."""

STYLES = {"": MUTED, "warning": "$warning", "error": "$error"}


class SetupPane(Vertical):
    """The setup of a run. Parameters are counted in a thread, the vocabulary once for each text and its tokens."""

    def __init__(self, state: RunState, preset: str, presets: dict[str, Preset], workspace: Workspace) -> None:
        super().__init__(id="setup")
        self._state, self._preset, self._presets, self._workspace = state, preset, presets, workspace
        self._clip_before = "norm"
        self._split_of = ""
        """The corpus whose own split was looked for last."""
        self._parameters: ParameterCount | None = None
        """None until the first screen is drawn, because its imports take a while."""

    def compose(self) -> ComposeResult:
        self.border_title = "Setup"
        yield SetupForm(self._state, preset=self._preset, presets=self._presets, id="form")
        yield EventLog(id="events")
        with Horizontal(id="buttons"):
            yield Button("▶ Train", id="main", variant="primary", compact=True)
            yield Button("■ Stop", id="stop", compact=True)

    def on_mount(self) -> None:
        self._show_split()
        self.set_timer(COUNTED_SECONDS, self._begin_counting)

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """Offers texts that were added meanwhile, by another program or through the browser."""
        if event.widget.id == "knob-corpus":
            self._read_corpora(self.query_one(SetupForm).config.corpus)

    @work(thread=True, exclusive=True, group="corpora")
    def _read_corpora(self, corpus: str) -> None:
        """Offers all corpora, and says so where the files of `corpus` are its split."""
        from rnnplay.text.corpora.catalogue import find_corpus, list_corpora

        found = [(one.name, one.card.title or one.name) for one in list_corpora(self._workspace)]
        try:
            about = find_corpus(corpus, self._workspace).about_parts
        except (RnnplayError, OSError):  # it is said when the run begins
            about = ""

        def show() -> None:
            asked = corpus == self._split_of  # another may have been chosen meanwhile
            self.query_one(SetupForm).set_corpora(found, (corpus, about) if asked else None)

        self.app.call_from_thread(show)

    @on(SetupForm.Changed)
    def _show_split(self) -> None:
        """Has the form say so where the files of its corpus are the split."""
        corpus = self.query_one(SetupForm).config.corpus
        if corpus != self._split_of:
            self._split_of = corpus
            self._read_corpora(corpus)

    def show(self, state: RunState, *, covered: bool) -> None:
        """Shows the current state of the run; its events are not drawn while another screen covers this one."""
        self._state = state
        self.query_one(SetupForm).show_run(state)
        self._show_split()
        self.query_one("#stop", Button).disabled = not state.running
        self._show_parameters()
        if not covered:
            self.query_one(EventLog).show(state)

    def label_main(self, label: str) -> None:
        """Sets the label of the main button."""
        self.query_one("#main", Button).label = label

    def _begin_counting(self) -> None:
        from rnnplay.tui.setup.parameter_count import ParameterCount

        self._parameters = ParameterCount(self._workspace)
        self._show_parameters()

    @on(SetupForm.Changed)
    def _show_parameters(self) -> None:
        """Shows the number of parameters of the model in the form on the border."""
        if self._parameters is None:
            return
        config, started = self.query_one(SetupForm).config, self._state.started
        text = self._parameters.text(config, self._state.config, started.vocabulary if started else None)
        if self.border_subtitle != text:
            self.border_subtitle = text
        if not text and self._parameters.asks(config):
            self._count(self._parameters, config)

    @work(thread=True, group="vocabulary")
    def _count(self, parameters: ParameterCount, config: RunConfig) -> None:
        parameters.count(config)
        self.app.call_from_thread(self._show_parameters)

    # --- keys of the screen ---------------------------------------------------------------------------------

    def switch_clip(self) -> None:
        """Switches clipping off, or back to its previous kind."""
        form = self.query_one(SetupForm)
        clip = form.config.clip
        if clip != "off":
            self._clip_before = clip
        form.set_value("clip", "off" if clip != "off" else self._clip_before)

    def move_threshold(self, direction: int) -> None:
        """Moves the clip threshold by one step."""
        self.query_one(SetupForm).nudge("clip_threshold", direction)


class EventLog(Static):
    """A log of what happened to the run: knobs tuned, steps skipped, rollbacks.

    Shows the newest events, the latest at the bottom; hidden while there are none.
    """

    DEFAULT_CSS = """
    EventLog { height: auto; max-height: 7; display: none; border-top: solid $border; margin-right: 1; }
    EventLog.filled { display: block; }
    """
    ROWS = 6

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002  (Textual's name for it)
        super().__init__("", id=id, markup=False)
        self._events: tuple[LogLine, ...] = ()
        self._shown: list[LogLine] | None = None

    def show(self, state: RunState) -> None:
        """Updates the log from `state`."""
        self._events = tuple(state.events)[-self.ROWS :]
        self.set_class(bool(self._events), "filled")
        self._refill()

    def on_resize(self) -> None:
        self._refill()

    def _refill(self) -> None:
        newest = fitting(self._events, self.content_size.width, self.ROWS)
        if newest != self._shown:
            self._shown = newest
            self.update(lines(newest))


def fitting(events: Sequence[LogLine], width: int, rows: int) -> list[LogLine]:
    """Returns the newest of `events` that fit into `rows` rows once wrapped; at least the last one."""
    kept: list[LogLine] = []
    for event in reversed(events):
        rows -= len(wrap(f"{event.step:,} {event.text}", width)) if width else 1
        if kept and rows < 0:
            break
        kept.insert(0, event)
    return kept


def lines(events: Iterable[LogLine]) -> Content:
    """Returns one line per event: its step and text."""
    return Content("\n").join(
        Content.assemble((f"{event.step:,} ", MUTED), (event.text, STYLES[event.severity])) for event in events
    )
