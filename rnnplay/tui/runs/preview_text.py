"""What the preview says of a run."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from rnnplay.common.formatting import count_text, fixed, model_text, moment_text, perplexity, size_text
from rnnplay.config import RunConfig, knobs
from rnnplay.experiments.comparison import value_text
from rnnplay.knob_texts import corpus_label
from rnnplay.runs.browsing.training_now import Training
from rnnplay.runs.index import ListedRun
from rnnplay.tui.runs.run_cells import training_text
from rnnplay.tui.widgets.visible import MUTED, visible_line, visible_text

_DEFAULTS = RunConfig()
APART = ("corpus", "cell", "layers", "hidden")
"""Knobs that the first line tells."""


def preview_lines(run: ListedRun, training: Training | None, size: int | None, origin: str = "") -> list[Content]:
    """Returns paragraphs about a run; `size`: its bytes on disk, None while they are being counted.

    `origin`: what it was branched from, "" if it was not.
    """
    info = run.info
    if info is None:
        return [*_noted(run), Content.styled(visible_text(run.problem), "$error")]
    config = info.config
    corpus = corpus_label(config.corpus)
    parts = [
        model_text(config.cell, config.nonlinearity, config.layers, config.hidden),
        f"{count_text(info.parameters)} parameters",
        visible_line(corpus),
    ]
    lines = [Content(" · ".join(parts))]
    if training is not None:
        lines.append(Content.styled(f"{training_text(training)}, by {training.who}", "$success"))
    lines += _noted(run)
    reached = [] if run.step is None else [f"step {run.step:,}"]
    if run.best_loss is not None:
        reached.append(f"validation {fixed(run.best_loss, 4)}, perplexity {perplexity(run.best_loss):.3g}")
    lines.append(Content(" · ".join(reached) or "no checkpoint"))
    if origin:
        lines.append(Content.assemble(("branched from ", MUTED), visible_line(origin)))
    created = f"{moment_text(info.created)}{'' if size is None else f' · {size_text(size)} on disk'}"
    lines.append(Content.styled(created, MUTED))
    if changes := differences(config):
        told = (part for name, value in changes for part in ((f"{name} ", MUTED), f"{value}   "))
        lines.append(Content.assemble(*told).rstrip())
    return lines


def differences(config: RunConfig) -> list[tuple[str, str]]:
    """Returns the knobs that are not at their defaults, and have an effect, with their values."""
    return [
        (name, value_text(name, getattr(config, name)))
        for name, spec in knobs().items()
        if name not in APART and getattr(config, name) != getattr(_DEFAULTS, name) and spec.relevant(config)
    ]


def _noted(run: ListedRun) -> Sequence[Content]:
    lines = []
    if run.notes.note:
        lines.append(Content(visible_text(run.notes.note)))
    if run.notes.tags:
        lines.append(Content.styled(" ".join(f"#{tag}" for tag in run.notes.tags), "$accent"))
    return lines
