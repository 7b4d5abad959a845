"""The race: charts in which the variants are overlaid, the table that ranks them, and a prompt that all answer."""

from __future__ import annotations

from dataclasses import dataclass
from time import monotonic
from typing import ClassVar, Literal

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.screen import Screen
from textual.widgets import Input, Static

from rnnplay.tui.keyboard import takes_text
from rnnplay.tui.keymap import key_name
from rnnplay.tui.pacing import Repaints
from rnnplay.tui.prompt.ghost_input import GhostInput
from rnnplay.tui.race import race_keys as keys
from rnnplay.tui.race.answers import Answers
from rnnplay.tui.race.curves import MEASURES
from rnnplay.tui.race.entrant import Entrant
from rnnplay.tui.race.live_race import LiveRace
from rnnplay.tui.race.race_charts import LINES, RaceCharts
from rnnplay.tui.race.race_status import note_text, status_pieces
from rnnplay.tui.race.rank_table import RankTable
from rnnplay.tui.race.ranking import ranking
from rnnplay.tui.run_controller import RunController
from rnnplay.tui.screens.dialogs import Confirm
from rnnplay.tui.screens.race.variant_actions import VariantActions
from rnnplay.tui.widgets.key_row import KeyRow
from rnnplay.tui.widgets.status_line import fitted
from rnnplay.tui.widgets.text import BoundedText, Lines, translation_of
from rnnplay.tui.widgets.visible import visible_line

TICK_SECONDS = 0.1
UPDATE_SECONDS = 0.2
"""Least time between two updates of the charts and the table."""
LOW_ROWS, LOW_ANSWERS = 32, 7
"""In lower windows the answers take a line each, and no room while there is no prompt."""
FLAT_ROWS, SLIM_COLUMNS = 16, 60
"""In windows lower than this the charts give way to the table; in narrower ones there is one chart."""
PROMPT_HINT = "type the beginning of a text; all variants complete it"


@dataclass(frozen=True, slots=True)
class RaceChoice:
    """What the user wants when the screen is left."""

    action: Literal["open", "new"]
    controller: RunController | None = None


