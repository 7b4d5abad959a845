"""Reads the values of knobs that are texts with a grammar of their own."""

from __future__ import annotations

from rnnplay.common.numbers import meant_split, real_number
from rnnplay.errors import ConfigError
from rnnplay.knobs import shown


def split_fractions(split: str) -> tuple[float, float, float]:
    """Converts "90/5/5" to fractions; raises ConfigError unless three numbers, the first two above 0, add up to 100."""
    parts = tuple(number for part in split.split("/") if (number := real_number(part)) is not None)
    if (
        len(parts) != 3
        or split.count("/") != 2
        or parts[0] <= 0
        or parts[1] <= 0
        or parts[2] < 0
        or abs(sum(parts) - 100) > 1e-6
    ):
        raise ConfigError(
            "split",
            "split must be train/validation/test in percent adding up to 100, train and validation above 0; "
            f"got {shown(split)}{_split_hint(split)}.",
        )
    return parts[0] / 100, parts[1] / 100, parts[2] / 100


def _split_hint(split: str) -> str:
    if meant := meant_split(split):
        return f"; write {meant}"
    commas = ": slashes separate the numbers, and a point their decimals" if "," in split else ""
    return f", like 90/5/5 or 92.5/5/2.5{commas}"
