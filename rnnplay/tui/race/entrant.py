"""One variant of the race on the screen: its look, its engine, and its run with each seed."""

from __future__ import annotations

from time import monotonic

from rnnplay.engine import messages
from rnnplay.experiments.race import Entry
from rnnplay.experiments.standings import Quality
from rnnplay.experiments.variants import Variant, label_now
from rnnplay.inspection.questions import DistancesQuestion, GradientsQuestion, Question
from rnnplay.inspection.results import DistanceAccuracy, GradientCurve
from rnnplay.tui.chart.palette import RunLook, run_look
from rnnplay.tui.pacing import Pace
from rnnplay.tui.race.curves import RunCurves
from rnnplay.tui.run_controller import RunController

PROMPT, MEMORY = "race prompt", ("race gradient", "race distance")
"""The purposes of the questions to its engine."""
QUESTIONS: dict[str, Question] = {MEMORY[0]: GradientsQuestion(), MEMORY[1]: DistancesQuestion()}
PROMPT_SECONDS, MEMORY_SECONDS = 1.0, 5.0
"""Time between two questions of a kind while training changes the weights."""
FRACTION = 0.03
"""Fraction of the engine's time that the answers about its memory may take."""


class Entrant:
    """A variant, which has one entry in the race of each seed."""

    def __init__(self, number: int, variant: Variant, controller: RunController) -> None:
        """`number`, counted from 0, decides its colour and mark."""
        self.number = number
        self.variant = variant
        self.controller = controller
        self.entries: list[Entry] = []
        """One a seed; the last is the present one."""
        self.curves: list[RunCurves] = []
        """Of each entry."""
        self.completion: messages.Completion | None = None
        """The answer to the prompt."""
        self.gradient: GradientCurve | None = None
        self.distances: DistanceAccuracy | None = None
        self.refusal = ""
        """Why its accuracy by distance is not known, in a sentence."""
        self._paces = {
            PROMPT: Pace(PROMPT_SECONDS),
            **{purpose: Pace(MEMORY_SECONDS, FRACTION) for purpose in MEMORY},
        }
        self.asked_text = ""
        """The prompt that was last asked about."""
        self.just_answered = False
        """Whether the last event was the answer to the prompt."""

    @property
    def label(self) -> str:
        """What distinguishes it from the others in the plan; no two have the same."""
        return self.variant.label

    @property
    def title(self) -> str:
        """Its label for the screen, with what has been changed by hand since: two entrants may have the same."""
        return label_now(self.variant, self.controller.state.config) if self.present else self.variant.label

    @property
    def look(self) -> RunLook:
        return run_look(self.number)

    @property
    def entry(self) -> Entry:
        """Its present entry."""
        return self.entries[-1]

    @property
    def present(self) -> bool:
        """Whether its engine still has the run of its entry: the playground may have begun or opened another."""
        run = self.controller.state.run
        return run is None or run == self.entry.run

    @property
    def clipped_fraction(self) -> float | None:
        """Fraction of its recent steps that were clipped."""
        return self.curves[-1].clipped_fraction

    def begin(self, entry: Entry, quality: Quality) -> None:
        """Takes the entry for the next seed."""
        self.entries.append(entry)
        self.curves.append(RunCurves(quality))

    def take_curves(self, event: messages.Progress) -> None:
        """Adds the records to the curves; to be called before the race has heard of them.

        Of the training time only that of the last record is known; the others' are interpolated.
        """
        before, count = self.entry.progress.reached.seconds, len(event.records)
        for number, record in enumerate(event.records, 1):
            self.curves[-1].take(record, before + (event.seconds - before) * number / count)

    # --- questions ------------------------------------------------------------------------------------------

    def ask_prompt(self, text: str) -> None:
        """Asks what follows `text`, if that is new or the weights have changed for a while."""
        if not text or not self._can_answer:
            self.controller.requests.drop(PROMPT)
            self.completion = None
            self.asked_text = ""
            return
        pace, state = self._paces[PROMPT], self.controller.state
        if text != self.asked_text:
            pace.want()
        if pace.due(monotonic(), self.completion is None or self.completion.step != state.step):
            self.asked_text = text
            self.controller.complete(text, purpose=PROMPT)
            pace.asked(monotonic())

    def ask_memory(self) -> None:
        """Asks for its gradient through time and its accuracy by distance, if the weights have changed for a while."""
        if not self._can_answer:
            return
        step = self.controller.state.step
        known = (self.gradient.step if self.gradient else None, self.distances.step if self.distances else None)
        for purpose, shown in zip(MEMORY, known, strict=True):
            refused = purpose == MEMORY[1] and self.refusal
            if not refused and self._paces[purpose].due(monotonic(), shown != step):
                self.controller.inspect(QUESTIONS[purpose], purpose)
                self._paces[purpose].asked(monotonic())

    @property
    def _can_answer(self) -> bool:
        return self.present and self.controller.state.has_model

    def take_answer(self, event: messages.Event) -> None:
        """Takes the answer to one of its questions, if `event` is one."""
        self.just_answered = False
        if not isinstance(event, messages.Completion | messages.Inspected | messages.Failed):
            return
        purpose = self.controller.requests.purpose_of(event.request)
        if purpose not in self._paces:
            return
        self._paces[purpose].answered(event.seconds if isinstance(event, messages.Inspected) else 0.0)
        match event:
            case messages.Completion():
                self.completion, self.just_answered = event, True
            case messages.Inspected(result=GradientCurve() as curve):
                self.gradient = curve
            case messages.Inspected(result=DistanceAccuracy() as found):
                self.distances = found
            case messages.Failed() if purpose == MEMORY[1]:
                self.refusal = event.message
            case _:
                pass
