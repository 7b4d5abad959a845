"""The charts of a training run: sparklines of the recent steps, loss and gradient norm."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical

from rnnplay.common.formatting import fixed, unknown_text
from rnnplay.config import RunConfig
from rnnplay.tui.chart.chart import Chart, Mark, Series
from rnnplay.tui.chart.sparkline import Spark
from rnnplay.tui.overlay import OverlaidRun, differing_tokens, overlaid_series
from rnnplay.tui.run_state import RUNNING, RunState
from rnnplay.tui.widgets.overlay_legend import OverlayLegend

TITLES = {
    "loss-chart": ("Loss", "nats per token, as soon as training begins"),
    "norm-chart": ("Gradient norm", "before clipping, on a log axis"),
}
"""The title of each chart, and its text while there are no data."""
BITS_TITLE = "Bits per character"
"""The title of the chart of losses while runs with other tokens are overlaid."""


class TrainingCharts(Vertical):
    """Draws the charts of a RunState."""

    DEFAULT_CSS = """
    TrainingCharts { height: 1fr; }
    TrainingCharts #sparks { height: 1; padding: 0 1; }
    TrainingCharts Spark { width: 1fr; }
    TrainingCharts #norm-spark { margin-left: 2; }
    TrainingCharts #loss-chart { height: 3fr; }
    TrainingCharts #norm-chart { height: 2fr; }
    """

    def compose(self) -> ComposeResult:
        with Horizontal(id="sparks"):
            yield Spark("loss", id="loss-spark")
            yield Spark("norm", log=True, id="norm-spark")
        for name, (title, empty) in TITLES.items():
            yield Chart(title=title, id=name, log_y=name == "norm-chart", empty=empty)
        yield OverlayLegend(id="overlay")

    def on_mount(self) -> None:
        self._drawn: object = None
        self._translated: Callable[[str], str] = str

    def translate(self, translated: Callable[[str], str]) -> None:
        """Shows the titles as `translated` has them."""
        self._translated = translated
        for name, (title, empty) in TITLES.items():
            chart = self.query_one(f"#{name}", Chart)
            chart.border_title, chart.empty = translated(title), translated(empty)

    def focus_first(self) -> None:
        """Focuses the loss chart."""
        self.query_one("#loss-chart", Chart).focus()

    def show(self, state: RunState, form: RunConfig, overlaid: Sequence[OverlaidRun] = ()) -> None:
        """Updates the charts from `state`; `form` is the form's config, `overlaid` are runs to draw behind it."""
        config = state.config if state.run is not None else form
        clip = config if state.phase in RUNNING or state.followed else form
        loss, norm = self.query_one("#loss-chart", Chart), self.query_one("#norm-chart", Chart)
        translated = self._translated
        in_bits = bool(overlaid) and differing_tokens([config, *(run.state.config for run in overlaid)])
        drawn = state.loss, [run.key for run in overlaid], translated("train"), in_bits
        if drawn != self._drawn:  # other runs
            self._drawn = drawn
            valid = translated("valid")
            own = [
                Series(translated("train"), state.loss, "primary"),
                Series(valid, state.validation_loss, "accent", smooth=False, style="dots"),
            ]
            if in_bits:  # losses per token cannot be compared
                own = [Series(valid, state.validation_bits, "accent", smooth=False)]
            loss.series = [*overlaid_series(overlaid, "bits" if in_bits else "loss"), *own]
            loss.border_title = translated(BITS_TITLE if in_bits else TITLES["loss-chart"][0])
            norm.series = [*overlaid_series(overlaid, "norm"), Series(translated("norm"), state.norm, "secondary")]
        self.query_one(OverlayLegend).show(overlaid, in_bits)
        for chart in (loss, norm):
            chart.viewport.limit = config.steps or None
        marks = [Mark(step, "↺", "warning") for step in state.returns]
        if list(loss.marks) != marks:
            loss.marks = norm.marks = marks
        norm.set_threshold(clip.clip_threshold if clip.clip == "norm" else None, "clip")
        loss.refresh_data()
        norm.refresh_data()
        # On a border, so that it takes no room and moves nothing, whether there is something to say or not.
        verdict = state.health.verdict()
        norm.note = translated(verdict.text).rstrip(".。") if verdict is not None else ""
        loss.readout, norm.readout = translated(loss_readout(state)), translated(norm_readout(state, config, clip))
        loss_spark, norm_spark = self.query_one("#loss-spark", Spark), self.query_one("#norm-spark", Spark)
        loss_spark.values = [step.loss for step in state.recent]
        norm_spark.values = [step.grad_norm for step in state.recent]
        norm_spark.threshold = clip.clip_threshold if clip.clip == "norm" else None


def loss_readout(state: RunState) -> str:
    """Describes the last validation, e.g. "perplexity 4.57  2.19 bits/char", with the fraction of `<unk>` if not 0."""
    if state.validation is None:
        return ""
    valid = state.validation
    unknown = unknown_text(valid.unknown_fraction)
    bits = f"{fixed(valid.bits_per_character, 2)} bits/char"
    return f"perplexity {valid.perplexity:.3g}  {bits}{unknown and '  '}{unknown}"


def norm_readout(state: RunState, config: RunConfig, coming: RunConfig) -> str:
    """Describes clipping, e.g.

    "last 2.31 → 1.00  38% of 100 steps clipped"; before the first step, what the clip will be.

    If `coming`, the config to continue with, clips differently from `config`, the readout shows that instead.
    """
    if state.last is None:
        return clip_text(coming)
    if clip_text(coming) != clip_text(config):
        return f"next: {clip_text(coming)}"
    if config.clip == "off":
        return clip_text(config)
    last = state.last
    now = f"last {last.grad_norm:.3g} → {last.grad_norm_clipped:.3g}  " if last.clipped else ""
    return f"{now}{state.clipped_fraction:.0%} of {len(state.recent)} steps clipped"


def clip_text(config: RunConfig) -> str:
    """Describes the clip: "clipping off", or e.g. "clip norm at 1"."""
    return "clipping off" if config.clip == "off" else f"clip {config.clip} at {config.clip_threshold:g}"
