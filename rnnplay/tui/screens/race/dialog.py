"""The dialog before a race: what differs between its variants, and how they share the machine."""

from __future__ import annotations

from typing import ClassVar

from rich.cells import cell_len
from textual import on, work
from textual.actions import SkipAction
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widget import Widget

from rnnplay.common.processors import physical_cores
from rnnplay.config import RunConfig, knobs
from rnnplay.engine.messages import BranchFrom
from rnnplay.errors import ConfigError, InputError, RnnplayError
from rnnplay.experiments.fairness import CountTokens
from rnnplay.experiments.race_plan import RacePlan
from rnnplay.experiments.variants import FEWEST
from rnnplay.text.encoding.vocabulary_size import text_settings, vocabulary_size
from rnnplay.tui.chart.palette import run_look
from rnnplay.tui.keyboard import HELP_KEYS
from rnnplay.tui.keymap import fill_keys
from rnnplay.tui.race.choice_list import ChoiceList
from rnnplay.tui.race.race_settings import (
    CHOICES,
    VARY,
    RaceSettings,
    choices,
    duration_text,
    length_text,
    plan_of,
    preview_lines,
    sharing_text,
    with_length,
)
from rnnplay.tui.screens.dialogs import Dialog
from rnnplay.tui.setup.knob_field import KnobField
from rnnplay.tui.setup.typed_settings import FieldEvent, TypedSettings
from rnnplay.tui.widgets.text import BoundedText, FieldScroll, Lines
from rnnplay.tui.widgets.visible import MUTED, padded, visible_line
from rnnplay.workspace import Workspace

LABEL_WIDTH, LABEL_CELLS = 18, 40
"""Cells of the labels of the fields, and of the variants."""
REPEATS = (1, 3, 5)
"""What the key for it repeats a race."""
OF_CELLS = ("cells", "nonlinearity")
"""Choices that a branch does not have, as it keeps its parent's cell."""
COUNTING = "The vocabulary of the text is being counted."


