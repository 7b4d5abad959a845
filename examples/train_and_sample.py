"""Trains a small LSTM with rnnplay as a library, and writes with it.

    python examples/train_and_sample.py [--workspace FOLDER] [--steps 300]

Writes a run that `rnnplay runs --workspace FOLDER` lists and the interface opens.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from rnnplay.config import RunConfig, SamplingConfig
from rnnplay.model.generation.sampling import generate
from rnnplay.runs.folder import RunFolder
from rnnplay.runs.metrics.records import Record, Step
from rnnplay.runs.naming import new_run_name
from rnnplay.text.corpora.catalogue import find_corpus
from rnnplay.text.encoding.encoded import encode_corpus
from rnnplay.training.trainer import Trainer
from rnnplay.workspace import Workspace


def tell(record: Record) -> None:
    """Receives every record of the run; those of steps have loss and gradient norm."""
    if isinstance(record, Step) and record.step % 50 == 0:
        print(f"step {record.step}: loss {record.loss:.3f}, gradient norm {record.grad_norm:.3f}")


def main() -> None:
    """Trains, then samples."""
    parser = argparse.ArgumentParser(description="Train a small LSTM and write with it.")
    parser.add_argument("--workspace", type=Path, default=Path("example-workspace"))
    parser.add_argument("--steps", type=int, default=300)
    options = parser.parse_args()
    workspace = Workspace(options.workspace).create()
    config = RunConfig(corpus="tales", cell="lstm", hidden=64, embedding=32, steps=options.steps, clip="norm")
    corpus = encode_corpus(find_corpus(config.corpus, workspace), config, workspace.cache)
    folder = RunFolder(workspace.checkpoints / new_run_name(config, workspace))
    trainer = Trainer(config, corpus, folder, tell)
    try:
        while trainer.advance() is None:
            pass
    finally:
        trainer.close()
    sampling = SamplingConfig(length=200, temperature=0.8, seed=7)
    prompt = "Once upon a time"
    print(prompt + "".join(generate(trainer.model, trainer.tokenizer, prompt, sampling)))
    print(f"The run is in {folder.path}.")


if __name__ == "__main__":
    main()
