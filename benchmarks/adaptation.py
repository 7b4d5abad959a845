"""Measures the loss of models that adapt on whole parts of their texts, beside the loss as trained.

    python -m benchmarks.adaptation RUN… [--workspace FOLDER] [--splits validation,test]

Runs `rnnplay eval --dynamic`, `--cache` and both, which for a million characters takes half an hour on one thread.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

from benchmarks import options_of
from tests.support.terminal import rnnplay_command

WAYS = (("--dynamic",), ("--cache",), ("--dynamic", "--cache"))


def main() -> None:
    """Prints a table."""
    parser = options_of("benchmarks.adaptation", __doc__)
    parser.add_argument("runs", nargs="+", metavar="RUN")
    parser.add_argument("--workspace", type=Path, default=Path())
    parser.add_argument("--splits", default="validation,test")
    options = parser.parse_args()
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    print(f"Nats per token, the part as one sequence; load of the machine before: {load:.1f}\n")
    print("| run | part | tokens | as trained | dynamic | cache | both |\n|" + " --- |" * 7, flush=True)
    for run in options.runs:
        for split in options.splits.split(","):
            words = ["eval", run, "--workspace", str(options.workspace), "--split", split, "--json"]
            found = [
                json.loads(subprocess.run(rnnplay_command(*words, *way), capture_output=True, check=True).stdout)
                for way in WAYS
            ]
            losses = [found[0]["unadapted_loss"], *(one["loss"] for one in found)]
            shown = " | ".join(f"{loss:.4f}" for loss in losses)
            print(f"| {run} | {split} | {found[0]['tokens']:,} | {shown} |", flush=True)


if __name__ == "__main__":
    main()
