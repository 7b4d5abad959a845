"""The lesson under way: trains its variants, has measured what its conditions need, and ticks its steps."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Literal, NamedTuple

from textual.message import Message

from rnnplay.engine import messages
from rnnplay.inspection.questions import (
    ClippingQuestion,
    DistancesQuestion,
    GatesQuestion,
    GradientsQuestion,
    PredictionsQuestion,
    Question,
    WhatIfQuestion,
)
from rnnplay.inspection.results import Completed, ForcedCompletion, Result
from rnnplay.lessons.languages import Language
from rnnplay.lessons.measurements import Measurements, questions
from rnnplay.lessons.observations import Observations
from rnnplay.lessons.progress import load_progress, save_progress
from rnnplay.lessons.reader import page
from rnnplay.runs.records import Finished
from rnnplay.tui.pacing import Pace
from rnnplay.tui.run_controller import Post, RunController, RunControllers
from rnnplay.tui.run_state import Phase

if TYPE_CHECKING:
    from rnnplay.lessons.lesson import Condition, Lesson, Page, Step

ASK_SECONDS = 3.0
"""Between two inspections of one kind while training moves on."""
ENGINE_FRACTION = 0.02
"""Of the engine's time that each kind may take."""

MEASURING_SECONDS = 20.0
"""What a finished run owes is waited for no longer: the engine may be unable to answer."""

LESSON_VIEWS = {"gradient": "gradients", "distance": "distances"}
"""What lessons call the views of the inspection, where that is not the view's own name."""


class Need(NamedTuple):
    """What a lesson's first open step needs next."""

    what: Literal["train", "again", "resume", "open", "look"]
    """Train the variant; again, as what was measured is not what the step asks for; resume its run, which was stopped;
    open its run; look at the step's view."""
    variant: str
    step: int
    """From 0."""


class Work:
    """What was done in one lesson since the program was started; looking into another one keeps it."""

    def __init__(self, lesson: Lesson) -> None:
        self.lesson = lesson
        self.measurements = Measurements()
        self.runs: dict[str, str] = {}
        """The variant that each run of the lesson is of."""
        self.paces: dict[str, Pace] = {}
        """By what is asked."""
        self.seeds: dict[str, int] = {}
        """Of variants that were trained again, the last one's."""


