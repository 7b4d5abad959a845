"""The one screen people live in: setup on the left, charts and the prompt on the right."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.app import ComposeResult, SystemCommand
from textual.binding import ActiveBinding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import Screen
from textual.widgets import Button, Static

from rnnplay.config import RunConfig
from rnnplay.engine import messages
from rnnplay.engine.client import EngineExit
from rnnplay.errors import InputError, RnnplayError
from rnnplay.inspection.results import Forced
from rnnplay.runs.folder import find_run
from rnnplay.runs.records import Notice, Record, Rollback, Tuned
from rnnplay.tui.inspection.forcing import described
from rnnplay.tui.inspection.loaded_runs import load_run
from rnnplay.tui.lessons import lesson_words as words
from rnnplay.tui.lessons.lesson_line import LessonLine
from rnnplay.tui.prompt.prompt_pane import PromptPane
from rnnplay.tui.room import NARROW
from rnnplay.tui.run_controller import RunController, start_trouble
from rnnplay.tui.run_state import Phase, RunState, rollback_text
from rnnplay.tui.screens import playground_keys
from rnnplay.tui.screens.confirm import Confirm
from rnnplay.tui.screens.lesson_desk import LessonDesk
from rnnplay.tui.screens.preset_desk import PresetDesk
from rnnplay.tui.setup.setup_form import SetupForm
from rnnplay.tui.widgets.event_log import EventLog
from rnnplay.tui.widgets.key_row import KeyRow
from rnnplay.tui.widgets.panels import TrainingCharts
from rnnplay.tui.widgets.said import Said
from rnnplay.tui.widgets.status_line import StatusLine

if TYPE_CHECKING:
    from rnnplay.lessons.languages import Language
    from rnnplay.tui.lessons.coach import Coach
    from rnnplay.tui.lessons.lesson_pane import LessonPane
    from rnnplay.tui.screens.runs import RunChoice
    from rnnplay.tui.setup.parameter_count import ParameterCount

UPDATE_SECONDS = 0.2
"""Between two repaints of what training reports."""
TYPING_SECONDS = 0.25
"""After a key, the next one is awaited so long."""
STALE_SECONDS = 0.4
"""Charts older than this are brought up to date behind a key's echo."""
COUNTED_SECONDS = 0.4
"""From the mounting of the screen until the parameters of the model in the form are counted."""
ASK_AGAIN_SECONDS = 1.0
"""While training, the prompt is completed again this often, from the newer weights."""
ROOMY = 132
"""Columns below which the footer stands close together."""

MAIN_LABELS = {
    Phase.PREPARING: "◌ Preparing",
    Phase.TRAINING: "‖ Pause",
    Phase.PAUSED: "▶ Continue",
    Phase.STOPPING: "◌ Stopping",
}


KEY_LABELS = {"train": "▶ Train", "resume": "▶ Resume", "look": "▶ Look", "done": "✓ Done"}
"""Of the main button while no run is under way, by what t does."""