class RaceScreen(Screen[RaceChoice | None]):
    """Shows a race, which goes on when the screen is left; the result is a choice, or None."""

    DEFAULT_CSS = """
    RaceScreen { background: $background; layers: base; }
    RaceScreen #race-status { height: 1; padding: 0 1; }
    RaceScreen #race-note { height: auto; padding: 0 1; color: $foreground 65%; }
    RaceScreen #race-note.-error { color: $error; }
    RaceScreen.-flat RaceCharts { min-height: 1; }
    RaceScreen.-flat #race-note, RaceScreen.-flat Answers { display: none; }
    RaceScreen.-flat #race-note.-error, RaceScreen.-flat.-asked Answers { display: block; }
    RaceScreen.-slim RaceCharts #race-norm, RaceScreen.-slim RaceCharts #race-distance { display: none; }
    RaceScreen #race-prompt-row { height: 1; padding: 0 1; }
    RaceScreen #race-prompt-row Static { width: auto; color: $primary; text-style: bold; }
    """
    AUTO_FOCUS = "RankTable"
    HELP = """
    ## The race

    Every variant is a run of its own, trained on the same text with the same seed; colour and mark are the same
    everywhere, and `×` ends the curve of a run that died. The first line says how the variants share the machine.

    - `m` compares by steps, tokens or seconds; `l` chooses training or validation losses
    - `v` shows the gradient through time and the accuracy by distance of all variants; `v` or `escape` goes back
    - `g` goes to the prompt, which all variants complete
    - `space` pauses all or goes on, `p` only the selected one; `x` stops all with checkpoints
    - `a` adds a variant, `d` drops the selected one; `r` resumes one that has ended
    - `Enter` opens the selected one in the playground, `i` inspects it
    - `e` writes the charts of all variants as SVG or PNG, or their figures
    - `escape` returns to the playground, and the race goes on; `{playground.race}` comes back. `n` plans another race
    """
    BINDINGS: ClassVar[list[BindingType]] = keys.BINDINGS

    def __init__(self, live: LiveRace) -> None:
        super().__init__()
        self.live = live
        self.measure = live.plan.measure
        self._lines = 0
        self._suggests: Entrant | None = None
        """The variant whose suggestions the prompt has."""
        self._drawn: object = None
        self._drawn_at = 0.0
        self._repaints = Repaints()
        self._variants = VariantActions(self, live, self.show)

    def compose(self) -> ComposeResult:
        yield Lines(id="race-status")
        yield RaceCharts(id="race-charts")
        yield RankTable(id="race-table")
        yield BoundedText(id="race-note", rows=2)
        with Horizontal(id="race-prompt-row"):
            yield Static("› ")
            yield GhostInput(PROMPT_HINT, id="race-prompt")
        yield Answers(id="race-answers")
        yield KeyRow(compact=True)

    def on_mount(self) -> None:
        field = self.query_one("#race-prompt", GhostInput)
        field.placeholder = translation_of(self)(PROMPT_HINT)
        with self.prevent(Input.Changed):
            field.value = self.live.prompt
        self.set_interval(TICK_SECONDS, self._tick)
        self.call_after_refresh(self.show)

    # --- what is shown --------------------------------------------------------------------------------------

    def _tick(self) -> None:
        """Asks what is due, and draws what has changed unless keys are being typed."""
        if self.app.screen is not self and not self.app.screen.is_modal:
            return
        self.live.ask()
        if self.query_one(RaceCharts).view == "memory":
            for one in self.live.entrants:
                one.ask_memory()
        if self._state() != self._drawn:
            self._repaints.news()
        if self._repaints.wait() == 0 and monotonic() - self._drawn_at >= UPDATE_SECONDS:
            self.show()

    def _state(self) -> object:
        """Everything that is drawn depends on this."""
        silent = [one.controller.engine_silent for one in self.live.entrants]
        return self.live.version, self.measure, self._lines, self.query_one(RaceCharts).view, self.size, silent

    def show(self) -> None:
        """Brings all widgets up to date."""
        if not self.is_attached:
            return
        self._drawn, self._drawn_at = self._state(), monotonic()
        self._repaints.painted()
        live, table, charts = self.live, self.query_one(RankTable), self.query_one(RaceCharts)
        ranked = ranking(live, self.measure)
        status = self.query_one("#race-status", Lines)
        translated = translation_of(self)
        status.show([fitted(*status_pieces(live, translated), status.content_size.width)])
        table.show_ranking(ranked)
        note, error = note_text(live, ranked, charts.view)
        note = translated(note)
        box = self.query_one("#race-note", BoundedText)
        if visible_line(note) != str(box.content):
            box.update(visible_line(note))
        box.set_class(error, "-error")
        self._show_answers()
        charts.show(live, self.measure, LINES[self._lines])
        self.refresh_bindings()

    def _show_answers(self) -> None:
        rows = LOW_ANSWERS if self.size.height >= LOW_ROWS else 0
        self.set_class(bool(self.live.prompt), "-asked")
        self.query_one(Answers).show_answers(self.live.entrants, self.live.prompt, rows)
        one = self.query_one(RankTable).selected
        field = self.query_one("#race-prompt", GhostInput)
        if one is not None and one.completion is not None:
            if one is not self._suggests:
                self._suggests = one
                field.forget()  # another variant's
            field.suggest(one.asked_text, one.completion)

    def on_resize(self) -> None:
        self.set_class(self.size.height < FLAT_ROWS, "-flat")
        self.set_class(self.size.width < SLIM_COLUMNS, "-slim")
        self.call_after_refresh(self.show)

    @on(RunController.EventReceived)
    def _answered(self, received: RunController.EventReceived) -> None:
        """Shows completions at once."""
        if any(one.controller is received.controller and one.just_answered for one in self.live.entrants):
            self.call_after_refresh(self._show_answers)

    # --- the prompt -----------------------------------------------------------------------------------------

    def action_prompt(self) -> None:
        self.set_focus(self.query_one("#race-prompt"))

    @on(Input.Changed, "#race-prompt")
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        self.live.prompt = event.value
        self._repaints.typed()
        self.live.ask()
        if not event.value:
            self._show_answers()

    @on(Input.Submitted, "#race-prompt")
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.set_focus(self.query_one(RankTable))

    # --- the race -------------------------------------------------------------------------------------------

    @property
    def _selected(self) -> Entrant | None:
        return self.query_one(RankTable).selected

    def action_pause_all(self) -> None:
        self.live.pause_all()

    action_continue_all = action_pause_all

    def action_pause(self) -> None:
        if (one := self._selected) is not None:
            self.live.pause(one)

    @work
    async def action_stop(self) -> None:
        question = f"All runs end with a checkpoint; {key_name('race.resume')} resumes one. No further seed follows."
        if await self.app.push_screen_wait(Confirm("Stop the race", question, "Stop")):
            self.live.stop()
            self.show()

    def action_drop(self) -> None:
        if (one := self._selected) is not None:
            self._variants.drop(one)

    def action_add(self) -> None:
        self._variants.add()

    @work
    async def action_resume(self) -> None:
        if (one := self._selected) is not None:
            await self._variants.resume(one)

    def action_measure(self) -> None:
        self.measure = MEASURES[(MEASURES.index(self.measure) + 1) % len(MEASURES)]
        self.show()

    def action_lines(self) -> None:
        self._lines = (self._lines + 1) % len(LINES)
        self.show()

    def action_view(self) -> None:
        self.query_one(RaceCharts).switch()
        self.call_after_refresh(self.show)

    action_view_curves = action_view

    # --- leaving --------------------------------------------------------------------------------------------

    def action_inspect(self) -> None:
        if (one := self._selected) is not None:
            self._variants.inspect(one)

    def action_export(self) -> None:
        self._variants.export()

    @on(RankTable.Chosen)
    def action_open(self) -> None:
        """Opens the selected variant in the playground."""
        if (one := self._selected) is not None:
            self.dismiss(RaceChoice("open", one.controller))

    @work
    async def action_new(self) -> None:
        """Plans another race, after this one has been stopped."""
        if not self.live.over:
            question = "Another race ends this one; its runs are kept with a checkpoint."
            if not await self.app.push_screen_wait(Confirm("Another race", question, "End this one", lost=True)):
                return
        self.dismiss(RaceChoice("new"))

    def action_back(self) -> None:
        """Leaves the prompt, or else the view of memory, or else the screen."""
        if takes_text(self.focused):
            self.set_focus(self.query_one(RankTable))
        elif self.query_one(RaceCharts).view == "memory":
            self.action_view()
        else:
            self.dismiss(None)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        ready = self.is_mounted
        now = keys.KeyContext(
            live=self.live,
            selected=self._selected if ready else None,
            curves=not ready or self.query_one(RaceCharts).view == "curves",
            typing=takes_text(self.focused),
        )
        return keys.is_enabled(action, now)
