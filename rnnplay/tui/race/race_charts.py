"""The charts of a race, in which all variants are overlaid: losses and gradient norms, or what the models remember."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from textual.app import ComposeResult
from textual.containers import Horizontal

from rnnplay.experiments.sharing import Measure
from rnnplay.inspection.results import DistanceAccuracy, GradientCurve
from rnnplay.tui.chart.chart import Chart, Mark, Series
from rnnplay.tui.chart.history import History
from rnnplay.tui.chart.palette import DIED
from rnnplay.tui.inspection.distances import MEASURING, NEEDED
from rnnplay.tui.race.curves import PER_SECOND, RunCurves, position
from rnnplay.tui.race.entrant import Entrant
from rnnplay.tui.race.live_race import LiveRace
from rnnplay.tui.widgets.text import translation_of
from rnnplay.tui.widgets.visible import shortened, visible_line

Lines = Literal["training", "validation", "both"]
LINES: tuple[Lines, ...] = ("both", "training", "validation")
"""Which losses the chart shows, in the order of the key."""
View = Literal["curves", "memory"]
LONGEST_NAME = 24


class RaceCharts(Horizontal):
    """Two charts: of training, or of memory."""

    DEFAULT_CSS = """
    RaceCharts { height: 1fr; min-height: 5; }
    RaceCharts #race-loss, RaceCharts #race-gradient { width: 3fr; }
    RaceCharts #race-norm, RaceCharts #race-distance { width: 2fr; }
    RaceCharts #race-gradient, RaceCharts #race-distance { display: none; }
    RaceCharts.-memory #race-loss, RaceCharts.-memory #race-norm { display: none; }
    RaceCharts.-memory #race-gradient, RaceCharts.-memory #race-distance { display: block; }
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self.view: View = "curves"
        self._kept: dict[int, tuple[object, History]] = {}
        """Histories of the curves about memory by variant, which change only with their result."""

    def compose(self) -> ComposeResult:
        yield Chart(title="Loss", id="race-loss", legend=False, empty="the losses come as soon as all have begun")
        yield Chart(title="Gradient norm", id="race-norm", legend=False, log_y=True, empty="before clipping")
        yield Chart(
            title="‖∂L/∂h‖ k timesteps earlier (log)",
            id="race-gradient",
            legend=False,
            log_y=True,
            x="k",
            empty="the curves come with the first answers",
        )
        yield Chart(
            title="Accuracy by distance",
            id="race-distance",
            legend=False,
            x="distance",
            y_range=(-0.02, 1.02),
            empty=MEASURING,
        )

    def on_mount(self) -> None:
        for name in ("gradient", "distance"):
            self._chart(name).smoothing = 0
        self._chart("gradient").action_fit()

    def _chart(self, name: str) -> Chart:
        return self.query_one(f"#race-{name}", Chart)

    def switch(self) -> None:
        """Shows the other two charts."""
        self.view = "memory" if self.view == "curves" else "curves"
        self.set_class(self.view == "memory", "-memory")

    def focus_first(self) -> None:
        """Focuses the left chart."""
        self._chart("loss" if self.view == "curves" else "gradient").focus()

    def show(self, live: LiveRace, measure: Measure, lines: Lines) -> None:
        """Brings the charts that are shown up to date; the horizontal axis is `measure`."""
        if self.view == "curves":
            self._show_curves(live, measure, lines)
        else:
            self._show_memory(live.entrants)

    def _show_curves(self, live: LiveRace, measure: Measure, lines: Lines) -> None:
        loss, norm = self._chart("loss"), self._chart("norm")
        unit = "nats per token" if live.plan.quality == "loss" else "bits per character"
        lines = lines if live.plan.quality == "loss" else "validation"  # training losses are not in that unit
        translated = translation_of(self)
        readout = {"both": "training, points: validation"}.get(lines, lines) if unit[0] == "n" else unit
        loss.readout = translated(readout)
        limit = end_of(live, measure)
        for chart, title, series in (
            (loss, f"Loss by {measure}", loss_series(live.entrants, measure, lines)),
            (norm, f"Gradient norm by {measure}", norm_series(live.entrants, measure)),
        ):
            title = translated(title)
            if chart.border_title != title:  # setting it repaints the whole chart
                chart.border_title = title
            chart.set_x(measure, 1 / PER_SECOND if measure == "seconds" else 1.0, limit)
            if chart.series != tuple(series):
                chart.series = series
            chart.refresh_data()

    def _show_memory(self, entrants: Sequence[Entrant]) -> None:
        gradient, distance = self._chart("gradient"), self._chart("distance")
        gradient.series = [
            self._series(one, 2 * one.number, one.gradient, _norms(one.gradient)) for one in entrants if one.gradient
        ]
        found = [one for one in entrants if one.distances]
        distance.series = [
            self._series(one, 2 * one.number + 1, one.distances, _accuracies(one.distances))
            for one in found
            if one.distances
        ]
        if found and (first := found[0].distances) is not None:
            distance.marks = [Mark(first.trained, "trained to here", "muted")]
            distance.set_threshold(first.chance, "chance")
        elif any(one.refusal for one in entrants):
            distance.empty = NEEDED

    def _series(self, one: Entrant, key: int, found: object, points: Sequence[tuple[int, float]]) -> Series:
        known = self._kept.get(key)
        if known is None or known[0] is not found:
            history = History()
            history.extend(points)
            known = self._kept[key] = found, history
        return Series(_name(one), known[1], one.look.color, smooth=False, mark=one.look.mark)


