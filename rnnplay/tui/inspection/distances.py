"""Accuracy by distance: how often a token that an earlier one determines is predicted correctly."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content

from rnnplay.engine import messages
from rnnplay.inspection.questions import DistancesQuestion
from rnnplay.inspection.results import DistanceAccuracy
from rnnplay.tui.chart.chart import Chart, Mark, Series
from rnnplay.tui.chart.history import History
from rnnplay.tui.inspection.view import Curves, InspectView
from rnnplay.tui.prompt.next_bars import bar
from rnnplay.tui.run_controller import RunController
from rnnplay.tui.widgets.text import Lines, translation_of
from rnnplay.tui.widgets.visible import FAINT, MUTED, visible_line

SIDE = 46
MEASURING = "measuring…"
NEEDED = "for corpora with known dependencies"


class DistancesView(InspectView):
    """Shows accuracy by distance, which exists only for corpora with known dependencies."""

    SCOPED_CSS = False  # some rules depend on the size of the screen
    DEFAULT_CSS = f"""
    DistancesView {{ layout: vertical; }}
    DistancesView Chart {{ height: 2fr; }}
    DistancesView VerticalScroll {{ height: 1fr; padding: 0 1; }}
    .-wide DistancesView {{ layout: horizontal; }}
    .-wide DistancesView Chart {{ height: 1fr; }}
    .-wide DistancesView VerticalScroll {{ width: {SIDE}; height: 1fr; margin-left: 1; }}
    .-broad DistancesView {{ layout: horizontal; }}
    .-broad DistancesView Chart {{ height: 1fr; }}
    .-broad DistancesView VerticalScroll {{ width: {SIDE}; height: 1fr; margin-left: 1; }}
    """
    NAME = "distance"
    DESCRIPTION = (
        "How often the model is right about a token that an earlier one determines, by how much earlier. On the dashed "
        "chance line it has forgotten that token; right of the mark lie distances it never trained on."
    )
    HELP = """
    ## Accuracy by distance

    In a corpus with known dependencies (`recall`, `brackets`, `agreement`, `copy`) some tokens follow from an earlier
    one. Each point is the fraction of them predicted right at that distance, between the ends of its 95% interval
    (Wilson 1927). Chance is what knowing everything but that earlier token would give.
    """
    INTERVAL = 4.0
    ENGINE_FRACTION = 0.03

    def __init__(self, controller: RunController, curves: Curves) -> None:
        super().__init__(controller, curves)
        self._found: DistanceAccuracy | None = None
        self._refused = False

    def compose(self) -> ComposeResult:
        yield Chart(
            title="Accuracy by distance",
            x="distance",
            y_range=(-0.02, 1.02),
            empty=NEEDED,
            legend=False,
            id="distance-chart",
        )
        with VerticalScroll():
            yield Lines(id="distance-numbers")

    def on_mount(self) -> None:
        self.query_one(Chart).smoothing = 0

    def ask(self) -> int | None:
        request = self.controller.inspect(DistancesQuestion())
        if request is not None and not self._refused:
            self.query_one(Chart).empty = MEASURING
        return request

    def refused(self) -> None:
        self._refused = True
        self.query_one(Chart).empty = translation_of(self)(NEEDED)

    def answer(self, event: messages.Inspected | messages.Completion) -> None:
        if not isinstance(event, messages.Inspected) or not isinstance(event.result, DistanceAccuracy):
            return
        found = self._found = event.result
        self.shown_step = found.step
        held = [i for i, count in enumerate(found.count) if count > 0]

        def curve(values: list[float]) -> History:
            history = History()
            history.extend((found.distances[i], values[i]) for i in held)
            return history

        chart = self.query_one(Chart)
        translated = translation_of(self)
        chart.border_title = translated(f"Accuracy by distance: {visible_line(found.kind)}")
        chart.series = [
            Series("95%", curve(found.low), "muted", smooth=False),
            Series("", curve(found.high), "muted", smooth=False),
            Series(translated("accuracy"), curve(found.accuracy), "primary", smooth=False),
        ]
        chart.marks = [Mark(found.trained, translated("trained to here"), "warning")]
        chart.set_threshold(found.chance, translated("chance"))
        chart.readout = translated(f"faint: 95% interval  step {found.step:,}")
        self._draw()

    def _draw(self) -> None:
        if self._found is not None:
            width = self.query_one(VerticalScroll).size.width - 3
            self.query_one("#distance-numbers", Lines).show(self.told(distance_rows(self._found, width)))

    def on_resize(self) -> None:
        self._draw()


def distance_rows(found: DistanceAccuracy, width: int) -> list[Content]:
    """Returns a header and a row per bin: distances, * beyond the trained ones, bar, accuracy, interval and count."""
    bar_width = max(0, width - 34)
    rows = [Content.styled(f"{'distance':>9}  {'':{bar_width}} right  95%          of", FAINT)]
    edges = [*found.distances[1:], None]
    bins = zip(found.distances, edges, found.accuracy, found.low, found.high, found.count, strict=True)
    for first, after, accuracy, low, high, count in bins:
        name = f"{first}–" if after is None else str(first) if after == first + 1 else f"{first}–{after - 1}"
        beyond = "*" if first > found.trained else " "
        if not count:
            rows.append(Content.styled(f"{name:>9}{beyond} none", FAINT))
            continue
        rows.append(
            Content.assemble(
                (f"{name:>9}{beyond} ", MUTED),
                (bar(accuracy, bar_width), "$primary"),
                (f"  {accuracy:.2f}", "$foreground"),
                (f"  {low:.2f}–{high:.2f} {count:>5,}", MUTED),
            )
        )
    return rows
