"""Where an export is written: paths are checked before any work is done, and files appear whole or not at all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from rnnplay.common.commands import quoted
from rnnplay.common.confinement import check_reachable
from rnnplay.common.files import replacing
from rnnplay.common.limits import reason, way_out
from rnnplay.errors import InputError
from rnnplay.experiments.export.formats import FORMATS

_ENDINGS = {kind.ending: name for name, kind in FORMATS.items() if kind.ending.startswith(".")}
_ENDINGS |= {".htm": "report", ".csv": "csv"}
_ENDINGS |= dict.fromkeys((".pdf", ".jpg", ".jpeg", ".gif", ".webp", ".eps", ".ps", ".zip"), "")
"""The formats of files with these endings, by which programs tell how to read them; "": none of ours."""

EVENTS = "events.out.tfevents.rnnplay-export"
"""The name of an exported event file; one that training writes has the time and the process in its name."""


def files_of(format_: str, names: Sequence[str], path: Path) -> list[Path]:
    """The files that an export of the runs `names` to `path` writes."""
    if format_ == "csv":
        return [path / f"{table}.csv" for table in ("steps", "validations", "events")]
    if format_ == "tensorboard":
        return [path / name / EVENTS for name in names]
    if format_ == "safetensors":
        return [path, path.with_name(path.name.removesuffix(".safetensors") + ".vocabulary.json")]
    return [path]


def check_ending(format_: str, out: Path) -> None:
    """Raises InputError if `out` is named as a file of another format, so that no program would open it."""
    kind, meant = FORMATS[format_], _ENDINGS.get(out.suffix.lower())
    if meant is None or (meant == format_ and not kind.folder) or out.is_dir():
        return
    another = f", or export to {meant}" if meant not in ("", format_) else ""
    if kind.folder:
        raise InputError(f"{out} is named as a file, but {format_} is a folder of files; call it {out.stem}{another}.")
    raise InputError(f"{out} is not named as {format_} is; call it {out.stem}{kind.ending}{another}.")


def destination(out: Path | None, default: str, folder: bool) -> Path:
    """The file (or `folder`) to write: `out`, or `default` in the current folder.

    A file whose path is an existing folder goes into it under its default name. Raises InputError for a path that
    nothing can be written at.
    """
    try:
        path = Path(default) if out is None else out.expanduser()
    except RuntimeError as error:
        raise InputError(f"The home folder in {out} cannot be found; give the whole path.") from error
    check_reachable(path)
    if not folder and path.is_dir():
        path = path / default
    if not path.name or "\0" in str(path):
        raise InputError(f"{str(path)!r} is not the name of a {'folder' if folder else 'file'}; give another path.")
    parent = path.parent
    if not parent.is_dir():
        if parent.exists():
            raise InputError(f"{parent} is not a folder, so nothing can be written in it; give another path.")
        raise InputError(f"The folder {parent} does not exist; to create it: mkdir -p {quoted(str(parent))}")
    if folder and path.exists() and not path.is_dir():
        raise InputError(f"{path} is a file, but this format is a folder of files; give another path.")
    for above in (path, *path.absolute().parents)[: 3 if folder else 2]:
        if (above / "run.json").exists():
            raise InputError(f"{above} is the folder of a run, and only its training writes there; give another path.")
    return path


def check_free(paths: Sequence[Path], force: bool) -> None:
    """Raises InputError if one of `paths` exists, unless `force`; with it, if one is not a plain file."""
    for path in paths:
        if not path.is_symlink() and not path.exists():
            continue
        if path.is_symlink() or not path.is_file():
            raise InputError(f"{path} is not a plain file, so it is not replaced; give another path.")
        if not force:
            raise InputError(f"{path} exists already; give another path, or --force to replace it.")


@contextmanager
def writing(path: Path) -> Iterator[BinaryIO]:
    """Opens a new file that takes the place of `path` once it is whole; raises InputError if that is impossible."""
    try:
        with replacing(path) as file:
            yield file
    except OSError as error:
        raise InputError(
            f"{path} cannot be written ({reason(error)}); {way_out(error)}, or give another path."
        ) from error


def make_folder(path: Path) -> None:
    """Creates the folder `path` if it does not exist; raises InputError if that is impossible."""
    try:
        path.mkdir(exist_ok=True)
    except OSError as error:
        raise InputError(
            f"The folder {path} cannot be created ({reason(error)}); {way_out(error)}, or give another path."
        ) from error
