"""Asks the engine for what the conditions of a lesson are judged by."""

from __future__ import annotations

from time import monotonic

from textual.message import Message

from rnnplay.inspection.questions import GradientsQuestion, Question
from rnnplay.tui.lessons.lesson_session import LessonSession
from rnnplay.tui.run_controller import Post, RunController
from rnnplay.tui.run_state import Phase

MEASURING_SECONDS = 20.0
"""Longest time that measurements of a finished run are awaited; the engine may be unable to answer."""


class LessonQuestions:
    """The questions under way: now and then while a run is trained, and all at once of its last weights."""

    class MeasuringChanged(Message, bubble=False):
        """The measuring of a finished run has begun or ended."""

    def __init__(self, post: Post) -> None:
        self._post = post
        self._pending: set[str] = set()
        """Purposes of the questions about the last weights of `_run` that have no answer yet."""
        self._run = ""
        self._until = 0.0
        """When waiting for them ends."""

    def measures(self, controller: RunController) -> bool:
        """Whether the run of `controller` is finished and still being measured."""
        state, engine = controller.state, controller.engine
        there = state.run == self._run and state.has_model
        return bool(self._pending) and there and engine is not None and engine.alive and monotonic() < self._until

    def ask_of_last_step(self, controller: RunController, session: LessonSession, variant: str) -> None:
        """Asks at once for everything not yet measured of the last weights of a run that has reached its end."""
        state = controller.state
        if state.run is None or not session.trained(variant):
            return
        known = session.measurements.of(variant)
        self._run, self._until = state.run, monotonic() + MEASURING_SECONDS
        self._pending = set()
        for purpose, question in session.questions(variant).items():
            if not known.knows(question, state.step):
                self._pending.add(purpose)
                self._ask(controller, session, purpose, question, monotonic())
        if self._pending:
            self._post(self.MeasuringChanged())

    def ask_what_is_due(self, controller: RunController, session: LessonSession, variant: str, now: float) -> None:
        """Asks for the measurements that are due, each kind at its own pace, whatever view is shown."""
        state = controller.state
        if state.step > session.length(variant):
            return
        over = state.phase in (Phase.FINISHED, Phase.STOPPED)
        known = session.measurements.of(variant)
        for purpose, question in session.questions(variant).items():
            is_known = known.knows(question, state.step)
            initial = isinstance(question, GradientsQuestion) and question.initial
            due = session.paces[purpose].due(now, moved=not over or not is_known, training=not over)
            if due and not (initial and is_known):
                self._ask(controller, session, purpose, question, now)

    def answered(self, purpose: str) -> None:
        """Records an answer about the last weights, or that there is none."""
        if purpose in self._pending:
            self._pending.discard(purpose)
            if not self._pending:
                self._post(self.MeasuringChanged())

    @staticmethod
    def _ask(controller: RunController, session: LessonSession, purpose: str, question: Question, now: float) -> None:
        controller.inspect(question, purpose)
        session.paces[purpose].asked(now)
