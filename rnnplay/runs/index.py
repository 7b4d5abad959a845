"""Lists thousands of runs quickly, from an index in the workspace's cache.

A run is read again when its folder (a checkpoint came or went), its run.json or notes.json, or a checkpoint's
state.json has changed.
"""

from __future__ import annotations

import contextlib
import copy
import hashlib
import os
import time
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, get_type_hints

import msgspec

from rnnplay.common.files import read_small, replacing
from rnnplay.common.formatting import model_text
from rnnplay.common.limits import reason
from rnnplay.config import RunConfig, Value, knobs
from rnnplay.errors import ConfigError, RnnplayError
from rnnplay.runs.checkpoint_state import STATE_FILE
from rnnplay.runs.folder import RunFolder, names_in
from rnnplay.runs.info import RunInfo, unsound
from rnnplay.runs.management.notes import FILE as NOTES_FILE
from rnnplay.runs.management.notes import NO_NOTES, RunNotes, read_notes
from rnnplay.runs.metrics.records import lowest
from rnnplay.workspace import Workspace

FRESH_NS = 2_000_000_000
"""A change more recent than this may be followed by another with the same time stamp."""
_LARGEST = 1 << 27
_HASH_BYTES = 32
"""A checksum: a flipped bit would list another run."""
_DEFAULTS = RunConfig()

Stamp = tuple[int, int, int]
"""Of a file or folder: inode, and the times when its contents and its metadata changed."""
_ABSENT: Stamp = (0, 0, 0)


