"""Measures the loss of models that adapt on whole parts of their texts, beside the loss as trained; or what it costs.

    python -m benchmarks.quality.adaptation RUN… [--workspace FOLDER] [--splits validation,test]
    python -m benchmarks.quality.adaptation RUN… [--workspace FOLDER] --keys [--characters 50000] [--count 200]

The first line runs `rnnplay eval --dynamic`, `--cache` and both, which for a million characters takes half an hour on
one thread. With --keys each model completes a text of so many characters (of `tales`), and then --count further keys,
on one thread: seconds to measure the scale of the gradients, milliseconds for each segment that is learned, and those
of a key, from the text to the suggestions. `shipped-model` is a run, too.
"""

from __future__ import annotations

import json
import os
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import torch

from benchmarks import options_of
from benchmarks.measures import percentile
from rnnplay.config import CompletionConfig
from rnnplay.generation_config import AdaptationConfig
from rnnplay.inspection.adapting import adapted_prompt
from rnnplay.inspection.loaded_model import LoadedModel, SavedRun
from rnnplay.model.generation.completion import Completer
from rnnplay.model.hardware import prepare_thread
from rnnplay.runs.shipped import find_model
from rnnplay.workspace import Workspace, bundled_corpora
from tests.support.terminal import rnnplay_command

WAYS = (("--dynamic",), ("--cache",), ("--dynamic", "--cache"))
SETTINGS = {
    "as trained": AdaptationConfig(),
    "dynamic": AdaptationConfig(dynamic=True),
    "cache": AdaptationConfig(cache=True),
    "both": AdaptationConfig(dynamic=True, cache=True),
}


@dataclass(frozen=True)
class Cost:
    """What completion costs a model that adapts."""

    scale: float
    """Seconds to measure the scale of the gradients."""
    segment: float
    """Seconds for each segment of the text, of 20 tokens."""
    keys: list[float]
    """Seconds for each key after the text."""
    processor: float
    """Seconds of the processor for a key, which other work on the machine disturbs least."""


def cost_of(loaded: LoadedModel, settings: AdaptationConfig, text: str, keys: str) -> Cost:
    """Completes `text` and then each of `keys` after it."""
    began = time.perf_counter()
    prompt = adapted_prompt(loaded, settings)
    prepared = time.perf_counter()
    completer = Completer(loaded.model, loaded.tokenizer, adapted=prompt, words=loaded.words)
    completer.complete(text, 8, CompletionConfig())
    read = time.perf_counter()
    took, used = [], time.process_time()
    for at in range(len(keys)):
        key = time.perf_counter()
        completer.complete(text + keys[: at + 1], 8, CompletionConfig())
        took.append(time.perf_counter() - key)
    segments = len(loaded.tokenizer.encode(text)) / settings.dynamic_segment
    used = time.process_time() - used
    return Cost(prepared - began, (read - prepared) / segments, took, used / max(1, len(keys)))


def print_costs(runs: list[str], workspace: Workspace, characters: int, count: int) -> None:
    """Prints a table of them."""
    torch.set_num_threads(1)
    prepare_thread()
    text = (bundled_corpora() / "tales.txt").read_text("utf-8")[: characters + count]
    _print_row("run", "", "scale of the gradients in s", "ms a segment", "ms a key: p50", "p95", "of a processor")
    _print_row(*["---"] * 7)
    for run in runs:
        loaded = SavedRun(find_model(run, workspace), "latest", workspace)
        for name, settings in SETTINGS.items():
            found = cost_of(loaded, settings, text[:characters], text[characters:])
            scale = f"{found.scale:.1f}" if settings.dynamic else ""
            keys = percentile(found.keys, 0.5), percentile(found.keys, 0.95), found.processor
            _print_row(run, name, scale, f"{found.segment * 1e3:.2f}", *(f"{seconds * 1e3:.1f}" for seconds in keys))


def _print_row(*cells: str) -> None:
    print(f"| {' | '.join(cells)} |", flush=True)


def main() -> None:
    """Prints a table."""
    parser = options_of("benchmarks.quality.adaptation", __doc__)
    parser.add_argument("runs", nargs="+", metavar="RUN")
    parser.add_argument("--workspace", type=Path, default=Path())
    parser.add_argument("--splits", default="validation,test")
    parser.add_argument("--keys", action="store_true", help="measure what completion costs, instead of losses")
    parser.add_argument("--characters", type=int, default=50_000, help="of the text before the keys")
    parser.add_argument("--count", type=int, default=200, help="of the keys")
    options = parser.parse_args()
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    if options.keys:
        print(f"At the end of {options.characters:,} characters, one thread; load of the machine before: {load:.1f}\n")
        print_costs(options.runs, Workspace(options.workspace), options.characters, options.count)
        return
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
