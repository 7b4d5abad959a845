"""The weights of a run for plain PyTorch: a safetensors file, the vocabulary, and the lines that load them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rnnplay.experiments.export.destination import writing
from rnnplay.model.parameter_count import adaptive_cutoffs
from rnnplay.runs.folder import RunFolder

if TYPE_CHECKING:
    from rnnplay.config import RunConfig


def write_weights(run: RunFolder, checkpoint: str, weights: Path, vocabulary: Path) -> int:
    """Writes the model's tensors, float32 and named as torch.nn names them, and vocabulary.json; returns the step.

    A tied output.weight is written out, so that plain layers load the file as it is. The file's metadata has the
    sizes, the cell and the run. Raises InputError.
    """
    import safetensors.torch  # loads torch

    from rnnplay.training.checkpointing.checkpoints import load_model

    model, tokenizer, step = load_model(run, checkpoint)
    config = model.config
    tensors = {name: tensor.detach().clone().contiguous() for name, tensor in model.state_dict().items()}
    described = {
        name: str(getattr(config, name))
        for name in ("cell", "nonlinearity", "embedding", "hidden", "layers", "softmax")
    }
    metadata = {"format": "pt", **described, "vocabulary": str(tokenizer.size), "run": run.name, "step": str(step)}
    with writing(weights) as file:
        file.write(safetensors.torch.save(tensors, metadata))
    with writing(vocabulary) as file:
        file.write(tokenizer.to_bytes())
    return step


def loader(config: RunConfig, vocabulary: int, path: Path) -> str:
    """Six lines of Python that load the weights at `path` into plain torch.nn layers, as `model`."""
    name = {"rnn": "RNN", "gru": "GRU", "lstm": "LSTM"}[config.cell]
    relu = ', nonlinearity="relu"' if config.cell == "rnn" and config.nonlinearity == "relu" else ""
    output = f"Linear({config.hidden}, {vocabulary})"
    if config.softmax == "adaptive":
        output = f"AdaptiveLogSoftmaxWithLoss({config.hidden}, {vocabulary}, {adaptive_cutoffs(vocabulary)})"
    sizes = f"{config.embedding}, {config.hidden}, num_layers={config.layers}"
    return f"""\
import safetensors.torch, torch
model = torch.nn.ModuleDict({{
    "embedding": torch.nn.Embedding({vocabulary}, {config.embedding}),
    "rnn": torch.nn.{name}({sizes}, batch_first=True{relu}),
    "output": torch.nn.{output}}})
model.load_state_dict(safetensors.torch.load_file({str(path)!r}))
"""
