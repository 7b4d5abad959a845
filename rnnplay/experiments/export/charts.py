"""Charts of runs for print: loss above, gradient norm below, as on the screen.

Colours are those of Okabe & Ito (2008), which are told apart with any colour vision; line styles and marks tell the
runs apart without colour. The same runs give the same bytes.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from rnnplay.common.curves import joint_range, robust_range
from rnnplay.common.formatting import count_text
from rnnplay.experiments.export.curves import Curves, averaged, read_curves, thinned
from rnnplay.experiments.export.destination import writing
from rnnplay.experiments.resumption import race_labels
from rnnplay.runs.folder import RunFolder

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
LINES = ("-", (0, (5, 1.5)), (0, (1.5, 1)), (0, (6, 1.5, 1.5, 1.5)), (0, (3, 1, 1, 1, 1, 1)), (0, (8, 2)))
MARKS = (("s", "full"), ("^", "full"), ("D", "full"), ("o", "none"), ("v", "full"), ("s", "none"), ("P", "full"))
"""The marks of the screen, ■▲◆○▼□, and one more; each with how it is filled."""
THRESHOLD: dict[str, Any] = {"linestyle": (0, (2, 1.5)), "linewidth": 0.9}
MOST_POINTS = 2000
"""Points of a curve: more than a page has dots for."""
LOG_RATIO = 30.0
"""Loss is drawn on a log axis if its largest value is this many times its median."""
SIZE = (6.5, 4.6)
"""Inches: as wide as the text of a page."""
DOTS_PER_INCH = 200


@dataclass(frozen=True)
class Ink:
    """The colours of everything but the curves, and of a single run's curves."""

    text: str = "#222222"
    axis: str = "#808080"
    grid: str = "#e4e4e4"
    training: str = COLOURS[0]
    validation: str = COLOURS[1]
    norm: str = COLOURS[2]
    threshold: str = "#444444"
    background: str = "white"
    text_as_paths: bool = True
    """Whether letters are drawn, so that they look the same everywhere, or are text, in the page's font."""


def write_chart(runs: Sequence[RunFolder], path: Path, kind: str, x: str = "steps") -> None:
    """Writes one chart of all runs by "steps" or "tokens"; `kind` is "svg" or "png". Raises InputError.

    The variants of a race are named as there; those of several seeds are one curve, of their mean, with their range.
    """
    labels = race_labels(runs)
    curves = [
        replace(read_curves(run), run=labels.get(run.name, run.name), variant=labels.get(run.name, "")) for run in runs
    ]
    data = chart([run.by_tokens() for run in curves] if x == "tokens" else curves, kind, x=x)
    with writing(path) as file:
        file.write(data)


def chart(
    curves: Sequence[Curves],
    kind: str,
    ink: Ink | None = None,
    size: tuple[float, float] = SIZE,
    x: str = "steps",
    salt: str = "",
) -> bytes:
    """Draws the runs into a picture of `size` inches; `x` names what their steps are.

    `salt` sets names within an SVG apart from those of another one on the same page.
    """
    ink = ink or Ink()
    settings: dict[Any, Any] = {
        "svg.hashsalt": f"rnnplay{salt}",
        "svg.fonttype": "path" if ink.text_as_paths else "none",
        "font.family": "sans-serif",
        "font.size": 9,
        "axes.edgecolor": ink.axis,
        "axes.labelcolor": ink.text,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.linewidth": 0.7,
        "axes.grid": True,
        "axes.axisbelow": True,
        "grid.color": ink.grid,
        "grid.linewidth": 0.6,
        "xtick.color": ink.axis,
        "ytick.color": ink.axis,
        "xtick.labelcolor": ink.text,
        "ytick.labelcolor": ink.text,
        "text.color": ink.text,
        "legend.edgecolor": "none",
        "legend.facecolor": ink.background,
        "legend.framealpha": 0.8,
        "legend.fontsize": 8,
        "legend.title_fontsize": 8,
        "lines.linewidth": 1.3,
    }
    names = ", ".join(dict.fromkeys(one.run for one in curves))
    about = {"Title": f"Loss and gradient norm of {names}", "Creator": "rnnplay", "Date": None}
    with matplotlib.rc_context(settings):
        figure = Figure(figsize=size, layout="constrained", facecolor=ink.background)
        upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
        for axes in (upper, lower):
            axes.set_facecolor("none")
        if len(curves) == 1:
            _draw_run(upper, lower, curves[0], ink)
        else:
            _draw_runs(upper, lower, curves)
        _finish(figure, upper, lower, curves, x)
        out = io.BytesIO()
        metadata = about if kind == "svg" else {"Title": about["Title"], "Software": "rnnplay"}
        figure.savefig(out, format=kind, dpi=DOTS_PER_INCH, metadata=metadata)
    return out.getvalue()


