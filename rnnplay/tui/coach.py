"""The lesson under way: trains its arms, sees to it that what its conditions need is measured, and ticks its steps."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from rnnplay.engine import messages
from rnnplay.inspection.results import Result
from rnnplay.lessons.evidence import Evidence
from rnnplay.lessons.languages import Language
from rnnplay.lessons.measurements import Measurements, sources
from rnnplay.lessons.progress import load_progress, save_progress
from rnnplay.lessons.reader import page
from rnnplay.tui.control import Control
from rnnplay.tui.pacing import Pace
from rnnplay.tui.session import Phase

if TYPE_CHECKING:
    from rnnplay.lessons.lesson import Lesson, Page

ASK_SECONDS = 3.0
"""Between two inspections of one kind while training moves on."""
SHARE = 0.02
"""Of the engine's time that each kind may take."""

Question = Callable[[int], messages.Inspection]


class Work:
    """What was done in one lesson since the program was started; looking into another one keeps it."""

    def __init__(self, lesson: Lesson) -> None:
        self.lesson = lesson
        self.measurements = Measurements()
        self.runs: dict[str, str] = {}
        """The arm that each run of the lesson is of."""
        self.paces: dict[str, Pace] = {}
        """By what is asked."""


class Coach:
    """Hears all that the engine says; is asked by the screens what to show."""

    def __init__(self, control: Control, language: Language, kept: Path) -> None:
        """`kept`: the file of the progress."""
        self.control = control
        self.language = language
        self.lesson: Lesson | None = None
        self.page: Page | None = None
        self.progress = load_progress(kept)
        self.ticked: Callable[[int], None] = lambda _: None
        """Called with a step's number, from 0, when it ticks."""
        self._kept = kept
        self._work: dict[str, Work] = {}
        """By the lesson's name."""
        self._asked: dict[int, str] = {}
        """What was asked, by the request's number."""

    def open(self, lesson: Lesson) -> None:
        """Begin `lesson`, or read it in another language."""
        self._work.setdefault(lesson.name, Work(lesson))
        self.lesson, self.page = lesson, page(lesson, self.language)

    def close(self) -> None:
        """No lesson any more; what was ticked stays."""
        self.lesson = self.page = None

    @property
    def measurements(self) -> Measurements:
        """What is known of the lesson's arms."""
        return self._work[self.lesson.name].measurements if self.lesson is not None else Measurements()

    @property
    def arm(self) -> str | None:
        """The arm of the lesson that the run in front of the person is of."""
        run = self.control.session.run or ""
        return self._work[self.lesson.name].runs.get(run) if self.lesson is not None else None

    @property
    def under_way(self) -> tuple[Work, str] | None:
        """The lesson, and the arm of it, that the run in front of the person is of; perhaps not the lesson read now."""
        run = self.control.session.run or ""
        return next(((work, work.runs[run]) for work in self._work.values() if run in work.runs), None)

    @property
    def next_step(self) -> int | None:
        """The first step that is not ticked, from 0; None if all are."""
        if self.lesson is None:
            return None
        done = self.progress.done(self.lesson)
        return next((step for step in range(len(self.lesson.steps)) if step not in done), None)

    @property
    def next_arm(self) -> str | None:
        """The first arm that an open step needs and that was not trained to its end; None without one."""
        if self.lesson is None:
            return None
        done = self.progress.done(self.lesson)
        for number, step in enumerate(self.lesson.steps):
            if number not in done:
                for arm in step.arms:
                    if self.measurements.of(arm).finished is None:
                        return arm
        return None

    def train(self, arm: str) -> str:
        """Begin the arm's run and return its name. Raises RnnplayError if there can be none."""
        assert self.lesson is not None
        config = self.lesson.config(arm)
        run = self.control.train(config, f"lesson-{self.lesson.number}-{arm}")
        work = self._work[self.lesson.name]
        work.measurements.begin(arm)
        work.runs = {name: of for name, of in work.runs.items() if of != arm} | {run: arm}
        work.paces = {}
        return run

    def text_for(self, view: str) -> str:
        """The text that the lesson has for that view of the inspection; "" without one."""
        probe = self.lesson.probe if self.lesson is not None else None
        return "" if probe is None else probe.prompt if view == "what if" else probe.text.strip()

    # --- what the engine says -------------------------------------------------------------------------------

    def engine_event(self, event: messages.Event) -> None:
        """Takes what is measured of the lesson's own text, and ticks what holds now."""
        if (under_way := self.under_way) is None:
            return
        work, arm = under_way
        length = _length(work.lesson, arm)
        match event:
            case messages.Progress():
                for record in event.records:
                    if record.step <= length:
                        work.measurements.take(arm, record)
            case messages.Inspected() if event.request in self._asked:
                pace = work.paces.get(self._asked.pop(event.request))
                if event.result.run != self.control.session.run or event.result.step > length:
                    return
                work.measurements.take(arm, event.result)
                if pace is not None:
                    pace.answered(event.seconds)
            case messages.Completion() if (
                event.forced is not None and event.step <= length and self._as_asked_for(work.lesson, event.request)
            ):
                work.measurements.take_what_if(arm, event.step, event.next, event.forced.next)
            case messages.Failed() if event.request in self._asked:
                if (pace := work.paces.get(self._asked.pop(event.request))) is not None:
                    pace.answered()
                return
            case _:
                return
        self._tick(work)

    def _as_asked_for(self, lesson: Lesson, request: int) -> bool:
        """Whether the completion is that of the lesson's prompt, with what the lesson forces."""
        asked, probe = self.control.completing, lesson.probe
        same = asked is not None and (asked.request, asked.text) == (request, probe.prompt)
        return same and list(self.control.forced) == list(probe.forced)

    def _tick(self, work: Work) -> None:
        for number, step in enumerate(work.lesson.steps):
            if work.measurements.holds(step) and self.progress.tick(work.lesson, number):
                save_progress(self.progress, self._kept)
                if work.lesson is self.lesson:
                    self.ticked(number)

    # --- asking ---------------------------------------------------------------------------------------------

    def ask(self, now: float) -> None:
        """Ask for what the conditions need, each kind in its own pace, whatever the person looks at."""
        under_way, session = self.under_way, self.control.session
        if self.lesson is None or under_way is None or not session.has_model:
            return
        work, arm = under_way
        if session.step > _length(work.lesson, arm):
            return
        over = session.phase in (Phase.FINISHED, Phase.STOPPED)
        known = work.measurements.of(arm)
        for key, question in _questions(work.lesson, arm):
            pace = work.paces.setdefault(key, Pace(ASK_SECONDS, SHARE))
            made = question(0)
            if isinstance(made, messages.InspectGradients) and made.initial and known.initial_curve is not None:
                continue
            moved = not over or not _is_current(known, made, session.step)
            if pace.due(now, moved=moved, training=not over):
                self._asked[self.control.inspect(question)] = key
                pace.asked(now)


