"""Measures how far back RNN, LSTM and GRU of 64 units remember on `recall`, each with its best learning rate of a grid.

    python -m benchmarks.quality.recall [--seeds 10] [--steps 2000] [--grid-seeds 2]

Adam, norm clipping at 1.0, 32 lines per step, each entirely in one batch, float32, one thread. The best learning rate
has the highest mean accuracy at distance 40 over the grid's seeds, which differ from those reported; of equal ones the
lowest is taken. Gradients: ‖∂L/∂h‖ (and an LSTM's ‖∂L/∂c‖) 40 timesteps before the symbol is predicted, relative to
that at the timestep itself, median over the seeds. Seconds are processor time.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np

from benchmarks import options_of
from rnnplay.config import RunConfig
from rnnplay.inspection.distances import distance_accuracy
from rnnplay.inspection.gradients import ProbeBatch, gradient_curve
from rnnplay.model.hardware import prepare_thread
from rnnplay.text.corpora.catalogue import find_corpus
from rnnplay.text.corpora.dependencies import Draw, recall_line
from rnnplay.text.encoding.encoded import EncodedCorpus, encode_corpus
from rnnplay.training.learner import Learner
from rnnplay.training.loop import train_step
from rnnplay.workspace import Workspace

Cell = Literal["rnn", "lstm", "gru"]
CELLS: tuple[Cell, ...] = ("rnn", "lstm", "gru")
RATES = (0.001, 0.004, 0.01)
DISTANCE = 40
FORGOTTEN, RECALLED = 0.3, 0.95
"""Accuracy that an RNN does not exceed, and that an LSTM or GRU reaches."""


class Outcome(NamedTuple):
    """The results of one trained model."""

    accuracy: float
    """Accuracy at DISTANCE."""
    hidden: float
    """The gradient's norm DISTANCE timesteps back, relative to that at 0."""
    cell: float
    """The same for an LSTM's cell; NaN for others."""
    seconds: float


def train(corpus: EncodedCorpus, config: RunConfig) -> Outcome:
    """Trains `config.steps` steps and measures the model."""
    prepare_thread()
    learner = Learner(config, corpus)
    began = time.process_time()
    for _ in range(config.steps):
        train_step(learner, config.lr, "norm", 1.0)
    seconds = time.process_time() - began
    found = distance_accuracy(learner.model, corpus.tokenizer, "recall")
    curve = gradient_curve(learner.model, probe(corpus))
    far = [norms[0][DISTANCE] / norms[0][0] if norms else float("nan") for norms in (curve.hidden, curve.cell)]
    return Outcome(found.accuracy[found.distances.index(DISTANCE)], far[0], far[1], seconds)


def probe(corpus: EncodedCorpus, rows: int = 64) -> ProbeBatch:
    """Returns lines whose last prediction is the symbol, which stands farther back than DISTANCE."""
    draw = Draw(9)
    lines = ["\n" + recall_line(draw, DISTANCE + 20) for _ in range(rows)]
    ids = np.stack([np.asarray(corpus.tokenizer.encode(line), dtype=np.int64) for line in lines])
    return ProbeBatch(ids, ids.shape[1] - DISTANCE - 2, np.zeros(rows, dtype=np.int64))


def settings(cell: Cell, lr: float, seed: int, steps: int) -> RunConfig:
    """Returns the settings, including those that have no option here."""
    return RunConfig(
        corpus="recall", cell=cell, hidden=64, embedding=32, batch_size=32, bptt=96, lr=lr, seed=seed, steps=steps,
        device="cpu", precision="float32", threads=1,
    )  # fmt: skip


def main() -> None:
    parser = options_of("benchmarks.quality.recall", __doc__)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--grid-seeds", type=int, default=2)
    options = parser.parse_args()
    import torch

    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        workspace = Workspace(Path(folder)).create()
        first = settings("lstm", 0.01, 1, options.steps)
        corpus = encode_corpus(find_corpus("recall", workspace), first, workspace.cache)

        def mean_accuracy(cell: Cell, lr: float) -> float:
            seeds = range(1001, 1001 + options.grid_seeds)
            return statistics.mean(train(corpus, settings(cell, lr, seed, options.steps)).accuracy for seed in seeds)

        for cell in CELLS:
            grid = {lr: mean_accuracy(cell, lr) for lr in RATES}
            best = max(RATES, key=lambda lr: grid[lr])
            print(f"{cell}: grid " + ", ".join(f"{lr:g}: {accuracy:.2f}" for lr, accuracy in grid.items()), flush=True)
            found = [train(corpus, settings(cell, best, seed, options.steps)) for seed in range(1, options.seeds + 1)]
            accuracies = [one.accuracy for one in found]
            passed = {
                "rnn": f"<= {FORGOTTEN} on {sum(one <= FORGOTTEN for one in accuracies)} of {len(accuracies)} seeds",
            }.get(cell, f">= {RECALLED} on {sum(one >= RECALLED for one in accuracies)} of {len(accuracies)} seeds")
            print(
                f"{cell}: learning rate {best:g}: accuracy at {DISTANCE}: "
                f"{min(accuracies):.2f} … {max(accuracies):.2f}, {passed}; "
                f"gradient {DISTANCE} back, h {statistics.median(one.hidden for one in found):.2g}"
                + (f", c {statistics.median(one.cell for one in found):.2g}" if cell == "lstm" else "")
                + f"; at most {max(one.seconds for one in found):.0f} s",
                flush=True,
            )


if __name__ == "__main__":
    main()
