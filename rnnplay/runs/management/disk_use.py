"""Adds up what folders take on disk."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path


def disk_use(folder: Path, stopped: Callable[[], bool] = lambda: False) -> int:
    """Returns the bytes of all files below `folder`, links not followed; what cannot be read counts 0.

    Ends early, with what was counted so far, once `stopped` returns true.
    """
    total = 0
    waiting = [os.fspath(folder)]
    while waiting and not stopped():
        try:
            with os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    try:
                        if entry.is_dir(follow_symlinks=False):
                            waiting.append(entry.path)
                        else:
                            total += entry.stat(follow_symlinks=False).st_size
                    except OSError:
                        continue
        except OSError:
            continue
    return total
