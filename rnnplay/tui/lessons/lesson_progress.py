"""The current lesson: trains its variants, requests the measurements of its conditions, and ticks its steps."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Literal, NamedTuple

from textual.message import Message

from rnnplay.engine import messages
from rnnplay.errors import InputError
from rnnplay.inspection.results import Completed, ForcedCompletion
from rnnplay.lessons.languages import Language
from rnnplay.lessons.measurements import Judged, Measurements
from rnnplay.lessons.progress import load_progress, save_progress
from rnnplay.lessons.reader import page
from rnnplay.runs.metrics.records import Finished
from rnnplay.tui.lessons import lesson_words as words
from rnnplay.tui.lessons.lesson_questions import LessonQuestions
from rnnplay.tui.lessons.lesson_session import LessonSession
from rnnplay.tui.run_controller import Post, RunController
from rnnplay.tui.run_controllers import RunControllers

if TYPE_CHECKING:
    from rnnplay.lessons.lesson import Lesson, Page, Step

LESSON_VIEWS = {"gradient": "gradients", "distance": "distances"}
"""The lessons' names of views, where they differ from the views' own."""


class Need(NamedTuple):
    """What the first open step of a lesson needs."""

    what: Literal["train", "again", "resume", "open", "look"]
    """Train the variant; train it again, as its measurements do not meet the step's condition; resume its stopped run;
    open its run; or look at the step's view."""
    variant: str
    step: int
    """Index of the step."""