def _length(lesson: Lesson, arm: str) -> float:
    """The last step that counts: what a run learns when it goes on for longer is not what the lesson is about."""
    return lesson.config(arm).steps or math.inf


def _is_current(known: Evidence, question: messages.Inspection, step: int) -> bool:
    """Whether the answer that is known is of the weights as they are."""
    found: Result | None = {
        messages.InspectGradients: known.curve,
        messages.InspectClipping: known.clipping,
        messages.InspectPredictions: known.predictions,
        messages.InspectDistances: known.distances,
    }.get(type(question))
    if isinstance(question, messages.InspectGates):
        found = known.gates.get(question.quantity)
    return found is not None and found.step == step


def _questions(lesson: Lesson, arm: str) -> Iterator[tuple[str, Question]]:
    """What the conditions on `arm` need, by a name for each."""
    for source, parameters in sources(lesson, arm).items():
        match source:
            case "gradients" | "initial gradients":
                distance, initial = max(map(int, parameters)), source == "initial gradients"
                yield source, partial(_ask, messages.InspectGradients, distance=distance, initial=initial)
            case "clipping":
                yield source, partial(_ask, messages.InspectClipping)
            case "predictions":
                yield source, partial(_ask, messages.InspectPredictions, text=lesson.probe.text)
            case "distances":
                yield source, partial(_ask, messages.InspectDistances)
            case "gates":
                units = lesson.config(arm).hidden
                for quantity in sorted(parameters):
                    ask = partial(_ask, messages.InspectGates, text=lesson.probe.text, quantity=quantity, count=units)
                    yield f"gates {quantity}", ask
            case _:
                pass  # records come by themselves; what is forced is the person's to choose


def _ask(kind: Callable[..., messages.Inspection], request: int, **of: object) -> messages.Inspection:
    return kind(request=request, aside=True, **of)