class PlaygroundScreen(Screen[None]):
    """Shows the run of `controller`; turns keys into what it can do."""

    AUTO_FOCUS = "#main"
    HELP = """
    ## The playground

    **Train** starts a run; the charts follow its loss and gradient norm. Type into the **prompt** at any time:
    the model as it is at that moment completes it.

    Keys work wherever no text is being typed; `escape` leaves a text field. From anywhere, `F5` trains, pauses
    and goes on, `F6` switches clipping, `F7` and `F8` move its threshold.
    """

    BINDINGS: ClassVar[list[BindingType]] = playground_keys.BINDINGS

    def __init__(
        self, controller: RunController, coach: Coach, config: RunConfig, preset: str, run: str | None = None
    ) -> None:
        super().__init__()
        self.controller = controller
        self.coach = coach
        self._start = (config, preset, run)
        self.presets = PresetDesk(self)
        self._parameters: ParameterCount | None = None
        """None until the first screen is drawn: what it counts with takes a while to import."""
        self._update_due = False
        self._typed_at = self._shown_at = 0.0
        self._asked_at = 0.0
        self._phase_shown: Phase | None = None
        self._model_shown: tuple[bool, bool] | None = None
        self._forced_shown: tuple[Forced, ...] = ()
        self._folded: bool | None = None
        """What the user chose by key; None: as room and phase suggest."""
        self._beside_help: bool | None = None
        """While help is shown: whether setup, rather than charts and prompt, was being used."""
        self._clip_before = "norm"
        self.lessons = LessonDesk(self)
        self._silence_told = False
        self._inspected = 0
        """The view of the inspection that was looked at last."""

    def compose(self) -> ComposeResult:
        config, preset, _ = self._start
        yield StatusLine(id="status")
        yield Said(id="trouble", rows=4)
        with Horizontal(id="body"):
            with Vertical(id="setup") as setup:
                setup.border_title = "Setup"
                yield SetupForm(config, preset=preset, presets=self.presets.presets, id="form")
                yield EventLog(id="events")
                with Horizontal(id="buttons"):
                    yield Button("▶ Train", id="main", variant="primary", compact=True)
                    yield Button("■ Stop", id="stop", compact=True)
            with Vertical(id="work"):
                yield TrainingCharts(id="charts")
                yield PromptPane(id="prompt")
        yield LessonLine(self.coach, id="lesson-line")
        yield KeyRow(compact=self.app.size.width < ROOMY)

    def on_mount(self) -> None:
        self.coach.ticked = self.lessons.ticked
        self.coach.measured = self._label_main
        self.set_interval(1.0, self._every_second)
        self.query_one("#prompt", PromptPane).border_title = "Prompt"
        self._read_corpora()
        try:
            self.controller.workspace.create()
        except InputError as error:
            self.show_trouble(f"{error} Runs can be opened (o), prompted and inspected.")
        self.presets.tell_problems()
        self.set_timer(COUNTED_SECONDS, self._begin_counting)
        self.show_state()
        if (run := self._start[2]) is not None:
            self.state.opening = True
            self._load_run(run, resume=False)

    @property
    def state(self) -> RunState:
        return self.controller.state

    @property
    def form(self) -> SetupForm:
        return self.query_one(SetupForm)

    @property
    def prompt(self) -> PromptPane:
        return self.query_one(PromptPane)

    @work(thread=True)
    def _read_corpora(self) -> None:
        from rnnplay.text.corpora.catalogue import list_corpora

        found = [(corpus.name, corpus.card.title or corpus.name) for corpus in list_corpora(self.controller.workspace)]
        self.app.call_from_thread(self.form.set_corpora, found)

    # --- showing the run ----------------------------------------------------------------------------------

    def engine_event(self, event: messages.Event) -> None:
        """What the engine said; answers to prompts at once, the rest at most every UPDATE_SECONDS."""
        match event:
            case messages.Completion():
                asked = self.controller.newest("prompt")
                if isinstance(asked, messages.Complete) and asked.request == event.request:
                    self.prompt.show_completion(asked.text, event)
            case messages.SampleText():
                if self.controller.purpose_of(event.request) == "sample":
                    self.prompt.append_sample(event.text, event.done)
            case messages.Failed():
                if event.command == "train" and not self.controller.running:
                    self.form.config = self.state.config
                self.notify(event.message + _onward(event), severity="error", timeout=12, markup=False)
                self.show_state()
            case messages.Progress():
                self._tell(event.records)
                self._follow(event.records)
                self._show_soon()
            case _:
                self._show_soon()

    def _follow(self, news: list[Record]) -> None:
        """Knobs that the run has set by itself, after a rollback or from a checkpoint, stand in the form too."""
        for record in news:
            if isinstance(record, Tuned) and record.knob not in self.state.pending:
                self.form.follow(record.knob, record.value)

    def _tell(self, news: list[Record]) -> None:
        """What the user is to know at once; of several such records the last."""
        for record in reversed(news):
            if isinstance(record, Notice | Rollback):
                text = record.message if isinstance(record, Notice) else rollback_text(record)
                self.notify(text, title=f"step {record.step:,}", severity="warning", markup=False)
                return

    def _show_soon(self) -> None:
        if not self._update_due:
            self._update_due = True
            self.set_timer(UPDATE_SECONDS, self._show_if_quiet)

    def _show_if_quiet(self) -> None:
        """Between two keys of a typist the charts wait, so that the next key never waits for them."""
        if not self._update_due:
            return
        quiet = monotonic() - self._typed_at
        if quiet < TYPING_SECONDS:
            self.set_timer(TYPING_SECONDS - quiet, self._show_if_quiet)
        else:
            self.show_state()

    def _show_behind_the_echo(self) -> None:
        """While somebody types on and on, the moment after a key was painted is the best one for the charts."""
        if self._update_due and monotonic() - self._shown_at > STALE_SECONDS:
            self.call_after_refresh(self.show_state)

    def show_state(self) -> None:
        """Bring the screen up to date."""
        self._update_due = False
        self._shown_at = monotonic()
        state = self.state
        self._show_parameters()
        if not self._covered:
            self.query_one(StatusLine).show(state, self.form.config)
            self.query_one(TrainingCharts).show(state, self.form.config)
            self.query_one(EventLog).show(state)
        self.lessons.refresh()
        if state.phase is not self._phase_shown:
            self._phase_changed(state.phase)
        if (state.has_model, state.model_coming) != self._model_shown:
            self._model_changed(state.has_model, state.model_coming)
        self._show_forced()
        due = state.phase is Phase.TRAINING and monotonic() - self._asked_at > ASK_AGAIN_SECONDS
        if due and not self._covered:
            self._ask(self.prompt.text)

    @property
    def _covered(self) -> bool:
        """Whether another screen hides this one, which then draws nothing and asks nothing."""
        return self.is_attached and self.app.screen is not self and not self.app.screen.is_modal

    def _show_forced(self) -> None:
        """Say in the prompt's pane what is forced, so that it is never forgotten."""
        forced = self.controller.forced
        if forced != self._forced_shown:
            self._forced_shown = forced
            self.prompt.set_forced(described(forced, self.state.config.layers))
            self.refresh_bindings()

    def _phase_changed(self, phase: Phase) -> None:
        before, self._phase_shown = self._phase_shown, phase
        self.form.training = self.controller.running
        self.query_one("#stop", Button).disabled = not self.controller.running
        self._label_main()
        self.fold()
        if phase is Phase.TRAINING:
            self.show_trouble("")
        if phase is Phase.FINISHED and before in (Phase.TRAINING, Phase.STOPPING):
            finished = words.FINISHED[self._language].format(run=self.state.run, step=self.state.step)
            self.notify(finished, markup=False)
        self.refresh_bindings()

    def _model_changed(self, available: bool, coming: bool) -> None:
        self._model_shown = available, coming
        self.prompt.set_model(available, coming)
        if available:  # what was typed while there was none
            self._ask(self.prompt.text)

    def _label_main(self) -> None:
        label = MAIN_LABELS.get(self.state.phase)
        if label is None:
            label = "◌ Measuring" if self.coach.owed else KEY_LABELS[self.lessons.key]
        sign, _, word = label.partition(" ")
        self.query_one("#main", Button).label = f"{sign} {words.in_language(word, self._language)}"
        self.refresh_bindings()

    def show_trouble(self, text: str) -> None:
        """Show `text` above everything until it is settled; "" hides it."""
        trouble = self.query_one("#trouble", Static)
        trouble.update(text)
        trouble.set_class(bool(text), "shown")

    def _every_second(self) -> None:
        self.lessons.ask()
        waited = self.state.engine_silent or self.state.engine_busy
        self.controller.listen()
        silent = self.state.engine_silent
        if waited or silent or self.state.engine_busy:
            self.query_one(StatusLine).show(self.state, self.form.config)
        if bool(silent) != self._silence_told:
            self._silence_told = bool(silent)
            text = playground_keys.silence_text(self) if silent else ""
            self.show_trouble(text)
            if self._covered and text:
                self.notify(text, severity="error", timeout=12, markup=False)
            self.refresh_bindings()

    def engine_gone(self, ended: EngineExit) -> None:
        """The engine ended by itself: say why, and how to go on."""
        self.prompt.append_sample("", True)
        self._silence_told = False  # what is said now stays
        state = self.state
        text = f"✕ The engine is gone: {ended.cause}."
        if self.controller.resumable(self.form.config):
            at = f" from the checkpoint at step {state.checkpoint_step:,}" if state.checkpoint_step else ""
            text += f" Press t (F5 while typing) to resume {state.run}{at}."
        else:
            text += " It is started again when you train."
        self.show_trouble(text)
        self.show_state()  # the focus stays: the next key of somebody who types must not be a command

    # --- the run --------------------------------------------------------------------------------------------

    @work
    async def begin(
        self,
        resume: bool = False,
        config: RunConfig | None = None,
        variant: str = "",
        checkpoint: str = "latest",
        again: bool = False,
    ) -> None:
        """Start or resume, with an engine if there is none; `variant`: of the lesson, `again` as another try."""
        await self.lessons.measured()
        self.show_trouble("")
        try:
            await self.controller.start_engine()
            if self.controller.running:
                return  # the key was pressed twice
            if resume:
                self.controller.resume(config, checkpoint)
            elif variant:
                self.coach.train(variant, again)
                self.lessons.read(False)
                self.lessons.follow()
            else:
                self.controller.train(self.form.config)
            self.form.config = self.state.config
        except RnnplayError as error:
            self.notify(str(error), severity="error", timeout=12, markup=False)
        except OSError as error:
            self.show_trouble(start_trouble(error))
        self.show_state()

    def action_train(self) -> None:
        """Train, or resume the run in front of the user; in a lesson, train what its next step needs."""
        if not self.controller.running and self.lessons.leads:
            self.run_worker(self.lessons.go_on(), exclusive=True, group="lesson")
            return
        form = self.form.config
        if self._may_begin():
            resume = self.controller.resumable(form)
            self.begin(resume, form if resume else None)

    action_resume = action_look = action_done = action_train

    @work(exclusive=True, group="new")
    async def action_new(self) -> None:
        """Train from the beginning; in a lesson, and while the run in front of the user is unfinished, ask first."""
        sure = self.lessons.may_begin_another if self.coach.need is not None else self._may_leave
        if self._may_begin() and await sure():
            self.begin()

    async def _may_leave(self) -> bool:
        """Whether the run in front of the user, if it is unfinished, is to be left for a new one."""
        from rnnplay.tui.screens.confirm import Confirm

        state = self.state
        if state.run is None or state.phase is Phase.FINISHED or not state.step:
            return True
        question = (
            f"{state.run} is at step {state.step:,} and not finished; t goes on with it. "
            "Train another from the beginning? It stays among the runs (o)."
        )
        return await self.app.push_screen_wait(Confirm("Begin anew", question, "Begin anew", lost=True))

    def _may_begin(self) -> bool:
        if self.form.errors:
            self.notify(next(iter(self.form.errors.values())), severity="error", markup=False)
        return not self.controller.running and not self.form.errors

    def action_main(self, _: bool = False) -> None:
        """The main button: train, pause, continue or resume."""
        if self.controller.running:
            self.action_pause()
        else:
            self.action_train()

    def action_pause(self) -> None:
        if self.state.engine_silent:
            self.controller.wake()
        else:
            self.controller.pause_or_continue()

    action_go_on = action_pause

    def action_stop(self) -> None:
        if self.state.engine_silent:
            question = f"Ending it loses {self.state.at_risk}."
            dialog = Confirm("The engine does not answer", question, "End it", "Wait", lost=True)
            self.app.push_screen(dialog, lambda sure: self.controller.end_engine() if sure else None)
            return
        self.controller.stop()
        self.show_state()

    @on(Button.Pressed, "#main")
    def _main_pressed(self) -> None:
        self.action_main()

    @on(Button.Pressed, "#stop")
    def _stop_pressed(self) -> None:
        self.action_stop()

    def action_runs(self) -> None:
        """Choose among the runs on disk."""
        from rnnplay.tui.screens.runs import RunsScreen  # not before it is asked for

        busy = self.state.run if self.controller.running else None
        self.app.push_screen(RunsScreen(self.controller.workspace, busy), self._choose_run)

    def _choose_run(self, choice: RunChoice | None) -> None:
        if choice is None:
            return
        if self.controller.running:
            self.notify("A run is under way; stop it (x) before going on with another.", severity="warning")
            return
        self.open_run(choice.run, resume=choice.action == "resume")

    @work
    async def open_run(self, run: str, resume: bool = False) -> None:
        """Open a run for prompts, or resume it."""
        await self.lessons.measured()
        self.state.opening = not resume
        self._load_run(run, resume)

    @work(thread=True, exclusive=True, group="load run")
    def _load_run(self, run: str, resume: bool) -> None:
        """Read a run's history, which may be long, and then resume or open it."""
        try:
            loaded = load_run(find_run(run, self.controller.workspace), self.controller.workspace.cache)
        except (RnnplayError, OSError) as error:
            self.app.call_from_thread(self._not_loaded, str(error))
            return
        self.app.call_from_thread(self._run_loaded, run, resume, loaded)

    def _not_loaded(self, reason: str) -> None:
        self.notify(reason, severity="error", markup=False)
        self.state.opening = False
        self.show_state()

    def _run_loaded(self, run: str, resume: bool, loaded: RunState) -> None:
        if run != self.state.run:
            self.controller.release()  # another model need not have what is forced
        self.state.adopt(loaded)
        self.state.opening = not resume
        self.form.config = loaded.config
        self.show_state()
        if resume:
            self.begin(resume=True)
        else:
            self._open(run)

    @work
    async def _open(self, run: str) -> None:
        try:
            await self.controller.start_engine()
        except OSError as error:
            self.show_trouble(start_trouble(error))
            self.state.opening = False
            self.show_state()
        self.controller.open(run)

    def action_go_back(self) -> None:
        """Put the run back to one of its checkpoints; one that is not under way goes on from there."""
        from rnnplay.tui.screens.go_back import GoBackScreen

        if self.state.run is None or self.state.phase is Phase.PREPARING:
            self.notify("There is no run to put back; choose one under Runs (o).", severity="warning")
            return
        try:
            screen = GoBackScreen(find_run(self.state.run, self.controller.workspace))
        except (RnnplayError, OSError) as error:
            self.notify(str(error), severity="error", markup=False)
            return
        self.app.push_screen(screen, self._back_to)

    def _back_to(self, checkpoint: str | None) -> None:
        if checkpoint is None:
            return
        if self.controller.running:
            self.controller.go_back(checkpoint)
        else:
            self.begin(resume=True, checkpoint=checkpoint)

    # --- knobs ----------------------------------------------------------------------------------------------

    def action_switch_clip(self, _: bool = False) -> None:
        """Switch clipping off, or back to what it was."""
        config = self.form.config
        if config.clip != "off":
            self._clip_before = config.clip
        self.form.set_value("clip", "off" if config.clip != "off" else self._clip_before)

    def action_move_threshold(self, direction: int, _: bool = False) -> None:
        """Move the clip threshold one notch."""
        self.form.nudge("clip_threshold", direction)

    # The single keys do the same, where no text is being typed.
    action_clip = action_switch_clip
    action_threshold = action_move_threshold

    @on(SetupForm.Tuned)
    def _tuned(self, event: SetupForm.Tuned) -> None:
        self.controller.tune(event.knob, event.value)
        self._show_soon()

    def _begin_counting(self) -> None:
        from rnnplay.tui.setup.parameter_count import ParameterCount

        self._parameters = ParameterCount(self.controller.workspace)
        self._show_parameters()

    def _show_parameters(self) -> None:
        """How many the model in the form has, on the border of the setup."""
        if self._parameters is None:
            return
        config, started = self.form.config, self.state.started
        text = self._parameters.text(config, self.state.config, started.vocabulary if started else None)
        setup = self.query_one("#setup")
        if setup.border_subtitle != text:
            setup.border_subtitle = text
        if not text and self._parameters.asks(config):
            self._count_parameters(self._parameters, config)

    @work(thread=True, group="vocabulary")
    def _count_parameters(self, parameters: ParameterCount, config: RunConfig) -> None:
        parameters.count(config)
        self.app.call_from_thread(self._show_parameters)

    @on(SetupForm.Changed)
    def _form_changed(self) -> None:
        self._show_parameters()
        self._label_main()
        self._show_soon()

    @on(SetupForm.CorpusFileWanted)
    def action_open_file(self) -> None:
        """Choose a text of one's own."""
        from rnnplay.tui.screens.file_picker import FilePicker

        self.app.push_screen(FilePicker(self.controller.workspace), self._file_picked)

    def _file_picked(self, path: Path | None) -> None:
        if path is not None:
            self.form.set_value("corpus", str(path))

    def action_save_preset(self) -> None:
        """Keep what the form says as a preset of the user's own."""
        self.presets.save()

    # --- prompts --------------------------------------------------------------------------------------------

    @on(PromptPane.Typed)
    def _typed(self, event: PromptPane.Typed) -> None:
        self._typed_at = monotonic()
        self._show_behind_the_echo()
        self._ask(event.text)

    def _ask(self, text: str) -> None:
        if self.state.has_model:
            self._asked_at = monotonic()
            self.controller.complete(text)
        else:
            self.controller.forget("prompt")

    @on(PromptPane.SampleWanted)
    def _sample_wanted(self, event: PromptPane.SampleWanted) -> None:
        if not self.state.has_model:
            self.notify("There is no model yet: press t to train one, or o to open a run.", severity="warning")
            return
        self.prompt.start_sample(event.prompt, self.state.step)
        self.controller.sample(event.prompt, event.sampling)

    @on(PromptPane.CancelWanted)
    def _cancel_wanted(self) -> None:
        self.controller.cancel()

    # --- inspection -----------------------------------------------------------------------------------------

    def action_inspect(self, wanted: int | None = None) -> None:
        """Look into the model, by the view wanted, or else the one that is next."""
        from rnnplay.tui.screens.inspect import InspectScreen  # not before it is asked for

        view, text = self.lessons.looked_at(self._inspected, self.prompt.text)
        view = view if wanted is None else wanted
        screen = InspectScreen(self.controller, self.form.config, text, view, self.action_move_threshold, self.coach)
        self.app.push_screen(screen, self._inspection_left)

    def _inspection_left(self, view: int | None) -> None:
        self._inspected = view or 0
        self.show_state()
        self._ask(self.prompt.text)

    # --- lessons --------------------------------------------------------------------------------------------

    def action_lessons(self) -> None:
        """Choose a lesson; where its page has given way to the charts, come back to it."""
        self.lessons.choose()

    async def action_close_lesson(self) -> None:
        """Put the lesson's page away."""
        await self.lessons.close()

    def on_lesson_pane_left(self) -> None:
        self.lessons.read(False)

    def on_lesson_pane_variant_wanted(self, event: LessonPane.VariantWanted) -> None:
        """Train one of the lesson's models."""
        if self.controller.running:
            self.notify(words.RUNNING[self.coach.language], severity="warning")
        else:
            self.begin(variant=event.variant)

    def action_answer(self) -> None:
        """Open or fold the answer to the lesson's question."""
        self.lessons.answer()

    @property
    def active_bindings(self) -> dict[str, ActiveBinding]:
        """For the footer, in the lesson's language."""
        return words.footer_in(super().active_bindings, self._language)

    @property
    def _language(self) -> Language:
        return self.coach.language if self.coach.lesson is not None else "en"

    def action_release(self) -> None:
        """Force nothing in the model any more."""
        self.controller.release()
        self.show_state()
        self._ask(self.prompt.text)

    # --- the rest -------------------------------------------------------------------------------------------

    def action_prompt(self) -> None:
        self.prompt.focus_input()

    def action_row(self, direction: int) -> None:
        """From the buttons into the form, which they stand under."""
        self.form.action_row(direction)

    def action_leave_field(self) -> None:
        """Give the single keys back to the screen."""
        self.query_one(TrainingCharts).focus_first()

    def help_shown(self, shown: bool) -> None:
        """Where it is narrow, only the side with the focus stays beside the help."""
        setup = self.query_one("#setup")
        self._beside_help = setup.has_focus_within if shown else None
        self.fold()

    def action_setup(self) -> None:
        self._folded = not self.query_one("#setup").has_class("folded")
        if self._beside_help is not None:
            self._beside_help = not self._folded
        self.fold()
        if not self._folded:
            self.query_one("#main", Button).focus()

    def on_resize(self) -> None:
        self.fold()
        self.query_one(KeyRow).compact = self.size.width < ROOMY

    def fold(self) -> None:
        """Give the room to what is used: setup, lesson, charts."""
        folded, narrow = self._folded, self.size.width < NARROW
        if folded is None:
            # Once there is a run the charts keep the room, so that they do not jump when it ends.
            folded = (narrow and self.state.run is not None) or self.coach.lesson is not None
        if narrow and self._beside_help is not None:
            folded = not self._beside_help
        setup = self.query_one("#setup")
        alone = narrow and self._beside_help is not None and not folded
        setup.set_class(alone, "alone")
        reading = self.lessons.fold(narrow)
        charts = self.query_one("#work")
        if charts.display == (alone or reading):
            charts.display = not charts.display
            self.refresh_bindings()  # without a prompt to be seen, its key is of no use
        if folded and setup.has_focus_within:
            self.query_one(TrainingCharts).focus_first()
        setup.set_class(folded, "folded")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys that would do nothing are not shown in the footer."""
        return playground_keys.is_of_use(self, action, parameters)

    def commands(self) -> Iterable[SystemCommand]:
        """For the command palette."""
        return playground_keys.commands(self)


def _onward(event: messages.Failed) -> str:
    """Which key does what the message advises."""
    if event.instead is not None:
        return f" Press b to go back to the one at step {event.instead:,}."
    return " Press b once more to resume it from there." if event.command == "go_back" else ""