def _draw_run(upper: Axes, lower: Axes, run: Curves, ink: Ink) -> None:
    upper.plot(*thinned(run.step, run.loss, MOST_POINTS), color=ink.training, alpha=0.3, linewidth=0.6)
    upper.plot(*thinned(run.step, averaged(run.loss), MOST_POINTS), color=ink.training, label="training")
    upper.plot(
        run.validation_step, run.validation_loss, color=ink.validation, linestyle=(0, (4, 1.5)), linewidth=1.0,
        marker="o", markersize=3.5, markevery=_every(run.validation_step), label="validation",
    )  # fmt: skip
    lower.plot(*thinned(run.step, run.norm, MOST_POINTS), color=ink.norm, alpha=0.3, linewidth=0.6)
    lower.plot(*thinned(run.step, averaged(run.norm), MOST_POINTS), color=ink.norm, label="before clipping")
    _draw_threshold(lower, run, ink.threshold, _threshold_label(run))
    _draw_returns(upper, lower, run, ink.threshold)
    _draw_end(upper, run, ink.validation)


def _draw_runs(upper: Axes, lower: Axes, runs: Sequence[Curves]) -> None:
    thresholds = {tuple(run.threshold) for run in runs if any(value is not None for _, value in run.threshold)}
    for number, seeds in enumerate(by_variant(runs)):
        run = mean_of(seeds) if len(seeds) > 1 else seeds[0]
        look: dict[str, Any] = {"color": COLOURS[number % len(COLOURS)], "linestyle": LINES[number % len(LINES)]}
        marker, filled = MARKS[number % len(MARKS)]
        marks: dict[str, Any] = {"marker": marker, "fillstyle": filled, "markersize": 4.5}
        if len(seeds) > 1:
            _draw_ranges(upper, lower, seeds, run, look["color"])
        loss, norm = (run.loss, run.norm) if len(seeds) > 1 else (averaged(run.loss), averaged(run.norm))
        upper.plot(*thinned(run.step, loss, MOST_POINTS), linewidth=1.0, **look)
        for one in [run] if len(run.validation_step) else seeds:  # seeds may be validated at no common step
            upper.plot(
                one.validation_step,
                one.validation_loss,
                **look | marks | {"linestyle": "none"},
                markevery=_every(one.validation_step, number),
            )
        upper.add_line(Line2D([], [], linewidth=1.0, label=run.run, **look, **marks))
        lower.plot(*thinned(run.step, norm, MOST_POINTS), linewidth=1.0, **look)
        if len(thresholds) > 1:
            _draw_threshold(lower, run, look["color"], "")
        _draw_returns(upper, lower, run, look["color"])
        _draw_end(upper, run, look["color"])
    if len(thresholds) == 1:
        longest = max((run for run in runs if tuple(run.threshold) in thresholds), key=lambda run: run.last_step)
        _draw_threshold(lower, longest, Ink.threshold, _threshold_label(longest))
    elif thresholds:
        lower.add_line(Line2D([], [], color=Ink.threshold, label="clipping thresholds", **THRESHOLD))


def by_variant(runs: Sequence[Curves]) -> list[list[Curves]]:
    """Groups the runs of a race by variant: those that differ in their seeds alone."""
    groups: dict[object, list[Curves]] = {}
    for number, run in enumerate(runs):
        groups.setdefault(run.variant or number, []).append(run)
    return [[run for run in seeds if len(run.step)] or seeds[:1] for seeds in groups.values()]


def mean_of(seeds: Sequence[Curves]) -> Curves:
    """The mean of the averaged curves of several runs, up to where the shortest ends.

    Validations are those at steps that all have.
    """
    end = min(run.last_step for run in seeds)
    step = max(seeds, key=lambda run: len(run.step)).step
    step = step[step <= end]
    common = sorted(set.intersection(*({*run.validation_step.tolist()} for run in seeds)))
    return replace(
        seeds[0],
        step=step,
        loss=_across(seeds, step, "loss").mean(axis=0),
        norm=_across(seeds, step, "norm").mean(axis=0),
        validation_step=np.array(common, float),
        validation_loss=np.array(
            [[run.validation_loss[run.validation_step.tolist().index(at)] for at in common] for run in seeds]
        ).mean(axis=0),
        returns=[],
        diverged=any(run.diverged for run in seeds),
    )


def _across(seeds: Sequence[Curves], step: Any, name: str) -> Any:
    """The averaged curves of all seeds at `step`, shape (seeds, n)."""
    return np.stack([np.interp(step, run.step, averaged(getattr(run, name))) for run in seeds])


