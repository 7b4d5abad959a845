"""Names new runs and creates their folders at once, so that two that start together get different ones."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from rnnplay.common.files import TAKEN, as_name, composed, lock_now, open_own
from rnnplay.config import RunConfig
from rnnplay.knob_texts import corpus_label
from rnnplay.runs.folder import RunFolder, names_in
from rnnplay.workspace import Workspace

_PATIENCE_SECONDS = 2.0
"""Choosing names takes milliseconds; who holds the lock for longer has been stopped."""


def new_run_name(config: RunConfig, workspace: Workspace, stem: str = "", others: Collection[str] = ()) -> str:
    """Returns a free name like "tales-lstm-256-01"; `stem` replaces the part before the number.

    `others` are names in use whose folders may not exist yet.
    """
    if not stem:
        corpus = as_name(corpus_label(config.corpus, suffix=False), 40) or "run"
        stem = f"{corpus}-{config.cell}-{config.hidden}"
    taken = set(others)
    if workspace.checkpoints.is_dir():
        taken |= {composed(path.name) for path in workspace.checkpoints.iterdir()}
    used = [int(match[1]) for name in taken if (match := re.fullmatch(re.escape(stem) + r"-([0-9]{2,9})", name))]
    return f"{stem}-{max(used, default=0) + 1:02d}"


def reserve_run(config: RunConfig, workspace: Workspace, stem: str = "", others: Collection[str] = ()) -> RunFolder:
    """Creates the empty folder of a new run, called as `new_run_name` says."""
    while True:
        path = workspace.checkpoints / new_run_name(config, workspace, stem, others)
        try:
            path.mkdir(parents=True)
        except FileExistsError:
            if os.path.lexists(path):  # else a folder above it is a file
                continue
        except OSError:
            pass  # reported when the run begins to write there
        return RunFolder(path)


def reserve_runs(name: Callable[[Collection[str]], Sequence[str]], workspace: Workspace) -> list[str]:
    """Creates the empty folders of runs that belong together.

    `name` returns their names, none of which is among those given to it; no other process chooses any meanwhile, where
    files can be locked.
    """
    with _alone(workspace):
        taken = set(names_in(workspace.checkpoints))
        while True:
            names = list(name(taken))
            made: list[Path] = []
            try:
                for path in (workspace.checkpoints / one for one in names):
                    path.mkdir()
                    made.append(path)
            except FileExistsError as error:
                for path in made:
                    path.rmdir()
                taken.add(Path(error.filename).name)
                continue
            except OSError:
                pass  # reported when the runs begin to write there
            return names


def give_back(names: Iterable[str], workspace: Workspace) -> None:
    """Removes the folders, of those that were reserved, whose runs did not begin."""
    for folder in (RunFolder(workspace.checkpoints / name) for name in names):
        if not folder.holds_run():
            folder.forget_start()


@contextmanager
def _alone(workspace: Workspace) -> Iterator[None]:
    """Waits until no other process chooses names in the workspace, or gives up waiting."""
    descriptor = None
    with suppress(OSError):
        workspace.cache.mkdir(parents=True, exist_ok=True)
        descriptor = open_own(workspace.cache / "names.lock", os.O_RDWR | os.O_CREAT)
    try:
        gives_up = time.monotonic() + _PATIENCE_SECONDS
        while descriptor is not None:
            try:
                lock_now(descriptor)
            except OSError as error:
                if error.errno in TAKEN and time.monotonic() < gives_up:
                    time.sleep(0.005)
                    continue
            break
        yield
    finally:
        if descriptor is not None:
            os.close(descriptor)
