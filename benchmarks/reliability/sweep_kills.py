"""Kills workers of a sweep at random moments, and compares what it finds with a sweep that was left alone.

    python -m benchmarks.reliability.sweep_kills [--kills 5] [--seed 1] [--jobs 2] [--storage URL …] [--whole]

A grid of twelve trials is trained by `rnnplay sweep` twice: alone, and with workers killed (SIGKILL) at random moments.
With --whole every second kill is of a whole process group, which is then started again, as a user would. With --storage
several times, so many commands work on the one study at the same time: each with its URL, which may name another user
of the database, and a workspace of its own. Both must end with the same trials, values and best one; each trial must
have been trained to its end once, and its metrics.jsonl must hold every step once, with equal losses.
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


def steps_of(run: Path) -> list[tuple[int, float]]:
    """Returns the steps and losses of a run, as recorded."""
    records = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    return [(record["step"], record["loss"]) for record in records if record["type"] == "step"]


def main() -> None:
    parser = options_of("benchmarks.reliability.sweep_kills", __doc__)
    parser.add_argument("--kills", type=int, default=5)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2, help="workers of each command")
    parser.add_argument("--storage", action="append", help="a database for the study that is killed")
    parser.add_argument("--whole", action="store_true")
    options = parser.parse_args()
    draw = random.Random(options.seed)
    study = f"kills-{os.urandom(3).hex()}"  # a database may keep those of before
    with tempfile.TemporaryDirectory() as folder:
        alone = Path(folder, "alone")
        urls = options.storage or [None]
        users = [(Path(folder, f"killed-{number}"), url) for number, url in enumerate(urls)]
        began = time.monotonic()
        expected = result(sweep(alone, study, options.jobs, None))
        seconds = time.monotonic() - began
        print(f"left alone: {expected['done']} of {expected['runs']} runs done in {seconds:.1f} s", flush=True)
        running = [sweep(workspace, study, options.jobs, url) for workspace, url in users]
        made = 0
        while made < options.kills:
            time.sleep(draw.uniform(0.3, 0.8) * seconds / options.kills)
            at = draw.randrange(len(running))
            if all(one.poll() is not None for one in running):
                break
            if running[at].poll() is not None:
                continue
            workers = psutil.Process(running[at].pid).children()
            if options.whole and made % 2:
                for one in workers:
                    with contextlib.suppress(psutil.Error):
                        one.kill()
                os.killpg(running[at].pid, signal.SIGKILL)
                running[at].wait()
                made += 1
                running[at] = sweep(users[at][0], study, options.jobs, users[at][1])
            elif workers:
                with contextlib.suppress(psutil.Error):
                    draw.choice(workers).kill()
                    made += 1
        found = [result(one) for one in running]
        check(expected, found, alone, [workspace for workspace, _ in users], made)


def check(expected: dict[str, Any], found: list[dict[str, Any]], alone: Path, killed: list[Path], made: int) -> None:
    """Compares the two studies and prints what was found; ends the process with 1 if they differ."""
    runs: dict[str, list[Path]] = {}
    """By name: a trial that one workspace's worker was killed at may have been begun anew in another."""
    for path in sorted(path for one in killed for path in (one / "checkpoints").iterdir()):
        runs.setdefault(path.name, []).append(path)
    ended = {name: [steps_of(one) for one in paths if len(steps_of(one)) >= STEPS] for name, paths in runs.items()}
    numbers = [trial["number"] for trial in found[0]["trials"]]
    facts = {
        "over": all(one["over"] for one in found),
        "same table": all(
            (expected["combinations"], expected["trials"]) == (one["combinations"], one["trials"]) for one in found
        ),
        "same best": all(expected["best"] == one["best"] for one in found),
        "no trial twice": len(set(numbers)) == len(numbers) == found[0]["runs"] == len(runs)
        and all(len(one) == 1 for one in ended.values()),
        "every step once, with equal losses": all(
            one == steps_of(alone / "checkpoints" / name) for name, trained in ended.items() for one in trained
        ),
    }
    print(f"{made} kills: " + ", ".join(f"{name}: {'yes' if held else 'NO'}" for name, held in facts.items()))
    if len(killed) > 1:
        done = [sum(len(steps_of(run)) >= STEPS for run in (one / "checkpoints").iterdir()) for one in killed]
        anew = sum(len(paths) - 1 for paths in runs.values())
        print(f"trained by the {len(killed)} users: {' and '.join(map(str, done))}; begun anew by another: {anew}")
    best = found[0]["best"] or {}
    print(f"best {best.get('mean')} with {best.get('params')}")
    sys.exit(0 if all(facts.values()) else 1)


if __name__ == "__main__":
    main()
