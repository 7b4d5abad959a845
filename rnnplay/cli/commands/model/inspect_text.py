"""Prints the results of `rnnplay inspect`: tables, shaded text, heatmaps of blocks."""

from __future__ import annotations

import math
import shutil
import sys
from collections.abc import Sequence

import click

from rnnplay.cli.commands.model.complete import visible
from rnnplay.cli.support.console import pairs, table, written
from rnnplay.common.encodings import encodable
from rnnplay.common.formatting import fixed, fraction_of_tokens
from rnnplay.common.terminal_text import NEWLINE, SPACE, sanitize_line
from rnnplay.inspection.results import (
    GATES,
    ClippedStep,
    Connectivity,
    DistanceAccuracy,
    ForcedCompletion,
    GateMap,
    GradientCurve,
    Predictions,
    Timestep,
)

DISTANCES = (0, 1, 2, 4, 8, 16, 32, 64)
BAR = 24
DECADES = 12
"""A bar is empty at 1e-12 of the norm at distance 0."""
SHADES = " ░▒▓█"


def show_gradients(curves: Sequence[GradientCurve]) -> None:
    """Prints one row per distance: for each run and layer the norm, its ratio to that at 0, and a bar of its log."""
    for curve in curves:
        shown = [k for k in curve.distances if k in DISTANCES or k == curve.distances[-1] or (k > 64 and k % 64 == 0)]
        click.echo(f"{sanitize_line(curve.run)}, step {curve.step:,}: ‖∂L/∂h‖ k timesteps earlier, mean of a probe")
        named = [(f"h{layer}", norms) for layer, norms in enumerate(curve.hidden)]
        named += [(f"c{layer}", norms) for layer, norms in enumerate(curve.cell)]
        for name, norms in named:
            rows = []
            for k in shown:
                relative = norms[k] / norms[0] if norms[0] else math.nan
                rows.append((str(k), f"{norms[k]:.3e}", f"{relative:.2e}", _bar(relative)))
            table(("k", name, "of k=0", "log scale, 1e-12 to 1"), rows, numbers=("k", name, "of k=0"))
        click.echo()
    if len(curves) > 1:
        _side_by_side(curves)


def _side_by_side(curves: Sequence[GradientCurve]) -> None:
    """Prints the norm of the top layer's hidden state for each run, relative to distance 0."""
    far = max(curve.distances[-1] for curve in curves)
    rows = []
    for k in (k for k in range(far + 1) if k in DISTANCES or k == far):
        cells = []
        for curve in curves:
            norms = curve.hidden[-1]
            cells.append(f"{norms[k] / norms[0]:.2e}" if k < len(norms) and norms[0] else "")
        rows.append((str(k), *cells))
    names = [f"{curve.run} step {curve.step}" for curve in curves]
    table(("k", *map(sanitize_line, names)), rows, numbers=("k", *names))


def _bar(relative: float) -> str:
    if math.isnan(relative) or relative <= 0:
        return ""
    if math.isinf(relative):
        return "█" * BAR
    return "█" * round(BAR * min(1.0, max(0.0, 1 + math.log10(relative) / DECADES)))


def show_predictions(found: Predictions, kind: str) -> None:
    """Prints the text shaded by surprisal, one row per token, and the totals."""
    tokens = [one.token for one in found.tokens]
    _shaded(tokens, [one.surprisal / 6 for one in found.tokens], kind)
    rows = []
    for one in found.tokens:
        top = "  ".join(f"{visible(other.token)} {100 * other.probability:.0f}%" for other in one.top[:3])
        rank = str(one.rank) if one.rank else ""
        rows.append((visible(one.token), f"{100 * one.probability:.1f}%", rank, f"{one.surprisal:.2f}", top))
    columns = ("token", "probability", "rank", "nats", "most probable")
    table(columns, rows, numbers=("probability", "rank", "nats"))
    pairs(
        [
            ("loss", f"{fixed(found.loss, 4)} nats per token"),
            ("perplexity", fixed(found.perplexity, 3)),
            ("<unk>", fraction_of_tokens(found.unknown_fraction)),
        ]
    )