class ListedCheckpoint(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """A checkpoint, as lists of runs need it."""

    step: int
    loss: float | None
    created: float


@dataclass(slots=True)
class ListedRun:
    """A run, as lists of runs need it."""

    folder: RunFolder
    info: RunInfo | None
    """None if it is unreadable."""
    checkpoints: list[ListedCheckpoint] = field(default_factory=list)
    problem: str = ""
    """Why it is unreadable."""
    notes: RunNotes = NO_NOTES
    name: str = field(init=False)
    step: int | None = field(init=False)
    """The step of its last checkpoint."""
    best_loss: float | None = field(init=False)
    """The lowest finite loss of its checkpoints."""
    words: str = field(init=False)
    """Where a filter looks for text: its name, corpus, model, note and tags, case folded, apart by NUL."""

    def __post_init__(self) -> None:
        # Worked out once, as sorting and filtering ask for them of thousands of runs at a key.
        self.name = self.folder.name
        self.step = self.checkpoints[-1].step if self.checkpoints else None
        self.best_loss = lowest(one.loss for one in self.checkpoints)
        told = [self.name]
        if self.info is not None:
            config = self.info.config
            model = model_text(config.cell, config.nonlinearity, config.layers, config.hidden)
            told += config.corpus, model, self.notes.note, *self.notes.tags
        self.words = "\0".join(told).casefold()


_TOLD = {name: kind for name, kind in get_type_hints(RunInfo).items() if name != "config"}
if TYPE_CHECKING:
    _About = msgspec.Struct
else:
    _About = msgspec.defstruct("_About", list(_TOLD.items()), array_like=True, frozen=True)
"""RunInfo without `config`."""


class _Stamps(NamedTuple):
    folder: Stamp
    info: Stamp
    """Of run.json."""
    notes: Stamp
    """Of notes.json."""
    states: dict[str, Stamp]
    """Of each state.json, by the name of the checkpoint's folder."""

    @property
    def newest(self) -> int:
        """The last change of any of them, nanoseconds since 1970."""
        return max(stamp[2] for stamp in (self.folder, self.info, self.notes, *self.states.values()))


class _Entry(msgspec.Struct, array_like=True, frozen=True):
    stamps: _Stamps
    about: _About
    knobs: dict[str, Value]
    """The values of its config that differ from the defaults."""
    checkpoints: list[ListedCheckpoint]
    notes: RunNotes


class _Index(msgspec.Struct):
    version: str
    runs: dict[str, _Entry]


def listed(folder: RunFolder) -> ListedRun:
    """Reads `folder` as it is now; never raises."""
    checkpoints = [ListedCheckpoint(one.step, one.loss, one.created) for one in folder.checkpoints()]
    notes = NO_NOTES
    with contextlib.suppress(RnnplayError, OSError):
        notes = read_notes(folder.path)
    try:
        return ListedRun(folder, folder.info(), checkpoints, notes=notes)
    except RnnplayError as error:
        problem = str(error)
    except OSError as error:
        problem = f"{folder.path} cannot be read ({reason(error)})."
    return ListedRun(folder, None, checkpoints, problem, notes)


def list_quickly(workspace: Workspace) -> Generator[ListedRun]:
    """Yields all runs: those in the index first, then, as they are read, the others, the newest first."""
    place, checkpoints = workspace.cache / "runs.bin", workspace.checkpoints
    known = _read(place)
    changed: list[tuple[int, str, _Stamps]] = []
    kept: dict[str, _Entry] = {}
    checked: dict[tuple[str, type, Value], Value] = {}
    whole = False
    try:
        for name in names_in(checkpoints):
            path = f"{checkpoints}{os.sep}{name}"
            stamps = _stamps(path, entry.stamps.states if (entry := known.get(name)) is not None else ())
            if entry is not None and entry.stamps == stamps:
                run = _listed(RunFolder(checkpoints / name), entry, checked)
                if run is not None:
                    kept[name] = entry
                    yield run
                    continue
            if stamps.folder != _ABSENT:
                changed.append((max(stamps.folder[1], stamps.info[1]), name, stamps))
        for _, name, seen in sorted(changed, key=lambda one: one[0], reverse=True):
            folder = RunFolder(checkpoints / name)
            if seen.info == _ABSENT and not folder.holds_run():
                continue
            path = f"{checkpoints}{os.sep}{name}"
            stamps = seen._replace(states=_state_stamps(path, folder.checkpoint_names()))
            run = listed(folder)
            if run.info is None and not folder.holds_run():
                continue
            if run.info is not None and time.time_ns() - stamps.newest > FRESH_NS:
                kept[name] = _entry(run, stamps)
            yield run
        whole = True
    finally:  # also if the caller stops early: what was read of thousands is not read again
        if changed or kept.keys() != known.keys():
            _write(place, kept if whole else known | kept)


def _write(place: Path, runs: dict[str, _Entry]) -> None:
    with contextlib.suppress(OSError, ValueError):  # it only saves time
        place.parent.mkdir(parents=True, exist_ok=True)
        with replacing(place) as file:
            body = msgspec.msgpack.encode(_Index(_version(), runs))
            file.write(hashlib.sha256(body).digest() + body)


def _stamps(folder: str, checkpoints: Iterable[str]) -> _Stamps:
    states = _state_stamps(folder, checkpoints)
    info, notes = (_stamp(f"{folder}{os.sep}{name}", os.lstat) for name in ("run.json", NOTES_FILE))
    return _Stamps(_stamp(folder, os.stat), info, notes, states)


def _state_stamps(folder: str, checkpoints: Iterable[str]) -> dict[str, Stamp]:
    return {name: _stamp(f"{folder}{os.sep}{name}{os.sep}{STATE_FILE}", os.lstat) for name in checkpoints}


def _stamp(path: str, look: Callable[[str], os.stat_result]) -> Stamp:
    try:
        found = look(path)  # a pathlib.Path for each of tens of thousands would take a second
    except OSError:
        return _ABSENT
    return found.st_ino, found.st_mtime_ns, found.st_ctime_ns


def _entry(run: ListedRun, stamps: _Stamps) -> _Entry:
    assert run.info is not None
    own, defaults = msgspec.structs.astuple(run.info.config), msgspec.structs.astuple(_DEFAULTS)
    names = zip(RunConfig.__struct_fields__, own, defaults, strict=True)
    about = _About(*(getattr(run.info, name) for name in _TOLD))
    return _Entry(
        stamps, about, {name: value for name, value, usual in names if value != usual}, run.checkpoints, run.notes
    )


def _listed(folder: RunFolder, entry: _Entry, checked: dict[tuple[str, type, Value], Value]) -> ListedRun | None:
    # Most knobs of most runs are at their defaults or as in a previous run: checking each of thousands takes seconds.
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
    return None if unsound(info) else ListedRun(folder, info, entry.checkpoints, notes=entry.notes)


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
    # An entry's meaning depends on the defaults and on the fields listed.
    told = msgspec.json.encode([_DEFAULTS, RunInfo.__struct_fields__, _Entry.__struct_fields__])
    return hashlib.sha256(told).hexdigest()