class LessonProgress:
    """Hears all that the engines say; is asked by the screens what to show."""

    @dataclass
    class Ticked(Message, bubble=False):
        """A step of the lesson, from 0, has ticked."""

        step: int

    class MeasuringChanged(Message, bubble=False):
        """A run that has finished is being measured, or nothing is measuring of it any more."""

    def __init__(self, controllers: RunControllers, post: Post, language: Language, kept: Path) -> None:
        """`post` takes what happens in the lesson; `kept`: the file of the progress."""
        self._controllers, self._post = controllers, post
        self.language = language
        self.lesson: Lesson | None = None
        self.page: Page | None = None
        self.ticks = load_progress(kept)
        self._kept = kept
        self._work: dict[str, Work] = {}
        """By the lesson's name."""
        self._pending: set[str] = set()
        self._measuring: tuple[str, float] = ("", 0.0)
        """The run that owes, and until when that is waited for."""
        self._seen: tuple[str, str] = ("", "")
        """The view that the user looks at, by the lessons' name, and its quantity."""

    @property
    def controller(self) -> RunController:
        """The run in front of the user."""
        return self._controllers.front

    @property
    def shown_language(self) -> Language:
        """Of what is said on screen: the lesson's while there is one."""
        return self.language if self.lesson is not None else "en"

    def open(self, lesson: Lesson) -> None:
        """Begin `lesson`, or read it in another language."""
        self._work.setdefault(lesson.name, Work(lesson))
        self.lesson, self.page = lesson, page(lesson, self.language)

    def close(self) -> None:
        """No lesson any more; what was ticked stays."""
        self.lesson = self.page = None

    @property
    def measurements(self) -> Measurements:
        """What is known of the lesson's variants."""
        return self._work[self.lesson.name].measurements if self.lesson is not None else Measurements()

    @property
    def variant(self) -> str | None:
        """The variant of the lesson that the run in front of the user is of."""
        run = self.controller.state.run or ""
        return self._work[self.lesson.name].runs.get(run) if self.lesson is not None else None

    def _lesson_of(self, controller: RunController) -> tuple[Work, str] | None:
        """The lesson, and its variant, that the run of `controller` is of; perhaps not the lesson read now."""
        run = controller.state.run or ""
        return next(((work, work.runs[run]) for work in self._work.values() if run in work.runs), None)

    @property
    def next_step(self) -> int | None:
        """The first step that is not ticked, from 0; None if all are."""
        if self.lesson is None:
            return None
        done = self.ticks.done(self.lesson)
        return next((step for step in range(len(self.lesson.steps)) if step not in done), None)

    @property
    def need(self) -> Need | None:
        """What the first open step needs; None without a lesson, and where every step is ticked."""
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
                # What could not be measured, as the engine or the interface ended, may be now.
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
        """The variant that is to be trained next; None where something else is due."""
        need = self.need
        return need.variant if need is not None and need.what in ("train", "again", "resume") else None

    def _trained(self, variant: str) -> bool:
        """To its end, not until somebody stopped it."""
        finished = self.measurements.of(variant).finished
        return finished is not None and finished.reason != "stopped"

    def run_of(self, variant: str) -> str | None:
        """The run of this lesson's variant that was begun last."""
        runs = self._work[self.lesson.name].runs if self.lesson is not None else {}
        return next((run for run, of in runs.items() if of == variant), None)

    def train(self, variant: str, again: bool = False) -> str:
        """Begin the variant's run, with another seed if `again`; returns its name. Raises RnnplayError if it cannot."""
        assert self.lesson is not None
        work = self._work[self.lesson.name]
        if again:
            work.seeds[variant] = work.seeds.get(variant, self.lesson.config(variant).seed) + 1
        config = self.lesson.config(variant, work.seeds.get(variant))
        run = self.controller.train(config, f"lesson-{self.lesson.number}-{variant}")
        work.measurements.begin(variant)
        work.runs = {name: of for name, of in work.runs.items() if of != variant} | {run: variant}
        work.paces = {}
        return run

    def text_for(self, view: str) -> str:
        """The text that the lesson has for that view of the inspection; "" without one."""
        probe = self.lesson.probe if self.lesson is not None else None
        return "" if probe is None else probe.prompt if view == "what if" else probe.text.strip()

    def quantity_for(self, view: str) -> str:
        """The quantity that the next step is about in that view (by its own name); "" without one."""
        number = self.next_step
        if self.lesson is None or number is None:
            return ""
        step, probe = self.lesson.steps[number], self.lesson.probe
        if view == "what if":
            return probe.forced[0].quantity if probe.forced else ""
        return step.quantity if step.view == LESSON_VIEWS.get(view, view) else ""

    def set_view(self, view: str, quantity: str = "") -> None:
        """The user sees that view of the model in front of them; "": none any more."""
        self._seen = LESSON_VIEWS.get(view, view), quantity
        if view and self.lesson is not None:
            self._tick(self._work[self.lesson.name])

    def _is_shown(self, work: Work, step: Step) -> bool:
        """Whether what `step` asks to look at is being looked at, if it asks for that."""
        here = work.lesson is self.lesson and self.variant in step.variants
        return not step.look or (here and self._seen == (step.view, step.quantity or self._seen[1]))

    # --- what the engine says -------------------------------------------------------------------------------

    def take(self, told: RunController.EngineMessage) -> None:
        """Takes what is measured of the lesson's own text, and ticks what holds now."""
        controller = told.controller
        if not isinstance(told, RunController.EventReceived) or (under_way := self._lesson_of(controller)) is None:
            return
        event = told.event
        work, variant = under_way
        length = _length(work.lesson, variant)
        purpose = controller.purpose_of(getattr(event, "request", 0))
        match event:
            case messages.Progress():
                for record in event.records:
                    if record.step <= length:
                        work.measurements.take(variant, record)
                if any(isinstance(record, Finished) and record.step <= length for record in event.records):
                    self._measure_last_step(controller, work, variant)
            case messages.Inspected() if purpose.startswith("lesson "):
                pace = work.paces.get(purpose)
                if event.result.run != controller.state.run or event.result.step > length:
                    return
                work.measurements.take(variant, event.result)
                if pace is not None:
                    pace.answered(event.seconds)
                if event.result.step in (0, controller.state.step):
                    self._settle(purpose)
            case messages.Completion() if event.forced is not None and event.step <= length:
                if not _is_lesson_prompt(controller, work.lesson, controller.newest(purpose)):
                    return
                untouched = Completed(suggestion=event.suggestion, next=event.next)
                run = controller.state.run or ""
                found = ForcedCompletion(run=run, step=event.step, untouched=untouched, forced=event.forced)
                work.measurements.take(variant, found)
            case messages.Opened():
                self._measure_last_step(controller, work, variant)
            case messages.Failed() if purpose.startswith("lesson "):
                if (pace := work.paces.get(purpose)) is not None:
                    pace.answered()
                self._settle(purpose)
                return
            case _:
                return
        self._tick(work)

    def _tick(self, work: Work) -> None:
        for number, step in enumerate(work.lesson.steps):
            holds = work.measurements.holds(step) and self._is_shown(work, step)
            if holds and self.ticks.tick(work.lesson, number):
                save_progress(self.ticks, self._kept)
                if work.lesson is self.lesson:
                    self._post(self.Ticked(number))

    # --- asking ---------------------------------------------------------------------------------------------

    @property
    def measuring(self) -> bool:
        """Whether the run that has just finished is still being measured."""
        run, until = self._measuring
        state, engine = self.controller.state, self.controller.engine
        there = self.lesson is not None and state.run == run and state.has_model
        return bool(self._pending) and there and engine is not None and engine.alive and monotonic() < until

    def awaited(self, condition: Condition) -> bool:
        """Whether what it needs is on its way: its variant has finished, and is being measured."""
        return self.measuring and self.variant in condition.variants

    def _measure_last_step(self, controller: RunController, work: Work, variant: str) -> None:
        """Ask at once for all that is not known of the weights as the run leaves them."""
        state = controller.state
        finished = work.measurements.of(variant).finished
        if state.run is None or finished is None or finished.reason == "stopped":
            return
        known = work.measurements.of(variant)
        self._measuring = state.run, monotonic() + MEASURING_SECONDS
        self._pending = set()
        for purpose, question in _questions(work.lesson, variant).items():
            if not _is_known(known, question, state.step):
                self._pending.add(purpose)
                self._ask(controller, work, purpose, question, monotonic())
        if self._pending:
            self._post(self.MeasuringChanged())

    def _settle(self, purpose: str) -> None:
        if purpose in self._pending:
            self._pending.discard(purpose)
            if not self._pending:
                self._post(self.MeasuringChanged())

    def _ask(self, controller: RunController, work: Work, purpose: str, question: Question, now: float) -> None:
        controller.inspect(question, purpose)
        work.paces.setdefault(purpose, Pace(ASK_SECONDS, ENGINE_FRACTION)).asked(now)

    def ask(self, now: float) -> None:
        """Ask for what the conditions need, each kind in its own pace, whatever the user looks at."""
        under_way, state = self._lesson_of(self.controller), self.controller.state
        if self.lesson is None or under_way is None or not state.has_model:
            return
        work, variant = under_way
        if state.step > _length(work.lesson, variant):
            return
        over = state.phase in (Phase.FINISHED, Phase.STOPPED)
        known = work.measurements.of(variant)
        for purpose, question in _questions(work.lesson, variant).items():
            pace = work.paces.setdefault(purpose, Pace(ASK_SECONDS, ENGINE_FRACTION))
            is_known = _is_known(known, question, state.step)
            initial = isinstance(question, GradientsQuestion) and question.initial
            if not (initial and is_known) and pace.due(now, moved=not over or not is_known, training=not over):
                self._ask(self.controller, work, purpose, question, now)


