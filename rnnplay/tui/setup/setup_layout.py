"""Which knobs stand where in the setup form, and what a preset leaves alone."""

from __future__ import annotations

from collections.abc import Iterable

from rich.cells import cell_len

from rnnplay.config import GROUPS, Knob, KnobSpec, knobs
from rnnplay.presets import DEFAULT_PRESET, PRESETS, Preset

FIRST = (
    ("corpus", "tokens"),
    ("cell", "hidden", "layers"),
    ("clip", "clip_threshold", "lr"),
    ("minutes", "epochs", "steps"),
)
"""What most people change, above the fold; every other knob follows under "more"."""
KEPT_BY_PRESETS, KEPT_GROUPS = ("corpus", "seed"), ("machine", "checkpoints")
"""A preset that does not name these leaves them as they are, and so it does with all knobs of these groups."""


def first_groups() -> list[list[str]]:
    """The names of FIRST."""
    return [[name for name in group if name in knobs()] for group in FIRST]


def preset_spec(presets: Iterable[str] = PRESETS) -> KnobSpec:
    """Of the choice among presets, which is no knob of a run."""
    return KnobSpec(
        "preset",
        "choice",
        DEFAULT_PRESET,
        tuple(presets),
        Knob("settings to start from; choosing one fills the form", "corpus"),
    )


def more_groups() -> list[tuple[str, list[str]]]:
    """(title, names) of every knob that is not among the first."""
    first = {name for group in first_groups() for name in group}
    groups = [
        (title, [name for name, spec in knobs().items() if spec.knob.group == group and name not in first])
        for group, title in GROUPS.items()
    ]
    return [(title, names) for title, names in groups if names]


def kept_by(preset: Preset) -> set[str]:
    """The knobs that choosing `preset` leaves as they are."""
    return {
        name
        for name, spec in knobs().items()
        if name not in preset.values and (name in KEPT_BY_PRESETS or spec.knob.group in KEPT_GROUPS)
    }


def label_width(names: list[str]) -> int:
    """Cells of the longest label."""
    return max(cell_len(knobs()[name].label) for name in names)
