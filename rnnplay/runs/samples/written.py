"""Writes and reads written.jsonl: the samples that the user drew from a run. Does not load torch.

One line of JSON a sample, the oldest first. The file is bounded: the older half is dropped when it is full.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec

from rnnplay.common.files import check_own, open_if_there, replacing
from rnnplay.common.jsonl import append_lines, encode_line
from rnnplay.config import SamplingConfig

FILE = "written.jsonl"
MOST_BYTES = 4_000_000
PROMPT_CHARACTERS, TEXT_CHARACTERS = 2_000, 100_000
"""The end of a longer prompt, and the beginning of a longer sample, are kept."""


class Written(msgspec.Struct, frozen=True, kw_only=True):
    """A sample with all that is needed to draw it again. Its texts are not cleaned for a terminal."""

    step: Annotated[int, msgspec.Meta(ge=0)]
    """Steps that the weights had been trained."""
    prompt: str
    text: str
    """The continuation, without the prompt."""
    sampling: SamplingConfig
    """The settings, the seed among them."""
    time: str = ""
    """When it was drawn, as in ISO 8601."""


class WrittenFile:
    """The written.jsonl in a run's folder; it need not exist."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE

    def append(self, written: Written) -> None:
        """Adds a sample. Raises OSError, or InputError for a file that may be another."""
        line = encode_line(
            msgspec.structs.replace(
                written, prompt=written.prompt[-PROMPT_CHARACTERS:], text=written.text[:TEXT_CHARACTERS]
            )
        )
        check_own(self.path)
        if self.path.exists() and self.path.stat().st_size + len(line) > MOST_BYTES:
            self._halve()
        append_lines(self.path, line)

    def _halve(self) -> None:
        data = self.path.read_bytes()[-MOST_BYTES // 2 :]
        with replacing(self.path, keep_mode=True) as file:
            file.write(data[data.find(b"\n") + 1 :])

    def read(self) -> list[Written]:
        """Reads the samples, the newest first; lines that rnnplay did not write are left out. Raises InputError."""
        if (descriptor := open_if_there(self.path)) is None:
            return []
        with open(descriptor, "rb") as file:  # noqa: PTH123 (a descriptor)
            data = file.read(2 * MOST_BYTES)
        found: list[Written] = []
        for line in data.split(b"\n"):
            try:
                found.append(_decoder.decode(line))
            except (ValueError, RecursionError):  # also a line that is still being written
                continue
        return found[::-1]


_decoder = msgspec.json.Decoder(Written)