def _is_lesson_prompt(controller: RunController, lesson: Lesson, asked: messages.Command | None) -> bool:
    """Whether it was asked for the lesson's prompt, with what the lesson forces."""
    probe = lesson.probe
    prompt = isinstance(asked, messages.Complete) and asked.text == probe.prompt
    return prompt and list(controller.forced) == list(probe.forced)


def _length(lesson: Lesson, variant: str) -> float:
    """The last step that counts: what a run learns when it goes on for longer is not what the lesson is about."""
    return lesson.config(variant).steps or math.inf


def _is_known(seen: Observations, question: Question, step: int) -> bool:
    """Whether its answer is known, of the weights as they are."""
    match question:
        case GradientsQuestion(initial=True):
            return seen.initial_curve is not None
        case GradientsQuestion():
            found: Result | None = seen.curve
        case ClippingQuestion():
            found = seen.clipping
        case PredictionsQuestion():
            found = seen.predictions
        case DistancesQuestion():
            found = seen.distances
        case GatesQuestion():
            found = seen.gates.get(question.quantity)
        case _:
            found = None
    return found is not None and found.step == step


def _questions(lesson: Lesson, variant: str) -> dict[str, Question]:
    """What the conditions on `variant` need, by purpose; what is forced is the user's to choose."""
    asked = questions(lesson, variant).items()
    return {f"lesson {name}": one for name, one in asked if not isinstance(one, WhatIfQuestion)}