def _norms(curve: GradientCurve) -> list[tuple[int, float]]:
    """The curve of the highest layer's hidden state."""
    return list(zip(curve.distances, curve.hidden[-1], strict=False)) if curve.hidden else []


def _accuracies(found: DistanceAccuracy) -> list[tuple[int, float]]:
    bins = zip(found.distances, found.accuracy, found.count, strict=False)
    return [(distance, accuracy) for distance, accuracy, count in bins if count]


def _name(one: Entrant) -> str:
    return shortened(visible_line(one.title), LONGEST_NAME)


def loss_series(entrants: Sequence[Entrant], measure: Measure, lines: Lines) -> list[Series]:
    """Returns the losses of all variants; those of earlier seeds without marks, behind the present ones."""
    series = [
        _smoothed(one, curves, measure, former=True)
        for one in entrants
        for curves in one.curves[:-1]
        if lines != "validation"
    ]
    for one in entrants:
        if lines != "validation":
            series.append(_smoothed(one, one.curves[-1], measure))
        if lines != "training":
            history = one.curves[-1].validation[measure]
            dots: Literal["line", "dots"] = "dots" if lines == "both" else "line"
            series.append(Series(_name(one), history, one.look.color, smooth=False, style=dots, mark=one.look.mark))
    return series


def _smoothed(one: Entrant, curves: RunCurves, measure: Measure, former: bool = False) -> Series:
    mark, end = ("", "") if former else (one.look.mark, DIED if died(one) else "")
    return Series(_name(one), curves.loss[measure], one.look.color, raw=False, mark=mark, end=end)


def norm_series(entrants: Sequence[Entrant], measure: Measure) -> list[Series]:
    """Returns the gradient norms of all variants with the present seed."""
    return [
        Series(
            _name(one),
            one.curves[-1].norm[measure],
            one.look.color,
            raw=False,
            mark=one.look.mark,
            end=DIED if died(one) else "",
        )
        for one in entrants
    ]


def died(one: Entrant) -> bool:
    """Whether its curve ends in a cross: the run diverged, or its engine ended."""
    progress = one.entry.progress
    return one.entry.phase == "failed" or progress.died is not None or progress.exploded


def end_of(live: LiveRace, measure: Measure) -> int | None:
    """Returns where the race ends on an axis of `measure`, if its length says so."""
    configs = [one.variant.config for one in live.entrants]
    if measure == "seconds" and all(config.minutes for config in configs):
        return position(measure, max(60 * config.minutes for config in configs))
    if measure == "steps" and all(config.steps for config in configs):
        return max(config.steps for config in configs)
    return None
