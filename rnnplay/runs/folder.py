"""Run folders, checkpoints/<run>/: their names and contents. Does not load torch, as the interface reads them too.

run.json          what the run is (RunInfo)
vocabulary.json   the whole tokenizer: a run folder works without its corpus
tokenizer.json    of byte pairs, the same for programs that use the package tokenizers
words.txt         the words of the training text, one a line, for completions; may be missing
metrics.jsonl     its records (metrics_log.py)
step-000001200/   a checkpoint (training/checkpointing/checkpoints.py), written atomically
engine.log        what the engine process printed
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from rnnplay.common.files import (
    check_own,
    composed,
    is_name,
    read_bounded,
    remove_tree,
    replace_durably,
)
from rnnplay.common.limits import way_out
from rnnplay.common.numbers import whole_number
from rnnplay.errors import CheckpointError, InputError
from rnnplay.runs.checkpoint_state import is_intact, read_state
from rnnplay.runs.info import RunInfo as RunInfo
from rnnplay.runs.info import encode_info, read_info
from rnnplay.runs.lock import LOCK_FILE, RunLock, holder
from rnnplay.runs.metrics.metrics_log import MetricsLog
from rnnplay.runs.metrics.records import Record
from rnnplay.workspace import Workspace

if TYPE_CHECKING:
    from rnnplay.text.tokenizers.build import Tokenizer

VOCABULARY_LIMIT = 1 << 29

_LONGEST_NAME = 80
_STEP = re.compile(r"step-[0-9]{9,13}")
_LEFTOVER = re.compile(r"\.(?:(step-[0-9]{9,13})\.(partial|replaced|removed)|[a-z.]+(?:\.[0-9a-f]{12})?\.partial)")


@dataclass(frozen=True, slots=True)
class CheckpointInfo:
    """A complete checkpoint on disk."""

    step: int
    path: Path
    loss: float | None
    """Loss of the last validation before it, nats per token."""
    created: float
    """Time of writing, seconds since 1970."""
    validated: bool = False
    """Whether that validation was made at this very step."""
    good: bool = True
    """Whether weights are finite and the loss near its level: a state to return to."""
    best: bool = False
    """Whether the validation at this very step was the best of all up to here."""


class RunFolder:
    """One run's folder; it need not exist yet."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @cached_property
    def log(self) -> MetricsLog:
        """The records, metrics.jsonl."""
        return MetricsLog(self.path / "metrics.jsonl")

    @cached_property
    def name(self) -> str:
        """The run's name."""
        return self.path.name

    @property
    def log_path(self) -> Path:
        """The file with what the engine process printed."""
        return self.path / "engine.log"

    def claim(self) -> RunLock:
        """Creates the folder of a new run and takes its lock. Raises InputError if another process holds it."""
        check_run_name(self.name)
        self.path.mkdir(parents=True, exist_ok=True)
        check_own(self.log.path)
        return RunLock.take(self.path)

    def forget_start(self) -> None:
        """Removes the folder of a start that failed, if it contains nothing but the lock and an empty log.

        One in which another process begins a run stays.
        """
        if holder(self.path) is not None:
            return
        with suppress(OSError):
            found = {path.name for path in self.path.iterdir()}
            if found <= {LOCK_FILE, self.log_path.name} and not (
                self.log_path.name in found and self.log_path.stat().st_size
            ):
                self.log_path.unlink(missing_ok=True)
                (self.path / LOCK_FILE).unlink(missing_ok=True)
                self.path.rmdir()

    def holds_run(self) -> bool:
        """Whether a run began here, even if its run.json has been lost since: it must not be overwritten."""
        try:
            if (self.path / "run.json").is_file() or self.log.path.stat().st_size:
                return True
        except OSError:
            pass
        first = self.checkpoint_path(0).name
        return any(_STEP.fullmatch(name) and name != first for name in self._names())

    def create(self, info: RunInfo, tokenizer: Tokenizer) -> None:
        """Creates the folder of a new run, without a checkpoint; raises InputError if the run exists already."""
        self.begin(tokenizer)
        self.write_info(info)

    def begin(self, tokenizer: Tokenizer) -> None:
        """Creates the folder of a new run except run.json, which follows the first checkpoint and makes it a run.

        Leftovers of an interrupted start are removed. Raises InputError if the run exists already.
        """
        check_run_name(self.name)
        self.path.mkdir(parents=True, exist_ok=True)
        if self.holds_run():
            raise InputError(f"There is a run {self.name!r} already; resume it or choose another name.")
        self.sweep()
        if (first := self.checkpoint_path(0)).exists():
            self.remove_checkpoint(first)
        self._write_tokenizer(tokenizer)

    def recreate(self, info: RunInfo, tokenizer: Tokenizer) -> RunLock:
        """Creates the folder of a run in training again, except run.json, after it was removed.

        Raises OSError, or InputError if another run has taken its place.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        replaced = f"The folder {self.path} was replaced by another run's while this one trained, so it ends here"
        try:
            lock = RunLock.take(self.path)
        except InputError as error:
            raise InputError(f"{replaced}; train it again under another name.") from error
        try:
            if (self.path / "run.json").exists() and self.info().created != info.created:
                raise InputError(f"{replaced}; train it again under another name.")
            self._write_tokenizer(tokenizer)
        except BaseException:
            lock.release()
            raise
        return lock

    def _write_tokenizer(self, tokenizer: Tokenizer) -> None:
        for name, data in tokenizer.companions().items():
            replace_durably(self.path / name, data)
        replace_durably(self.path / "vocabulary.json", tokenizer.to_bytes())

    def write_info(self, info: RunInfo) -> None:
        """Replaces run.json."""
        replace_durably(self.path / "run.json", encode_info(info))

    def info(self) -> RunInfo:
        """Reads run.json; raises InputError in one sentence if it cannot be used."""
        return read_info(self.path / "run.json")

    def tokenizer(self) -> Tokenizer:
        """Loads the run's tokenizer; raises InputError if vocabulary.json cannot be used."""
        from rnnplay.text.tokenizers.build import load_tokenizer

        size = self.info().vocabulary
        data = self.vocabulary_bytes()
        # Strings need many times their length in memory, so they are counted before they are created.
        if data.count(b'"') > 4 * size + 100_000:
            raise InputError(f"{self.path / 'vocabulary.json'} has more tokens than its run.json says; restore it.")
        tokenizer = load_tokenizer(data)
        if tokenizer.size != size:
            raise InputError(
                f"{self.path / 'vocabulary.json'} has {tokenizer.size:,} tokens, but the run has {size:,}; restore it."
            )
        return tokenizer

    def vocabulary_bytes(self) -> bytes:
        """The contents of vocabulary.json."""
        return read_bounded(self.path / "vocabulary.json", VOCABULARY_LIMIT)

    def checkpoints(self) -> list[CheckpointInfo]:
        """All complete checkpoints, by step. Unreadable ones are left out."""
        found = []
        for name in self.checkpoint_names():
            path = self.path / name
            try:
                state = read_state(path)
            except InputError:
                continue
            if state.step != int(name.removeprefix("step-")):
                continue
            validations = state.validations
            found.append(
                CheckpointInfo(
                    step=state.step,
                    path=path,
                    loss=validations.last_loss if validations.last_step >= 0 else None,
                    created=state.created,
                    validated=validations.last_step == state.step,
                    good=state.good,
                    best=validations.best_step == state.step,
                )
            )
        return sorted(found, key=lambda checkpoint: checkpoint.step)

    def checkpoint_names(self) -> list[str]:
        """The names of the folders of checkpoints, complete or not, in no order."""
        with suppress(OSError), os.scandir(self.path) as entries:
            return [entry.name for entry in entries if _STEP.fullmatch(entry.name) and not entry.is_symlink()]
        return []

    def checkpoint(self, which: str = "latest") -> CheckpointInfo:
        """Finds "latest", "best" (the lowest validation loss) or the one at a step; raises InputError."""
        found = self.checkpoints()
        if not found:
            raise InputError(f"The run {self.name!r} has no checkpoint that can be read; remove it and train again.")
        if which == "latest":
            return found[-1]
        if which == "best":
            best = best_of(found)
            if best is None:
                validated = any(one.loss is not None for one in found)
                lacks = "no checkpoint with a finite validation loss" if validated else "no validated checkpoint yet"
                raise CheckpointError(f"The run {self.name!r} has {lacks}; take another.", self.another())
            return best
        wanted = whole_number(which)
        for checkpoint in found:
            if checkpoint.step == wanted:
                return checkpoint
        steps = ", ".join(str(checkpoint.step) for checkpoint in found)
        raise InputError(f"The run {self.name!r} has no checkpoint {which!r}; there are latest, best, {steps}.")

    def good_checkpoints(self) -> list[CheckpointInfo]:
        """Those of `checkpoints` with finite weights and a loss near its level."""
        return [one for one in self.checkpoints() if one.good and (one.loss is None or math.isfinite(one.loss))]

    def another(self, but: int | None = None) -> int | None:
        """The step of a checkpoint to use instead of the one at `but` (else the latest).

        It is the newest good one before it, else one after it. None if there is none; damaged ones are not suggested,
        or two would refer to each other.
        """
        good = self.good_checkpoints()
        before = [one for one in good if but is None or one.step < but]
        after = [one for one in good if but is not None and one.step > but]
        return next((one.step for one in (*before[::-1], *after) if is_intact(one.path)), None)

    def checkpoint_path(self, step: int) -> Path:
        """The path of the checkpoint after `step` steps, whether it exists or not."""
        return self.path / f"step-{step:09d}"

    def metrics(self) -> Iterator[Record]:
        """Reads all records on disk, oldest first."""
        return self.log.read()

    def remove_checkpoint(self, path: Path) -> None:
        """Deletes a checkpoint atomically."""
        away = path.with_name(f".{path.name}.removed")
        with suppress(OSError):
            remove_tree(away)
        path.rename(away)
        with suppress(OSError):
            remove_tree(away)

    def rewind(self, step: int, metrics_size: int | None = None) -> None:
        """Deletes everything later than the checkpoint at `step`: checkpoints and records."""
        self.remove_checkpoints_after(step)
        self.log.cut(step, metrics_size)

    def remove_checkpoints_after(self, step: int) -> None:
        """Deletes later checkpoints, including unreadable ones."""
        for name in self._names():
            if _STEP.fullmatch(name) and int(name.removeprefix("step-")) > step:
                self.remove_checkpoint(self.path / name)

    def sweep(self) -> None:
        """Removes what an interrupted write left behind."""
        for name in self._names():
            match, path = _LEFTOVER.fullmatch(name), self.path / name
            if match is None:
                continue
            if match[2] == "replaced" and not (self.path / match[1]).exists():
                path.rename(self.path / match[1])  # the newer one was never moved into its place
            else:
                with suppress(OSError):
                    remove_tree(path)

    def _names(self) -> list[str]:
        with suppress(OSError):
            return os.listdir(self.path)  # noqa: PTH208 (of thousands of runs, a Path for each entry takes long)
        return []