class PlanField(KnobField):
    """A field in which Enter is left to the dialog."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "enter", "Start", id="race-plan.start")]

    def action_enter(self) -> None:
        self.finish()
        raise SkipAction


KEYS_BELOW = (
    "{race-plan.up} {race-plan.down} choose  tab settings  {setup.less} {setup.more} change  {race-plan.start} start"
)


class RaceDialog(Dialog[RacePlan | None]):
    """Plans a race of the setup; the result is the plan, or None."""

    DEFAULT_CSS = """
    RaceDialog > FieldScroll { width: 78; max-width: 98%; max-height: 100%; scrollbar-size-vertical: 1; }
    RaceDialog #race-fields { height: auto; }
    RaceDialog #race-preview { margin-top: 1; }
    RaceDialog #race-note { dock: bottom; height: auto; min-height: 1; background: $surface; color: $foreground 65%; }
    RaceDialog #race-note.-error { color: $error; }
    """
    HELP = """
    ## A race

    Several variants of the setup are trained side by side, each as a run of its own, on the same text and with the same
    seed. Choose with `↑` `↓` what differs between them; `tab` goes to the settings below, `{setup.less}` `{setup.more}`
    change one. `Enter` starts the race, `escape` closes the dialog.

    `r` repeats the race with three seeds, or five: their range tells a difference from noise. `m` matches the numbers
    of parameters.

    *vary* takes knobs and values: `cell=rnn,lstm lr=0.001,0.01` is four variants. A race has two to six.
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "start", "Start", id="race-plan.start"),
        Binding("m", "match", "Match parameters", id="race-plan.match"),
        Binding("r", "repeat", "Repeat", id="race-plan.repeat"),
        Binding("escape", "cancel", "Cancel", id="everywhere.back"),
        *HELP_KEYS,
        Binding("up", "row(-1)", show=False, id="race-plan.up"),
        Binding("down", "row(1)", show=False, id="race-plan.down"),
    ]

    def __init__(
        self,
        setup: RunConfig,
        workspace: Workspace,
        note: str,
        device: str,
        before: tuple[str, RaceSettings] | None,
        branch: BranchFrom | None,
        most: int,
    ) -> None:
        """`setup` is varied; `note` says what becomes of the run in front; `device` is what `auto` selects.

        `before`: the choice and the settings to begin with, those of the race before. `branch`: the checkpoint with
        whose weights all begin, and whose model `setup` describes. `most`: the variants for which there may be engines.
        """
        super().__init__()
        self._branch, self._most = branch, most
        self._device = device
        self._setup, self._workspace, self._note = setup, workspace, note
        self._before, settings = before or (CHOICES[0], RaceSettings())
        self._settings = TypedSettings(settings)
        if branch is not None and self._before in OF_CELLS:
            self._before = "rates"
        self._fields = {
            name: PlanField(spec, label_width=LABEL_WIDTH, id=f"race-{name}")
            for name, spec in knobs(RaceSettings).items()
        }
        self._vocabularies: dict[tuple[object, ...], int | None] = {}
        self._asked: set[tuple[object, ...]] = set()
        self._cores = physical_cores()
        self._plan: RacePlan | None = None
        self._error = ""
        self._previewed = ""
        """The choice whose variants are listed."""

    def compose(self) -> ComposeResult:
        with FieldScroll() as box:
            box.border_title = "Race: what differs?"
            box.border_subtitle = fill_keys(KEYS_BELOW)
            yield ChoiceList(list(choices()), id="race-choice")
            with Vertical(id="race-fields"):
                yield from self._fields.values()
            yield Lines(id="race-preview")
            yield BoundedText(id="race-note", rows=4)

    def on_mount(self) -> None:
        self.query_one(ChoiceList).choose(CHOICES.index(self._before))
        self._show()
        self.query_one(ChoiceList).focus()

    @property
    def chosen(self) -> tuple[str, RaceSettings]:
        """The choice and the settings."""
        return self._choice, self.settings

    # --- what is chosen -------------------------------------------------------------------------------------

    @property
    def _choice(self) -> str:
        return CHOICES[self.query_one(ChoiceList).index]

    @property
    def settings(self) -> RaceSettings:
        """The settings, with what is being typed as far as it is allowed."""
        return self._settings.config

    def _vocabulary(self, config: RunConfig) -> int:
        """Returns the size of the vocabulary; raises ConfigError while it is not known."""
        key = text_settings(config)
        if key not in self._asked:
            self._asked.add(key)
            self._count(config)
        if key not in self._vocabularies:
            raise ConfigError("", COUNTING)
        found = self._vocabularies[key]
        if found is None:
            raise ConfigError(
                "match parameters",
                f"The vocabulary of {visible_line(config.corpus)} is known only once a run has begun, so parameters "
                "cannot be matched; train a run on it first, or switch the matching off.",
            )
        return found

    @work(thread=True)
    def _count(self, config: RunConfig) -> None:
        found = vocabulary_size(config, self._workspace)
        self.app.call_from_thread(self._counted, text_settings(config), found)

    def _counted(self, key: tuple[object, ...], found: int | None) -> None:
        self._vocabularies[key] = found
        if self.is_attached:
            self._show()

    # --- what is shown --------------------------------------------------------------------------------------

    def _show(self) -> None:
        """Plans the race, and shows the plan or what is wrong."""
        self._settings.show(self._fields)
        self._fields["vary"].display = self._choice == VARY
        try:
            self._plan = plan_of(
                self.settings, self._choice, self._setup, self._cores, self._vocabulary, self._device, self._branch
            )
            if len(self._plan.variants) > self._most:
                raise InputError(
                    f"The race has {len(self._plan.variants)} variants, and so many models cannot be open here beside "
                    f"those that are: choose at most {self._most}."
                    if self._most >= FEWEST
                    else "No race can begin: there are as many models open as are allowed here."
                )
            self._error = self._settings.error
        except RnnplayError as error:
            self._plan = None
            self._error = self._settings.error or str(error)
        self._show_plan()
        self.refresh_bindings()

    def _show_plan(self) -> None:
        plan, note = self._plan, self.query_one("#race-note", BoundedText)
        note.update(visible_line(self._error or self._described()))
        note.set_class(bool(self._error) and self._error != COUNTING, "-error")
        preview_box = self.query_one("#race-preview", Lines)
        if plan is None:
            if self._choice != self._previewed:  # while something is typed the last preview stays
                preview_box.show([])
            return
        self._previewed = self._choice
        dark = self.app.current_theme.dark
        preview = preview_lines(plan, self._known_vocabulary(plan))
        width = min(LABEL_CELLS, max(cell_len(label) for label, _ in preview))
        looks = map(run_look, range(len(preview)))
        lines = [
            Content.assemble((f"{look.mark} ", look.shade(dark)), padded(label, width), (f"  {size}", MUTED))
            for look, (label, size) in zip(looks, preview, strict=True)
        ]
        preview_box.show(lines)

    def _known_vocabulary(self, plan: RacePlan) -> CountTokens | None:
        """Returns what counts tokens once all vocabularies are known; counts the others in a thread."""
        missing = self._branch is not None  # a branch has its parent's vocabulary
        for variant in plan.variants:
            try:
                self._vocabulary(variant.config)
            except ConfigError:
                missing = True
        return None if missing else self._vocabulary

    def _described(self) -> str:
        assert self._plan is not None
        length = length_text(with_length(self._setup, self.settings.minutes_each))
        whole = duration_text(self._plan)
        each = f"Each variant trains for {length}{whole and f', {whole}'}"
        parts = [f"{each}; {sharing_text(self._plan, self.settings.share)}."]
        if self._note:
            parts.append(self._note)
        return " ".join(parts)

    # --- what a user does -----------------------------------------------------------------------------------

    @on(ChoiceList.Chosen)
    def _chosen(self, event: ChoiceList.Chosen) -> None:
        event.stop()
        self._show()

    @on(KnobField.Stepped)
    @on(KnobField.Typed)
    @on(KnobField.Undone)
    def _field_changed(self, event: FieldEvent) -> None:
        self._settings.take(event)
        self._show()

    def action_match(self) -> None:
        """Matches the numbers of parameters, or no longer."""
        self._settings.set("parameters", not self.settings.parameters)
        self._show()

    def action_repeat(self) -> None:
        """Races with one seed, three or five: the next of these."""
        times = next((count for count in REPEATS if count > self.settings.repeat), REPEATS[0])
        self._settings.set("repeat", times)
        self._show()

    def action_row(self, direction: int) -> None:
        """Focuses the field above or below; stays at the ends."""
        rows: list[Widget] = [self.query_one(ChoiceList), *(one for one in self._fields.values() if one.display)]
        at = rows.index(self.focused) + direction if self.focused in rows else 0
        if 0 <= at < len(rows):
            self.set_focus(rows[at])

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        return None if action == "start" and self._error else True

    def action_start(self) -> None:
        """Starts the race, unless something is wrong."""
        self._show()  # the last key may not have been handled
        if self._plan is not None and not self._error:
            self.dismiss(self._plan)

    def action_cancel(self) -> None:
        self.dismiss(None)
