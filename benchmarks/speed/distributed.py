"""Measures several processes that train one model together, on this machine, and computes it for more of them.

    python -m benchmarks.speed.distributed [--only agree,kill,diverge,speed,network] [--rounds 5] [--seconds 6]
        [--steps 100]

agree     two processes against one at the same batch: losses and clipped norms of --steps steps
kill      a process killed with SIGKILL under torchrun's restarts, against a run that nobody disturbed
diverge   NaN in the weights of one process alone: to which step each goes back
speed     tokens/s of two processes with a thread each, in turns with one process with two threads; and with torch's
          DistributedDataParallel in place of our one sum of all gradients; rounds in which other programs used the
          cores are left out and taken again
network   bytes of a step by model size, and the speed of 2, 8 and 64 processes that follows from a step's time here

speed is by the clock: let nothing else run. Two threads of one process wait for one another many times in a timestep:
beside another program they may be ten times as slow. All is in float32.
"""

from __future__ import annotations

import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import psutil

from benchmarks import options_of
from benchmarks.speed.baselines import Shape
from benchmarks.speed.distributed_speed import encoded, joined, measure_speed

PARTS = ("agree", "kill", "diverge", "speed", "network")
AGREE = ("--layers", "2", "--hidden", "128", "--batch-size", "32", "--bptt", "64", "--corpus", "tales")
COMMON = ("--precision", "float32", "--device", "cpu", "--threads", "1", "--eval-every", "0", "--sample-prompts", "off")

SIZES = (
    Shape("lstm", 1, 128),
    Shape("lstm", 2, 512),
    Shape("lstm", 2, 1024),
    Shape("lstm", 2, 650, vocabulary=10_000, batch=32, bptt=35),
)
NETWORKS = {"1 Gbit/s": 0.117e9, "10 Gbit/s": 1.17e9, "100 Gbit/s": 11.7e9}
"""Bytes a second that a connection carries in one direction, without headers."""
CORES = 16
LATENCY = 50e-6
"""Seconds for a message between two hosts, as in a data centre's network."""


def main() -> None:
    parser = options_of("benchmarks.speed.distributed", __doc__)
    parser.add_argument("--only", default=",".join(PARTS))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=6.0, help="seconds of each turn")
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--worker", choices=("diverge", "speed"), help="for the processes that it starts itself")
    given = parser.parse_args()
    if given.worker:
        _diverge() if given.worker == "diverge" else measure_speed(given.rounds, given.seconds)
        return
    chosen = given.only.split(",")
    if unknown := set(chosen) - set(PARTS):
        parser.error(f"--only has {', '.join(sorted(unknown))}; choose from {', '.join(PARTS)}")
    print(f"load before: {os.getloadavg()[0]:.1f}; {psutil.cpu_count(logical=False)} cores")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        if "agree" in chosen or "kill" in chosen:
            _compare(Path(folder), given.steps, "kill" in chosen)
    for worker in ("diverge", "speed"):
        if worker in chosen:
            options = ("--worker", worker, "--rounds", str(given.rounds), "--seconds", str(given.seconds))
            _torchrun("benchmarks.speed.distributed", options).wait()
    if "network" in chosen:
        _network()


# --- agreement --------------------------------------------------------------------------------------------------


def _compare(folder: Path, steps: int, kill: bool) -> None:
    length = ("--steps", str(steps))
    _train(folder, "one", 1, *AGREE, *length)
    _train(folder, "two", 2, *AGREE, *length)
    one = _steps(folder, "one")
    print(f"agree: {_differences(one, _steps(folder, 'two'))}")
    if kill:
        options = ("--checkpoint-every", "10", *AGREE, *length, *COMMON, "--json")
        words = ("--", "train", "--workspace", str(folder), "--run", "killed", *options)
        process = _torchrun("rnnplay", words, ("--max-restarts", "1"), stdout=subprocess.PIPE)
        assert process.stdout is not None
        killed = 0
        for line in process.stdout:
            record = json.loads(line)
            if not killed and record["type"] == "step" and record["step"] > steps // 2:
                killed = record["step"]
                for child in psutil.Process(process.pid).children():
                    if child.environ()["RANK"] == "1":
                        child.kill()
            if killed and record["type"] == "started":
                print(f"kill: rank 1 killed at step {killed}, resumed at step {record['step']}", end="; ")
        assert process.wait() == 0
        print(_differences(one, _steps(folder, "killed")))


def _train(folder: Path, run: str, processes: int, *options: str) -> None:
    words = ("train", "--workspace", str(folder), "--run", run, "--torchrun", str(processes), *options, *COMMON)
    subprocess.run([sys.executable, "-m", "rnnplay", *words], check=True, capture_output=True)


def _steps(folder: Path, run: str) -> list[dict[str, Any]]:
    lines = (folder / "checkpoints" / run / "metrics.jsonl").read_text().splitlines()
    found = {record["step"]: record for record in map(json.loads, lines) if record["type"] == "step"}
    return [found[step] for step in sorted(found)]


def _differences(one: list[dict[str, Any]], two: list[dict[str, Any]]) -> str:
    assert [record["step"] for record in one] == [record["step"] for record in two]
    loss, norm = (
        max(abs(ours[what] - theirs[what]) for ours, theirs in zip(one, two, strict=True))
        for what in ("loss", "grad_norm_clipped")
    )
    return f"largest difference over {len(one)} steps: loss {loss:.1e}, clipped norm {norm:.1e}"