def best_of(checkpoints: list[CheckpointInfo]) -> CheckpointInfo | None:
    """The checkpoint with the lowest validation loss, the earliest of equals; None if none was validated."""
    rated = [(one.loss, not one.validated, one) for one in checkpoints if one.loss is not None]
    rated = [entry for entry in rated if math.isfinite(entry[0])]
    return min(rated, key=lambda entry: (*entry[:2], entry[2].step))[2] if rated else None


def list_runs(workspace: Workspace) -> list[RunFolder]:
    """Lists all runs by name, including unreadable ones."""
    runs = [RunFolder(workspace.checkpoints / name) for name in names_in(workspace.checkpoints)]
    return [run for run in runs if run.holds_run()]


def names_in(checkpoints: Path) -> list[str]:
    """The valid run names in the folder, sorted."""
    with suppress(OSError):
        return sorted(name for name in os.listdir(checkpoints) if is_name(name, _LONGEST_NAME))  # noqa: PTH208 (fast)
    return []


def find_run(name: str, workspace: Workspace) -> RunFolder:
    """Finds the run of that name; raises InputError naming those that exist."""
    folder = RunFolder(workspace.checkpoints / check_run_name(name))
    if folder.holds_run():
        return folder
    try:
        os.scandir(folder.path).close()
    except PermissionError as error:
        raise InputError(f"{folder.path} cannot be read ({error.strerror}); {way_out(error, reading=True)}.") from error
    except OSError:
        pass  # there is none
    runs = list_runs(workspace)
    for run in () if name.isascii() else runs:
        if composed(run.name) == folder.name:  # a file system may store é as e and a combining accent
            return run
    names = [run.name for run in runs]
    if not names:
        raise InputError(f"There is no run {name!r}, nor any other in {workspace.checkpoints}; train one first.")
    more = f" and {len(names) - 20} more" if len(names) > 20 else ""
    raise InputError(f"There is no run {name!r}; the runs are {', '.join(names[:20])}{more}.")


def check_run_name(name: str) -> str:
    """Returns `name` in composed form if a run can have it; raises InputError otherwise. Never accepts a path."""
    if not is_name(composed(name), _LONGEST_NAME):
        raise InputError(
            f"A run cannot be called {name[:100]!r}; use at most 80 letters, digits, dots, dashes and underscores, "
            "beginning with a letter or digit."
        )
    return composed(name)
