"""Loads a checkpoint in plain PyTorch, without rnnplay: an LSTM's weights are torch.nn.LSTM's, by name and shape.

    python examples/load_in_pytorch.py checkpoints/my-run [--text "Once upon a"]

Prints the most probable next characters after the text. Works for character models with the full softmax.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import safetensors.torch
import torch

RNNS = {"lstm": torch.nn.LSTM, "gru": torch.nn.GRU, "rnn": torch.nn.RNN}


def main() -> None:
    """Loads the checkpoint, reads the text and prints the next characters."""
    parser = argparse.ArgumentParser(description="Load a checkpoint of rnnplay in plain PyTorch.")
    parser.add_argument("run", type=Path, help="a run's folder")
    parser.add_argument("--text", default="Once upon a")
    options = parser.parse_args()
    config = json.loads((options.run / "run.json").read_text(encoding="utf-8"))["config"]
    tokens = json.loads((options.run / "vocabulary.json").read_text(encoding="utf-8"))["tokens"]
    newest = max(options.run.glob("step-*"))
    weights = safetensors.torch.load_file(newest / "weights.safetensors")
    weights.setdefault("output.weight", weights["embedding.weight"])  # a tied model stores it once
    vocabulary, embedding = weights["embedding.weight"].shape
    options_of_cell = {"nonlinearity": config["nonlinearity"]} if config["cell"] == "rnn" else {}
    model = torch.nn.ModuleDict(
        {
            "embedding": torch.nn.Embedding(vocabulary, embedding),
            "rnn": RNNS[config["cell"]](
                embedding, config["hidden"], num_layers=config["layers"], batch_first=True, **options_of_cell
            ),
            "output": torch.nn.Linear(config["hidden"], vocabulary),
        }
    )
    model.load_state_dict(weights)
    ids = torch.tensor([[tokens.index(character) if character in tokens else 0 for character in options.text]])
    with torch.no_grad():
        hidden, _ = model["rnn"](model["embedding"](ids))
        probabilities = model["output"](hidden[0, -1]).softmax(dim=0)
    for probability, token in zip(*probabilities.topk(5), strict=True):
        print(f"{tokens[int(token)]!r} {float(probability):.3f}")


if __name__ == "__main__":
    main()