def _torchrun(
    module: str, words: Iterable[str], options: Iterable[str] = (), stdout: int | None = None
) -> subprocess.Popen[str]:
    program = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", *options]
    environment = {**os.environ, "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "2")}
    errors = subprocess.DEVNULL if stdout is not None else None
    return subprocess.Popen([*program, "-m", module, *words], env=environment, text=True, stdout=stdout, stderr=errors)


# --- in the processes themselves --------------------------------------------------------------------------------


def _diverge() -> None:
    import torch

    from rnnplay.config import RunConfig
    from rnnplay.runs.folder import RunFolder
    from rnnplay.runs.metrics.records import Rollback
    from rnnplay.training import followers, loop
    from rnnplay.training.followers import follow, invite
    from rnnplay.training.learner import Learner
    from rnnplay.training.loop import train_step
    from rnnplay.training.processes.group import Group
    from rnnplay.training.trainer import Trainer
    from rnnplay.workspace import Workspace

    group: Group = joined()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        workspace = Workspace(Path(folder)).create()
        took: list[int] = []

        def step(learner: Learner, *arguments: Any) -> Any:
            took.append(1)
            if group.rank == 1 and len(took) == 150:
                with torch.no_grad():
                    next(learner.raw_model.parameters()).fill_(float("nan"))
            return train_step(learner, *arguments)

        module: Any = followers if group.rank else loop
        module.train_step = step
        if group.rank:
            share = Learner.share

            def shared(self: Learner) -> None:
                share(self)
                if len(took) > 150:
                    _print(f"diverge: rank 1 is put where rank 0 is; weights: {_checksum(self)}")

            Learner.share = shared  # type: ignore[method-assign]
            follow(group, workspace)
            return
        config = RunConfig(
            steps=250, hidden=64, precision="float32", checkpoint_every=20, sample_prompts="off", minutes=0
        )
        corpus = encoded(config, workspace)

        def emit(record: object) -> None:
            if isinstance(record, Rollback):
                _print(f"diverge: rank 1 has NaN weights from step 150 on; {record.cause}: back to step {record.to}")
                _print(f"diverge: rank 0; weights: {_checksum(trainer._learner)}")

        invite(group, config, corpus)
        trainer = Trainer(config, corpus, RunFolder(workspace.checkpoints / "run"), emit, group=group)
        while trainer.advance() is None:
            pass
        trainer.close()
        group.close()


def _checksum(learner: Any) -> str:
    import hashlib

    digest = hashlib.sha256()
    for parameter in learner.raw_model.parameters():
        digest.update(parameter.detach().numpy().tobytes())
    return digest.hexdigest()[:12]


def _print(line: str) -> None:
    print(line, flush=True)


# --- what follows for more processes ----------------------------------------------------------------------------


def _network() -> None:
    """Prints bytes of a step and what they leave of the speed of N processes.

    A ring of N sends 2 (N - 1) / N times the gradient's bytes from each process, in 2 (N - 1) messages one after the
    other; before, the order passes log2 N hosts.
    """
    print(
        f"network: {LATENCY * 1e6:.0f} µs a message; what is left of N times the speed of one process, each of which "
        f"has one core like this machine's, or {CORES} and is so many times as fast"
    )
    columns = "  ".join(f"{name:>15}" for name in NETWORKS)
    print(f"{'model':14} {'parameters':>10} {'step, one core':>14}  {'N':>2} {'each sends':>10}  {columns}")
    for shape in SIZES:
        parameters, seconds = _measured(shape)
        for processes in (2, 8, 64):
            sent = 2 * (processes - 1) / processes * 4 * parameters
            messages = (2 * (processes - 1) + math.log2(processes)) * LATENCY
            cells = []
            for rate in NETWORKS.values():
                one, many = (step / (step + sent / rate + messages) for step in (seconds, seconds / CORES))
                cells.append(f"{one:8.0%}, {many:4.0%} ")
            name, step = f"{shape.cell.upper()} {shape.layers}×{shape.hidden}", f"{1e3 * seconds:,.0f} ms"
            print(f"{name:14} {parameters:10,} {step:>14}  {processes:2} {sent / 1e6:7.1f} MB  {'  '.join(cells)}")


def _measured(shape: Shape) -> tuple[int, float]:
    """Returns the number of parameters, and a step's processor time on one core, which other programs hardly change."""
    import torch

    from benchmarks.speed.contender import prepared
    from rnnplay.model.hardware import keep_memory, prepare_thread
    from rnnplay.training.learner import Learner
    from rnnplay.training.loop import train_step

    prepare_thread()
    keep_memory()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as home:
        config, corpus, _ = prepared(shape, Path(home), "float32", 1)
        learner = Learner(config, corpus)
        times: list[float] = []
        while len(times) < 5 or sum(times) < 4:
            began = time.process_time()
            train_step(learner, 0.001, "norm", 1.0)
            times.append(time.process_time() - began)
        return learner.raw_model.size, statistics.median(times[1:])


if __name__ == "__main__":
    main()
