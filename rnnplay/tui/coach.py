"""The lesson under way: trains its arms, sees to it that what its conditions need is measured, and ticks its steps."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, cast

from rnnplay.engine import messages
from rnnplay.inspection.results import Quantity, Result
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


class Coach:
    """Hears all that the engine says; is asked by the screens what to show."""

    def __init__(self, control: Control, language: Language, kept: Path) -> None:
        """`kept`: the file of the progress."""
        self.control = control
        self.language = language
        self.lesson: Lesson | None = None
        self.page: Page | None = None
        self.measurements = Measurements()
        self.progress = load_progress(kept)
        self.ticked: Callable[[int], None] = lambda _: None
        """Called with a step's number, from 0, when it ticks."""
        self._kept = kept
        self._runs: dict[str, str] = {}
        """The arm that each run of the lesson is of."""
        self._paces: dict[str, Pace] = {}
        self._asked: dict[int, str] = {}

    def open(self, lesson: Lesson) -> None:
        """Begin `lesson`, or read it in another language."""
        if lesson is not self.lesson:
            self.measurements = Measurements()
            self._runs.clear()
            self._paces.clear()
        self.lesson, self.page = lesson, page(lesson, self.language)

    def close(self) -> None:
        """No lesson any more; what was ticked stays."""
        self.lesson = self.page = None

    @property
    def arm(self) -> str | None:
        """The arm that the run in front of the person is of."""
        return self._runs.get(self.control.session.run or "")

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
        self.measurements.begin(arm)
        self._runs = {name: of for name, of in self._runs.items() if of != arm} | {run: arm}
        self._paces = {key: Pace(ASK_SECONDS, SHARE) for key, _ in self._questions(arm)}
        return run

    # --- what the engine says -------------------------------------------------------------------------------

    def engine_event(self, event: messages.Event) -> None:
        """Takes what is measured, whoever asked for it, and ticks what holds now."""
        arm = self.arm
        if self.lesson is None or arm is None:
            return
        match event:
            case messages.Progress():
                for record in event.records:
                    self.measurements.take(arm, record)
            case messages.Inspected():
                if event.result.run != self.control.session.run:
                    return
                self.measurements.take(arm, event.result)
                if (key := self._asked.pop(event.request, "")) in self._paces:
                    self._paces[key].answered(float(getattr(event.result, "seconds", 0.0)))
            case messages.Completion() if event.forced is not None:
                self.measurements.take_what_if(arm, event.step, event.next, event.forced.next)
            case messages.Failed() if event.request in self._asked:
                key = self._asked.pop(event.request)
                if key in self._paces:
                    self._paces[key].answered()
                return
            case _:
                return
        self._tick()

    def _tick(self) -> None:
        assert self.lesson is not None
        for number, step in enumerate(self.lesson.steps):
            if self.measurements.holds(step) and self.progress.tick(self.lesson, number):
                save_progress(self.progress, self._kept)
                self.ticked(number)

    # --- asking ---------------------------------------------------------------------------------------------

    def ask(self, now: float, looking_at: type | None = None) -> None:
        """Ask for what the conditions need, each kind in its own pace; not for `looking_at`, which a view asks for."""
        arm, session = self.arm, self.control.session
        if self.lesson is None or arm is None or not session.has_model:
            return
        over = session.phase in (Phase.FINISHED, Phase.STOPPED)
        for key, question in self._questions(arm):
            pace = self._paces.setdefault(key, Pace(ASK_SECONDS, SHARE))
            made = question(0)
            initial = isinstance(made, messages.InspectGradients) and made.initial
            if type(made) is looking_at and not initial:
                continue
            if initial and self.measurements.of(arm).initial_curve is not None:
                continue
            if pace.due(now, moved=not over or not self._is_current(arm, made), training=not over):
                self._asked[self.control.inspect(question)] = key
                pace.asked(now)

    def _is_current(self, arm: str, question: messages.Inspection) -> bool:
        """Whether the answer that is known is of the weights as they are."""
        known, step = self.measurements.of(arm), self.control.session.step
        found: Result | None = {
            messages.InspectGradients: known.curve,
            messages.InspectClipping: known.clipping,
            messages.InspectPredictions: known.predictions,
            messages.InspectDistances: known.distances,
        }.get(type(question))
        if isinstance(question, messages.InspectGates):
            found = known.gates.get(question.quantity)
        return found is not None and found.step == step

    def _questions(self, arm: str) -> Iterator[tuple[str, Question]]:
        """What the conditions on `arm` need, by a name for each."""
        assert self.lesson is not None
        probe = self.lesson.probe
        for source, parameters in sources(self.lesson, arm).items():
            match source:
                case "gradients" | "initial gradients":
                    ask = partial(_gradients, max(map(int, parameters)), source == "initial gradients")
                    yield source, ask
                case "clipping":
                    yield source, lambda request: messages.InspectClipping(request=request)
                case "predictions":
                    yield source, partial(_predictions, probe.text)
                case "distances":
                    yield source, lambda request: messages.InspectDistances(request=request)
                case "gates":
                    units = self.lesson.config(arm).hidden
                    for quantity in sorted(parameters):
                        yield f"gates {quantity}", partial(_gates, probe.text, cast(Quantity, quantity), units)
                case _:
                    pass  # records come by themselves; what is forced is the person's to choose


def _gradients(distance: int, initial: bool, request: int) -> messages.InspectGradients:
    return messages.InspectGradients(request=request, distance=distance, initial=initial)


def _predictions(text: str, request: int) -> messages.InspectPredictions:
    return messages.InspectPredictions(request=request, text=text)


def _gates(text: str, quantity: Quantity, units: int, request: int) -> messages.InspectGates:
    return messages.InspectGates(request=request, text=text, quantity=quantity, count=units)
