"""The lesson steps that a user has completed, kept in a JSON file beside the interface's settings."""

from __future__ import annotations

import contextlib
from codecs import BOM_UTF8
from pathlib import Path

import msgspec

from rnnplay.common.files import read_small, replacing
from rnnplay.lessons.lesson import Lesson

_LARGEST = 1 << 20
"""Limit on the bytes read; a real file is far smaller."""


class Progress(msgspec.Struct, kw_only=True):
    """The completed steps of all lessons. A missing or broken file means that there are none."""

    ticked: dict[str, list[int]] = {}
    """The completed steps of each lesson by its name, counted from 0."""

    def tick(self, lesson: Lesson, step: int) -> bool:
        """Marks step number `step` (from 0) of `lesson` as completed; returns whether it was not completed before."""
        done = self.ticked.setdefault(lesson.name, [])
        if step in done:
            return False
        done.append(step)
        done.sort()
        return True

    def done(self, lesson: Lesson) -> list[int]:
        """Returns the completed steps of `lesson`, counted from 0; numbers beyond its last step are ignored."""
        return sorted({step for step in self.ticked.get(lesson.name, []) if 0 <= step < len(lesson.steps)})

    def is_complete(self, lesson: Lesson) -> bool:
        """Returns whether every step is completed."""
        return len(self.done(lesson)) == len(lesson.steps)

    def forget(self, lesson: Lesson) -> None:
        """Marks all steps of `lesson` as not completed."""
        self.ticked.pop(lesson.name, None)


def load_progress(path: Path) -> Progress:
    """Reads the progress in `path`; a file that is missing or broken counts as empty."""
    try:
        return msgspec.json.decode(read_small(path, _LARGEST).removeprefix(BOM_UTF8), type=Progress)
    except (OSError, ValueError, RecursionError):  # msgspec's errors are ValueErrors
        return Progress()


def save_progress(progress: Progress, path: Path) -> None:
    """Writes `progress` to `path` atomically; if that is not allowed, it lasts as long as this process."""
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as file:
            file.write(msgspec.json.encode(progress))
