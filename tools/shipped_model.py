"""Trains the model that comes with rnnplay, and puts it into the package with float16 weights.

    python -m tools.shipped_model [--run RUN_FOLDER]

An LSTM 1×256 on characters of `tales`. With one thread and in float32 the same versions of rnnplay and torch on the
same processor give the same weights again. With --run the run there is taken instead of training one.
"""

from __future__ import annotations

import argparse
import hashlib
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import msgspec
import safetensors.torch
import torch

from rnnplay.runs.checkpoint_state import STATE_FILE, WEIGHTS_FILE, encode_state, read_state
from rnnplay.runs.folder import RunFolder
from rnnplay.runs.info import encode_info
from rnnplay.runs.shipped import SHIPPED, shipped_run
from rnnplay.runs.words import WORDS_FILE

TRAIN = [
    *("--corpus", "tales", "--steps", "12000", "--optimizer", "muon", "--lr", "0.01", "--weight-decay", "0.1"),
    *("--beta2", "0.99", "--schedule", "linear", "--lr-floor", "0", "--clip-threshold", "0.4"),
    *("--seed", "1", "--threads", "1", "--precision", "float32"),
]
LARGEST = 1_500_000
"""Bytes of the whole folder."""


def train(workspace: Path) -> RunFolder:
    """Trains the model in `workspace`."""
    command = [sys.executable, "-m", "rnnplay", "train", *TRAIN, "--workspace", str(workspace), "--run", SHIPPED]
    subprocess.run(command, check=True)
    return RunFolder(workspace / "checkpoints" / SHIPPED)


def ship(run: RunFolder, to: Path) -> int:
    """Replaces the folder `to` by the best checkpoint of `run` with float16 weights; returns its size in bytes."""
    checkpoint = run.checkpoint("best")
    weights = safetensors.torch.load_file(checkpoint.path / WEIGHTS_FILE)
    data = safetensors.torch.save({name: tensor.to(torch.float16) for name, tensor in weights.items()})
    state = msgspec.structs.replace(
        read_state(checkpoint.path), sha256={WEIGHTS_FILE: hashlib.sha256(data).hexdigest()}
    )
    shutil.rmtree(to, ignore_errors=True)
    folder = to / checkpoint.path.name
    folder.mkdir(parents=True)
    (folder / WEIGHTS_FILE).write_bytes(data)
    (folder / STATE_FILE).write_bytes(encode_state(state))
    (to / "vocabulary.json").write_bytes(run.vocabulary_bytes())
    shutil.copyfile(run.path / WORDS_FILE, to / WORDS_FILE)
    info = run.info()
    # A branch begins with these settings, on another machine.
    config = msgspec.structs.replace(info.config, threads=0, precision="auto")
    (to / "run.json").write_bytes(encode_info(msgspec.structs.replace(info, run=SHIPPED, config=config)))
    return sum(path.stat().st_size for path in to.rglob("*") if path.is_file())


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m tools.shipped_model", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--run", type=Path, help="the folder of a run trained with these settings")
    given = parser.parse_args().run
    with tempfile.TemporaryDirectory() as workspace:
        run = RunFolder(given) if given is not None else train(Path(workspace))
        size = ship(run, shipped_run().path)
    print(f"{shipped_run().path}: {size:,} bytes")
    if size > LARGEST:
        sys.exit(f"That is more than {LARGEST:,} bytes.")


if __name__ == "__main__":
    main()
