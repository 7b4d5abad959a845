"""Validation loss of a preset within a time budget.

python -m benchmarks.quality --corpus FILE [--preset quick] [--minutes 2] [--seeds 1]
"""

from __future__ import annotations

import json
import subprocess
import tempfile

from benchmarks import options_of
from tests.support.terminal import rnnplay_command


def best_validation(arguments: list[str]) -> tuple[float, float, int, float]:
    """Returns last and best validation loss, steps, and tokens/s of one headless run."""
    done = subprocess.run(rnnplay_command(*arguments), stdout=subprocess.PIPE, text=True, check=True)
    records = [json.loads(line) for line in done.stdout.splitlines()]
    losses = [record["loss"] for record in records if record["type"] == "validation"]
    steps = [record for record in records if record["type"] == "step"]
    return losses[-1], min(losses), steps[-1]["step"], steps[-1]["tokens_per_second"]


def main() -> None:
    parser = options_of("benchmarks.quality", __doc__)
    parser.add_argument("--corpus", default="tales")
    parser.add_argument("--preset", default="quick")
    parser.add_argument("--minutes", type=float, default=2.0)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("extra", nargs="*", help="further options of rnnplay train, after --")
    options = parser.parse_args()
    for seed in range(1, options.seeds + 1):
        with tempfile.TemporaryDirectory() as workspace:
            last, best, steps, rate = best_validation(
                [
                    "train", "--workspace", workspace, "--corpus", options.corpus, "--preset", options.preset,
                    "--minutes", str(options.minutes), "--seed", str(seed), "--json", *options.extra,
                ]
            )  # fmt: skip
        print(
            f"{options.preset} on {options.corpus}, {options.minutes:g} min, seed {seed}: validation {last:.4f} nats "
            f"(best {best:.4f}), {steps:,} steps, {rate:,.0f} tokens/s at the end",
            flush=True,
        )


if __name__ == "__main__":
    main()
