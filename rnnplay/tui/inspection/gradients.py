"""Gradient through time: how much of a loss arrives k timesteps earlier, beside the start and other runs."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content

from rnnplay.engine import messages
from rnnplay.inspection.questions import GradientsQuestion
from rnnplay.inspection.results import GradientCurve
from rnnplay.tui.chart.axes import format_value
from rnnplay.tui.chart.chart import Chart, Series
from rnnplay.tui.chart.history import History
from rnnplay.tui.inspection.view import Curves, InspectView
from rnnplay.tui.keymap import key_name
from rnnplay.tui.run_controller import RunController
from rnnplay.tui.widgets.text import Lines, translation_of
from rnnplay.tui.widgets.visible import FAINT, MUTED, shortened, visible_line

DISTANCES = (8, 16, 32, 64, 128, 256)
COLORS = ("primary", "secondary", "success", "error")
KEPT_COLORS = ("accent", "success", "error", "secondary")
MOST_KEPT = 6
MOST_LAYERS = 4
"""Largest number of layers shown together."""


class GradientsView(InspectView):
    """Shows the curve of the current weights and, requested once, that of the initial ones."""

    SCOPED_CSS = False  # some rules depend on the size of the screen
    DEFAULT_CSS = """
    GradientsView Chart { height: 1fr; }
    GradientsView Lines { height: auto; max-height: 5; }
    .-tall GradientsView Lines { max-height: 12; }
    """
    NAME = "gradient"
    DESCRIPTION = (
        "How strongly the loss at a timestep still depends on the state k steps earlier. Where the curve has fallen "
        "a thousandfold, only a thousandth of the signal remains: what is farther away is hardly learned."
    )
    HELP = """
    ## Gradient through time

    For the loss of each timestep t of a few lines of validation text: the norm of its gradient with respect to the
    state k steps earlier, averaged, on a logarithmic axis. It is the chain rule's product of k Jacobians: if each
    shrinks the gradient a little, k of them shrink it exponentially. Faint: the weights before the first step.

    - `k` keeps this curve beside those of later runs; `K` forgets the kept ones
    - `h` changes between the hidden state h and an LSTM's cell state c
    - `l` goes from layer to layer; `+` and `-` look farther back or less far
    """
    INTERVAL = 3.0
    ENGINE_FRACTION = 0.03
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("k", "keep", "Keep", id="gradient.keep"),
        Binding("K", "forget", "Forget kept", id="gradient.forget"),
        Binding("h,c", "state", "h or c", key_display="h", id="gradient.state"),
        Binding("l", "layer", "Layer", id="gradient.layer"),
        Binding("plus,equals_sign", "distance(1)", "Distance", key_display="+/-", id="gradient.farther"),
        Binding("minus", "distance(-1)", "", show=False, id="gradient.nearer"),
    ]

    def __init__(self, controller: RunController, curves: Curves) -> None:
        super().__init__(controller, curves)
        self.vector = "h"
        self.nth = -1
        """The layer shown; -1 for all."""
        self.distance = 64
        self._current: GradientCurve | None = None
        self._histories: dict[object, History] = {}  # of the curves shown, most of which stay the same
        self._asking_initial = False
        self._asked_distance = 0
        self._no_initial: set[tuple[str, int]] = set()

    def compose(self) -> ComposeResult:
        yield Chart(
            title="‖∂L/∂h‖ k timesteps earlier (log)",
            legend=False,
            log_y=True,
            x="k",
            empty="the curve comes with the first answer",
            id="gradient-chart",
        )
        yield Lines(id="gradient-numbers")

    def on_mount(self) -> None:
        chart = self.query_one(Chart)
        chart.smoothing = 0
        chart.action_fit()
        self._draw()

    # --- questions ------------------------------------------------------------------------------------------

    def ask(self) -> int | None:
        key = (self._current.run, self._asked_distance) if self._current else None
        self._asking_initial = (
            key is not None and key not in self.curves.initial and key not in self._no_initial and self.fresh
        )
        self._asked_distance = self.distance
        return self.controller.inspect(GradientsQuestion(distance=self.distance, initial=self._asking_initial))

    @property
    def fresh(self) -> bool:
        """Whether the current curve has the chosen distance."""
        return self._current is not None and self._asked_distance == self.distance

    def answer(self, event: messages.Inspected | messages.Completion) -> None:
        if not isinstance(event, messages.Inspected) or not isinstance(event.result, GradientCurve):
            return
        curve = event.result
        if self._asking_initial:
            self.curves.initial[curve.run, self.distance] = curve
        else:
            self._current = curve
            self.shown_step = curve.step
        if self._initial() is None and (curve.run, self.distance) not in self._no_initial:
            self.pace.want()
        self._draw()
        self.refresh_bindings()

    def refused(self) -> None:
        if self._asking_initial and self._current is not None:
            self._no_initial.add((self._current.run, self.distance))

    # --- drawing --------------------------------------------------------------------------------------------

    def _initial(self) -> GradientCurve | None:
        run = self._current.run if self._current else ""
        return self.curves.initial.get((run, self.distance))

    def _layers(self, curve: GradientCurve) -> list[int]:
        count = len(curve.cell if self.vector == "c" else curve.hidden)
        return list(range(min(count, MOST_LAYERS))) if self.nth < 0 else [min(self.nth, max(count - 1, 0))]

    def _draw(self) -> None:
        chart = self.query_one(Chart)
        series: list[Series] = []
        rows: list[list[str]] = []
        farthest: list[int] = []
        swatches = [Content("  ")]
        histories: dict[object, History] = {}

        def add(name: str, curve: GradientCurve, layer: int, color: str) -> None:
            norms = norms_of(curve, self.vector, layer)
            key = curve.run, curve.step, len(curve.distances), self.vector, layer
            history = histories[key] = self._histories.get(key) or History()
            if not len(history):
                history.extend(zip(curve.distances, norms, strict=False))
            series.append(Series(shortened(visible_line(name), 24), history, color, smooth=False))
            rows.append(summary(shortened(visible_line(name), 32), curve.distances, norms))
            farthest.extend(curve.distances[-1:])
            swatches.append(Content.styled("━ ", "$foreground 60%" if color == "muted" else f"${color}"))

        current, initial = self._current, self._initial()
        if current is not None:
            layers = self._layers(current)
            suffix = {layer: f" layer {layer + 1}" if len(current.hidden) > 1 else "" for layer in layers}
            if initial is not None:
                for layer in layers:
                    add(f"start{suffix[layer]}", initial, layer, "muted")
            for number, kept in enumerate(self.curves.kept):
                for layer in self._layers(kept)[-1:]:
                    add(kept_name(kept), kept, layer, KEPT_COLORS[number % len(KEPT_COLORS)])
            for number, layer in enumerate(layers):
                add(f"now{suffix[layer]}", current, layer, COLORS[number % len(COLORS)])
            if self.vector == "c" and not current.cell:
                self.query_one("#gradient-numbers", Lines).show(
                    [
                        Content.styled(
                            f"Only an LSTM has a cell state c: press {key_name('gradient.state')} "
                            "for the hidden state.",
                            "$warning",
                        )
                    ]
                )
                chart.series = []
                return
        chart.border_title = translation_of(self)(f"‖∂L/∂{self.vector}‖ k timesteps earlier (log)")
        chart.series = series
        self._histories = histories
        chart.readout = translation_of(self)(f"step {current.step:,}") if current is not None else ""
        lines = table([header(farthest), *rows]) if rows else []
        self.query_one("#gradient-numbers", Lines).show(
            self.told(
                [
                    Content.assemble(swatch, (line, MUTED if number else FAINT))
                    for number, (swatch, line) in enumerate(zip(swatches, lines, strict=False))
                ]
            )
        )

    # --- keys -----------------------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        if action == "keep":
            return self._current is not None
        if action == "forget":
            return bool(self.curves.kept)
        if action == "state":
            return self.vector == "c" or (self._current is not None and bool(self._current.cell))
        if action == "layer":
            return self._current is not None and len(self._current.hidden) > 1
        return True

    def action_keep(self) -> None:
        """Keeps the current curve, replacing one of the same run and step."""
        if self._current is not None:
            kept = [one for one in self.curves.kept if kept_name(one) != kept_name(self._current)]
            self.curves.kept = [*kept, self._current][-MOST_KEPT:]
            self.notify(f"Kept {kept_name(self._current)}; it stays beside the curves of other runs.", markup=False)
            self._draw()
            self.refresh_bindings()

    def action_forget(self) -> None:
        self.curves.kept = []
        self._draw()
        self.refresh_bindings()

    def action_state(self) -> None:
        self.vector = "c" if self.vector == "h" else "h"
        self._draw()
        self.refresh_bindings()

    def action_layer(self) -> None:
        layers = len(self._current.hidden) if self._current else 1
        self.nth = -1 if self.nth + 1 >= layers else self.nth + 1
        self._draw()

    def action_distance(self, direction: int) -> None:
        at = DISTANCES.index(self.distance) + direction
        if 0 <= at < len(DISTANCES):
            self.distance = DISTANCES[at]
            self.post_message(self.Changed())


def kept_name(curve: GradientCurve) -> str:
    """Returns the name of a kept curve, e.g. "tales-lstm-256-01 @1,240"."""
    return f"{curve.run} @{curve.step:,}"


def norms_of(curve: GradientCurve, state: str, layer: int) -> list[float]:
    """Returns the norms (K + 1,) of `state` ("h" or "c") in `layer`; empty if the model has none."""
    layers = curve.cell if state == "c" else curve.hidden
    return layers[layer] if layer < len(layers) else []


def falls_to(distances: Sequence[int], norms: Sequence[float]) -> int | None:
    """Returns the first distance from which on the norm is at most 1% of that at 0; None if there is none."""
    if not norms or not norms[0] > 0 or not math.isfinite(norms[0]):
        return None
    found = None
    for distance, norm in zip(distances, norms, strict=False):
        if not norm <= 0.01 * norms[0]:
            found = None
        elif found is None:
            found = distance
    return found


def summary(name: str, distances: Sequence[int], norms: Sequence[float]) -> list[str]:
    """Returns a row of cells: name, norm at 0, norm at K, their ratio, and where the norm has fallen to 1%."""
    if not norms or not distances:
        return [name, "–", "–", "–", "–"]
    first, last = norms[0], norms[-1]
    ratio = format_value(last / first) if first else "–"
    at = falls_to(distances, norms)
    falls = "is 0 everywhere" if first == 0 else f"k = {at}" if at is not None else f"not by {distances[-1]}"
    if not (math.isfinite(first) and math.isfinite(last)):
        falls = "not finite"
    return [name, format_value(first), format_value(last), ratio, falls]


def header(farthest: Collection[int]) -> list[str]:
    """Returns the header of the rows of `summary`; `farthest` holds the largest distance of each curve."""
    last = f"at k = {max(farthest)}" if len(set(farthest)) == 1 else "at the last k"
    return ["", "at k = 0", last, "ratio", "falls to 1% at"]


def table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Returns rows of cells as aligned lines: the first column to the left, the others to the right."""
    if not rows:
        return []
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return [
        "  ".join(
            cell.ljust(width) if i == 0 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    ]