def show_what_if(text: str, untouched: Predictions, forced: Predictions, both: ForcedCompletion) -> None:
    """Prints the untouched and the forced model side by side."""
    rows = []
    for name, found, completed in (("untouched", untouched, both.untouched), ("forced", forced, both.forced)):
        completion = written(text[-30:] + "|" + completed.suggestion)
        rows.append((name, fixed(found.loss, 4), fixed(found.perplexity, 3), completion))
    table(("what if", "loss", "perplexity", "completion"), rows, numbers=("loss", "perplexity"))


def show_gates(found: GateMap) -> None:
    """Prints one line per unit, one block per token."""
    gate = found.quantity in GATES
    what = {"property": f"correlation with {found.property}", "saturation": "fraction of timesteps saturated"}
    score = what.get(found.order, "variance")
    pairs(
        [
            ("run", f"{found.run}, step {found.step:,}"),
            ("shown", f"{found.quantity} of layer {found.layer} ({found.cell.upper()}), {found.units:,} units"),
            ("order", f"{found.order}; the number is the {score}"),
            ("scale", "0 ' ' to 1 '█'" if gate else "-1 ' ' to 1 '█'"),
            (
                "saturated",
                f"{100 * found.low:.1f}% {'' if gate else 'in size '}below 0.1, {100 * found.high:.1f}% above 0.9",
            ),
        ]
    )
    width = max(20, shutil.get_terminal_size((100, 24)).columns - 16)
    marks = [_mark(token) for token in found.tokens]
    for start in range(0, len(marks), width):
        click.echo(f"\n{'':15} {''.join(marks[start : start + width])}")
        for unit, number, values in zip(found.shown, found.scores, found.values, strict=True):
            blocks = "".join(_shade(value if gate else (value + 1) / 2) for value in values[start : start + width])
            click.echo(f"{unit:>5} {number:>+9.4f} {blocks}")


def show_connectivity(found: Connectivity, kind: str) -> None:
    """Prints the text shaded by how much the prediction depends on each token, and the strongest tokens."""
    largest = max((one for one in found.strengths if math.isfinite(one)), default=0.0) or 1.0
    _shaded(found.tokens, [math.sqrt(max(0.0, one) / largest) for one in found.strengths], kind)
    target = "–" if found.target is None else visible(found.target)
    pairs(
        [
            ("run", f"{found.run}, step {found.step:,}"),
            (
                "predicted",
                f"{target} after token {found.position}, {visible(found.tokens[found.position])}",
            ),
        ]
    )
    order = sorted(range(len(found.strengths)), key=lambda place: -found.strengths[place])[:20]
    rows = [
        (
            str(place),
            visible(found.tokens[place]),
            f"{found.strengths[place]:.3e}",
            _bar_linear(found.strengths[place] / largest),
        )
        for place in order
    ]
    table(("position", "token", "squared norm", "of the largest"), rows, numbers=("position", "squared norm"))


def show_clipping(found: ClippedStep) -> None:
    """Prints the norms of the whole gradient, and those of each parameter."""
    pairs(
        [
            ("run", f"{found.run}, step {found.step:,}"),
            ("clip", f"{found.mode} at {found.threshold:g}"),
            ("norm", f"{found.before:.4g} before, {found.after:.4g} after"),
            ("scale", f"{found.scale:.4g}"),
            ("cosine", f"{found.cosine:.6f}"),
        ]
    )
    rows = [
        (one.name, f"{one.before:.4g}", f"{one.after:.4g}", f"{100 * one.fraction:.1f}%", f"{one.weight:.4g}")
        for one in found.parameters
    ]
    columns = ("parameter", "gradient", "clipped", "fraction", "weight")
    table(columns, rows, numbers=columns[1:])


