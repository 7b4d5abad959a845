"""Many runs listed quickly: what each was when it was last read is kept in the workspace's cache.

A run is read again when its folder (a checkpoint came or went) or its run.json is not as it was then.
"""

from __future__ import annotations

import contextlib
import copy
import hashlib
import math
import os
import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, get_type_hints

import msgspec

from rnnplay.common.limits import reason
from rnnplay.common.own_files import replacing
from rnnplay.common.plain_files import read_small
from rnnplay.config import RunConfig, Value, knobs
from rnnplay.errors import ConfigError, RnnplayError
from rnnplay.runs.folder import RunFolder, names_in
from rnnplay.runs.info import RunInfo, unsound
from rnnplay.workspace import Workspace

FRESH_NS = 2_000_000_000
"""What changed less than this ago may change again without its time telling."""
_LARGEST = 1 << 27
_HASH_BYTES = 32
"""A bit that is flipped on the disk would list another run."""
_DEFAULTS = RunConfig()

Stamp = tuple[int, int, int, int, int, int]
"""Of the folder, and of its run.json: which it is, and when what is in it, and what is known of it, were changed."""


class ListedCheckpoint(NamedTuple):
    """A checkpoint, as lists of runs need it."""

    step: int
    loss: float | None
    created: float


@dataclass(slots=True)
class ListedRun:
    """A run, as lists of runs need it."""

    folder: RunFolder
    info: RunInfo | None
    """None: it cannot be read."""
    checkpoints: list[ListedCheckpoint] = field(default_factory=list)
    problem: str = ""
    """Why it cannot be read."""

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def step(self) -> int | None:
        """Of its last checkpoint."""
        return self.checkpoints[-1].step if self.checkpoints else None

    @property
    def best_loss(self) -> float | None:
        """The lowest one of its checkpoints that is finite."""
        losses = [one.loss for one in self.checkpoints if one.loss is not None and math.isfinite(one.loss)]
        return min(losses, default=None)


_TOLD = {name: kind for name, kind in get_type_hints(RunInfo).items() if name != "config"}
if TYPE_CHECKING:
    _About = msgspec.Struct
else:
    _About = msgspec.defstruct("_About", list(_TOLD.items()), array_like=True, frozen=True)
"""RunInfo but for `config`."""


class _Entry(msgspec.Struct, array_like=True, frozen=True):
    stamp: Stamp
    about: _About
    knobs: dict[str, Value]
    """Of its config what is not the default."""
    checkpoints: list[ListedCheckpoint]


class _Index(msgspec.Struct):
    version: str
    runs: dict[str, _Entry]


def listed(folder: RunFolder) -> ListedRun:
    """What `folder` is now; never raises."""
    checkpoints = [ListedCheckpoint(one.step, one.loss, one.created) for one in folder.checkpoints()]
    try:
        return ListedRun(folder, folder.info(), checkpoints)
    except RnnplayError as error:
        problem = str(error)
    except OSError as error:
        problem = f"{folder.path} cannot be read ({reason(error)})."
    return ListedRun(folder, None, checkpoints, problem)


def list_quickly(workspace: Workspace) -> Generator[ListedRun]:
    """All runs: those that are as they were first, then, as they are read, the others, the newest of them first."""
    place = workspace.cache / "runs.bin"
    known = _read(place)
    changed: list[tuple[int, RunFolder, Stamp]] = []
    kept: dict[str, _Entry] = {}
    checked: dict[tuple[str, type, Value], Value] = {}
    whole = False
    try:
        for name, stamp in _stamps(workspace.checkpoints):
            folder = RunFolder(workspace.checkpoints / name)
            entry = known.get(name)
            if entry is not None and entry.stamp == stamp and (run := _listed(folder, entry, checked)) is not None:
                kept[name] = entry
                yield run
            else:
                changed.append((max(stamp[1], stamp[4]), folder, stamp))
        for _, folder, stamp in sorted(changed, key=lambda one: one[0], reverse=True):
            if not folder.holds_run():
                continue
            run = listed(folder)
            if run.info is not None and time.time_ns() - max(stamp[2], stamp[5]) > FRESH_NS:
                kept[run.name] = _entry(run, stamp)
            yield run
        whole = True
    finally:  # also where nobody waits for the rest: what was read of thousands is not read again
        if changed or kept.keys() != known.keys():
            _write(place, kept if whole else known | kept)


def _write(place: Path, runs: dict[str, _Entry]) -> None:
    with contextlib.suppress(OSError, ValueError):  # it only saves time
        place.parent.mkdir(parents=True, exist_ok=True)
        with replacing(place) as file:
            body = msgspec.msgpack.encode(_Index(_version(), runs))
            file.write(hashlib.sha256(body).digest() + body)


def _stamps(checkpoints: Path) -> Iterator[tuple[str, Stamp]]:
    for name in names_in(checkpoints):
        folder = f"{checkpoints}{os.sep}{name}"
        with contextlib.suppress(OSError):
            whole = os.stat(folder)  # noqa: PTH116 (of thousands)
            about = (0, 0, 0)
            with contextlib.suppress(OSError):
                found = os.lstat(f"{folder}{os.sep}run.json")
                about = (found.st_ino, found.st_mtime_ns, found.st_ctime_ns)
            yield name, (whole.st_ino, whole.st_mtime_ns, whole.st_ctime_ns, *about)


def _entry(run: ListedRun, stamp: Stamp) -> _Entry:
    assert run.info is not None
    config = run.info.config
    names = [name for name in RunConfig.__struct_fields__ if getattr(config, name) != getattr(_DEFAULTS, name)]
    about = _About(*(getattr(run.info, name) for name in _TOLD))
    return _Entry(stamp, about, {name: getattr(config, name) for name in names}, run.checkpoints)


def _listed(folder: RunFolder, entry: _Entry, checked: dict[tuple[str, type, Value], Value]) -> ListedRun | None:
    # Most knobs of most runs are the defaults, or as in a run before: checking all of thousands takes seconds.
    config = copy.copy(_DEFAULTS)
    try:
        for name, value in entry.knobs.items():
            key = (name, type(value), value)
            if key not in checked:
                checked[key] = knobs()[name].check(value)
            msgspec.structs.force_setattr(config, name, checked[key])
    except (KeyError, ConfigError):
        return None
    info = RunInfo(config=config, **{name: getattr(entry.about, name) for name in _TOLD})
    return None if unsound(info) else ListedRun(folder, info, entry.checkpoints)


def _read(place: Path) -> dict[str, _Entry]:
    try:
        data = read_small(place, _LARGEST)
        if hashlib.sha256(data[_HASH_BYTES:]).digest() != data[:_HASH_BYTES]:
            return {}
        index = msgspec.msgpack.decode(data[_HASH_BYTES:], type=_Index)
        return index.runs if index.version == _version() else {}
    except (OSError, ValueError, RecursionError):  # msgspec's errors are ValueErrors
        return {}


def _version() -> str:
    # What an entry means hangs on the defaults, and on what there is to tell.
    told = msgspec.json.encode([_DEFAULTS, RunInfo.__struct_fields__, _Entry.__struct_fields__])
    return hashlib.sha256(told).hexdigest()
