"""The main screen: setup on the left, charts and the prompt on the right."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult, SystemCommand
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import Screen
from textual.widgets import Button

from rnnplay.engine import messages
from rnnplay.errors import InputError
from rnnplay.tui.followed_run import read_only_text
from rnnplay.tui.inspection.view import Curves
from rnnplay.tui.keyboard import takes_text
from rnnplay.tui.lessons.lesson_line import LessonLine
from rnnplay.tui.lessons.lesson_progress import LessonProgress
from rnnplay.tui.lessons.lesson_questions import LessonQuestions
from rnnplay.tui.overlay import Overlay
from rnnplay.tui.prompt.prompt_history import FILE, PromptHistory
from rnnplay.tui.prompt.prompt_pane import PromptPane
from rnnplay.tui.run_controller import RunController
from rnnplay.tui.run_controllers import RunControllers
from rnnplay.tui.run_state import RunState
from rnnplay.tui.screens.playground import keys
from rnnplay.tui.screens.playground.layout import PlaygroundLayout
from rnnplay.tui.screens.playground.lesson_actions import LessonActions
from rnnplay.tui.screens.playground.preset_actions import PresetActions
from rnnplay.tui.screens.playground.race_actions import RaceActions
from rnnplay.tui.screens.playground.run_actions import RunActions
from rnnplay.tui.screens.playground.run_display import RunDisplay
from rnnplay.tui.screens.playground.saved_run_actions import SavedRunActions
from rnnplay.tui.screens.playground.writing_actions import WritingActions
from rnnplay.tui.setup.setup_form import SetupForm
from rnnplay.tui.setup.setup_pane import SetupPane
from rnnplay.tui.widgets.key_row import KeyRow
from rnnplay.tui.widgets.status_line import StatusLine
from rnnplay.tui.widgets.text import Banner
from rnnplay.tui.widgets.training_charts import TrainingCharts

if TYPE_CHECKING:
    from rnnplay.tui.lessons.lesson_pane import LessonPane

COMPACT_BELOW = 132
"""In narrower windows the footer is compact."""


class PlaygroundScreen(Screen[None]):
    """Shows the run in front of `controllers`."""

    AUTO_FOCUS = "#main"
    HELP = """
    ## The playground

    **Train** starts a run; the charts follow its loss and gradient norm. Type into the **prompt** at any time:
    the model as it is at that moment completes it.

    `W` opens the scratchpad: a text of your own, which the model helps to write.

    Keys work wherever no text is being typed; `escape` leaves a text field. From anywhere, `F5` trains, pauses
    and goes on, `F6` switches clipping, `F7` and `F8` move its threshold.
    """
    BINDINGS: ClassVar[list[BindingType]] = keys.BINDINGS

    def __init__(self, controllers: RunControllers, progress: LessonProgress, preset: str, run: str | None) -> None:
        """`preset` is what the form is compared with; `run` is opened at once."""
        super().__init__()
        self.controllers = controllers
        self.lesson_progress = progress
        self._preset, self._run = preset, run
        self._panes = PlaygroundLayout(self, controllers, progress)
        self._overlay = Overlay(controllers.workspace, self._overlay_changed)
        self._runs = RunActions(self, controllers, progress)
        self._saved = SavedRunActions(self, controllers, self._overlay, self._runs)
        self._lessons = LessonActions(self, progress, self._runs, self._saved, self._panes, self.action_inspect)
        self._presets = PresetActions(self, controllers.workspace)
        self._races = RaceActions(self, controllers)
        self._display = RunDisplay(self, controllers, progress, self._lessons, self._panes, self._races, self._overlay)
        self._writing = WritingActions(self, controllers, self._display.take_written)
        self._curves = Curves()
        self._inspected = 0

    def compose(self) -> ComposeResult:
        yield StatusLine(id="status")
        yield Banner(id="trouble", rows=4)
        with Horizontal(id="body"):
            yield SetupPane(self.state, self._preset, self._presets.presets, self.controllers.workspace)
            with Vertical(id="work"):
                yield TrainingCharts(id="charts")
                yield PromptPane(history=PromptHistory(self.controllers.workspace.root / FILE), id="prompt")
        yield LessonLine(self.lesson_progress, id="lesson-line")
        yield KeyRow(compact=self.app.size.width < COMPACT_BELOW)

    def on_mount(self) -> None:
        self.set_interval(1.0, self._display.every_second)
        try:
            self.controllers.workspace.create()
        except InputError as error:
            self.query_one(Banner).say(f"{error} Runs can be opened ({{playground.runs}}), prompted and inspected.")
        self._presets.tell_problems()
        self.show_state()
        if self._run is not None:
            self._saved.open(self._run)

    @property
    def controller(self) -> RunController:
        return self.controllers.front

    @property
    def state(self) -> RunState:
        return self.controller.state

    @property
    def form(self) -> SetupForm:
        return self.query_one(SetupForm)

    @property
    def prompt(self) -> PromptPane:
        return self.query_one(PromptPane)

    # --- what the engines say -------------------------------------------------------------------------------

    @on(RunController.EngineMessage)
    def _engine_message(self, message: RunController.EngineMessage) -> None:
        self.lesson_progress.take(message)
        self._races.take(message)
        if message.controller is self.controller:
            self._display.take(message)
            self._runs.take(message)
        elif message.controller in self.controllers.of_playground:
            self._display.take_behind(message)

    @on(RunController.Followed)
    def _followed(self, message: RunController.Followed) -> None:
        if message.controller is self.controller:
            self._display.followed(message.turns)

    @on(RunControllers.Switched)
    def _switched(self) -> None:
        self._display.switched()

    @on(RunControllers.Renamed)
    def _run_renamed(self, event: RunControllers.Renamed) -> None:
        self._races.renamed(event.run, event.name)
        self.show_state()

    @on(LessonQuestions.MeasuringChanged)
    def _measuring_changed(self) -> None:
        self._display.label_main()
        self._lessons.refresh()

    @on(LessonProgress.Ticked)
    def _ticked(self, message: LessonProgress.Ticked) -> None:
        self._lessons.ticked(message.step)
        self.show_state()

    @on(RunActions.Changed)
    @on(RunControllers.Lending)
    def show_state(self) -> None:
        self._display.show()

    # --- the run --------------------------------------------------------------------------------------------

    def action_train(self) -> None:
        """Trains or resumes the run in front; in a lesson, does what the next step needs."""
        if self._runs.once_stopped(self.action_train):
            return
        if self.lesson_progress.need is None and self._read_only():
            return
        in_lesson = self.lesson_progress.need is not None or self._display.action_of_t() == "done"
        if not self.controller.running and in_lesson:
            self.run_worker(self._lessons.go_on(), exclusive=True, group="lesson")
        else:
            self._runs.train_or_resume()

    action_resume = action_look = action_done = action_train

    def action_new(self) -> None:
        if not self._runs.once_stopped(self.action_new):
            self.run_worker(self._runs.new(), exclusive=True, group="new")

    @on(Button.Pressed, "#main")
    def action_main(self, _: object = False) -> None:
        if self.controller.running:
            self._runs.pause()
        else:
            self.action_train()

    def action_read_only(self) -> None:
        """Says why the run cannot be changed."""
        self.notify(read_only_text(self.state), severity="warning", timeout=8, markup=False)

    def _read_only(self) -> bool:
        """Returns whether another process trains the run; if so, says that it cannot be changed."""
        if self.state.followed:
            self.action_read_only()
        return self.state.followed

    def action_pause(self) -> None:
        if not self._read_only():
            self._runs.pause()

    action_go_on = action_pause

    @on(Button.Pressed, "#stop")
    def action_stop(self) -> None:
        if not self._read_only():
            self._runs.stop()

    def action_save(self) -> None:
        if not self._read_only():
            self.controller.send(messages.Save())

    def action_runs(self) -> None:
        self._saved.choose()

    def action_sweeps(self) -> None:
        self._saved.choose_trial()

    def action_export(self) -> None:
        self._saved.export()

    def action_other_run(self) -> None:
        self._saved.other()

    def action_clear_overlay(self) -> None:
        self._saved.clear_overlay()

    def _overlay_changed(self) -> None:
        if self.is_attached:
            self._display.show_soon()

    def action_go_back(self) -> None:
        if self.state.lent:
            self._saved.branch(self.state.lent, str(self.state.model_step))
        else:
            self._saved.go_back()

    def action_samples(self) -> None:
        self._saved.samples()

    def action_race(self) -> None:
        self._races.open()

    # --- knobs and prompts ----------------------------------------------------------------------------------

    def action_switch_clip(self, _: bool = False) -> None:
        if not self._read_only():
            self.query_one(SetupPane).switch_clip()

    def action_move_threshold(self, direction: int, _: bool = False) -> None:
        if not self._read_only():
            self.query_one(SetupPane).move_threshold(direction)

    # The single keys do the same, except where text is being typed.
    action_clip = action_switch_clip
    action_threshold = action_move_threshold

    @on(SetupForm.Tuned)
    def _tuned(self, event: SetupForm.Tuned) -> None:
        self.controller.tune(event.knob, event.value)
        self._display.show_soon()

    @on(SetupForm.Changed)
    def _form_changed(self) -> None:
        self._display.label_main()
        self._display.show_soon()

    @on(SetupForm.CorpusFileWanted)
    def action_open_file(self) -> None:
        if not self._read_only():
            self._runs.choose_text()

    def action_download_text(self) -> None:
        if not self._read_only():
            self._runs.download_text()

    def action_save_preset(self) -> None:
        self._presets.save()

    @on(PromptPane.Typed)
    def _typed(self, event: PromptPane.Typed) -> None:
        self._display.typed(event.text)

    @on(PromptPane.SampleWanted)
    def _sample_wanted(self, event: PromptPane.SampleWanted) -> None:
        self._display.draw_sample(event.prompt, event.sampling)

    @on(PromptPane.CancelWanted)
    def _cancel_wanted(self) -> None:
        self.controller.cancel()

    def action_lr_range(self) -> None:
        """Tests which learning rates make the loss fall, with the form's settings."""
        from rnnplay.tui.screens.playground.lr_range import LrRangeScreen  # imported on first use

        self.app.push_screen(LrRangeScreen(self.form.config, self.controllers.workspace), self._lr_chosen)

    def _lr_chosen(self, lr: float | None) -> None:
        if lr is not None:
            self.form.set_value("lr", lr)

    def action_prompt(self) -> None:
        self._panes.show_prompt(self.prompt.focus_input)

    def action_write(self) -> None:
        self._writing.write(self.prompt.sampling)

    def action_written(self) -> None:
        self._writing.written()

    def action_completion(self) -> None:
        self._writing.completion()

    def action_release(self) -> None:
        self.controller.release()
        self._display.look_again()

    # --- inspection and lessons -----------------------------------------------------------------------------

    def action_inspect(self, wanted: int | None = None) -> None:
        """Opens the inspection at the view `wanted`, or else the lesson's or the last one."""
        from rnnplay.tui.screens.inspect import InspectScreen  # imported on first use

        view, text = self._lessons.lesson_view(self._inspected, self.prompt.text)
        view = view if wanted is None else wanted
        more = self.action_move_threshold, self.lesson_progress, self._curves
        screen = InspectScreen(self.controller, self.form.config, text, view, *more)
        self.app.push_screen(screen, self._inspection_left)

    def _inspection_left(self, view: int | None) -> None:
        self._inspected = view or 0
        self._display.look_again()

    def action_lessons(self) -> None:
        self._lessons.choose()

    async def action_close_lesson(self) -> None:
        await self._lessons.close()

    def action_answer(self) -> None:
        self._lessons.answer()

    def on_lesson_pane_left(self) -> None:
        self._lessons.read(False)

    def on_lesson_pane_variant_wanted(self, event: LessonPane.VariantWanted) -> None:
        self._lessons.train_if_none_runs(event.variant)

    # --- the rest -------------------------------------------------------------------------------------------

    def action_row(self, direction: int) -> None:
        self.form.action_row(direction)

    def action_leave_field(self) -> None:
        self.query_one(TrainingCharts).focus_first()

    def help_shown(self, shown: bool) -> None:
        self._panes.help_shown(shown)

    def action_setup(self) -> None:
        if self._panes.switch_setup():
            self.query_one("#main", Button).focus()

    def on_resize(self) -> None:
        self._panes.apply()
        self.query_one(KeyRow).compact = self.size.width < COMPACT_BELOW

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        now = keys.KeyContext(
            phase=self.state.phase,
            key=self._display.action_of_t,
            resumable=lambda: self.controller.resumable(self.form.config),
            silent=bool(self.controller.engine_silent),
            typing=takes_text(self.focused),
            on_button=isinstance(self.focused, Button),
            on_lr=self.focused is not None and self.focused.id == "knob-lr",
            prompt_shown=self._panes.prompt_in_reach,
            lesson=self.lesson_progress.lesson is not None,
            forced=bool(self.controller.forced),
            branching=self.state.next_branch is not None,
            others=bool(self.controllers.others),
            overlaid=bool(self._overlay.runs),
        )
        return keys.is_enabled(action, parameters, now)

    def commands(self) -> Iterable[SystemCommand]:
        return keys.commands(self)
