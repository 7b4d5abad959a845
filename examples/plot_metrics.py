"""Plots a run's loss and gradient norm with matplotlib (`pip install matplotlib`), from its metrics.jsonl.

python examples/plot_metrics.py checkpoints/my-run [--out metrics.png]
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import matplotlib

matplotlib.use("Agg")  # draws into a file, without a window
from matplotlib import pyplot


def main() -> None:
    """Reads the metrics, draws and saves them."""
    parser = argparse.ArgumentParser(description="Plot the metrics of a run.")
    parser.add_argument("run", type=Path, help="a run's folder")
    parser.add_argument("--out", type=Path, default=Path("metrics.png"))
    options = parser.parse_args()
    with (options.run / "metrics.jsonl").open(encoding="utf-8") as file:
        records = [json.loads(line) for line in file]
    steps = [record for record in records if record["type"] == "step"]
    validations = [record for record in records if record["type"] == "validation"]
    figure, (upper, lower) = pyplot.subplots(2, sharex=True, figsize=(8, 6))
    # Numbers that are not finite are written as the strings "nan", "inf" and "-inf", which float() reads.
    upper.plot([one["step"] for one in steps], [float(one["loss"]) for one in steps], label="training")
    upper.plot(
        [one["step"] for one in validations], [float(one["loss"]) for one in validations], "o", label="validation"
    )
    upper.set_ylabel("loss, nats per token")
    upper.legend()
    lower.semilogy([one["step"] for one in steps], [float(one["grad_norm"]) for one in steps])
    lower.set_ylabel("gradient norm before clipping")
    lower.set_xlabel("step")
    figure.savefig(options.out)
    print(f"Saved as {options.out}.")


if __name__ == "__main__":
    main()
