"""Finds the runs that are being trained now, by any process, and how fast."""

from __future__ import annotations

import math
import os
import time
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import msgspec

from rnnplay.common.files import open_plain
from rnnplay.common.jsonl import UNDECODABLE
from rnnplay.runs.lock import Holder, holder, last_holder
from rnnplay.runs.metrics.records import Step

RECENT_SECONDS = 600.0
"""A run whose files changed longer ago is looked at only when all are."""
WAITING_SECONDS = 15.0
"""A run that wrote nothing for so long is paused, or at something other than steps."""
_TAIL_BYTES = 1 << 14
_STEP_START = b'{"type":"step",'

_decoder: msgspec.json.Decoder[Step] = msgspec.json.Decoder(Step, strict=False)


class Training(NamedTuple):
    """What a run that is being trained is doing."""

    who: Holder
    step: int
    """The last step on disk; 0 if there is none."""
    steps_per_second: float | None
    """None if it is not known, or while the run is paused."""

    @property
    def text(self) -> str:
        """The pace in a few characters: "12 steps/s", "0.4 steps/s", "training"."""
        if self.steps_per_second is None:
            return "training"
        pace = self.steps_per_second
        return f"{pace:,.0f} steps/s" if pace >= 9.95 else f"{pace:.1f} steps/s" if pace >= 0.095 else "<0.1 steps/s"


def changed_lately(folder: str, now: float) -> bool:
    """Whether the run's lock or records changed in the last minutes, so that it may be in training."""
    for name in ("metrics.jsonl", "run.lock"):
        with suppress(OSError):
            if abs(now - os.stat(f"{folder}{os.sep}{name}").st_mtime) < RECENT_SECONDS:  # noqa: PTH116 (fast)
                return True
    return False


def training_of(folder: Path) -> Training | None:
    """Returns what the run in `folder` is doing; None if no process trains it."""
    who = holder(folder)
    metrics = folder / "metrics.jsonl"
    try:
        waited = time.time() - metrics.stat().st_mtime
    except OSError:
        waited = math.inf
    if who is None and waited < WAITING_SECONDS:
        # A file system that does not pass the locks of other machines on.
        last = last_holder(folder)
        who = last if last is not None and last.host and not _ended(metrics) else None
    if who is None:
        return None
    steps = _last_steps(metrics)
    pace = _pace(steps) if steps else None
    late = pace is not None and waited > max(WAITING_SECONDS, 20 / pace)
    return Training(who, steps[-1].step if steps else 0, None if late else pace)


def _tail(metrics: Path) -> list[bytes]:
    """The last whole lines of the file."""
    try:
        with os.fdopen(open_plain(metrics, os.O_RDONLY), "rb") as file:
            start = max(0, file.seek(0, os.SEEK_END) - _TAIL_BYTES)
            file.seek(start)
            return file.read(_TAIL_BYTES).split(b"\n")[bool(start) : -1]
    except OSError:
        return []


def _ended(metrics: Path) -> bool:
    lines = _tail(metrics)
    return bool(lines) and lines[-1].startswith(b'{"type":"finished",')


def _last_steps(metrics: Path) -> list[Step]:
    """The steps in the last bytes of the file, up to one that does not follow its predecessor."""
    steps: list[Step] = []
    for line in _tail(metrics):
        if line.startswith(_STEP_START):
            with suppress(*UNDECODABLE):
                step = _decoder.decode(line)
                if steps and step.step <= steps[-1].step:
                    steps = []
                steps.append(step)
    return steps


def _pace(steps: list[Step]) -> float | None:
    """Steps per second: tokens per second, averaged, by tokens per step."""
    first, last = steps[0], steps[-1]
    speeds = [step.tokens_per_second for step in steps if 0 < step.tokens_per_second < 1e15]
    if not speeds or last.tokens <= first.tokens:
        return None
    return sum(speeds) / len(speeds) * (last.step - first.step) / (last.tokens - first.tokens)
