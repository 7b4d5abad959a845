"""Validation loss of a preset within a time budget, or after a number of steps, whatever else the machine does.

python -m benchmarks.quality.presets --corpus FILE [--preset quick …] [--minutes N | --steps N] [--seeds 1]
[--windows 256] [-- further options of rnnplay train]
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import tempfile
import time
from typing import NamedTuple

from benchmarks import options_of
from tests.support.terminal import rnnplay_command


class Quality(NamedTuple):
    """What one run reached; losses in nats per token."""

    trained: float
    """As validated at the end of training, by parts of the text side by side and in the run's precision."""
    carried: float
    """The validation part read from its beginning to its end with the state carried along, in float32."""
    windows: float
    """The mean over random windows, each from an empty context."""
    steps: int
    seconds: float
    """By the clock, with the start of the process."""


def best_validation(arguments: list[str]) -> tuple[float, float, int, float]:
    """Returns last and best validation loss, steps, and tokens/s of one headless run."""
    done = subprocess.run(rnnplay_command(*arguments), stdout=subprocess.PIPE, text=True, check=True)
    records = [json.loads(line) for line in done.stdout.splitlines()]
    losses = [record["loss"] for record in records if record["type"] == "validation"]
    steps = [record for record in records if record["type"] == "step"]
    return losses[-1], min(losses), steps[-1]["step"], steps[-1]["tokens_per_second"]


def measure(corpus: str, preset: str, seed: int, windows: int, more: list[str]) -> Quality:
    """Trains one run of `preset` and evaluates its last checkpoint in both ways; `more`: options of `rnnplay train`."""
    with tempfile.TemporaryDirectory() as workspace:
        where = ["--workspace", workspace]
        began = time.monotonic()
        options = ["--corpus", corpus, "--preset", preset, "--seed", str(seed), "--run", "measured", "--json", *more]
        trained, _, steps, _ = best_validation(["train", *where, *options])
        seconds = time.monotonic() - began
        evaluated = ["eval", "measured", *where, "--json"]
        carried, cut = (_loss([*evaluated, *way]) for way in ([], ["--windows", str(windows)]))
    return Quality(trained, carried, cut, steps, seconds)


def _loss(arguments: list[str]) -> float:
    done = subprocess.run(rnnplay_command(*arguments), stdout=subprocess.PIPE, text=True, check=True)
    return float(json.loads(done.stdout)["loss"])


def main() -> None:
    parser = options_of("benchmarks.quality.presets", __doc__)
    parser.add_argument("--corpus", default="tales")
    parser.add_argument("--preset", nargs="+", default=["quick"])
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--minutes", type=float, help="instead of the preset's own length")
    length.add_argument("--steps", type=int, help="instead of the preset's own length")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--windows", type=int, default=256, help="tokens of a window that begins without context")
    parser.add_argument("extra", nargs="*", help="further options of rnnplay train, after --")
    options = parser.parse_args()
    more: list[str] = list(options.extra)
    if options.minutes or options.steps:
        more += ["--minutes", f"{options.minutes:g}"] if options.minutes else ["--steps", str(options.steps)]
    for preset in options.preset:
        reached = []
        for seed in range(1, options.seeds + 1):
            one = measure(options.corpus, preset, seed, options.windows, more)
            reached.append(one)
            print(
                f"{preset} on {options.corpus}, seed {seed}: {one.carried:.4f} nats with carried state, "
                f"{one.windows:.4f} by windows of {options.windows} ({one.trained:.4f} in training), {one.steps:,} "
                f"steps, {one.seconds:.0f} s by the clock; load {os.getloadavg()[0]:.1f}",
                flush=True,
            )
        if len(reached) > 1:
            carried, cut = (statistics.median(one[at] for one in reached) for at in (1, 2))
            print(f"{preset}, median of {len(reached)}: {carried:.4f} carried, {cut:.4f} by windows", flush=True)


if __name__ == "__main__":
    main()
