"""Writes a report of a run: one HTML page that needs nothing else, no network and no script.

Everything that comes from files is escaped; a policy in the page forbids it to load anything.
"""

from __future__ import annotations

import re
from pathlib import Path

from jinja2 import Environment
from markupsafe import Markup

from rnnplay import __version__
from rnnplay.common.formatting import fixed
from rnnplay.common.terminal_text import sanitize
from rnnplay.experiments.export.charts import Ink, chart
from rnnplay.experiments.export.curves import Curves, read_curves
from rnnplay.experiments.export.destination import writing
from rnnplay.experiments.export.report.facts import Facts, facts
from rnnplay.runs.folder import RunFolder

TEMPLATE = Path(__file__).with_name("report.html")
WIDE, NARROW = (7.6, 4.8), (3.9, 4.8)
"""Sizes of the chart in inches: the second is shown where the page is narrow, as letters would be too small."""

_INK = {
    "text": "#010101",
    "axis": "#020202",
    "grid": "#030303",
    "training": "#040404",
    "validation": "#050505",
    "norm": "#060606",
    "threshold": "#070707",
    "background": "#080808",
}
"""Colours that stand for those of the page's style, which are others in the dark."""


def write_report(run: RunFolder, path: Path) -> None:
    """Writes the page. Raises InputError."""
    curves = read_curves(run)
    page = report(facts(run, curves), curves)
    with writing(path) as file:
        file.write(page.encode("utf-8", "replace"))


def report(about: Facts, curves: Curves) -> str:
    """Returns the page."""
    environment = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True, finalize=_clean)
    environment.filters["fixed"] = fixed
    template = environment.from_string(TEMPLATE.read_text(encoding="utf-8"))
    charts = {name: inline_chart(curves, size) for name, size in (("wide", WIDE), ("narrow", NARROW))}
    return template.render(about=about, charts=charts, version=__version__)


def inline_chart(curves: Curves, size: tuple[float, float]) -> Markup:
    """The chart as an element of a page, in the colours and the font of the page."""
    svg = chart([curves], "svg", Ink(**_INK, text_as_paths=False), size, salt=str(size)).decode()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r' id="(?:[a-z]+\.?[a-z]*|[A-Za-z0-9]+)_[0-9_]+"', "", svg)  # of the two charts they would be the same
    svg = re.sub(r"font: ([0-9.]+)px [^;\"]*", r"font-size: \1px", svg)
    for name, colour in _INK.items():
        svg = svg.replace(colour, f"var(--{name})")
    label = "Charts by step: loss of training and validation above, gradient norm below"
    return Markup(
        re.sub(
            r'<svg [^>]*?viewBox="([^"]*)"[^>]*>', rf'<svg viewBox="\1" role="img" aria-label="{label}">', svg, count=1
        )
    )


def _clean(value: object) -> object:
    return value if isinstance(value, Markup) else sanitize(value) if isinstance(value, str) else value
