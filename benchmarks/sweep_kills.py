"""Kills workers of a sweep at random moments, and compares what it finds with a sweep that was left alone.

    python -m benchmarks.sweep_kills [--kills 5] [--seed 1] [--jobs 2] [--storage URL] [--whole]

A grid of twelve trials is trained by `rnnplay sweep` twice: alone, and with workers killed (SIGKILL) at random moments.
With --whole every second kill is of the whole process group, which is then started again, as a user would. Both must
end with the same trials, values and best one; each trial's metrics.jsonl must hold every step once, with equal losses.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil

from benchmarks import options_of
from tests.support.terminal import rnnplay_command

STEPS = 120
GRID = (
    *("--vary", "cell=rnn,gru,lstm", "--vary", "lr=0.003,0.03", "--vary", "clip_threshold=0.5,5"),
    *("--preset", "tiny", "--steps", str(STEPS), "--hidden", "24", "--embedding", "16", "--batch-size", "8"),
    *("--bptt", "24", "--eval-every", "40", "--eval-tokens", "4000", "--checkpoint-every", "10"),
    *("--checkpoint-seconds", "0", "--precision", "float32"),
)


def sweep(workspace: Path, study: str, jobs: int, storage: str | None) -> subprocess.Popen[bytes]:
    """Starts `rnnplay sweep`, with one thread a worker."""
    arguments = [
        "sweep",
        "--workspace",
        str(workspace),
        "--study",
        study,
        "--jobs",
        str(jobs),
        "--threads",
        "1",
        "--json",
    ]
    arguments += ["--storage", storage] if storage else []
    quiet = subprocess.DEVNULL
    command = rnnplay_command(*arguments, *GRID)
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=quiet, start_new_session=True)


def result(process: subprocess.Popen[bytes]) -> dict[str, Any]:
    """Waits for a sweep and returns its last record."""
    assert process.stdout is not None
    found: dict[str, Any] = {}
    for line in process.stdout:
        with contextlib.suppress(ValueError):
            found = json.loads(line)
    process.wait()
    return found


def steps_of(workspace: Path, run: str) -> list[tuple[int, float]]:
    """Returns the steps and losses of a run, as recorded."""
    lines = (workspace / "checkpoints" / run / "metrics.jsonl").read_text().splitlines()
    records = [json.loads(line) for line in lines]
    return [(record["step"], record["loss"]) for record in records if record["type"] == "step"]


def main() -> None:
    parser = options_of("benchmarks.sweep_kills", __doc__)
    parser.add_argument("--kills", type=int, default=5)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--storage", help="a database for the study that is killed")
    parser.add_argument("--whole", action="store_true")
    options = parser.parse_args()
    draw = random.Random(options.seed)
    study = f"kills-{os.urandom(3).hex()}"  # a database may keep those of before
    with tempfile.TemporaryDirectory() as folder:
        alone, killed = Path(folder, "alone"), Path(folder, "killed")
        began = time.monotonic()
        expected = result(sweep(alone, study, options.jobs, None))
        seconds = time.monotonic() - began
        print(f"left alone: {expected['done']} of {expected['runs']} runs done in {seconds:.1f} s", flush=True)
        process = sweep(killed, study, options.jobs, options.storage)
        made = 0
        while made < options.kills:
            time.sleep(draw.uniform(0.3, 0.8) * seconds / options.kills)
            workers = psutil.Process(process.pid).children() if process.poll() is None else []
            if process.poll() is not None:
                break
            if options.whole and made % 2:
                for one in workers:
                    with contextlib.suppress(psutil.Error):
                        one.kill()
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
                made += 1
                process = sweep(killed, study, options.jobs, options.storage)
            elif workers:
                with contextlib.suppress(psutil.Error):
                    draw.choice(workers).kill()
                    made += 1
        found = result(process)
        check(expected, found, alone, killed, made)


def check(expected: dict[str, Any], found: dict[str, Any], alone: Path, killed: Path, made: int) -> None:
    """Compares the two studies and prints what was found; ends the process with 1 if they differ."""
    same_tables = expected["combinations"] == found["combinations"] and expected["trials"] == found["trials"]
    runs = sorted(path.name for path in (killed / "checkpoints").iterdir())
    numbers = [trial["number"] for trial in found["trials"]]
    same_steps = all(steps_of(alone, run) == steps_of(killed, run) for run in runs)
    facts = {
        "over": found["over"],
        "same table": same_tables,
        "same best": expected["best"] == found["best"],
        "no trial twice": len(set(numbers)) == len(numbers) == found["runs"] == len(runs),
        "every step once, with equal losses": same_steps,
    }
    print(f"{made} kills: " + ", ".join(f"{name}: {'yes' if held else 'NO'}" for name, held in facts.items()))
    best = found["best"] or {}
    print(f"best {best.get('mean')} with {best.get('params')}")
    sys.exit(0 if all(facts.values()) else 1)


if __name__ == "__main__":
    main()
