"""Measures exploding gradients and their remedies: a ReLU RNN of two layers, recurrent gain 1.3, SGD at 0.5.

    python -m benchmarks.quality.explosion [--corpus tales] [--seeds 10]

Three runs per seed: no remedy (divergence off, no clipping), rollback with remedy `clip`, and norm clipping at 1.0.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import tempfile
from typing import Any

from benchmarks import options_of
from tests.support.terminal import rnnplay_command

COMMON = (
    *("--cell", "rnn", "--nonlinearity", "relu", "--recurrent-gain", "1.3", "--optimizer", "sgd", "--lr", "0.5"),
    *("--layers", "2", "--hidden", "128", "--schedule", "constant", "--eval-every", "0", "--threads", "1"),
)
CASES = {
    "off": ("--clip", "off", "--divergence", "off", "--steps", "60"),
    "rollback": ("--clip", "off", "--divergence", "rollback", "--divergence-remedy", "clip", "--steps", "400"),
    "clipped": ("--clip", "norm", "--clip-threshold", "1.0", "--steps", "400"),
}


def run(corpus: str, seed: int, case: str) -> list[dict[str, Any]]:
    """Returns the records of one run."""
    with tempfile.TemporaryDirectory() as workspace:
        options = ("--workspace", workspace, "--corpus", corpus, "--seed", str(seed), "--json")
        command = rnnplay_command("train", *options, *COMMON, *CASES[case])
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def first_bad_step(records: list[dict[str, Any]]) -> int | None:
    """Returns the first step whose loss or gradient norm is not finite."""
    steps = (record for record in records if record["type"] == "step")
    return next((s["step"] for s in steps if isinstance(s["loss"], str) or isinstance(s["grad_norm"], str)), None)


def last_loss(records: list[dict[str, Any]]) -> float:
    """Returns the loss of the last validation, in nats per token."""
    return float([record["loss"] for record in records if record["type"] == "validation"][-1])


def main() -> None:
    parser = options_of("benchmarks.quality.explosion", __doc__)
    parser.add_argument("--corpus", default="tales")
    parser.add_argument("--seeds", type=int, default=10)
    options = parser.parse_args()
    exploded, survived, untouched = 0, 0, 0
    losses: list[float] = []
    for seed in range(1, options.seeds + 1):
        bad = first_bad_step(run(options.corpus, seed, "off"))
        rescued = run(options.corpus, seed, "rollback")
        rollbacks = sum(record["type"] == "rollback" for record in rescued)
        clipped = run(options.corpus, seed, "clipped")
        never = not any(record["type"] in ("rollback", "skipped") for record in clipped)
        losses.append(last_loss(rescued))
        exploded += bad is not None and bad <= 50
        survived += losses[-1] < 2.2
        untouched += never
        print(
            f"seed {seed}: off: not finite at step {bad}; rollback + clip: {rollbacks} rollbacks, "
            f"validation {losses[-1]:.3f}; clip norm 1.0: validation {last_loss(clipped):.3f}, "
            f"{'no' if never else 'SOME'} rollbacks",
            flush=True,
        )
    total = options.seeds
    print(
        f"off: NaN within 50 steps in {exploded} of {total}; rollback: below 2.2 nats in {survived} of {total}", end=""
    )
    print(f" (median {statistics.median(losses):.3f}); clip norm 1.0: never a rollback in {untouched} of {total}")


if __name__ == "__main__":
    main()
