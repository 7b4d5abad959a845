"""What is to be exported, and the files that it would be written to. Loads nothing large."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rnnplay.common.limits import reason
from rnnplay.errors import InputError
from rnnplay.experiments.export.destination import check_ending, destination, files_of
from rnnplay.experiments.export.formats import FORMATS, Format, require
from rnnplay.runs.folder import RunFolder


@dataclass(frozen=True)
class Export:
    """One export to be made."""

    runs: Sequence[RunFolder]
    format: str
    """A key of FORMATS."""
    out: Path | None = None
    """The file or folder to write; None: named after the run, in the current folder."""
    checkpoint: str = "latest"
    """For formats made from weights: "latest", "best" or a step."""
    x: str = "steps"
    """For charts, the horizontal axis: "steps" or "tokens"."""
    force: bool = False
    """Whether files that exist are replaced."""


def planned(wanted: Export) -> list[Path]:
    """The files that an export would write. Raises InputError for one that cannot be made; loads nothing large."""
    kind = FORMATS[wanted.format]
    _check(wanted, kind)
    require(kind.needs, f"Export to {wanted.format}")
    try:
        if wanted.out is not None:
            check_ending(wanted.format, wanted.out)
        path = destination(wanted.out, default_name(wanted), kind.folder)
    except PermissionError as error:
        raise InputError(f"{wanted.out} cannot be looked at ({reason(error)}); give another path.") from error
    return files_of(wanted.format, [run.name for run in wanted.runs], path)


def default_name(wanted: Export) -> str:
    """The name of the file or folder that is written if none is given."""
    kind = FORMATS[wanted.format]
    if kind.ending == wanted.format:
        return kind.ending
    return (wanted.runs[0].name if len(wanted.runs) == 1 else "runs") + kind.ending


def _check(wanted: Export, kind: Format) -> None:
    names = [run.path.resolve() for run in wanted.runs]
    if len(set(names)) < len(names):
        raise InputError("A run is named twice; name each once.")
    if len(wanted.runs) > 1 and not kind.several:
        several = ", ".join(name for name, other in FORMATS.items() if other.several)
        raise InputError(f"An export to {wanted.format} holds one run; name one, or choose one of {several}.")
    if wanted.checkpoint != "latest" and not kind.weights:
        made = " and ".join(name for name, other in FORMATS.items() if other.weights)
        raise InputError(
            f"--checkpoint is for exports of weights, {made}; an export to {wanted.format} is of the whole run."
        )
    if wanted.x != "steps" and wanted.format not in ("svg", "png"):
        raise InputError(f"--x is the horizontal axis of svg and png; leave it out for {wanted.format}.")
    for run in wanted.runs:
        run.info()
