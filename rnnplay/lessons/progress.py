"""Which steps of which lessons a user has ticked, kept in a JSON file beside the interface's settings."""

from __future__ import annotations

import contextlib
from codecs import BOM_UTF8
from pathlib import Path

import msgspec

from rnnplay.common.files import read_small, replacing
from rnnplay.lessons.lesson import Lesson

_LARGEST = 1 << 20
"""Bytes of a file of progress: far more than it has."""


class Progress(msgspec.Struct, kw_only=True):
    """All of it optional: a missing or broken file means that nothing is ticked yet."""

    ticked: dict[str, list[int]] = {}
    """By the lesson's name: its ticked steps, counted from 0."""

    def tick(self, lesson: Lesson, step: int) -> bool:
        """Step number `step` (from 0) of `lesson` is done; returns whether that is new."""
        done = self.ticked.setdefault(lesson.name, [])
        if step in done:
            return False
        done.append(step)
        done.sort()
        return True

    def done(self, lesson: Lesson) -> list[int]:
        """The ticked steps of `lesson`, from 0; what the file has beyond its steps does not count."""
        return sorted({step for step in self.ticked.get(lesson.name, []) if 0 <= step < len(lesson.steps)})

    def is_complete(self, lesson: Lesson) -> bool:
        """Whether every step is ticked."""
        return len(self.done(lesson)) == len(lesson.steps)

    def forget(self, lesson: Lesson) -> None:
        """Begin `lesson` anew."""
        self.ticked.pop(lesson.name, None)


def load_progress(path: Path) -> Progress:
    """The progress kept in `path`, or none."""
    try:
        return msgspec.json.decode(read_small(path, _LARGEST).removeprefix(BOM_UTF8), type=Progress)
    except (OSError, ValueError, RecursionError):  # msgspec's errors are ValueErrors
        return Progress()


def save_progress(progress: Progress, path: Path) -> None:
    """Keep `progress` in `path`, whole or not at all; where that is not allowed it lasts as long as this process."""
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as file:
            file.write(msgspec.json.encode(progress))
