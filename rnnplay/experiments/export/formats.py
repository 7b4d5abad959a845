"""The formats that runs are exported to: what each is, its file names, and the packages that it needs."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from typing import NamedTuple

from rnnplay.common.commands import quoted
from rnnplay.errors import InputError


class Format(NamedTuple):
    """One format of `rnnplay export --to`."""

    help: str
    ending: str
    """What follows the run's name in the default path."""
    needs: tuple[str, ...] = ()
    """Modules of the extra `export` that it is written with."""
    several: bool = False
    """Whether one export may hold several runs."""
    folder: bool = False
    """Whether the path is that of a folder."""
    weights: bool = False
    """Whether it is made from a checkpoint."""


FORMATS = {
    "csv": Format("a folder of three tables: steps, validations, events", "-csv", several=True, folder=True),
    "jsonl": Format("the same as one JSON object per line", ".jsonl", several=True),
    "svg": Format("charts of loss and gradient norm, to scale and print", ".svg", ("matplotlib",), several=True),
    "png": Format("the same as a picture", ".png", ("matplotlib",), several=True),
    "report": Format("one HTML page: measures, charts, samples, settings", ".html", ("matplotlib", "jinja2")),
    "tensorboard": Format(
        "event files for TensorBoard, a folder for each run",
        "tensorboard",
        ("tensorboard",),
        several=True,
        folder=True,
    ),
    "safetensors": Format("weights, named as torch.nn names them, and the vocabulary", ".safetensors", weights=True),
    "onnx": Format("the model as a graph, for ONNX runtimes", ".onnx", ("onnx",), weights=True),
}
"""By the word for `--to`."""


def require(modules: tuple[str, ...], purpose: str) -> None:
    """Raises InputError, with the command that installs them, if one of `modules` is not installed."""
    lacking = [module for module in modules if find_spec(module) is None]
    if lacking:
        what = f"the package {lacking[0]}, which is" if len(lacking) == 1 else f"{' and '.join(lacking)}, which are"
        install = f"{quoted(sys.executable)} -m pip install {' '.join(lacking)}"  # they are called as their modules are
        raise InputError(f"{purpose} needs {what} not installed; to install: {install}")
