"""Screenshots of the interface, kept in the workspace."""

from __future__ import annotations

from datetime import datetime
from itertools import count
from pathlib import Path


def save_screenshot(svg: str, folder: Path, now: datetime) -> Path:
    """Write `svg` to a new file in `folder`, named for the moment, and return its path. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in count(1):
        again = f"-{number}" if number > 1 else ""
        path = folder / f"rnnplay-{now:%Y-%m-%d-%H%M%S}{again}.svg"
        try:
            with path.open("x", encoding="utf-8") as file:  # never over a file that is there
                file.write(svg)
        except FileExistsError:
            continue
        return path
    raise AssertionError
