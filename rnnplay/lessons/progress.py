"""The lesson steps that a user has completed, kept in a JSON file beside the interface's settings."""

from __future__ import annotations

import contextlib
from codecs import BOM_UTF8
from pathlib import Path

import msgspec

from rnnplay.common.files import read_small, replacing
from rnnplay.common.terminal_text import sanitize_line
from rnnplay.errors import InputError
from rnnplay.lessons.lesson import Lesson
from rnnplay.lessons.own import own_lessons
from rnnplay.lessons.reader import lessons

FILE = "lessons.json"
"""The name of a progress file."""
MAX_STEPS = 100
"""Most steps of a lesson that a report lists."""
_LARGEST = 1 << 20
"""Limit on the bytes read; a real file is far smaller."""


class Progress(msgspec.Struct, kw_only=True):
    """The completed steps of all lessons. A missing or broken file means that there are none."""

    ticked: dict[str, list[int]] = {}
    """The completed steps of each lesson by its name, counted from 0."""
    tries: dict[str, int] = {}
    """How many runs were started in each lesson."""
    seconds: dict[str, float] = {}
    """How long the runs of each lesson took together."""

    def tick(self, lesson: Lesson, step: int) -> bool:
        """Marks step number `step` (from 0) of `lesson` as completed; returns whether it was not completed before."""
        done = self.ticked.setdefault(lesson.name, [])
        if step in done:
            return False
        done.append(step)
        done.sort()
        return True

    def begin(self, lesson: Lesson, runs: int = 1) -> None:
        """Counts `runs` more that were started in `lesson`."""
        self.tries[lesson.name] = self.tries.get(lesson.name, 0) + runs

    def spend(self, lesson: Lesson, seconds: float) -> None:
        """Adds the `seconds` that runs of `lesson` took."""
        self.seconds[lesson.name] = self.seconds.get(lesson.name, 0.0) + seconds

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


COLUMNS = ("who", "lesson", "step", "steps", "done", "tries", "seconds")
"""The columns of a class's report."""


def report(folder: Path) -> list[tuple[str, str, int, int, int, int, float]]:
    """Returns the rows (COLUMNS) for the progress files lessons.json in `folder` and the folders directly in it.

    One row per student, lesson they began, and step, which counts from 1; `steps`, `tries` and `seconds` are the whole
    lesson's. Whoever it is goes by the name of the folder with the file. Raises InputError if there is no such file,
    or if one is invalid.
    """
    try:
        places = [folder, *sorted(place for place in folder.iterdir() if place.is_dir())]
    except OSError as error:
        raise InputError(
            f"{folder} cannot be read ({error.strerror}); give a workspace, or a folder of them."
        ) from error
    files = [place / FILE for place in places if (place / FILE).is_file()]
    if not files:
        raise InputError(f"Neither {folder} nor a folder in it has a {FILE}; give a workspace, or a folder of them.")
    bundled = {lesson.name: lesson for lesson in lessons()}
    rows: list[tuple[str, str, int, int, int, int, float]] = []
    found: dict[Path, Progress] = {}
    broken: list[str] = []
    for file in files:
        try:
            found[file] = msgspec.json.decode(read_small(file, _LARGEST).removeprefix(BOM_UTF8), type=Progress)
        except (OSError, ValueError, RecursionError) as error:
            broken.append(f"{file} is not a lessons' progress ({error})")
    if broken:
        raise InputError(f"{'; '.join(broken)}; leave {'its folder' if len(broken) == 1 else 'their folders'} out.")
    for file, progress in found.items():
        own = {lesson.name: lesson for lesson in own_lessons(file.parent / "lessons")[0]}
        who = sanitize_line(file.resolve().parent.name)
        for name in sorted({*progress.ticked, *progress.tries}):
            lesson = bundled.get(name) or own.get(name)
            done = progress.done(lesson) if lesson is not None else sorted(set(progress.ticked.get(name, [])))
            steps = len(lesson.steps) if lesson is not None else max(done, default=-1) + 1
            tries, seconds = progress.tries.get(name, 0), round(progress.seconds.get(name, 0.0), 1)
            rows += [
                (who, sanitize_line(name), step + 1, steps, int(step in done), tries, seconds)
                for step in range(min(steps, MAX_STEPS))
            ]
    return rows


def save_progress(progress: Progress, path: Path) -> None:
    """Writes `progress` to `path` atomically; if that is not allowed, it lasts as long as this process."""
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as file:
            file.write(msgspec.json.encode(progress))
