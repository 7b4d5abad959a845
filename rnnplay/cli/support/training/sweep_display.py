"""Shows a study: live on a terminal, as lines in a log, and as tables when it is over."""

from __future__ import annotations

import math
import os
import sys
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import click

from rnnplay.cli.support.console import builtins, printable, table, write_json
from rnnplay.common.formatting import fixed
from rnnplay.experiments.sweep.plan import METRICS
from rnnplay.experiments.sweep.space import combination_text, param_text
from rnnplay.experiments.sweep.table import FINAL, Combination, Table, Trial, best_text, counts_text, number_text

if TYPE_CHECKING:
    from rich.console import RenderableType

    from rnnplay.experiments.sweep.worker import Progress

REDRAW_SECONDS = 0.4
SPARE_LINES = 8
STRIP = 24
"""Width of the strips of the summary by knob."""


class Display(Protocol):
    """Shows a study while it is worked on."""

    def show(self, study: Table, progress: Mapping[int, Progress], /) -> None:
        """Shows how it stands."""

    def say(self, message: str, /) -> None:
        """Shows one sentence."""

    def close(self) -> None:
        """Ends the display."""


class LineDisplay:
    """Writes a line on stderr, or with `as_json` a record on stdout, for each trial that comes to its end."""

    def __init__(self, as_json: bool) -> None:
        self._as_json = as_json
        self._known: set[int] | None = None

    def show(self, study: Table, _progress: Mapping[int, Progress], /) -> None:
        ended = [trial for trial in study.trials if trial.state in FINAL]
        if self._known is None:
            self._known = {trial.number for trial in ended}
            self.say(counts_text(study))
        for trial in ended:
            if trial.number not in self._known:
                self._known.add(trial.number)
                if self._as_json:
                    write_json({"type": "trial", **trial_json(trial)})
                else:
                    self.say(f"{trial.run}  {combination_text(trial.params)}  {trial_text(trial)}")

    def say(self, message: str, /) -> None:
        click.echo(printable(message), err=True)

    def close(self) -> None:
        """Does nothing."""


