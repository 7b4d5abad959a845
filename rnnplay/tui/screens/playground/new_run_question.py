"""The question before a new run is begun, where one is needed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from rnnplay.tui.keymap import KEYS, fill_keys
from rnnplay.tui.lessons import lesson_words as words
from rnnplay.tui.lessons.lesson_progress import LessonProgress
from rnnplay.tui.run_state import Phase, RunState
from rnnplay.tui.setup.preset_choice import listed


class Question(NamedTuple):
    """A question before a command."""

    title: str
    text: str
    yes: str
    no: str = "Cancel"
    lost: bool = False
    """Whether "yes" cannot be undone."""


def before_new(state: RunState, lesson_progress: LessonProgress, fixed: Sequence[str] = ()) -> Question | None:
    """Returns the question before a run that is outside the lesson, or that replaces an unfinished one; else None.

    `fixed`: the settings changed in the form that keep the unfinished run from being resumed.
    """
    if lesson_progress.need is not None:
        texts = (words.NEW_TITLE, words.NEW_QUESTION, words.NEW_YES, words.NEW_NO)
        title, text, yes, no = (fill_keys(text[lesson_progress.language]) for text in texts)
        return Question(title, text, yes, no)
    if not _unfinished(state):
        return None
    if state.followed:
        text = f"{state.run} is being {state.trained_by}, and goes on there. Train a new one here with these settings?"
        return Question("Begin a new run", text, "Begin")
    onward = f"with {listed(list(fixed))} changed it cannot be resumed" if fixed else f"{KEYS.train} resumes it"
    text = (
        f"{state.run} is at step {state.step:,} and not finished; {onward}. "
        f"Train a new one from the beginning? The old one stays in the list of runs ({KEYS.runs})."
    )
    return Question("Begin a new run", text, "Begin", lost=True)


def before_lesson_run(state: RunState, lesson_progress: LessonProgress) -> Question | None:
    """Returns the question before a run of the lesson that replaces an unfinished one; else None."""
    if state.followed or not _unfinished(state):
        return None
    language = lesson_progress.language
    text = fill_keys(words.UNFINISHED[language].format(run=state.run, step=state.step))
    title, yes, no = (one[language] for one in (words.UNFINISHED_TITLE, words.NEW_YES, words.UNFINISHED_NO))
    return Question(title, text, yes, no, lost=True)


def _unfinished(state: RunState) -> bool:
    return state.run is not None and state.phase is not Phase.FINISHED and state.step > 0