def _draw_ranges(upper: Axes, lower: Axes, seeds: Sequence[Curves], mean: Curves, colour: str) -> None:
    """Shades from the lowest to the highest of the seeds."""
    for axes, name in ((upper, "loss"), (lower, "norm")):
        found = _across(seeds, mean.step, name)
        some = slice(None, None, -(-len(mean.step) // MOST_POINTS) or 1)
        axes.fill_between(
            mean.step[some], found.min(axis=0)[some], found.max(axis=0)[some], color=colour, alpha=0.18, linewidth=0
        )


def _threshold_label(run: Curves) -> str:
    values = {value for _, value in run.threshold if value is not None}
    return "clipping threshold" + (f" {values.pop():g}" if len(values) == 1 else "")


def _draw_threshold(axes: Axes, run: Curves, colour: str, label: str) -> None:
    ends = [*(step for step, _ in run.threshold[1:]), max(run.last_step, 1)]
    for (begin, value), end in zip(run.threshold, ends, strict=True):
        if value is not None and end > begin:
            axes.plot([begin, end], [value, value], color=colour, label=label, **THRESHOLD)
            label = ""


def _draw_returns(upper: Axes, lower: Axes, run: Curves, colour: str) -> None:
    for number, step in enumerate(sorted(set(run.returns))):
        label = "rollback to here" if number == 0 else ""
        upper.axvline(step, color=colour, linestyle=":", linewidth=0.9, label=label)
        lower.axvline(step, color=colour, linestyle=":", linewidth=0.9)


def _draw_end(axes: Axes, run: Curves, colour: str) -> None:
    """Marks the last finite loss of a run that diverged, or whose loss is not finite at its end."""
    finite = np.flatnonzero(np.isfinite(run.loss))
    if not len(finite) or not (run.diverged or finite[-1] < len(run.loss) - 1):
        return
    last = finite[-1]
    label = "diverged" if run.diverged else f"not finite from {run.step[last + 1]:,.0f} on"
    look: dict[str, Any] = {"marker": "x", "markersize": 8, "markeredgewidth": 2, "linestyle": "none", "zorder": 4}
    axes.plot(run.step[last], run.loss[last], color=colour, label=label, **look)


def _finish(figure: Figure, upper: Axes, lower: Axes, curves: Sequence[Curves], x: str) -> None:
    """Sets the axes' scales, labels and legends."""
    losses = np.concatenate([np.concatenate([run.loss, run.validation_loss]) for run in curves])
    losses = losses[np.isfinite(losses) & (losses > 0)]
    if len(curves) > 1:
        _leave_room_for_all(upper, curves)
    elif len(losses) and losses.max() > LOG_RATIO * np.median(losses):
        _set_log(upper)
    norms = np.concatenate([run.norm for run in curves])
    if (np.isfinite(norms) & (norms > 0)).any():
        _set_log(lower)
    upper.set_ylabel("loss (nats per token)")
    lower.set_ylabel("gradient norm (L2)")
    lower.set_xlabel("step" if x == "steps" else "tokens trained on")
    lower.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
    lower.xaxis.set_major_formatter(
        FuncFormatter(lambda value, _: f"{value:,.0f}" if x == "steps" else count_text(value))
    )
    lower.set_xlim(0, 1.012 * max(1, *(run.last_step for run in curves)))
    if not any(run.last_step for run in curves):
        upper.text(0.5, 0.5, "no step that counts", transform=upper.transAxes, ha="center")
        for axes in (upper, lower):
            axes.set_yticks([])
    title = "lines: training, marks: validation" if len(curves) > 1 else None
    if title and (most := max(map(len, by_variant(curves)))) > 1:
        several = [seeds for seeds in by_variant(curves) if len(seeds) > 1]
        each = " of each" if not all(len(mean_of(seeds).validation_step) for seeds in several) else ""
        title = f"mean and range over {most} seeds; {title}{each}"
    if len(by_variant(curves)) > 4:
        figure.legend(*_entries(upper), loc="outside upper center", ncols=4, title=title)
    elif (entries := _entries(upper))[0]:
        upper.legend(*entries, loc="upper right", title=title)
    if (entries := _entries(lower))[0]:
        lower.legend(*entries, loc="upper right")


def _leave_room_for_all(axes: Axes, curves: Sequence[Curves]) -> None:
    """Lets a run that diverges leave the plot at its top, so that the others can be told apart; the legend says so."""
    ranges, lost, middles = [], [], {}
    for run in curves:
        values = averaged(run.loss)
        values = values[np.isfinite(values)]
        if len(values):
            ranges.append(robust_range(values, values))
            lost.append(run.diverged or not np.isfinite(run.loss).all())
            middles[run.run] = float(np.median(values))
    if not ranges:
        return
    low, top = joint_range(ranges, lost)
    room = 0.06 * (top - low) or 0.1
    if axes.get_ylim()[1] <= top + 5 * room:
        return
    axes.set_ylim(low - room, top + room)
    for line in axes.get_lines():
        if middles.get(str(line.get_label()), low) > top:
            line.set_label(f"{line.get_label()} (above the plot)")


def _set_log(axes: Axes) -> None:
    """Makes the y axis logarithmic, with plain numbers as labels."""
    axes.set_yscale("log")
    low, high = axes.get_ylim()
    few = high / low > 1e4
    axes.yaxis.set_major_locator(LogLocator(subs=(1.0,) if few else (1.0, 2.0, 5.0), numticks=8))
    axes.yaxis.set_minor_formatter(NullFormatter())
    if high < 1e6:
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))


def _entries(axes: Axes) -> tuple[list[Any], list[str]]:
    """What an axes' legend lists; each label once."""
    found = dict(zip(*reversed(axes.get_legend_handles_labels()), strict=True))
    return list(found.values()), list(found)


def _every(steps: Any, number: int = 0) -> tuple[int, int]:
    """Which validations are marked: some twenty, shifted from run to run so that marks do not hide each other."""
    every = max(1, len(steps) // 20)
    return (number * every // 4) % every, every