class LiveDisplay:
    """Draws the study on stderr: the trials in training, and the best so far."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.live import Live

        self._drawn = -REDRAW_SECONDS
        self._console = Console(stderr=True, highlight=False)
        self._live = Live(console=self._console, auto_refresh=False, transient=True)
        self._live.start()

    def show(self, study: Table, progress: Mapping[int, Progress], /) -> None:
        if time.monotonic() - self._drawn >= REDRAW_SECONDS:
            self._drawn = time.monotonic()
            self._live.update(self._picture(study, progress), refresh=True)

    def say(self, message: str, /) -> None:
        self._console.print(printable(message), markup=False, soft_wrap=True)

    def close(self) -> None:
        self._live.stop()

    def _picture(self, study: Table, progress: Mapping[int, Progress]) -> RenderableType:
        from rich.console import Group as Lines
        from rich.table import Table as Drawn
        from rich.text import Text

        lines = Drawn(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=False)
        room = max(3, self._console.height - SPARE_LINES)
        training = [trial for trial in study.trials if trial.state == "training"]
        for trial in training[: room // 2]:
            lines.add_row(trial.run, combination_text(trial.params), _training_text(trial, progress.get(trial.number)))
        ranked = [one for one in study.combinations() if one.complete]
        for one in ranked[: max(1, room - len(training))]:
            runs = one.trials[0].run if len(one.trials) == 1 else f"{len(one.trials)} runs"
            lines.add_row(runs, combination_text(one.params), number_text(one.mean, one.half_interval))
        return Lines(Text(counts_text(study)), lines)


def _training_text(trial: Trial, progress: Progress | None) -> str:
    if progress is None:
        return "in training" + (f", step {trial.step:,}" if trial.step else "")
    loss = "" if math.isnan(progress.loss) else f", loss {fixed(progress.loss, 3)}"
    return f"{progress.fraction:.0%}, step {progress.step:,}{loss}"


def trial_text(trial: Trial) -> str:
    """ "1.2345 at step 400", "diverged after step 80", "waiting"."""
    if trial.state == "done":
        at = f" at step {trial.value_step:,}" if trial.value_step is not None else ""
        return number_text(trial.value) + at
    return trial.reason or trial.state


def choose_display(as_json: bool) -> Display:
    """Returns the display for the kind of output."""
    if as_json or not sys.stderr.isatty() or os.environ.get("TERM") == "dumb":
        return LineDisplay(as_json)
    return LiveDisplay()


# --- when it is over, or with --show


def print_study(study: Table) -> None:
    """Prints the trials that were begun, the best combination, and the summary by knob."""
    names = study.plan.knobs
    repeated = study.plan.repeat > 1
    rows = []
    for one in study.combinations():
        for trial in one.trials:
            if trial.state == "waiting":
                continue
            seed = (str(trial.seed),) if repeated else ()
            values = (param_text(trial.params, name) for name in names)
            rows.append((trial.run, *values, *seed, trial_text(trial)))
    metric = study.plan.metric.replace("_", " ")
    columns = ("run", *names, *(("seed",) if repeated else ()), metric)
    if rows:
        table(columns, rows, numbers=names, whole=("run", *names))
        click.echo()
    if repeated and any(one.mean is not None for one in study.combinations()):
        _print_means(study)
    _print_groups(study)
    click.echo(counts_text(study))
    if line := best_text(study):
        click.echo(line[0].upper() + line[1:])


def _print_means(study: Table) -> None:
    names = study.plan.knobs
    rows = [
        (
            *(param_text(one.params, name) for name in names),
            f"{sum(trial.state == 'done' for trial in one.trials)} of {len(one.trials)}",
            number_text(one.mean, one.half_interval),
        )
        for one in study.combinations()
        if one.mean is not None
    ]
    table((*names, "runs done", "mean over seeds ± half of its 95% interval"), rows, numbers=names)
    click.echo()


def _print_groups(study: Table) -> None:
    groups = study.by_knob()
    bests = [group.best for group in groups if group.best is not None]
    worsts = [group.worst for group in groups if group.worst is not None]
    if not bests:
        return
    low, high = min(bests), max(worsts)
    rows = [
        (
            group.knob,
            group.text,
            str(group.done),
            number_text(group.best),
            number_text(group.mean),
            number_text(group.worst),
            str(group.diverged or ""),
            strip(group.best, group.mean, group.worst, low, high),
        )
        for group in groups
        if group.done or group.diverged
    ]
    scale = f"{fixed(low, 3)}{fixed(high, 3):>{STRIP - len(fixed(low, 3))}}"
    columns = ("knob", "value", "done", "best", "mean", "worst", "diverged", scale)
    table(columns, rows, numbers=columns[2:-1], whole=("value",))
    click.echo()


def strip(best: float | None, mean: float | None, worst: float | None, low: float, high: float) -> str:
    """Draws a group on a scale from `low` to `high`: ◆ its best, ● its mean, ─ from the best to the worst."""
    if best is None or mean is None or worst is None:
        return ""

    def place(value: float) -> int:
        return round((value - low) / (high - low) * (STRIP - 1)) if high > low else 0

    cells = [" "] * STRIP
    cells[place(best) : place(worst) + 1] = "─" * (place(worst) - place(best) + 1)
    cells[place(mean)] = "●"
    cells[place(best)] = "◆"
    return "".join(cells).rstrip()


def trial_json(trial: Trial) -> dict[str, Any]:
    """A trial for --json."""
    return dict(builtins(trial))


def study_json(study: Table) -> dict[str, Any]:
    """A study for --json: its plan, its trials, the combinations from the best on, and the values by knob."""
    best = study.best()
    return {
        "type": "study",
        "study": study.study,
        "metric": study.plan.metric,
        "metric_meaning": METRICS[study.plan.metric],
        "vary": [dimension.text for dimension in study.plan.dimensions],
        "sampler": study.plan.sampler,
        "runs": study.plan.runs,
        "done": study.count("done"),
        "over": study.over,
        "config": builtins(study.plan.config),
        "trials": [trial_json(trial) for trial in study.trials],
        "combinations": _combinations_json(study.combinations()),
        "best": _combinations_json([best])[0] if best else None,
        "by_knob": [group._asdict() for group in study.by_knob()],
    }


def _combinations_json(combinations: Sequence[Combination]) -> list[dict[str, Any]]:
    return [
        {
            "params": one.params,
            "mean": one.mean,
            "half_interval": one.half_interval,
            "runs": [trial.run for trial in one.trials],
        }
        for one in combinations
    ]
