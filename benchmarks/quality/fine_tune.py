"""Validation loss of a branch on another text after a short time, and of the same settings from random weights.

Both are trained at the same time, on one thread each, so that whatever else the machine does slows both down alike.

    python -m benchmarks.quality.fine_tune --corpus FILE [--parent tales] [--preset tiny] [--seconds 30] [--seeds 1]
        [--shrink 0.5]
"""

from __future__ import annotations

import tempfile
from concurrent.futures import ThreadPoolExecutor

from benchmarks import options_of
from benchmarks.quality.presets import best_validation


def main() -> None:
    parser = options_of("benchmarks.quality.fine_tune", __doc__)
    parser.add_argument("--corpus", required=True, help="the text to fine-tune on")
    parser.add_argument("--parent", default="tales", help="the text that the parent is trained on first")
    parser.add_argument("--preset", default="tiny", help="the settings of all runs but for their length")
    parser.add_argument("--parent-minutes", type=float, default=1.0)
    parser.add_argument("--seconds", type=float, default=30.0, help="of training, of the branch and from scratch")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--shrink", default="0.5", help="what the parent's weights are multiplied by")
    options = parser.parse_args()
    for seed in range(1, options.seeds + 1):
        with tempfile.TemporaryDirectory() as workspace:
            common = ["train", "--workspace", workspace, "--seed", str(seed), "--json"]
            on_parent = ["--corpus", options.parent, "--minutes", f"{options.parent_minutes:g}", "--run", "parent"]
            parent, *_ = best_validation([*common, "--preset", options.preset, *on_parent])
            short = ["--corpus", options.corpus, "--minutes", f"{options.seconds / 60:g}"]
            ways = (
                ["--from", "parent", "--extend-vocabulary", "--shrink", options.shrink],
                ["--preset", options.preset],
            )
            with ThreadPoolExecutor() as pool:
                both = pool.map(best_validation, [[*common, *way, *short, "--threads", "1"] for way in ways])
                (branch, _, steps, rate), (alone, _, alone_steps, alone_rate) = both
        print(
            f"{options.preset}, seed {seed}: parent {parent:.4f} nats on {options.parent}; after {options.seconds:g} s "
            f"on the other: branch {branch:.4f} ({steps:,} steps, {rate:,.0f} tokens/s at the end), from scratch "
            f"{alone:.4f} ({alone_steps:,} steps, {alone_rate:,.0f} tokens/s)",
            flush=True,
        )


if __name__ == "__main__":
    main()
