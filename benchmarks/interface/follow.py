"""Measures how far the interface is behind a run that another process trains, and whether its memory stays level.

    python -m benchmarks.interface.follow [--minutes 3] [--steps-per-second 100] [--columns 120] [--rows 40]

One process trains at a fixed pace and says when each step was done; another is `rnnplay watch` in a pseudo-terminal.
Lag: at each change of the step in the status line, which is drawn with the charts, the time since the first step was
done that the screen did not show until then. So it is the age of the screen at its oldest.
Memory: resident, of the interface alone, from a minute after its start on.
"""

from __future__ import annotations

import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from threading import Thread

from benchmarks import options_of
from benchmarks.measures import cpu_seconds, percentile, resident_mb
from tests.support.terminal import Terminal, rnnplay_command

WARM_UP_SECONDS = 60.0
"""Memory is looked at from then on: the caches have filled, and the charts have their first points."""
MEMORY_EVERY = 5.0
RUN = "followed"

TRAIN = """
import sys, time
from pathlib import Path
from rnnplay.config import RunConfig
from rnnplay.runs.folder import RunFolder
from rnnplay.text.corpora.catalogue import find_corpus
from rnnplay.text.encoding.encoded import encode_corpus
from rnnplay.training.trainer import Trainer
from rnnplay.workspace import Workspace
workspace, pace = Workspace(Path(sys.argv[1])), float(sys.argv[2])
config = RunConfig(corpus="tales", hidden=16, embedding=16, batch_size=4, bptt=16, threads=1, precision="float32",
                   steps=int(sys.argv[3]), eval_every=1000, eval_tokens=2000, checkpoint_seconds=30)
corpus = encode_corpus(find_corpus("tales", workspace), config, workspace.cache)
trainer = Trainer(config, corpus, RunFolder(workspace.checkpoints / sys.argv[4]), lambda record: None)
began = time.time()
while trainer.advance() is None:
    print(trainer.step, time.time(), flush=True)
    time.sleep(max(0.0, began + trainer.step / pace - time.time()))
"""


class Trained:
    """The process that trains, and when it did each step."""

    def __init__(self, workspace: Path, pace: float, steps: int) -> None:
        self.done: list[float] = []
        """When each step was done, from step 1 on."""
        arguments = [str(workspace), str(pace), str(steps), RUN]
        self.process = subprocess.Popen(
            [sys.executable, "-c", TRAIN, *arguments], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.endswith("\n"):  # the last one may be cut off
                self.done.append(float(line.split()[1]))


def step_shown(terminal: Terminal, steps: int) -> int | None:
    """Returns the step in the status line; None if it is not drawn."""
    found = re.search(rf"([\d,]+)/{steps:,}", terminal.text.split("\n", 1)[0])
    return int(found[1].replace(",", "")) if found else None


def main() -> None:
    parser = options_of("benchmarks.interface.follow", __doc__)
    parser.add_argument("--minutes", type=float, default=3.0)
    parser.add_argument("--steps-per-second", type=float, default=100.0)
    parser.add_argument("--columns", type=int, default=120)
    parser.add_argument("--rows", type=int, default=40)
    options = parser.parse_args()
    pace = options.steps_per_second
    steps = int(60 * options.minutes * pace * 1.5) + 10_000  # does not end before the measurement does
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        workspace = Path(folder)
        trained = Trained(workspace, pace, steps)
        while len(trained.done) < pace and trained.process.poll() is None:
            time.sleep(0.1)
        command = rnnplay_command("--workspace", folder, "watch", RUN)
        environment = {"RNNPLAY_CONFIG": str(workspace / "settings.json")}
        try:
            with Terminal(command, options.columns, options.rows, env=environment) as terminal:
                terminal.wait_for("followed", 60)
                report(terminal, trained, steps, 60 * options.minutes)
                terminal.send("\x11")
                terminal.wait_for_exit()
        finally:
            trained.process.kill()
            trained.process.wait()


def report(terminal: Terminal, trained: Trained, steps: int, seconds: float) -> None:
    """Follows for `seconds`, and prints what was measured."""
    pid = terminal.process.pid
    lags: list[float] = []
    memory: list[tuple[float, float]] = []
    began, cpu, first = time.time(), cpu_seconds(pid), len(trained.done)
    shown = None
    while (now := time.time()) < began + seconds and trained.process.poll() is None:
        terminal.read(0.02)
        step = step_shown(terminal, steps)
        if step is not None and (shown is None or step > shown):
            if shown is not None and shown < len(trained.done) and now > began + 10:  # the first ten read the file
                lags.append(time.time() - trained.done[shown])
            shown = step
        if now - began > WARM_UP_SECONDS and (not memory or now - memory[-1][0] > MEMORY_EVERY):
            memory.append((now, resident_mb(pid)))
    used, done = cpu_seconds(pid) - cpu, len(trained.done) - first
    print(f"{done:,} steps in {seconds:.0f} s: {done / seconds:.1f} steps/s; {len(lags):,} changes of the screen")
    print(f"lag: median {statistics.median(lags):.2f} s, p99 {percentile(lags, 0.99):.2f} s, max {max(lags):.2f} s")
    print(f"interface: {100 * used / seconds:.0f}% of a core")
    if len(memory) > 2:
        third = max(1, len(memory) // 3)
        early = statistics.mean(size for _, size in memory[:third])
        late = statistics.mean(size for _, size in memory[-third:])
        minutes = (memory[-1][0] - memory[0][0]) / 60
        print(f"memory: {early:.1f} MB in the first third, {late:.1f} MB in the last, of {minutes:.1f} minutes")


if __name__ == "__main__":
    main()
