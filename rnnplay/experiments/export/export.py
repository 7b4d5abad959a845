"""Exports runs in one of the formats: checks what was asked for, then has the format's module write it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rnnplay.common.commands import quoted
from rnnplay.errors import InputError
from rnnplay.experiments.export.destination import check_free, destination
from rnnplay.experiments.export.formats import FORMATS, Format, require
from rnnplay.runs.folder import RunFolder


@dataclass(frozen=True)
class Export:
    """One export to be made; `prepare` checks it, `write` makes it."""

    runs: Sequence[RunFolder]
    format: str
    """A key of FORMATS."""
    out: Path | None = None
    """The file or folder to write; None: named after the run, in the current folder."""
    checkpoint: str = "latest"
    """Of formats made from weights: "latest", "best" or a step."""
    force: bool = False
    """Whether files that exist are replaced."""


@dataclass(frozen=True)
class Exported:
    """What was written."""

    files: list[Path]
    note: str = ""
    """One sentence about it, for the user; "" if there is nothing to say."""
    code: str = ""
    """Lines of Python that load it."""


def export(wanted: Export) -> Exported:
    """Writes an export. Raises InputError: for what it cannot be made of, and before any work for its path."""
    kind = FORMATS[wanted.format]
    _check(wanted, kind)
    require(kind.needs, f"Export to {wanted.format}")
    path = destination(wanted.out, default_name(wanted), kind.folder)
    if wanted.format == "csv":
        from rnnplay.experiments.export import tables

        check_free(tables.csv_paths(path), wanted.force)
        return Exported(tables.write_csv(wanted.runs, path))
    if wanted.format == "jsonl":
        from rnnplay.experiments.export import tables

        check_free([path], wanted.force)
        return Exported(tables.write_jsonl(wanted.runs, path))
    if wanted.format == "safetensors":
        from rnnplay.experiments.export import weights

        run = wanted.runs[0]
        check_free(weights.weights_paths(path), wanted.force)
        files, step = weights.write_weights(run, wanted.checkpoint, path)
        info = run.info()
        return Exported(
            files, f"The weights after step {step:,}.", weights.loader(info.config, info.vocabulary, files[0])
        )
    if wanted.format in ("svg", "png"):
        from rnnplay.experiments.export.charts import write_chart

        check_free([path], wanted.force)
        return Exported(write_chart(wanted.runs, path, wanted.format))
    if wanted.format == "report":
        from rnnplay.experiments.export.report import write_report

        check_free([path], wanted.force)
        return Exported(write_report(wanted.runs[0], path))
    if wanted.format == "tensorboard":
        from rnnplay.experiments.export.tensorboard_events import write_events

        return Exported(
            write_events(wanted.runs, path, wanted.force), f"To look at it: tensorboard --logdir {quoted(str(path))}"
        )
    if wanted.format == "onnx":
        from rnnplay.experiments.export.onnx_file import write_onnx

        check_free([path], wanted.force)
        step, difference = write_onnx(wanted.runs[0], wanted.checkpoint, path)
        checked = (
            "" if difference is None else f"; onnxruntime's logits differ from PyTorch's by {difference:.0e} at most"
        )
        return Exported([path], f"The model after step {step:,}{checked}.")
    raise ValueError(f"there is no format {wanted.format!r}")


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
    for run in wanted.runs:
        run.info()
