"""The current lesson: trains its variants, requests the measurements of its conditions, and ticks its steps."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Literal, NamedTuple

from textual.message import Message

from rnnplay.engine import messages
from rnnplay.errors import InputError
from rnnplay.inspection.questions import (
    GradientsQuestion,
    Question,
    WhatIfQuestion,
)
from rnnplay.inspection.results import Completed, ForcedCompletion
from rnnplay.lessons.languages import Language
from rnnplay.lessons.measurements import Judged, Measurements, questions
from rnnplay.lessons.progress import load_progress, save_progress
from rnnplay.lessons.reader import page
from rnnplay.runs.metrics.records import Finished
from rnnplay.tui.lessons import lesson_words as words
from rnnplay.tui.pacing import Pace
from rnnplay.tui.run_controller import Post, RunController
from rnnplay.tui.run_controllers import RunControllers
from rnnplay.tui.run_state import Phase

if TYPE_CHECKING:
    from rnnplay.lessons.lesson import Lesson, Page, Step

ASK_SECONDS = 3.0
"""Seconds between two questions of one kind during training."""
ENGINE_FRACTION = 0.02
"""Fraction of the engine's time that each kind of question may take."""

MEASURING_SECONDS = 20.0
"""Longest time that measurements of a finished run are awaited; the engine may be unable to answer."""

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


class LessonSession:
    """What was done in one lesson since the program started; kept while another lesson is open."""

    def __init__(self, lesson: Lesson) -> None:
        self.lesson = lesson
        self.measurements = Measurements()
        self.runs: dict[str, str] = {}
        """The variant of each run."""
        self.began: dict[str, float] = {}
        """When each run was started, until it is over."""
        self.paces: dict[str, Pace] = {}
        """The pace of each kind of question."""
        self.seeds: dict[str, int] = {}
        """The last seed of each variant that was trained again."""


