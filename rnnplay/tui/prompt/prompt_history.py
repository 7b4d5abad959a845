"""The prompts from which samples were drawn, kept in the workspace."""

from __future__ import annotations

import contextlib
from pathlib import Path

import msgspec

from rnnplay.common.files import read_small, replacing

FILE = "prompts.json"
MOST_PROMPTS, MOST_CHARACTERS = 200, 5_000
"""Older and longer prompts are not kept."""

_LARGEST = 1 << 24


class PromptHistory:
    """The prompts from the oldest to the newest, and the one shown. The text being typed comes after the newest."""

    def __init__(self, path: Path | None = None) -> None:
        """`path`: the file in which they are kept; without it they last as long as this object."""
        self._path = path
        self._prompts: list[str] | None = None
        self._at: int | None = None
        self._typed = ""

    @property
    def walking(self) -> bool:
        """Whether a prompt from the history is shown."""
        return self._at is not None

    def add(self, prompt: str) -> None:
        """Adds `prompt` as the newest; an equal one is moved there."""
        self.leave()
        if not prompt.strip() or len(prompt) > MOST_CHARACTERS:
            return
        # Read again: another interface may have the same workspace.
        known = self._read() if self._path is not None else self._prompts or []
        self._prompts = [*(one for one in known if one != prompt), prompt][-MOST_PROMPTS:]
        self._write()

    def older(self, typed: str) -> str | None:
        """Returns the prompt before the one shown, which is `typed` at first; None if there is none."""
        if self._prompts is None:
            self._prompts = self._read()
        at = len(self._prompts) if self._at is None else self._at
        before = next((k for k in range(at - 1, -1, -1) if self._prompts[k] != typed), None)
        if before is None:
            return None
        if self._at is None:
            self._typed = typed
        self._at = before
        return self._prompts[before]

    def newer(self) -> str | None:
        """Returns the prompt after the one shown, and at the end what was typed; None if none is shown."""
        if self._at is None or self._prompts is None:
            return None
        self._at += 1
        if self._at < len(self._prompts):
            return self._prompts[self._at]
        self.leave()
        return self._typed

    def leave(self) -> None:
        """Goes back to the end: what is shown was edited, or a sample drawn from it."""
        self._at = None

    def _read(self) -> list[str]:
        if self._path is None:
            return []
        try:
            return msgspec.json.decode(read_small(self._path, _LARGEST), type=list[str])[-MOST_PROMPTS:]
        except (OSError, ValueError, RecursionError):  # missing, or not written by rnnplay
            return []

    def _write(self) -> None:
        if self._path is not None and self._path.parent.is_dir():
            with contextlib.suppress(OSError), replacing(self._path) as file:
                file.write(msgspec.json.encode(self._prompts))
