"""Keeps in a run's folder what was drawn from it."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from rnnplay.config import SamplingConfig
from rnnplay.errors import InputError
from rnnplay.runs.samples.written import Written, WrittenFile


class SampleKeeper:
    """Collects the pieces of one sample, and writes it once it is complete or was ended."""

    def __init__(self) -> None:
        self._folder: Path | None = None
        self._prompt, self._text, self._step = "", "", 0
        self._sampling = SamplingConfig()

    def start(self, folder: Path | None, prompt: str, sampling: SamplingConfig, step: int) -> None:
        """Begins a sample of the run in `folder` with the weights after `step` steps."""
        self._folder, self._prompt, self._sampling, self._step = folder, prompt, sampling, step
        self._text = ""

    def take(self, text: str, done: bool) -> None:
        """Adds a piece."""
        self._text += text
        if done and self._folder is not None:
            folder, self._folder = self._folder, None
            keep_sample(folder, self._prompt, self._text, self._sampling, self._step)


def keep_sample(folder: Path, prompt: str, text: str, sampling: SamplingConfig, step: int) -> bool:
    """Appends a sample to the run's written.jsonl; returns False if it is empty or could not be kept."""
    if not text or not folder.is_dir():
        return False
    time = datetime.now().astimezone().isoformat(timespec="seconds")
    try:
        WrittenFile(folder).append(Written(step=step, prompt=prompt, text=text, sampling=sampling, time=time))
    except (OSError, InputError, ValueError):  # a folder for reading only; or half of a character
        return False
    return True
