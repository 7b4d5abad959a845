"""Adds up what folders take on disk."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path


def disk_use(folder: Path, stopped: Callable[[], bool] = lambda: False, linked: bool = True) -> int:
    """Returns the bytes of all files below `folder`, links not followed; what cannot be read counts 0.

    Ends early, with what was counted so far, once `stopped` returns true. Unless `linked`, files that have another name
    somewhere are left out.
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
                            found = entry.stat(follow_symlinks=False)
                            total += found.st_size if linked or found.st_nlink == 1 else 0
                    except OSError:
                        continue
        except OSError:
            continue
    return total
