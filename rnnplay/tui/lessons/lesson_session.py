"""What was done in one lesson since the program started."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rnnplay.engine import messages
from rnnplay.inspection.questions import Question, WhatIfQuestion
from rnnplay.inspection.results import Forced
from rnnplay.lessons.measurements import Measurements, questions
from rnnplay.tui.pacing import Pace

if TYPE_CHECKING:
    from rnnplay.lessons.lesson import Lesson

ASK_SECONDS = 3.0
"""Seconds between two questions of one kind during training."""
ENGINE_FRACTION = 0.02
"""Fraction of the engine's time that each kind of question may take."""


class LessonSession:
    """The runs and measurements of one lesson; kept while another lesson is open."""

    def __init__(self, lesson: Lesson) -> None:
        self.lesson = lesson
        self.measurements = Measurements()
        self.runs: dict[str, str] = {}
        """The variant of each run."""
        self.began: dict[str, float] = {}
        """When each run was started, until it is over."""
        self.paces: defaultdict[str, Pace] = defaultdict(lambda: Pace(ASK_SECONDS, ENGINE_FRACTION))
        """The pace of each kind of question, by purpose."""
        self.seeds: dict[str, int] = {}
        """The last seed of each variant that was trained again."""

    def run_of(self, variant: str) -> str | None:
        """Returns the latest run of the variant."""
        return next((run for run, of in self.runs.items() if of == variant), None)

    def trained(self, variant: str) -> bool:
        """Whether the variant's run has reached its end without being stopped."""
        finished = self.measurements.of(variant).finished
        return finished is not None and finished.reason != "stopped"

    def length(self, variant: str) -> float:
        """Returns the last step that counts: a run extended beyond the lesson's length is not measured."""
        return self.lesson.config(variant).steps or math.inf

    def questions(self, variant: str) -> dict[str, Question]:
        """Returns the questions that the conditions on `variant` need, by purpose; the user chooses what to force."""
        asked = questions(self.lesson, variant).items()
        return {f"lesson {name}": one for name, one in asked if not isinstance(one, WhatIfQuestion)}

    def is_prompt(self, asked: messages.Command | None, forced: Sequence[Forced]) -> bool:
        """Whether a request with `forced` quantities was for the lesson's prompt and the quantities that it forces."""
        probe = self.lesson.probe
        return isinstance(asked, messages.Complete) and asked.text == probe.prompt and [*forced] == [*probe.forced]