def show_distances(found: DistanceAccuracy) -> None:
    """Prints one row per bin of distances; * marks those beyond the training text's."""
    pairs(
        [
            ("run", f"{found.run}, step {found.step:,}"),
            ("text", f"{found.kind}; its training lines reach distance {found.trained}, * is beyond"),
            ("chance", f"{found.chance:.3f}, of a model that has forgotten the earlier token"),
        ]
    )
    rows = []
    ends: list[int | None] = [*found.distances[1:], None]
    bins = zip(found.distances, ends, found.accuracy, found.low, found.high, found.count, strict=True)
    for first, end, accuracy, low, high, count in bins:
        name = f"{first}–" if end is None else str(first) if end == first + 1 else f"{first}–{end - 1}"
        beyond = "*" if first > found.trained else ""
        interval = f"{low:.3f} to {high:.3f}"
        rows.append((name + beyond, f"{accuracy:.3f}", interval, f"{count:,}", _bar_linear(accuracy)))
    columns = ("distance", "accuracy", "95% interval", "of", "0 to 1")
    table(columns, rows, numbers=("distance", "accuracy", "of"))


def show_timestep(found: Timestep) -> None:
    """Prints the picture of the cell with its numbers after the forward and after the backward pass, and all stages."""
    from rnnplay.inspection.cell.drawing import STAGES, TITLES, drawing, equations, is_backward

    read, following = (visible(found.tokens[at]) for at in (found.position, found.position + 1))
    pairs(
        [
            ("run", f"{found.run}, step {found.step:,}"),
            ("shown", f"layer {found.layer}, units {', '.join(map(str, found.units))} of {found.hidden:,}"),
            ("token", f"{found.position}, {read}; the next one is {following}"),
        ]
    )
    for backward in (False, True):
        stages = [stage for stage in STAGES if is_backward(stage) is backward]
        what = "Backward: each number is ∂L/∂ what it stands at" if backward else "Forward"
        click.echo(f"\n{written(what)}\n")
        for row in drawing(found, stages[-1], read):
            click.echo(written("".join(piece.text for piece in row).rstrip()))
        for stage in stages:
            click.echo(f"\n{written(TITLES[stage].partition(': ')[2])}")
            for line in equations(found, stage, following):
                click.echo(written(line))


def _bar_linear(fraction: float) -> str:
    return "█" * round(BAR * fraction) if math.isfinite(fraction) else ""


def _shade(fraction: float) -> str:
    if math.isnan(fraction):
        return "?"
    return SHADES[min(len(SHADES) - 1, int(max(0.0, min(1.0, fraction)) * len(SHADES)))]


def _mark(token: str) -> str:
    """Shortens a token to one column."""
    import unicodedata

    shown = (
        {"\n": NEWLINE, " ": SPACE, "<unk>": "·"}.get(token) or encodable(sanitize_line(token[:1]), sys.stdout) or " "
    )
    return shown if unicodedata.east_asian_width(shown) not in "WF" and not unicodedata.combining(shown) else "·"


def _shaded(tokens: Sequence[str], strengths: Sequence[float], kind: str) -> None:
    """Prints the text with backgrounds as strong as each token's strength, 0 to 1; nothing in a pipe."""
    if not sys.stdout.isatty():
        return
    from rich.console import Console
    from rich.text import Text

    drawn = Text()
    for place, token in enumerate(tokens):
        strength = strengths[place] if place < len(strengths) else math.nan
        style = ""
        if not math.isnan(strength):
            level = max(0.0, min(1.0, strength))
            style = f"black on rgb(255,{round(255 - 175 * level)},{round(255 - 215 * level)})"
        drawn.append("⏎" if token == "\n" else written(token), style)
        drawn.append("\n" if token == "\n" else " " if kind == "word" else "")
    Console(highlight=False).print(drawn)
    click.echo()
