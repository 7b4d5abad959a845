"""Writes a run's model as an ONNX file, checked against PyTorch where onnxruntime is installed."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from rnnplay.errors import InputError, RnnplayError
from rnnplay.experiments.export.destination import writing
from rnnplay.runs.folder import RunFolder

if TYPE_CHECKING:
    from rnnplay.model.language_model import LanguageModel

TOLERANCE = 1e-4
"""Largest difference of a logit between onnxruntime and PyTorch, relative to the largest logit if that is above 1."""
MOST_BYTES = 2_000_000_000
"""Size limit of an ONNX file, which is one message of protobuf: 2 GiB at most."""


def write_onnx(run: RunFolder, checkpoint: str, path: Path) -> tuple[int, float | None]:
    """Writes the model; returns the checkpoint's step and the largest difference to PyTorch, None if not compared.

    The file's properties have the run and step, the tokenizer, and the vocabulary as JSON. Raises InputError, and
    RnnplayError if the model does not compute what PyTorch does.
    """
    from rnnplay import __version__
    from rnnplay.experiments.export.onnx.graph import onnx_model
    from rnnplay.training.checkpointing.checkpoints import load_model

    model, tokenizer, step = load_model(run, checkpoint)
    if 4 * model.size > MOST_BYTES:
        raise InputError(
            f"The model has {model.size:,} parameters, more than the 2 GB that an ONNX file may have; "
            "export it to safetensors."
        )
    metadata = {
        "rnnplay": __version__,
        "run": run.name,
        "step": str(step),
        "cell": model.config.cell,
        "tokens": tokenizer.kind,
        "vocabulary.json": tokenizer.to_bytes().decode(),
    }
    weights = {name: tensor.detach().numpy() for name, tensor in model.state_dict().items()}
    data = onnx_model(model.config, weights, metadata).SerializeToString()
    difference = _difference(model, data) if find_spec("onnxruntime") is not None else None
    if difference is not None and not difference <= TOLERANCE:
        raise RnnplayError(
            f"onnxruntime's logits differ from PyTorch's by {difference:.1g}, so nothing was written; export to "
            "safetensors, and report it."
        )
    with writing(path) as file:
        file.write(data)
    return step, difference


def _difference(model: LanguageModel, data: bytes) -> float:
    """The largest difference of onnxruntime's logits over two sequences, one as a whole and one step by step."""
    import numpy as np
    import onnxruntime
    import torch

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    ids = torch.randint(model.vocabulary, (2, 24), generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        expected = model(ids)[0].numpy()
    names = [given.name for given in session.get_inputs()][1:]
    zeros = np.zeros((model.config.layers, len(ids), model.config.hidden), dtype=np.float32)
    whole = session.run(["logits"], {"ids": ids.numpy(), **dict.fromkeys(names, zeros)})[0]
    state, steps = [zeros] * len(names), []
    for column in ids.numpy().T:
        logits, *state = session.run(None, {"ids": column[:, None], **dict(zip(names, state, strict=True))})
        steps.append(logits)
    scale = max(1.0, float(np.abs(expected).max()))
    return max(float(np.abs(found - expected).max()) for found in (whole, np.concatenate(steps, axis=1))) / scale