class LessonProgress:
    """Follows the engines' messages, measures the current lesson, and tells the screens what it needs."""

    @dataclass
    class Ticked(Message, bubble=False):
        """A step of the lesson (index from 0) has ticked."""

        step: int

    def __init__(
        self, controllers: RunControllers, post: Post, language: Language, path: Path, chosen_language: str = ""
    ) -> None:
        """Messages about the lesson go to `post`; the progress is saved in the file `path`."""
        self._controllers, self._post = controllers, post
        self.language = language
        """The language of the interface during lessons."""
        self.chosen_language = chosen_language
        """The one that the user has chosen; "" if `language` is that of the locale."""
        self.lesson: Lesson | None = None
        self.page: Page | None = None
        self.ticks = load_progress(path)
        self._path = path
        self._sessions: dict[str, LessonSession] = {}
        """By name of the lesson."""
        self._questions = LessonQuestions(post)
        self._shown_view: tuple[str, str] = ("", "")
        """The lessons' name of the view shown to the user, and its quantity."""

    @property
    def controller(self) -> RunController:
        """The controller of the run in front."""
        return self._controllers.front

    @property
    def shown_language(self) -> Language:
        """The language of the screen: the lesson's, or English without a lesson."""
        return self.language if self.lesson is not None else "en"

    def translated(self, text: str) -> str:
        """Returns `text` in the language of the screen."""
        return words.in_language(text, self.shown_language)

    def open(self, lesson: Lesson) -> None:
        """Opens `lesson`, or shows it in another language."""
        self._sessions.setdefault(lesson.name, LessonSession(lesson))
        self.lesson, self.page = lesson, page(lesson, self.language)

    def close(self) -> None:
        """Closes the lesson; its ticks stay."""
        self.lesson = self.page = None

    @property
    def measurements(self) -> Measurements:
        """The measurements of the lesson's variants."""
        return self._sessions[self.lesson.name].measurements if self.lesson is not None else Measurements()

    @property
    def variant(self) -> str | None:
        """The variant of the run in front, if it belongs to the lesson."""
        run = self.controller.state.run or ""
        return self._sessions[self.lesson.name].runs.get(run) if self.lesson is not None else None

    def _session_of(self, controller: RunController) -> tuple[LessonSession, str] | None:
        """Returns the session and variant of the run of `controller`, perhaps of a lesson not open now."""
        run = controller.state.run or ""
        return next(((session, session.runs[run]) for session in self._sessions.values() if run in session.runs), None)

    @property
    def next_step(self) -> int | None:
        """Index of the first step that is not ticked; None if all are."""
        if self.lesson is None:
            return None
        done = self.ticks.done(self.lesson)
        return next((step for step in range(len(self.lesson.steps)) if step not in done), None)

    @property
    def need(self) -> Need | None:
        """What the first open step needs; None without a lesson or an open step."""
        number = self.next_step
        if self.lesson is None or number is None:
            return None
        step = self.lesson.steps[number]
        for variant in step.variants:
            if not self._sessions[self.lesson.name].trained(variant):
                resumes = variant == self.variant and self.controller.resumable(self.controller.state.config)
                return Need("resume" if resumes else "train", variant, number)
        has_model = self.controller.state.has_model
        for judged in self.measurements.judge_step(step):
            if not judged.holds and not (judged.measured is None and step.view == "what if"):
                # What could not be measured because the engine or the program ended may be measured now.
                unknown = [
                    variant
                    for variant in judged.condition.variants
                    if judged.measured is None and variant != self.variant
                ]
                if judged.measured is None and (unknown or not has_model):
                    return Need("open", (unknown or judged.condition.variants)[0], number)
                return Need("again", judged.condition.variant, number)
        here = self.variant in step.variants and has_model
        return Need("look" if here else "open", step.variants[0], number)

    @property
    def next_variant(self) -> str | None:
        """The variant to train next; None if training is not what is needed."""
        need = self.need
        return need.variant if need is not None and need.what in ("train", "again", "resume") else None

    def run_of(self, variant: str) -> str | None:
        """Returns the latest run of the variant."""
        return self._sessions[self.lesson.name].run_of(variant) if self.lesson is not None else None

    def train(self, variant: str, again: bool = False) -> str:
        """Starts the variant's run, with another seed if `again`; returns its name.

        Raises RnnplayError if that fails.
        """
        assert self.lesson is not None
        session = self._sessions[self.lesson.name]
        if again:
            session.seeds[variant] = session.seeds.get(variant, self.lesson.config(variant).seed) + 1
        config = self.lesson.config(variant, session.seeds.get(variant))
        branch = None
        if origin := self.lesson.variants[variant].branch:
            if (parent := session.run_of(origin)) is None or not session.trained(origin):
                title = self.lesson.title_of(origin, self.language)
                raise InputError(words.BRANCH_LATER[self.language].format(variant=title))
            branch = messages.BranchFrom(checkpoint=parent, extend_vocabulary=True)
        run = self.controller.train(config, f"lesson-{self.lesson.number}-{variant}", branch)
        session.measurements.begin(variant)
        self.ticks.begin(self.lesson)
        session.began[run] = monotonic()
        save_progress(self.ticks, self._path)
        session.runs = {name: of for name, of in session.runs.items() if of != variant} | {run: variant}
        session.paces.clear()
        return run

    def text_for(self, view: str) -> str:
        """Returns the lesson's text for the inspection view `view`; "" without a lesson."""
        probe = self.lesson.probe if self.lesson is not None else None
        return "" if probe is None else probe.prompt if view == "what if" else probe.text.strip()

    def quantity_for(self, view: str) -> str:
        """Returns the quantity in `view` (its own name) that the next step is about; "" if there is none."""
        number = self.next_step
        if self.lesson is None or number is None:
            return ""
        step, probe = self.lesson.steps[number], self.lesson.probe
        if view == "what if":
            return probe.forced[0].quantity if probe.forced else ""
        return step.quantity if step.view == LESSON_VIEWS.get(view, view) else ""

    def set_view(self, view: str, quantity: str) -> None:
        """Records the view shown to the user; "" for none."""
        self._shown_view = LESSON_VIEWS.get(view, view), quantity
        if view and self.lesson is not None:
            self._tick(self._sessions[self.lesson.name])

    def _is_shown(self, session: LessonSession, step: Step) -> bool:
        """Whether the view that `step` asks for is shown, or it asks for none."""
        here = session.lesson is self.lesson and self.variant in step.variants
        return not step.look or (here and self._shown_view == (step.view, step.quantity or self._shown_view[1]))

    # --- what the engine says -------------------------------------------------------------------------------

    def take(self, message: RunController.EngineMessage) -> None:
        """Takes measurements from an engine's message, and ticks the steps whose conditions hold."""
        controller = message.controller
        if not isinstance(message, RunController.EventReceived) or (under_way := self._session_of(controller)) is None:
            return
        event = message.event
        session, variant = under_way
        length = session.length(variant)
        purpose = controller.requests.purpose_of(getattr(event, "request", 0))
        match event:
            case messages.Progress():
                for record in event.records:
                    if record.step <= length:
                        session.measurements.take(variant, record)
                if any(isinstance(record, Finished) and record.step <= length for record in event.records):
                    if (began := session.began.pop(controller.state.run or "", None)) is not None:
                        self.ticks.spend(session.lesson, monotonic() - began)
                        save_progress(self.ticks, self._path)
                    self._questions.ask_of_last_step(controller, session, variant)
            case messages.Inspected() if purpose.startswith("lesson "):
                if event.result.run != controller.state.run or event.result.step > length:
                    return
                session.measurements.take(variant, event.result)
                session.paces[purpose].answered(event.seconds)
                if event.result.step in (0, controller.state.step):
                    self._questions.answered(purpose)
            case messages.Completion() if event.forced is not None and event.step <= length:
                if not session.is_prompt(controller.requests.newest(purpose), controller.forced):
                    return
                untouched = Completed(suggestion=event.suggestion, next=event.next)
                run = controller.state.run or ""
                found = ForcedCompletion(run=run, step=event.step, untouched=untouched, forced=event.forced)
                session.measurements.take(variant, found)
            case messages.Opened():
                self._questions.ask_of_last_step(controller, session, variant)
            case messages.Failed() if purpose.startswith("lesson "):
                session.paces[purpose].answered()
                self._questions.answered(purpose)
                return
            case _:
                return
        self._tick(session)

    def _tick(self, session: LessonSession) -> None:
        for number, step in enumerate(session.lesson.steps):
            holds = session.measurements.holds(step) and self._is_shown(session, step)
            if holds and self.ticks.tick(session.lesson, number):
                save_progress(self.ticks, self._path)
                if session.lesson is self.lesson:
                    self._post(self.Ticked(number))

    # --- asking ---------------------------------------------------------------------------------------------

    @property
    def measuring(self) -> bool:
        """Whether a finished run is still being measured."""
        return self.lesson is not None and self._questions.measures(self.controller)

    def value_text(self, judged: Judged) -> str:
        """Returns the measured value; or a placeholder, which says so if the measurement is under way."""
        if judged.measured is not None:
            return f"{judged.measured:.3g}"
        under_way = self.measuring and self.variant in judged.condition.variants
        return words.MEASURING[self.language] if under_way else "…"

    def ask(self, now: float) -> None:
        """Asks for the measurements of the run in front that are due."""
        under_way = self._session_of(self.controller)
        if self.lesson is not None and under_way is not None and self.controller.state.has_model:
            self._questions.ask_what_is_due(self.controller, *under_way, now)
