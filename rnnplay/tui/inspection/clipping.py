"""One step's gradient before and after clipping, as a whole and by parameter."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content

from rnnplay.engine import messages
from rnnplay.inspection.questions import ClippingQuestion
from rnnplay.inspection.results import ClippedStep, ParameterGradient
from rnnplay.tui.chart.axes import format_value
from rnnplay.tui.heatmap.shades import LogBins, columns, log_bins
from rnnplay.tui.inspection.view import Curves, InspectView
from rnnplay.tui.prompt.next_bars import bar
from rnnplay.tui.run_controller import RunController
from rnnplay.tui.widgets.text import Lines
from rnnplay.tui.widgets.visible import FAINT, MUTED, padded, percentage, visible_line

NAME_WIDTH = 26


class ClippingView(InspectView):
    """Shows the next batch's gradient, clipped as in the run."""

    SCOPED_CSS = False  # some rules depend on the size of the screen
    DEFAULT_CSS = """
    ClippingView #clipping-totals { height: 2; }
    ClippingView #clipping-norms { height: 6; }
    .-tall ClippingView #clipping-norms { height: 10; margin-top: 1; }
    ClippingView #clipping-scroll { height: 1fr; }
    """
    NAME = "clipping"
    DESCRIPTION = (
        "One step's gradient before and after clipping. Clipping by norm keeps its direction (cosine 1) and makes it "
        "shorter; clipping by value bends it. Bars: each parameter's fraction of the squared norm."
    )
    HELP = """
    ## Clipping

    The gradient of the next batch, over all parameters together, before and after clipping; the weights stay
    unchanged. The histogram shows the norms of the recent steps on a logarithmic axis; ┃ marks the threshold, and the
    steps to the right of it were clipped.

    - `↑` `↓` scroll the table of parameters
    - `-` and `+`, or `F7` and `F8`, change the threshold of a run under way; without one, `F7` and `F8` change that of
      the next run, as on the playground
    """
    INTERVAL = 1.5
    ENGINE_FRACTION = 0.03
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("minus", "threshold(-1)", "Threshold", key_display="-/+", id="clipping.threshold-down"),
        Binding("f7", "threshold(-1)", "Threshold", show=False, id="everywhere.threshold-down"),
        Binding("plus,equals_sign", "threshold(1)", "", show=False, id="clipping.threshold-up"),
        Binding("f8", "threshold(1)", "", show=False, id="everywhere.threshold-up"),
    ]

    def __init__(self, controller: RunController, curves: Curves) -> None:
        super().__init__(controller, curves)
        self._found: ClippedStep | None = None
        self._norms: object = None
        self._running = False

    def compose(self) -> ComposeResult:
        yield Lines(id="clipping-totals")
        yield Lines(id="clipping-norms")
        with VerticalScroll(id="clipping-scroll"):
            yield Lines(id="clipping-parameters")

    def on_mount(self) -> None:
        self.refresh_state()

    def ask(self) -> int | None:
        return self.controller.inspect(ClippingQuestion())

    def answer(self, event: messages.Inspected | messages.Completion) -> None:
        if isinstance(event, messages.Inspected) and isinstance(event.result, ClippedStep):
            self._found = event.result
            self.shown_step = self._found.step
            self._draw()

    def _draw(self) -> None:
        if self._found is not None:
            self.query_one("#clipping-totals", Lines).show(self.told(totals(self._found), "$foreground"))
            width = self.query_one("#clipping-scroll").size.width - 2
            self.query_one("#clipping-parameters", Lines).show(self.told(parameter_rows(self._found.parameters, width)))

    def refresh_state(self) -> None:
        """Draws the histogram of the recent gradient norms."""
        state = self.state
        if self._running != self.controller.running:
            self._running = self.controller.running
            self.refresh_bindings()
        config = state.config
        threshold = config.clip_threshold if config.clip == "norm" else None
        lines = self.query_one("#clipping-norms", Lines)
        shown = state.step, threshold, lines.size
        if shown == self._norms or not lines.size:
            return
        self._norms = shown
        norms = [step.grad_norm for step in state.recent]
        width, height = lines.size
        bins = log_bins(norms, min(width, 64), threshold)
        if bins is None:
            lines.show(self.told([Content.styled("The norms of the last steps come while a run is trained.", FAINT)]))
            return
        lines.show(self.told(histogram_rows(bins, threshold, height, len(norms), state.clipped_fraction)))

    def on_resize(self) -> None:
        self._draw()
        self.refresh_state()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        return action != "threshold" or self.controller.running

    def action_threshold(self, direction: int) -> None:
        """Changes the clip threshold through the playground's form."""
        self.post_message(self.ThresholdMoved(direction))

    class ThresholdMoved(InspectView.Changed):
        """The clip threshold moves one notch in `direction`."""

        def __init__(self, direction: int) -> None:
            super().__init__()
            self.direction = direction


def totals(found: ClippedStep) -> list[Content]:
    """Returns two rows on what clipping did to the whole gradient."""
    how = {
        "norm": f"clipping by norm at {format_value(found.threshold)}",
        "value": f"clipping by value at ±{format_value(found.threshold)}",
    }.get(found.mode, "clipping off")
    return [
        Content.assemble(
            ("norm ", MUTED),
            (f"{format_value(found.before)} → {format_value(found.after)}", "bold $foreground"),
            (f"   scale {format_value(found.scale)}   cosine {found.cosine:.4f}", "$foreground"),
        ),
        Content.styled(f"{how}   step {found.step:,}", MUTED),
    ]


def histogram_rows(bins: LogBins, threshold: float | None, height: int, steps: int, clipped: float) -> list[Content]:
    """Returns `height` rows, at least 4: a title, the bins, the axis with ┃ at the threshold, and its end values."""
    rows = columns(bins.counts, max(1, height - 3))
    at = bins.place(threshold) if threshold is not None else None
    styled = [Content.styled(row, "$secondary") for row in rows]
    if at is not None:
        styled = [
            Content.assemble((row[: at + 1], "$secondary"), (row[at + 1 :], "$warning")) for row in rows
        ]  # the bin of the threshold may hold norms on both sides
    axis = ["─"] * len(bins.counts)
    if at is not None:
        axis[at] = "┃"
    low, high = format_value(10.0**bins.low), format_value(10.0**bins.high)
    ends = low + high.rjust(len(axis) - len(low))
    note = f"Norms of the last {steps} steps (log), {clipped:.0%} clipped"
    if bins.left_out:
        note += f", {bins.left_out} not finite or 0"
    return [
        Content.styled(note, MUTED),
        *styled,
        Content.styled("".join(axis), FAINT),
        Content.styled(ends, MUTED),
    ]


def parameter_rows(parameters: Sequence[ParameterGradient], width: int) -> list[Content]:
    """Returns a header, then rows of name, gradient norms before and after, bar and fraction, and weight norm."""
    bar_width = min(40, max(0, width - NAME_WIDTH - 36))
    heading = "fraction".ljust(bar_width + 6)
    rows = [Content.styled(f"{'parameter':<{NAME_WIDTH}} {'before':>8} {'after':>8}  {heading} {'weights':>8}", FAINT)]
    for one in parameters:
        rows.append(
            Content.assemble(
                (padded(visible_line(one.name), NAME_WIDTH), "$foreground"),
                (f" {format_value(one.before):>8} {format_value(one.after):>8}  ", MUTED),
                (bar(one.fraction, bar_width), "$primary"),
                (f"{percentage(one.fraction):>6} ", MUTED),
                (f"{format_value(one.weight):>8}", MUTED),
            )
        )
    return rows
