"""Shows the run in front in the widgets of the playground."""

from __future__ import annotations

from time import monotonic

from textual.screen import Screen

from rnnplay.config import SamplingConfig
from rnnplay.engine import messages
from rnnplay.engine.client import EngineExit
from rnnplay.inspection.results import Forced
from rnnplay.lessons.languages import Language
from rnnplay.runs.metrics.event_text import event_text
from rnnplay.runs.metrics.records import Finished, Notice, Record, Rollback
from rnnplay.runs.samples.written import Written
from rnnplay.tui.followed_run import Kind, Turn, ended_text
from rnnplay.tui.inspection.forcing import described
from rnnplay.tui.keymap import KEYS
from rnnplay.tui.lessons import lesson_words as words
from rnnplay.tui.lessons.lesson_progress import LessonProgress
from rnnplay.tui.overlay import Overlay
from rnnplay.tui.pacing import UPDATE_SECONDS, Repaints
from rnnplay.tui.prompt.prompt_pane import PromptPane
from rnnplay.tui.prompt.suggestions import reading_text
from rnnplay.tui.run_controller import RunController
from rnnplay.tui.run_controllers import RunControllers
from rnnplay.tui.run_state import Phase
from rnnplay.tui.screens.playground import keys
from rnnplay.tui.screens.playground.layout import PlaygroundLayout
from rnnplay.tui.screens.playground.lesson_actions import LessonActions, action_of_t
from rnnplay.tui.screens.playground.race_actions import RaceActions
from rnnplay.tui.setup.setup_form import SetupForm
from rnnplay.tui.setup.setup_pane import SetupPane
from rnnplay.tui.widgets.status_line import StatusLine, behind_text
from rnnplay.tui.widgets.text import Banner
from rnnplay.tui.widgets.training_charts import TrainingCharts
from rnnplay.tui.writing.keeping import SampleKeeper

ASK_AGAIN_SECONDS = 1.0
"""Time between two completions of the same prompt while training changes the weights."""


