"""Exports runs in one of the formats: has the format's module write the files."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from rnnplay.common.commands import quoted
from rnnplay.experiments.export.destination import check_free
from rnnplay.experiments.export.request import Export, planned


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
    files = planned(wanted)
    check_free(files, wanted.force)
    absent = {folder for file in files for folder in (file.parent, file.parent.parent) if not folder.exists()}
    try:
        note, code = _write(wanted, files)
    except BaseException:
        for folder in sorted(absent, reverse=True):  # the inner ones first
            with suppress(OSError):
                folder.rmdir()
        raise
    return Exported(files, note, code)


def _write(wanted: Export, files: list[Path]) -> tuple[str, str]:
    """Has the format's module write `files`; returns a note and lines of Python."""
    runs, run, path = wanted.runs, wanted.runs[0], files[0]
    match wanted.format:
        case "csv":
            from rnnplay.experiments.export.tables import write_csv

            write_csv(runs, files)
        case "jsonl":
            from rnnplay.experiments.export.tables import write_jsonl

            write_jsonl(runs, path)
        case "svg" | "png":
            from rnnplay.experiments.export.charts import write_chart

            write_chart(runs, path, wanted.format, wanted.x)
        case "report":
            from rnnplay.experiments.export.report.report import write_report

            write_report(run, path)
        case "tensorboard":
            from rnnplay.experiments.export.tensorboard_events import write_events

            write_events(runs, files)
            return f"To look at it: tensorboard --logdir {quoted(str(path.parent.parent))}", ""
        case "safetensors":
            from rnnplay.experiments.export.weights import loader, write_weights

            step = write_weights(run, wanted.checkpoint, *files)
            info = run.info()
            return f"The weights after step {step:,}.", loader(info.config, info.vocabulary, path)
        case "onnx":
            from rnnplay.experiments.export.onnx.file import write_onnx

            step, difference = write_onnx(run, wanted.checkpoint, path)
            checked = "" if difference is None else f"; onnxruntime's logits differ by {difference:.0e} at most"
            return f"The model after step {step:,}{checked}.", ""
    return "", ""