class LessonProgress:
    """Follows the engines' messages, measures the current lesson, and tells the screens what it needs."""

    @dataclass
    class Ticked(Message, bubble=False):
        """A step of the lesson (index from 0) has ticked."""

        step: int

    class MeasuringChanged(Message, bubble=False):
        """The measuring of a finished run has begun or ended."""

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
        self._pending: set[str] = set()
        self._measuring: tuple[str, float] = ("", 0.0)
        """The run being measured, and the time at which waiting for it ends."""
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
            if not self._trained(variant):
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

    def _trained(self, variant: str) -> bool:
        """Whether the variant's run has reached its end without being stopped."""
        finished = self.measurements.of(variant).finished
        return finished is not None and finished.reason != "stopped"

    def run_of(self, variant: str) -> str | None:
        """Returns the latest run of the variant."""
        runs = self._sessions[self.lesson.name].runs if self.lesson is not None else {}
        return next((run for run, of in runs.items() if of == variant), None)

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
            if (parent := self.run_of(origin)) is None or not self._trained(origin):
                title = self.lesson.title_of(origin, self.language)
                raise InputError(words.BRANCH_LATER[self.language].format(variant=title))
            branch = messages.BranchFrom(checkpoint=parent, extend_vocabulary=True)
        run = self.controller.train(config, f"lesson-{self.lesson.number}-{variant}", branch)
        session.measurements.begin(variant)
        self.ticks.begin(self.lesson)
        session.began[run] = monotonic()
        save_progress(self.ticks, self._path)
        session.runs = {name: of for name, of in session.runs.items() if of != variant} | {run: variant}
        session.paces = {}
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
        length = _length(session.lesson, variant)
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
                    self._measure_last_step(controller, session, variant)
            case messages.Inspected() if purpose.startswith("lesson "):
                pace = session.paces.get(purpose)
                if event.result.run != controller.state.run or event.result.step > length:
                    return
                session.measurements.take(variant, event.result)
                if pace is not None:
                    pace.answered(event.seconds)
                if event.result.step in (0, controller.state.step):
                    self._answered(purpose)
            case messages.Completion() if event.forced is not None and event.step <= length:
                if not _is_lesson_prompt(controller, session.lesson, controller.requests.newest(purpose)):
                    return
                untouched = Completed(suggestion=event.suggestion, next=event.next)
                run = controller.state.run or ""
                found = ForcedCompletion(run=run, step=event.step, untouched=untouched, forced=event.forced)
                session.measurements.take(variant, found)
            case messages.Opened():
                self._measure_last_step(controller, session, variant)
            case messages.Failed() if purpose.startswith("lesson "):
                if (pace := session.paces.get(purpose)) is not None:
                    pace.answered()
                self._answered(purpose)
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
        run, until = self._measuring
        state, engine = self.controller.state, self.controller.engine
        there = self.lesson is not None and state.run == run and state.has_model
        return bool(self._pending) and there and engine is not None and engine.alive and monotonic() < until

    def value_text(self, judged: Judged) -> str:
        """Returns the measured value; or a placeholder, which says so if the measurement is under way."""
        if judged.measured is not None:
            return f"{judged.measured:.3g}"
        under_way = self.measuring and self.variant in judged.condition.variants
        return words.MEASURING[self.language] if under_way else "…"

    def _measure_last_step(self, controller: RunController, session: LessonSession, variant: str) -> None:
        """Requests at once everything not yet measured of the run's last weights."""
        state = controller.state
        finished = session.measurements.of(variant).finished
        if state.run is None or finished is None or finished.reason == "stopped":
            return
        known = session.measurements.of(variant)
        self._measuring = state.run, monotonic() + MEASURING_SECONDS
        self._pending = set()
        for purpose, question in _questions(session.lesson, variant).items():
            if not known.knows(question, state.step):
                self._pending.add(purpose)
                self._ask(controller, session, purpose, question, monotonic())
        if self._pending:
            self._post(self.MeasuringChanged())

    def _answered(self, purpose: str) -> None:
        if purpose in self._pending:
            self._pending.discard(purpose)
            if not self._pending:
                self._post(self.MeasuringChanged())

    def _ask(
        self, controller: RunController, session: LessonSession, purpose: str, question: Question, now: float
    ) -> None:
        controller.inspect(question, purpose)
        session.paces.setdefault(purpose, Pace(ASK_SECONDS, ENGINE_FRACTION)).asked(now)

    def ask(self, now: float) -> None:
        """Requests the measurements that are due, each kind at its own pace, whatever view is shown."""
        under_way, state = self._session_of(self.controller), self.controller.state
        if self.lesson is None or under_way is None or not state.has_model:
            return
        session, variant = under_way
        if state.step > _length(session.lesson, variant):
            return
        over = state.phase in (Phase.FINISHED, Phase.STOPPED)
        known = session.measurements.of(variant)
        for purpose, question in _questions(session.lesson, variant).items():
            pace = session.paces.setdefault(purpose, Pace(ASK_SECONDS, ENGINE_FRACTION))
            is_known = known.knows(question, state.step)
            initial = isinstance(question, GradientsQuestion) and question.initial
            if not (initial and is_known) and pace.due(now, moved=not over or not is_known, training=not over):
                self._ask(self.controller, session, purpose, question, now)


def _is_lesson_prompt(controller: RunController, lesson: Lesson, asked: messages.Command | None) -> bool:
    """Whether the request was for the lesson's prompt with the lesson's forced quantities."""
    probe = lesson.probe
    prompt = isinstance(asked, messages.Complete) and asked.text == probe.prompt
    return prompt and list(controller.forced) == list(probe.forced)


def _length(lesson: Lesson, variant: str) -> float:
    """Returns the last step that counts: a run extended beyond the lesson's length is not measured."""
    return lesson.config(variant).steps or math.inf


def _questions(lesson: Lesson, variant: str) -> dict[str, Question]:
    """Returns the questions that the conditions on `variant` need, by purpose; the user chooses what to force."""
    asked = questions(lesson, variant).items()
    return {f"lesson {name}": one for name, one in asked if not isinstance(one, WhatIfQuestion)}