class RunDisplay:
    """Updates the widgets of one playground."""

    def __init__(
        self,
        screen: Screen[None],
        controllers: RunControllers,
        lesson_progress: LessonProgress,
        lessons: LessonActions,
        layout: PlaygroundLayout,
        races: RaceActions,
        overlay: Overlay,
    ) -> None:
        self._screen, self._controllers = screen, controllers
        self._lesson_progress, self._lessons, self._layout = lesson_progress, lessons, layout
        self._races, self._overlay = races, overlay
        self._repaints = Repaints()
        self._keeper = SampleKeeper()
        self._asked_at = 0.0
        """When the last completion was requested."""
        self._phase: Phase | None = None
        self._model: tuple[bool, bool, bool] | None = None
        self._opened: messages.Opened | None = None
        self._forced: tuple[Forced, ...] = ()
        self._read = 1.0
        """The fraction of the prompt that the last answer was by."""
        self._silence_reported = False
        self._language: Language | None = None
        """The language of the titles shown."""

    @property
    def _controller(self) -> RunController:
        return self._controllers.front

    @property
    def _form(self) -> SetupForm:
        return self._screen.query_one(SetupForm)

    @property
    def _prompt(self) -> PromptPane:
        return self._screen.query_one(PromptPane)

    def _say(self, text: str) -> None:
        self._screen.query_one(Banner).say(text)

    # --- what its engine says -------------------------------------------------------------------------------

    def take(self, message: RunController.EngineMessage) -> None:
        """Handles a message about the engine of the run in front."""
        match message:
            case RunController.EventReceived():
                self._event_received(message.event)
            case RunController.EngineEnded():
                self._engine_ended(message.ended)
            case RunController.EngineStartFailed():
                self._say(message.why)

    def take_behind(self, message: RunController.EngineMessage) -> None:
        """Tells the user what has become of a run that trains behind the one in front."""
        state, text, severity = message.controller.state, "", "information"
        match message:
            case RunController.EventReceived(event=messages.Progress(records=found)):
                text = next(
                    (ended_text(state, KEYS.other_run) for record in found if isinstance(record, Finished)),
                    "",
                )
            case RunController.EventReceived(event=messages.Failed(command="train" | "step") as failed):
                text, severity = f"{state.run or 'The run behind'}: {failed.message}", "error"
            case RunController.EngineEnded():
                text = f"The engine of {state.run} is gone: {message.ended.cause}. "
                text += f"{KEYS.other_run} shows the run; {KEYS.train} then resumes it."
                severity = "error"
        if text:
            self._screen.notify(text, severity=severity, timeout=10, markup=False)  # type: ignore[arg-type]
        self._show_status()

    def followed(self, turns: list[Turn]) -> None:
        """Shows what has changed in a run that another process trains."""
        for turn in turns:
            match turn.kind:
                case Kind.LEFT | Kind.GONE | Kind.TROUBLE:
                    self._say(f"✕ {turn.text}")
                case _:
                    if turn.kind in (Kind.BEGUN, Kind.READ_AGAIN):
                        self._say("")
                    self._screen.notify(turn.text, timeout=10, markup=False)
        self.show_soon()

    def _event_received(self, event: messages.Event) -> None:
        """Shows answers to prompts at once, other events at most every UPDATE_SECONDS."""
        match event:
            case messages.Completion():
                asked = self._controller.requests.newest("prompt")
                if isinstance(asked, messages.Complete) and asked.request == event.request:
                    self._prompt.show_completion(asked.text, event)
                    if event.adapted is not None or self._read != event.read:
                        self._read = event.read
                        self.show_soon()
            case messages.SampleText():
                if self._controller.requests.purpose_of(event.request) == "sample":
                    self._keeper.take(event.text, event.done)
                    self._prompt.append_sample(event.text, event.done)
            case messages.Failed(extendable=True):
                self.show()  # RunActions asks what to do
            case messages.Failed(command="open") if self._reopened or self._controller.lending:
                pass  # the newest checkpoint of a followed run was removed; the one before, or another model, answers
            case messages.Failed() if event.command != "inspect":
                self._screen.notify(keys.failure_text(event), severity="error", timeout=12, markup=False)
                self.show()
            case messages.Inspected() | messages.Failed():
                pass  # handled by the inspection
            case messages.Progress():
                self._notify_of(event.records)
                self.show_soon()
            case _:
                self.show_soon()

    @property
    def _reopened(self) -> bool:
        """Whether the run was opened before and is now read again with a newer checkpoint."""
        return self._controller.followed is not None and self._controller.state.opened is not None

    def _notify_of(self, news: list[Record]) -> None:
        """Notifies the user of the last warning among `news`."""
        for record in reversed(news):
            if isinstance(record, Notice | Rollback):
                self._screen.notify(event_text(record), title=f"step {record.step:,}", severity="warning", markup=False)
                return

    def _engine_ended(self, ended: EngineExit) -> None:
        """Reports why the engine ended and how to continue.

        The focus stays, as the next key of a typist must not be a command.
        """
        self._prompt.append_sample("", True)
        self._silence_reported = False  # so that this message is not cleared
        controller = self._controller
        self._say(keys.ended_text(controller, ended, controller.resumable(self._form.config)))
        self.show()

    def every_second(self) -> None:
        """Checks whether the engines answer, reports it, and asks the lesson's questions."""
        self._lessons.ask()
        controller = self._controller
        waited = controller.engine_silent or controller.engine_busy
        self._controllers.listen()
        silent = bool(controller.engine_silent)
        if any(
            (waited, silent, controller.engine_busy, controller.followed, self._controllers.others, self._races.text)
        ):
            self._show_status()
        if silent != self._silence_reported:
            self._silence_reported = silent
            text = keys.silence_text(controller) if silent else ""
            self._say(text)
            if self._covered and text:
                self._screen.notify(text, severity="error", timeout=12, markup=False)
            self._screen.refresh_bindings()

    def _show_status(self) -> None:
        translated = words.translation(self._lesson_progress.shown_language)
        others = behind_text([one.state for one in self._controllers.others if one.running])
        line = self._screen.query_one(StatusLine)
        line.show(self._controller, self._form.config, translated, translated(self._races.text), others)

    def _translate(self) -> None:
        """Shows the titles in the lesson's language."""
        if (language := self._lesson_progress.shown_language) != self._language:
            self._language = language
            self._screen.query_one(TrainingCharts).translate(words.translation(language))
            self._prompt.translate(words.translation(language))

    # --- showing it -----------------------------------------------------------------------------------------

    def show_soon(self) -> None:
        """Schedules an update of the screen."""
        if self._repaints.news():
            self._screen.set_timer(UPDATE_SECONDS, self._show_if_quiet)

    def _show_if_quiet(self) -> None:
        if wait := self._repaints.wait():
            self._screen.set_timer(wait, self._show_if_quiet)
        elif wait is not None:
            self.show()

    def show(self) -> None:
        """Updates the screen."""
        self._repaints.painted()
        self._translate()
        controller, state, covered = self._controller, self._controller.state, self._covered
        self._screen.query_one(SetupPane).show(state, covered=covered)
        if not covered:
            self._show_status()
            overlaid = self._overlay.behind(state.run)
            self._screen.query_one(TrainingCharts).show(state, self._form.config, overlaid)
        self._lessons.refresh()
        if state.phase is not self._phase:
            self._phase_changed(state.phase)
        model = (state.has_model, state.model_coming, state.unloadable)
        if model != self._model or state.opened != self._opened:
            self._model, self._opened = model, state.opened
            self._prompt.set_model(*self._model)
            if state.has_model:  # complete what was typed before there was this model
                self._ask(self._prompt.text)
        source, onward = f"the checkpoint at step {state.model_step:,} answers", ""
        if state.lent:
            source = f"{state.model_run} at step {state.model_step:,}" if state.model_run else "shipped model"
            if state.next_branch is None:
                onward = f"{KEYS.train} trains a new one, {KEYS.go_back} trains on from this"
        elif state.model_coming:
            source = "the model is on its way"
        elif not (state.followed and state.has_model):
            source = ""
        self._prompt.set_source(reading_text(controller.adapted, controller.read), source, onward)
        if controller.forced != self._forced:  # shown at the prompt, so that the user cannot forget it
            self._forced = controller.forced
            self._prompt.set_forced(described(self._forced, state.config.layers))
            self._screen.refresh_bindings()
        due = state.phase is Phase.TRAINING and monotonic() - self._asked_at > ASK_AGAIN_SECONDS
        if due and not covered:
            self._ask(self._prompt.text)

    @property
    def _covered(self) -> bool:
        """Whether another screen hides this one, which then neither draws nor asks."""
        screen = self._screen
        return screen.is_attached and screen.app.screen is not screen and not screen.app.screen.is_modal

    def _phase_changed(self, phase: Phase) -> None:
        before, self._phase = self._phase, phase
        state = self._controller.state
        self.label_main()
        self._layout.apply()
        if phase is Phase.TRAINING:
            self._say("")
        if phase is Phase.FINISHED and before in (Phase.TRAINING, Phase.STOPPING):
            finished = words.FINISHED[self._lesson_progress.shown_language]
            self._screen.notify(finished.format(run=state.run, step=state.step), markup=False)
        self._screen.refresh_bindings()

    def action_of_t(self) -> str:
        """Returns the name of the action that t performs."""
        return action_of_t(self._lesson_progress, self._form.config)

    def label_main(self) -> None:
        """Updates the label of the main button, which names the action of t."""
        label = keys.main_label(self._controller.state.phase, self._lesson_progress.measuring, self.action_of_t)
        sign, _, word = label.partition(" ")
        word = words.in_language(word, self._lesson_progress.shown_language)
        self._screen.query_one(SetupPane).label_main(f"{sign} {word}")
        self._screen.refresh_bindings()

    def switched(self) -> None:
        """Redraws everything for another run in front, without reporting its earlier changes."""
        self._phase = self._model = None
        self._silence_reported = False
        self._say("")
        self._prompt.append_sample("", True)
        self._prompt.clear_completion()  # of another model
        self.show()

    # --- prompts --------------------------------------------------------------------------------------------

    def typed(self, text: str) -> None:
        """Handles a change of the prompt."""
        if self._repaints.typed():
            self._screen.call_after_refresh(self.show)
        self._ask(text)

    def _ask(self, text: str) -> None:
        """Requests a completion of `text`, if there is a model."""
        if self._controller.state.has_model:
            self._asked_at = monotonic()
            self._controller.complete(text)
        else:
            self._controller.requests.drop("prompt")

    def look_again(self) -> None:
        """Completes the prompt again, because the model has changed or another screen was in front."""
        self._prompt.clear_completion()
        self.show()
        self._ask(self._prompt.text)

    def draw_sample(self, text: str, sampling: SamplingConfig) -> None:
        """Generates a sample that continues `text`."""
        state = self._controller.state
        if not state.has_model:
            none = f"There is no model yet: press {KEYS.train} to train one, or {KEYS.runs} to open a run."
            self._screen.notify(none, severity="warning")
            return
        self._prompt.start_sample(text, state.model_step)
        folder = self._controllers.workspace.checkpoints / state.model_run if state.model_run else None
        self._keeper.start(folder, text, sampling, state.model_step)
        self._controller.sample(text, sampling)

    def take_written(self, one: Written | None) -> None:
        """Puts the prompt and the settings of a sample into the prompt pane, so that Enter draws it again."""
        self.look_again()
        if one is not None:
            self._prompt.sampling, self._prompt.text = one.sampling, one.prompt
            self._prompt.focus_input()
