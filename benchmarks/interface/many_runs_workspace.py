"""Makes a workspace of thousands of runs, one of them of millions of steps, without training any.

    python -m benchmarks.interface.many_runs_workspace FOLDER [--runs 5000] [--steps 10000000]

Each run has its run.json, a metrics.jsonl of a few hundred records and two checkpoints without weights.
"""

from __future__ import annotations

import math
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks import options_of
from rnnplay.config import RunConfig, with_values
from rnnplay.runs.checkpoint_state import STATE_FILE, TrainingState, ValidationHistory, encode_state
from rnnplay.runs.folder import RunFolder, RunInfo
from rnnplay.runs.metrics.metrics_log import encode_lines
from rnnplay.runs.metrics.records import Checkpoint, Finished, Record, Rollback, Step, Validation
from rnnplay.workspace import Workspace

LONG = "long-lstm-512-01"
STEPS, EVERY = 150, 25
LINES_AT_ONCE = 100_000


def make_workspace(root: Path, runs: int, steps: int) -> Workspace:
    """Makes the workspace, unless it is there; the run LONG has `steps` steps."""
    workspace = Workspace(root, str(root), named=True).create()
    for number in range(runs - 1):
        make_run(workspace, number)
    if not (workspace.checkpoints / LONG / "run.json").exists():
        make_long_run(workspace, steps)
    return workspace


def make_run(workspace: Workspace, number: int) -> None:
    """Makes one run, unless it is there; its number decides its knobs and losses."""
    chance = random.Random(number)
    cell = chance.choice(("rnn", "gru", "lstm"))
    config = with_values(
        RunConfig(),
        {
            "cell": cell,
            "lr": chance.choice((0.0003, 0.001, 0.002, 0.005, 0.01)),
            "hidden": chance.choice((64, 128, 256, 512)),
            "clip_threshold": chance.choice((0.25, 1.0, 5.0)),
            "seed": number,
            "steps": STEPS,
        },
    )
    folder = RunFolder(workspace.checkpoints / f"tales-{cell}-{config.hidden}-{number:04d}")
    if folder.holds_run():
        return
    folder.path.mkdir()
    level = 0.8 + chance.random()
    records: list[Record] = []
    for step in range(1, STEPS + 1):
        records.append(step_record(step, level + 2.5 * math.exp(-step / 40) + chance.gauss(0, 0.05)))
        if step % EVERY == 0:
            records.append(validation_record(step, level + 2.5 * math.exp(-step / 40)))
    records.append(Finished(step=STEPS, reason="length"))
    folder.log.path.write_bytes(encode_lines(records))
    describe(folder, config, number, STEPS, level + 2.5 * math.exp(-STEPS / 40))


def make_long_run(workspace: Workspace, steps: int) -> None:
    """Makes the run LONG, with a validation every 10,000 steps and a few rollbacks."""
    folder = RunFolder(workspace.checkpoints / LONG)
    folder.path.mkdir(exist_ok=True)
    template = encode_lines([step_record(1, 1.5)]).decode()
    head, _, rest = template.partition('"step":1,"loss":1.5,')
    norm, _, tail = rest.partition('"tokens":2048')
    with folder.log.path.open("wb") as file:
        for first in range(1, steps + 1, LINES_AT_ONCE):
            last = min(first + LINES_AT_ONCE, steps + 1)
            lines = [
                f'{head}"step":{step},"loss":{1.2 + 2.5 / (1 + step / 1e5) + step % 89 / 400:.16g},{norm}'
                f'"tokens":{2048 * step}{tail}'
                for step in range(first, last)
            ]
            for at in range(9_999, len(lines), 10_000):
                lines[at] += encode_lines(
                    [validation_record(first + at, 1.3 + 2.5 / (1 + (first + at) / 1e5))]
                ).decode()
            if first % 2_000_000 == 1 and first > 1:
                lines[50] += encode_lines(
                    [Rollback(step=first + 50, to=first + 40, cause="loss not finite", remedy="lower-rate", count=1)]
                ).decode() + "".join(lines[41:50])
            file.write("".join(lines).encode())
        file.write(encode_lines([Checkpoint(step=steps, path="step"), Finished(step=steps, reason="length")]))
    describe(folder, with_values(RunConfig(), {"hidden": 512, "steps": steps}), 0, steps, 1.32)


def describe(folder: RunFolder, config: RunConfig, number: int, steps: int, loss: float) -> None:
    """Writes run.json and two checkpoints without weights."""
    created = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=number)
    folder.write_info(
        RunInfo(
            run=folder.name,
            config=config,
            corpus_sha256="0" * 64,
            rnnplay="1",
            torch="2",
            created=created.isoformat(timespec="milliseconds"),
            parameters=4 * config.hidden**2,
            vocabulary=63,
        )
    )
    for step in (steps // 2, steps):
        checkpoint = folder.checkpoint_path(step)
        checkpoint.mkdir(exist_ok=True)
        validations = ValidationHistory(best_loss=loss, best_step=step, last_loss=loss, last_step=step)
        state = TrainingState(
            format=1,
            step=step,
            tokens=2048 * step,
            seconds=step / 100,
            epoch=1.0,
            created=created.timestamp(),
            feed={},
            validations=validations,
            live={},
            device="cpu",
            precision="float32",
            threads=1,
            metrics_bytes=0,
            sha256={},
        )
        (checkpoint / STATE_FILE).write_bytes(encode_state(state))


def step_record(step: int, loss: float) -> Step:
    """Returns the record of a step."""
    return Step(
        step=step,
        loss=loss,
        grad_norm=0.5 + step % 7 / 3,
        grad_norm_clipped=1.0,
        clipped=step % 2 == 0,
        lr=0.002,
        tokens=2048 * step,
        tokens_per_second=61234.5,
    )


def validation_record(step: int, loss: float) -> Validation:
    """Returns the record of a validation."""
    return Validation(step=step, loss=loss, perplexity=math.exp(loss), bits_per_character=loss / math.log(2))


def main() -> None:
    options = options_of("benchmarks.interface.many_runs_workspace", __doc__)
    options.add_argument("folder", type=Path)
    options.add_argument("--runs", type=int, default=5000)
    options.add_argument("--steps", type=int, default=10_000_000)
    given = options.parse_args()
    make_workspace(given.folder.absolute(), given.runs, given.steps)


if __name__ == "__main__":
    main()
