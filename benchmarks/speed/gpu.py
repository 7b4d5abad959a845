"""Measures a training step on a GPU beside a bare loop of cuDNN's LSTM, in turns.

    python -m benchmarks.speed.gpu [--precision bfloat16] [--rounds 9] [--steps 100] [--device cuda]

The bare loop is embedding, nn.LSTM, linear and cross-entropy under autocast, clip_grad_norm_ and torch's fused Adam, on
ids that lie on the GPU already; it never reads a number from it. rnnplay's side is `Trainer.advance` with all that it
does: batches from the text, records, the watch for divergence. Printed are the medians of the turns' milliseconds a
step, the ratio of the speeds (asked for: at least 0.9), and the GPU's memory. --device cpu tries it on a small shape.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from benchmarks import options_of
from benchmarks.speed.baselines import Model, Shape
from benchmarks.speed.contender import prepared
from rnnplay.model.hardware import describe_machine
from rnnplay.model.language_model import autocast
from rnnplay.runs.folder import RunFolder
from rnnplay.training.trainer import Trainer

SHAPES = (Shape("lstm", 1, 512, batch=128, bptt=128), Shape("lstm", 3, 1024, batch=128, bptt=128))
SMALL = (Shape("lstm", 1, 64, batch=16, bptt=16),)
WARM_UP = 10
PRECISIONS = {"bfloat16": torch.bfloat16, "float32": torch.float32}


def main() -> None:
    parser = options_of("benchmarks.speed.gpu", __doc__)
    parser.add_argument("--precision", choices=PRECISIONS, default="bfloat16")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--steps", type=int, default=100, help="steps of each turn")
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    given = parser.parse_args()
    if given.device == "cuda" and not torch.cuda.is_available():
        print("torch sees no CUDA device here, so there is nothing to measure; --device cpu shows how it works.")
        return
    machine = describe_machine()
    print(f"{machine[given.device]}; torch {machine['torch']}; {given.precision}")
    device = torch.device(given.device)
    for shape in SHAPES if given.device == "cuda" else SMALL:
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
            print(measured(shape, Path(home), device, given.precision, given.rounds, given.steps), flush=True)


def measured(shape: Shape, home: Path, device: torch.device, precision: str, rounds: int, steps: int) -> str:
    """Measures both sides in turns, ours and the bare loop first by turns, and returns a line."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats()
    trainer, bare = make_trainer(shape, home, device, precision), bare_loop(shape, device, PRECISIONS[precision])
    sides: dict[str, Callable[[], object]] = {"rnnplay": trainer.advance, "bare": bare}
    times: dict[str, list[float]] = {name: [] for name in sides}
    for side in sides.values():
        turn(side, WARM_UP, device)
    for number in range(rounds):
        for name in sorted(sides, reverse=bool(number % 2)):
            times[name].append(turn(sides[name], steps, device))
    trainer.close()
    ratio = statistics.median(bare / ours for ours, bare in zip(times["rnnplay"], times["bare"], strict=True))
    ours, theirs = (1e3 * statistics.median(times[name]) for name in ("rnnplay", "bare"))
    memory = f", {torch.cuda.max_memory_allocated() / 1e9:.1f} GB for both" if device.type == "cuda" else ""
    return (
        f"{shape.name}, batch {shape.batch}, bptt {shape.bptt}: rnnplay {ours:.2f} ms, bare loop {theirs:.2f} ms, "
        f"ratio {ratio:.2f}{memory}"
    )


def turn(step: Callable[[], object], count: int, device: torch.device) -> float:
    """Returns the seconds of a step, the mean of `count`, until the GPU has done them."""
    began = time.perf_counter()
    for _ in range(count):
        step()
    if device.type == "cuda":
        torch.cuda.synchronize()
    return (time.perf_counter() - began) / count


def make_trainer(shape: Shape, home: Path, device: torch.device, precision: str) -> Trainer:
    """The trainer of `rnnplay train`, for the shape."""
    config, corpus, workspace = prepared(shape, home, precision, 0)
    config = msgspec.structs.replace(config, device=device.type, divergence="rollback", sample_prompts="off")
    return Trainer(config, corpus, RunFolder(workspace.checkpoints / "run"), lambda _: None)


def bare_loop(shape: Shape, device: torch.device, precision: torch.dtype) -> Callable[[], None]:
    """The step of a minimal loop that keeps the GPU busy."""
    torch.manual_seed(1)
    model = Model(shape).to(device)
    optimizer = torch.optim.Adam(model.parameters(), lr=shape.lr, fused=True)
    ids = torch.randint(shape.vocabulary, (shape.batch, shape.bptt + 1), device=device)
    inputs, targets = ids[:, :-1], ids[:, 1:].flatten()
    state: tuple[Tensor, ...] | None = None

    def step() -> None:
        nonlocal state
        with autocast(device, precision):
            logits, last = model(inputs, state)
            loss = cross_entropy(logits.flatten(0, 1).float(), targets)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(model.parameters(), shape.clip)
        optimizer.step()
        state = tuple(one.detach() for one in last)

    return step


if __name__ == "__main__":
    main()
